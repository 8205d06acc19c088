namespace OKLA.ML.Models.Frames;

/// <summary>
/// Of things that pass by, as many as may be kept, each different one with the same chance wherever it came in the row and however often (bottom-k sampling:
/// Cohen and Kaplan 2007). The same things make the same sample in every process.
/// </summary>
/// <param name="most">Things to keep, at least one.</param>
internal sealed class EvenSample<T>(int most)
{
    private readonly Dictionary<ulong, T> kept = [];
    private readonly PriorityQueue<ulong, ulong> largest = new(Comparer<ulong>.Create(static (a, b) => b.CompareTo(a)));

    /// <summary>What was kept, in no order.</summary>
    public IReadOnlyCollection<T> Items => kept.Values;

    /// <summary>Shows it a thing by a hash that spreads well; the first one of a hash counts.</summary>
    public void Add(ulong hash, T item)
    {
        if (kept.Count == most)
        {
            if (hash >= largest.Peek() || kept.ContainsKey(hash))
            {
                return;
            }

            kept.Remove(largest.Dequeue());
        }

        if (kept.TryAdd(hash, item))
        {
            largest.Enqueue(hash, hash);
        }
    }
}
