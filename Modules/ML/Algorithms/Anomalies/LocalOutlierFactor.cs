namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>Local outlier factor (Breunig, Kriegel, Ng, Sander 2000): how much sparser a row's surroundings are than its neighbours'. Exact, O(n²·features).</summary>
public static class LocalOutlierFactor
{
    /// <summary>The factor of every row by its <paramref name="neighbours"/> nearest others (Euclid; ties by position): about 1 is usual, well above anomalous.</summary>
    public static double[] Score(IReadOnlyList<double[]> rows, int neighbours = 20)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Count, 2);
        int n = rows.Count, k = Math.Min(neighbours, n - 1);
        var near = new int[n][];
        var distance = new double[n][];
        Parallel.For(0, n, i =>
        {
            var all = new double[n];
            var order = new int[n];
            for (int j = 0; j < n; j++)
            {
                double square = 0;
                for (int f = 0; f < rows[i].Length; f++) square += (rows[i][f] - rows[j][f]) * (rows[i][f] - rows[j][f]);
                (all[j], order[j]) = (j == i ? double.PositiveInfinity : square, j);
            }

            Array.Sort(order, (a, b) => all[a] != all[b] ? all[a].CompareTo(all[b]) : a.CompareTo(b));
            near[i] = order[..k];
            distance[i] = Array.ConvertAll(near[i], j => Math.Sqrt(all[j]));
        });
        var density = new double[n];
        for (int i = 0; i < n; i++)
        {
            double reach = 0;
            for (int j = 0; j < k; j++) reach += Math.Max(distance[i][j], distance[near[i][j]][k - 1]);
            // Definition 6; duplicates would give an infinite density, the floor keeps their ratio 1.
            density[i] = k / Math.Max(reach, 1e-10 * k);
        }

        return [.. Enumerable.Range(0, n).Select(i => near[i].Average(j => density[j]) / density[i])];
    }
}
