namespace OKLA.ML.Datasets;

/// <summary>Keeps so many of a stream of things that each is as likely to be among them (algorithm R: Vitter 1985, "Random sampling with a reservoir").</summary>
internal sealed class Reservoir<T>(int capacity)
{
    private const int Seed = 42;

    private readonly List<T> kept = [];
    private readonly Random random = new(Seed);
    private long seen;

    /// <summary>What is kept; in the order of the stream as long as all of it is.</summary>
    public IReadOnlyList<T> Kept => kept;

    /// <summary>Where the next one is to be kept; -1 for nowhere.</summary>
    public int Place()
    {
        var place = seen < capacity ? seen : random.NextInt64(seen + 1);
        seen++;
        return place < capacity ? (int)place : -1;
    }

    /// <summary>Shows it the next one, which is kept or not.</summary>
    public void Add(T item)
    {
        if (Place() is >= 0 and var place)
        {
            Put(place, item);
        }
    }

    /// <summary>Keeps one at the place that it was given.</summary>
    public void Put(int place, T item)
    {
        if (place == kept.Count)
        {
            kept.Add(item);
        }
        else
        {
            kept[place] = item;
        }
    }
}
