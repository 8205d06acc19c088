namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>What average precision is divided by.</summary>
public enum AveragePrecisionDenominator
{
    /// <summary>min(K, relevant items): 1 is reachable. The protocol user-75-25.</summary>
    Reachable,

    /// <summary>All relevant items, more than K or not. The protocol item-75-25.</summary>
    AllRelevant,
}

/// <summary>
/// Measures of one ranked list against the set of relevant items (binary relevance). All lie in [0, 1], higher is better; a user without
/// relevant items has no measure and must be left out (the methods throw). Lists are cut at K; shorter lists count as filled with misses.
/// </summary>
public static class RankingMetrics
{
    /// <summary>Normalised discounted cumulative gain at K with gain 1 and discount log2(rank + 1) (Järvelin, Kekäläinen 2002).</summary>
    public static double Ndcg(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k)
    {
        Check(relevant, k);
        double gain = 0, ideal = 0;
        for (int i = 0; i < Math.Min(k, ranked.Length); i++)
            if (relevant.Contains(ranked[i])) gain += 1 / Math.Log2(i + 2);
        for (int i = 0; i < Math.Min(k, relevant.Count); i++) ideal += 1 / Math.Log2(i + 2);
        return gain / ideal;
    }

    /// <summary>Normalised discounted cumulative gain at K with graded gains 2^g − 1; items without a grade have g = 0.</summary>
    public static double Ndcg(ReadOnlySpan<int> ranked, IReadOnlyDictionary<int, double> grades, int k)
    {
        ArgumentNullException.ThrowIfNull(grades);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        double gain = 0, ideal = 0;
        for (int i = 0; i < Math.Min(k, ranked.Length); i++)
            if (grades.TryGetValue(ranked[i], out double grade)) gain += (Math.Pow(2, grade) - 1) / Math.Log2(i + 2);
        int rank = 0;
        foreach (double grade in grades.Values.OrderDescending().Take(k)) ideal += (Math.Pow(2, grade) - 1) / Math.Log2(rank++ + 2);
        if (ideal <= 0) throw new ArgumentException("No item has a positive grade.", nameof(grades));
        return gain / ideal;
    }

    /// <summary>Average precision at K: the mean of precision at each hit's rank; see <see cref="AveragePrecisionDenominator"/>.</summary>
    public static double AveragePrecision(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k,
        AveragePrecisionDenominator denominator = AveragePrecisionDenominator.Reachable)
    {
        Check(relevant, k);
        int hits = 0;
        double sum = 0;
        for (int i = 0; i < Math.Min(k, ranked.Length); i++)
            if (relevant.Contains(ranked[i])) sum += (double)++hits / (i + 1);
        return sum / (denominator == AveragePrecisionDenominator.AllRelevant ? relevant.Count : Math.Min(k, relevant.Count));
    }

    /// <summary>1 / rank of the first hit within K, 0 without one.</summary>
    public static double ReciprocalRank(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k)
    {
        Check(relevant, k);
        for (int i = 0; i < Math.Min(k, ranked.Length); i++)
            if (relevant.Contains(ranked[i])) return 1.0 / (i + 1);
        return 0;
    }

    /// <summary>Hits within K over K.</summary>
    public static double Precision(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k) => (double)Hits(ranked, relevant, k) / k;

    /// <summary>Hits within K over all relevant items.</summary>
    public static double Recall(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k) => (double)Hits(ranked, relevant, k) / relevant.Count;

    /// <summary>1 when at least one relevant item is within K, else 0.</summary>
    public static double HitRate(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k) => Hits(ranked, relevant, k) > 0 ? 1 : 0;

    /// <summary>
    /// AUC of one user over all items: the share of (relevant, not relevant) pairs in the right order, ties counting half.
    /// <paramref name="known"/> items (the user's training history) are left out of both sides. NaN when one side is empty.
    /// </summary>
    public static double AucFull(ReadOnlySpan<float> scores, IReadOnlySet<int> relevant, IReadOnlySet<int>? known = null)
    {
        ArgumentNullException.ThrowIfNull(relevant);
        var keep = new List<double>();
        var labels = new List<bool>();
        for (int i = 0; i < scores.Length; i++)
        {
            if (known is not null && known.Contains(i)) continue;
            keep.Add(scores[i]);
            labels.Add(relevant.Contains(i));
        }

        int positives = labels.Count(l => l);
        return positives == 0 || positives == labels.Count ? double.NaN : BinaryMetrics.RocAuc(keep.ToArray(), labels.ToArray());
    }

    /// <summary>
    /// AUC of one user estimated by comparing each relevant item with <paramref name="samples"/> items drawn at random (seeded) from those neither relevant
    /// nor known. NaN when there are none.
    /// </summary>
    public static double AucSampled(Func<int, float> score, int items, IReadOnlySet<int> relevant, IReadOnlySet<int>? known, int samples, int seed)
    {
        ArgumentNullException.ThrowIfNull(score);
        ArgumentNullException.ThrowIfNull(relevant);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        var candidates = Enumerable.Range(0, items).Where(i => !relevant.Contains(i) && known?.Contains(i) != true).ToArray();
        if (relevant.Count == 0 || candidates.Length == 0) return double.NaN;
        var random = new Random(seed);
        double right = 0;
        foreach (int positive in relevant.Order())
        {
            float mine = score(positive);
            for (int s = 0; s < samples; s++)
            {
                float other = score(candidates[random.Next(candidates.Length)]);
                right += mine > other ? 1 : mine == other ? 0.5 : 0;
            }
        }

        return right / ((double)relevant.Count * samples);
    }

    private static int Hits(ReadOnlySpan<int> ranked, IReadOnlySet<int> relevant, int k)
    {
        Check(relevant, k);
        int hits = 0;
        for (int i = 0; i < Math.Min(k, ranked.Length); i++)
            if (relevant.Contains(ranked[i])) hits++;
        return hits;
    }

    private static void Check(IReadOnlySet<int> relevant, int k)
    {
        ArgumentNullException.ThrowIfNull(relevant);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (relevant.Count == 0) throw new ArgumentException("A user without relevant items has no ranking measure.", nameof(relevant));
    }
}
