using MathNet.Numerics;
using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Drift;

/// <summary>A test statistic with its probability under no drift.</summary>
/// <param name="Statistic">The statistic.</param>
/// <param name="PValue">Probability of one as great without drift.</param>
public readonly record struct DriftTest(double Statistic, double PValue);

/// <summary>Distances and tests between a reference sample and a current one. All throw on empty samples or values that are NaN.</summary>
public static class DistributionDrift
{
    /// <summary>
    /// Population stability index Σ (q − p)·ln(q/p) over bins at the reference's quantiles, counts smoothed by <paramref name="smoothing"/>.
    /// Below 0.1 is usually called stable, above 0.25 shifted (Siddiqi 2006).
    /// </summary>
    public static double Psi(ReadOnlySpan<double> reference, ReadOnlySpan<double> current, int bins = 10, double smoothing = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 2);
        double[] a = Sorted(reference), b = Sorted(current);
        // Distinct edges only: tied quantiles of a heavy value make one bin, not empty ones.
        double[] edges = [.. Enumerable.Range(1, bins - 1).Select(i => a[(int)((long)a.Length * i / bins)]).Distinct()];
        return Psi(Counts(a, edges), Counts(b, edges), smoothing);
    }

    /// <summary>Population stability index of category counts, category by category.</summary>
    public static double Psi(IReadOnlyList<long> reference, IReadOnlyList<long> current, double smoothing = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(smoothing);
        var (p, q) = Shares(reference, current, smoothing);
        return p.Zip(q, (x, y) => (y - x) * Math.Log(y / x)).Sum();
    }

    /// <summary>
    /// Two-sample Kolmogorov-Smirnov: the greatest distance of the empirical distributions, with the asymptotic p-value
    /// (Stephens 1970's correction √m + 0.12 + 0.11/√m of the effective size m).
    /// </summary>
    public static DriftTest KolmogorovSmirnov(ReadOnlySpan<double> reference, ReadOnlySpan<double> current)
    {
        double[] a = Sorted(reference), b = Sorted(current);
        double distance = 0;
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            double x = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] == x) i++;
            while (j < b.Length && b[j] == x) j++;
            distance = Math.Max(distance, Math.Abs((double)i / a.Length - (double)j / b.Length));
        }

        double size = Math.Sqrt((double)a.Length * b.Length / (a.Length + b.Length)), lambda = (size + 0.12 + 0.11 / size) * distance, p = 0;
        for (int k = 1; k <= 100; k++) p += (k % 2 == 1 ? 2 : -2) * Math.Exp(-2.0 * k * k * lambda * lambda);
        return new DriftTest(distance, lambda < 0.2 ? 1 : Math.Clamp(p, 0, 1));
    }

    /// <summary>Pearson's chi-square of homogeneity of two count tables; categories empty in both are left out.</summary>
    public static DriftTest ChiSquare(IReadOnlyList<long> reference, IReadOnlyList<long> current)
    {
        Check(reference, current);
        double m = reference.Sum(), n = current.Sum(), statistic = 0;
        int categories = 0;
        for (int c = 0; c < reference.Count; c++)
        {
            double both = reference[c] + current[c];
            if (both == 0) continue;
            categories++;
            double first = both * m / (m + n), second = both * n / (m + n);
            statistic += (reference[c] - first) * (reference[c] - first) / first + (current[c] - second) * (current[c] - second) / second;
        }

        return new DriftTest(statistic, categories < 2 ? 1 : SpecialFunctions.GammaUpperRegularized((categories - 1) / 2.0, statistic / 2));
    }

    /// <summary>Jensen-Shannon divergence of two count tables in bits, in [0, 1] (Lin 1991); its root is a metric.</summary>
    public static double JensenShannon(IReadOnlyList<long> reference, IReadOnlyList<long> current)
    {
        var (p, q) = Shares(reference, current, 0);
        return Math.Max(0, p.Zip(q, (x, y) => 0.5 * (Part(x, (x + y) / 2) + Part(y, (x + y) / 2))).Sum());

        static double Part(double x, double middle) => x > 0 ? x * Math.Log2(x / middle) : 0;
    }

    /// <summary>Wasserstein-1 (earth mover's) distance, the area between the empirical distributions, in the values' unit.</summary>
    public static double Wasserstein(ReadOnlySpan<double> reference, ReadOnlySpan<double> current)
    {
        double[] a = Sorted(reference), b = Sorted(current);
        double area = 0, at = Math.Min(a[0], b[0]);
        for (int i = 0, j = 0; i < a.Length || j < b.Length;)
        {
            double x = Math.Min(i < a.Length ? a[i] : double.PositiveInfinity, j < b.Length ? b[j] : double.PositiveInfinity);
            area += (x - at) * Math.Abs((double)i / a.Length - (double)j / b.Length);
            at = x;
            while (i < a.Length && a[i] == x) i++;
            while (j < b.Length && b[j] == x) j++;
        }

        return area;
    }

    /// <summary>
    /// Classifier two-sample test (Lopez-Paz, Oquab 2017, with AUC): held-out scores of a classifier that tells current rows from reference rows. The statistic
    /// is the AUC, 0.5 without drift; the one-sided p-value is Mann-Whitney's with the Gaussian approximation and a correction for ties.
    /// </summary>
    public static DriftTest Classifier(ReadOnlySpan<double> referenceScores, ReadOnlySpan<double> currentScores)
    {
        double[] a = Sorted(referenceScores), b = Sorted(currentScores);
        double[] all = [.. a, .. b];
        var labels = new bool[all.Length];
        labels.AsSpan(a.Length).Fill(true);
        double auc = BinaryMetrics.RocAuc(all, labels), m = a.Length, n = b.Length, total = m + n;
        double ties = all.GroupBy(s => s).Sum(g => Math.Pow(g.Count(), 3) - g.Count());
        double deviation = Math.Sqrt(m * n / 12 * (total + 1 - ties / (total * (total - 1))));
        double z = deviation > 0 ? (auc - 0.5) * m * n / deviation : 0;
        return new DriftTest(auc, 0.5 * SpecialFunctions.Erfc(z / Math.Sqrt(2)));
    }

    private static long[] Counts(double[] values, double[] edges)
    {
        var counts = new long[edges.Length + 1];
        foreach (double value in values)
        {
            int at = Array.BinarySearch(edges, value);
            counts[at >= 0 ? at + 1 : ~at]++;
        }

        return counts;
    }

    private static (double[] P, double[] Q) Shares(IReadOnlyList<long> reference, IReadOnlyList<long> current, double smoothing)
    {
        Check(reference, current);
        double m = reference.Sum() + smoothing * reference.Count, n = current.Sum() + smoothing * current.Count;
        return ([.. reference.Select(c => (c + smoothing) / m)], [.. current.Select(c => (c + smoothing) / n)]);
    }

    private static void Check(IReadOnlyList<long> reference, IReadOnlyList<long> current)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(current);
        if (reference.Count != current.Count) throw new ArgumentException("Both tables have the same categories.", nameof(current));
        if (reference.Sum() < 1 || current.Sum() < 1) throw new ArgumentException("A sample is empty.", nameof(current));
    }

    private static double[] Sorted(ReadOnlySpan<double> values)
    {
        if (values.IsEmpty) throw new ArgumentException("A sample is empty.", nameof(values));
        double[] sorted = values.ToArray();
        Array.Sort(sorted);
        return double.IsNaN(sorted[0]) ? throw new ArgumentException("A value is NaN.", nameof(values)) : sorted;
    }
}
