using OKLA.Features.Facts;

namespace OKLA.Features.Registry;

/// <summary>
/// What one entity's <see cref="FactStream"/> holds: entries in event time (position breaks ties) with running sums, so that the count and
/// sum of any window cost two binary searches. Numbers are kept in millionths, so that sums are exact in whatever order facts arrive.
/// </summary>
internal sealed class StreamState(FactStream stream, Func<string, int> keyOf, Func<int, string> nameOf)
{
    private const double Million = 1e6;
    private const double Largest = 1e9;

    private readonly List<Entry> entries = [];
    private readonly Dictionary<Window, Tally> tallies = [];

    public void Clear()
    {
        entries.Clear();
        foreach (var tally in tallies.Values)
        {
            tally.Clear();
        }
    }

    /// <summary>Takes in a fact that is of one of the stream's types.</summary>
    public void Add(Fact fact)
    {
        if (stream.Filter is { } filter && !filter(fact))
        {
            return;
        }

        var (number, key) = (stream.Measure?.Invoke(fact), stream.Key?.Invoke(fact));
        if ((stream.Measure is not null && number is null) || (stream.Key is not null && string.IsNullOrEmpty(key)))
        {
            return;
        }

        var millionths = (long)Math.Round(Math.Clamp(number ?? 0, -Largest, Largest) * Million);
        var place = entries.Count;
        while (place > 0 && (entries[place - 1].At, entries[place - 1].Position).CompareTo((fact.OccurredAt, fact.Position)) > 0)
        {
            place--;
        }

        var entry = new Entry(fact.OccurredAt, fact.Position, key is null ? -1 : keyOf(key), (place == 0 ? 0 : entries[place - 1].SumTo) + millionths);
        if (place == entries.Count)
        {
            entries.Add(entry);
            return;
        }

        // A late event: what follows it moves up by its number, and counts that were kept for a window begin anew.
        entries.Insert(place, entry);
        for (var i = place + 1; i < entries.Count; i++)
        {
            entries[i] = entries[i] with { SumTo = entries[i].SumTo + millionths };
        }

        foreach (var tally in tallies.Values)
        {
            tally.Clear();
        }
    }

    /// <summary>The entries of a window as asked for at a time, at or after everything that was added.</summary>
    public Slice At(long at, Window window) => new(this, window, at, FirstAfter(window.Start(at)), entries.Count);

    internal Entry this[int index] => entries[index];

    internal long SumOf(int from, int to) => from == to ? 0 : entries[to - 1].SumTo - (from == 0 ? 0 : entries[from - 1].SumTo);

    internal string NameOf(int key) => nameOf(key);

    internal int KeyOf(string name) => keyOf(name);

    internal Tally Count(Window window, int from, int to)
    {
        if (!tallies.TryGetValue(window, out var tally))
        {
            tallies[window] = tally = new Tally(this);
        }

        tally.MoveTo(from, to);
        return tally;
    }

    private int FirstAfter(long start)
    {
        var (low, high) = (0, entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = entries[middle].At > start ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>One event: its time, its place in the log, its key and the sum of all numbers up to and with it.</summary>
    internal readonly record struct Entry(long At, long Position, int Key, long SumTo);
}

/// <summary>The entries of a stream within a window, oldest first.</summary>
internal readonly struct Slice(StreamState state, Window window, long askedAt, int from, int to)
{
    public int Count => to - from;

    public long AskedAt => askedAt;

    public double Sum => state.SumOf(from, to) / 1e6;

    public long At(int index) => state[from + index].At;

    public double Number(int index) => state.SumOf(from + index, from + index + 1) / 1e6;

    public string Key(int index) => state.NameOf(state[from + index].Key);

    public Tally Tally() => state.Count(window, from, to);
}

/// <summary>Occurrences of each key within a window; as the window slides only what enters and leaves is counted.</summary>
internal sealed class Tally(StreamState state)
{
    private readonly Dictionary<int, int> counts = [];
    private int from;
    private int to;

    public int Distinct => counts.Count;

    public void Clear()
    {
        counts.Clear();
        from = to = 0;
    }

    public void MoveTo(int newFrom, int newTo)
    {
        if (newFrom < from || newTo < to)
        {
            Clear();
        }

        if (newFrom >= to)
        {
            counts.Clear();
            from = to = newFrom;
        }

        for (; to < newTo; to++)
        {
            counts[state[to].Key] = counts.GetValueOrDefault(state[to].Key) + 1;
        }

        for (; from < newFrom; from++)
        {
            var key = state[from].Key;
            if (--counts[key] is var left && left == 0)
            {
                counts.Remove(key);
            }
            else
            {
                counts[key] = left;
            }
        }
    }

    public int CountOf(string key) => counts.GetValueOrDefault(state.KeyOf(key));

    public (string? Key, int Count) Top()
    {
        var (best, most) = ((string?)null, 0);
        foreach (var (key, count) in counts)
        {
            if (count > most || (count == most && string.CompareOrdinal(state.NameOf(key), best) < 0))
            {
                (best, most) = (state.NameOf(key), count);
            }
        }

        return (best, most);
    }

    public double Entropy()
    {
        // Summed in order of size, so that the order in which keys were met leaves no trace in the last bit.
        double total = to - from;
        var bits = 0.0;
        foreach (var count in counts.Values.Order())
        {
            bits -= count / total * Math.Log2(count / total);
        }

        return Math.Round(bits, 9) + 0.0;
    }

    public Shares Shares(int limit)
    {
        double total = to - from;
        return new Shares([.. counts.Select(pair => (Name: state.NameOf(pair.Key), Count: pair.Value))
            .OrderByDescending(pair => pair.Count).ThenBy(pair => pair.Name, StringComparer.Ordinal).Take(limit)
            .Select(pair => KeyValuePair.Create(pair.Name, Math.Round(pair.Count / total, 6)))]);
    }
}
