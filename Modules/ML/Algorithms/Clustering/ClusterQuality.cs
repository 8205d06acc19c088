namespace OKLA.ML.Algorithms.Clustering;

/// <summary>The gap statistic at one number of clusters.</summary>
/// <param name="K">Clusters.</param>
/// <param name="Value">E*[log W] − log W.</param>
/// <param name="Error">Its simulation error s.</param>
public readonly record struct Gap(int K, double Value, double Error);

/// <summary>How good a clustering is and how many clusters there are.</summary>
public static class ClusterQuality
{
    /// <summary>
    /// Mean silhouette in [−1, 1] (Rousseeuw 1987), Euclid; a row alone in its cluster counts 0. With <paramref name="sample"/> above 0 only so many
    /// seeded rows are asked, against all others: time O(sample · n).
    /// </summary>
    public static double Silhouette(IReadOnlyList<double[]> rows, IReadOnlyList<int> labels, int sample = 0, int seed = 42) => Silhouettes(rows, labels, sample, seed).Average();

    /// <summary>The silhouette of each row that is asked, as <see cref="Silhouette"/> takes their mean.</summary>
    public static double[] Silhouettes(IReadOnlyList<double[]> rows, IReadOnlyList<int> labels, int sample = 0, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(labels);
        Rows.Check(rows, 1);
        if (labels.Count != rows.Count) throw new ArgumentException("As many labels as rows.", nameof(labels));
        int k = labels.Max() + 1;
        var counts = new int[k];
        foreach (int label in labels) counts[label]++;
        if (counts.Count(c => c > 0) < 2) throw new ArgumentException("A silhouette needs two clusters.", nameof(labels));
        int[] asked = [.. Enumerable.Range(0, rows.Count)];
        if (sample > 0 && sample < rows.Count)
        {
            new Random(seed).Shuffle(asked);
            asked = asked[..sample];
        }

        var widths = new double[asked.Length];
        Parallel.For(0, asked.Length, a =>
        {
            int i = asked[a], own = labels[i];
            if (counts[own] == 1) return;
            var sums = new double[k];
            for (int j = 0; j < rows.Count; j++) sums[labels[j]] += Math.Sqrt(Rows.Square(rows[i], rows[j]));
            double inside = sums[own] / (counts[own] - 1), outside = double.PositiveInfinity;
            for (int c = 0; c < k; c++)
                if (c != own && counts[c] > 0) outside = Math.Min(outside, sums[c] / counts[c]);
            double most = Math.Max(inside, outside);
            widths[a] = most > 0 ? (outside - inside) / most : 0;
        });
        return widths;
    }

    /// <summary>
    /// Gap statistics of 1..<paramref name="most"/> clusters by k-means against <paramref name="references"/> uniform samples over the rows' box
    /// (Tibshirani, Walther, Hastie 2001).
    /// </summary>
    public static Gap[] Gaps(IReadOnlyList<double[]> rows, int most, int references = 20, int seed = 42)
    {
        Rows.Check(rows, most);
        ArgumentOutOfRangeException.ThrowIfLessThan(references, 2);
        int features = rows[0].Length;
        double[] low = [.. Enumerable.Range(0, features).Select(f => rows.Min(r => r[f]))], high = [.. Enumerable.Range(0, features).Select(f => rows.Max(r => r[f]))];
        var random = new Random(seed);
        double[][][] uniform = [.. Enumerable.Range(0, references).Select(_ => rows.Select(_ =>
            Enumerable.Range(0, features).Select(f => low[f] + random.NextDouble() * (high[f] - low[f])).ToArray()).ToArray())];
        return [.. Enumerable.Range(1, most).Select(k =>
        {
            double own = LogWithin(rows);
            double[] logs = [.. uniform.Select(LogWithin)];
            double mean = logs.Average(), deviation = Math.Sqrt(logs.Average(l => (l - mean) * (l - mean)));
            return new Gap(k, mean - own, deviation * Math.Sqrt(1 + 1.0 / references));

            double LogWithin(IReadOnlyList<double[]> data) => Math.Log(Math.Max(KMeans.Fit(data, k, 3, 100, seed).Inertia, 1e-300));
        })];
    }

    /// <summary>The least k whose gap reaches the next one's less its error; the last where none does.</summary>
    public static int Choose(IReadOnlyList<Gap> gaps)
    {
        ArgumentNullException.ThrowIfNull(gaps);
        for (int i = 0; i + 1 < gaps.Count; i++)
            if (gaps[i].Value >= gaps[i + 1].Value - gaps[i + 1].Error) return gaps[i].K;
        return gaps[^1].K;
    }
}
