namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>Keeps the k best of what it is offered: a heap with the worst kept one on top. Scores that are NaN are not kept.</summary>
public sealed class TopK
{
    private readonly Scored[] heap;

    /// <summary>Room for <paramref name="k"/> items, at least 1.</summary>
    public TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        heap = new Scored[k];
    }

    /// <summary>How many are kept at most.</summary>
    public int Capacity => heap.Length;

    /// <summary>The kept items in no order.</summary>
    public ReadOnlySpan<Scored> Items => heap.AsSpan(0, Count);

    /// <summary>How many are kept now.</summary>
    public int Count { get; private set; }

    /// <summary>A score below this one would not be kept; negative infinity while there is room.</summary>
    public float Threshold { get; private set; } = float.NegativeInfinity;

    /// <summary>Whether an item would be kept.</summary>
    public bool Accepts(int index, float score) =>
        Count < heap.Length ? !float.IsNaN(score) : score > Threshold || (score == Threshold && index < heap[0].Index);

    /// <summary>Keeps the item when it is among the best so far.</summary>
    public void Offer(int index, float score)
    {
        if (!Accepts(index, score)) return;
        var item = new Scored(index, score);
        if (Count < heap.Length)
        {
            int at = Count++;
            while (at > 0 && item > heap[(at - 1) / 2])
            {
                heap[at] = heap[(at - 1) / 2];
                at = (at - 1) / 2;
            }

            heap[at] = item;
        }
        else
        {
            int at = 0;
            while (true)
            {
                int child = 2 * at + 1;
                if (child >= Count) break;
                if (child + 1 < Count && heap[child + 1] > heap[child]) child++;
                if (heap[child] <= item) break;
                heap[at] = heap[child];
                at = child;
            }

            heap[at] = item;
        }

        if (Count == heap.Length) Threshold = heap[0].Score;
    }

    /// <summary>The kept items, best first.</summary>
    public Scored[] ToSorted()
    {
        var sorted = heap.AsSpan(0, Count).ToArray();
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Forgets everything, keeping the memory.</summary>
    public void Clear()
    {
        Count = 0;
        Threshold = float.NegativeInfinity;
    }

    /// <summary>
    /// The k best of a whole row of scores (index = item), best first, leaving out <paramref name="exclude"/> (any order),
    /// what <paramref name="allowed"/> does not contain, and scores that are NaN or negative infinity.
    /// </summary>
    public static Scored[] Of(ReadOnlySpan<float> scores, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null)
    {
        var best = new TopK(k);
        var filter = new Candidates(exclude, allowed, null);
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] > float.NegativeInfinity && best.Accepts(i, scores[i]) && filter.Contains(i)) best.Offer(i, scores[i]);
        }

        return best.ToSorted();
    }
}

/// <summary>What a search may answer: all items less a sorted list of excluded ones, those of a mask, those a predicate accepts.</summary>
internal readonly struct Candidates
{
    private readonly int[] excluded;
    private readonly ItemMask? allowed;
    private readonly Func<int, bool>? predicate;

    public Candidates(ReadOnlySpan<int> exclude, ItemMask? allowed, Func<int, bool>? predicate)
    {
        excluded = exclude.ToArray();
        Array.Sort(excluded);
        this.allowed = allowed;
        this.predicate = predicate;
    }

    public bool Contains(int item) =>
        (allowed is null || allowed[item]) && (excluded.Length == 0 || Array.BinarySearch(excluded, item) < 0) && (predicate is null || predicate(item));
}
