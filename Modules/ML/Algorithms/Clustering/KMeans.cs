namespace OKLA.ML.Algorithms.Clustering;

/// <summary>
/// K-means: k-means++ seeding (Arthur, Vassilvitskii 2007), Lloyd's iterations with Hamerly's bounds (2010), or mini-batches (Sculley 2010).
/// Seeded; the same for any number of threads. Rows are equally long, finite and on scales the caller has made comparable.
/// </summary>
public sealed class KMeans
{
    private KMeans(double[][] centres, int[] labels, double inertia, int iterations) =>
        (Centres, Labels, Inertia, Iterations) = (centres, labels, inertia, iterations);

    /// <summary>Centres, k × features.</summary>
    public IReadOnlyList<double[]> Centres { get; }

    /// <summary>Cluster of every training row.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>Sum of squared distances to the nearest centre.</summary>
    public double Inertia { get; }

    /// <summary>Iterations of the best start.</summary>
    public int Iterations { get; }

    /// <summary>The best of <paramref name="starts"/> runs to convergence (no label changes) or <paramref name="iterations"/>.</summary>
    public static KMeans Fit(IReadOnlyList<double[]> rows, int k, int starts = 10, int iterations = 300, int seed = 42)
    {
        Rows.Check(rows, k);
        ArgumentOutOfRangeException.ThrowIfLessThan(starts, 1);
        var runs = new KMeans[starts];
        Parallel.For(0, starts, s => runs[s] = Lloyd(rows, PlusPlus(rows, k, new Random(unchecked(seed * 486187739 + s))), iterations));
        return runs.MinBy(r => r.Inertia)!;
    }

    /// <summary>Mini-batch k-means: each centre moves towards its batch's rows by 1/count (algorithm 1); for many rows, at a slightly greater inertia.</summary>
    public static KMeans FitMiniBatch(IReadOnlyList<double[]> rows, int k, int batch = 1024, int batches = 200, int seed = 42)
    {
        Rows.Check(rows, k);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var random = new Random(seed);
        var sample = Enumerable.Range(0, Math.Min(rows.Count, Math.Max(3 * batch, 10 * k))).Select(_ => rows[random.Next(rows.Count)]).ToArray();
        double[][] centres = PlusPlus(sample, k, random);
        var counts = new long[k];
        var at = new int[batch];
        var nearest = new int[batch];
        for (int b = 0; b < batches; b++)
        {
            for (int i = 0; i < batch; i++)
            {
                at[i] = random.Next(rows.Count);
                nearest[i] = Nearest(rows[at[i]], centres).Centre;
            }

            for (int i = 0; i < batch; i++)
            {
                double rate = 1.0 / ++counts[nearest[i]];
                double[] centre = centres[nearest[i]], row = rows[at[i]];
                for (int f = 0; f < row.Length; f++) centre[f] += rate * (row[f] - centre[f]);
            }
        }

        var labels = new int[rows.Count];
        double inertia = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            (labels[i], double square, _) = Nearest(rows[i], centres);
            inertia += square;
        }

        return new KMeans(centres, labels, inertia, batches);
    }

    /// <summary>The nearest centre of a row.</summary>
    public int Predict(double[] row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.Length == Centres[0].Length ? Nearest(row, (double[][])Centres).Centre
            : throw new ArgumentException($"A row has {Centres[0].Length} features, not {row.Length}.", nameof(row));
    }

    internal static double[][] PlusPlus(IReadOnlyList<double[]> rows, int k, Random random)
    {
        var centres = new double[k][];
        centres[0] = [.. rows[random.Next(rows.Count)]];
        var square = new double[rows.Count];
        Array.Fill(square, double.PositiveInfinity);
        for (int c = 1; c < k; c++)
        {
            double total = 0;
            for (int i = 0; i < square.Length; i++) total += square[i] = Math.Min(square[i], Rows.Square(rows[i], centres[c - 1]));
            double target = random.NextDouble() * total;
            int at = 0;
            while (at < square.Length - 1 && (target -= square[at]) > 0) at++;
            centres[c] = [.. rows[at]];
        }

        return centres;
    }

    /// <summary>Hamerly: an upper bound to the own centre and one lower bound to all others spare most distances.</summary>
    private static KMeans Lloyd(IReadOnlyList<double[]> rows, double[][] centres, int iterations)
    {
        int n = rows.Count, k = centres.Length, features = rows[0].Length, iteration = 0;
        var labels = new int[n];
        double[] upper = new double[n], lower = new double[n], moved = new double[k], apart = new double[k];
        for (int i = 0; i < n; i++)
        {
            var (centre, first, second) = Nearest(rows[i], centres);
            (labels[i], upper[i], lower[i]) = (centre, Math.Sqrt(first), Math.Sqrt(second));
        }

        while (iteration++ < iterations)
        {
            var next = new double[k][];
            var counts = new int[k];
            for (int c = 0; c < k; c++) next[c] = new double[features];
            for (int i = 0; i < n; i++)
            {
                counts[labels[i]]++;
                double[] sum = next[labels[i]];
                for (int f = 0; f < features; f++) sum[f] += rows[i][f];
            }

            for (int c = 0; c < k; c++)
            {
                if (counts[c] == 0) next[c] = [.. rows[Enumerable.Range(0, n).MaxBy(i => Rows.Square(rows[i], centres[labels[i]]))]];
                else for (int f = 0; f < features; f++) next[c][f] /= counts[c];
                moved[c] = Math.Sqrt(Rows.Square(next[c], centres[c]));
            }

            centres = next;
            double most = moved.Max();
            if (most == 0) break;
            for (int c = 0; c < k; c++)
            {
                apart[c] = double.PositiveInfinity;
                for (int o = 0; o < k; o++)
                    if (o != c) apart[c] = Math.Min(apart[c], Math.Sqrt(Rows.Square(centres[c], centres[o])) / 2);
            }

            for (int i = 0; i < n; i++)
            {
                upper[i] += moved[labels[i]];
                lower[i] -= most;
                double bound = Math.Max(apart[labels[i]], lower[i]);
                if (upper[i] <= bound) continue;
                upper[i] = Math.Sqrt(Rows.Square(rows[i], centres[labels[i]]));
                if (upper[i] <= bound) continue;
                var (centre, first, second) = Nearest(rows[i], centres);
                (labels[i], upper[i], lower[i]) = (centre, Math.Sqrt(first), Math.Sqrt(second));
            }
        }

        double inertia = 0;
        for (int i = 0; i < n; i++) inertia += Rows.Square(rows[i], centres[labels[i]]);
        return new KMeans(centres, labels, inertia, iteration);
    }

    private static (int Centre, double First, double Second) Nearest(double[] row, double[][] centres)
    {
        double first = double.PositiveInfinity, second = double.PositiveInfinity;
        int best = 0;
        for (int c = 0; c < centres.Length; c++)
        {
            double square = Rows.Square(row, centres[c]);
            if (square < first) (second, first, best) = (first, square, c);
            else if (square < second) second = square;
        }

        return (best, first, second);
    }
}
