using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Outcome of a two-sided test.</summary>
/// <param name="Statistic">t, z or χ².</param>
/// <param name="PValue">Probability of a statistic at least as extreme without an effect.</param>
/// <param name="Freedom">Degrees of freedom; infinity for z, 0 for an exact test.</param>
/// <param name="Difference">The estimated difference (first less second); NaN where there is none.</param>
/// <param name="Lower">Lower end of its interval.</param>
/// <param name="Upper">Upper end of its interval.</param>
public readonly record struct TestOutcome(double Statistic, double PValue, double Freedom, double Difference, double Lower, double Upper);

/// <summary>Two-sided tests for comparing models and variants. Intervals are at <c>level</c> (0.95 unless told).</summary>
public static class Hypothesis
{
    /// <summary>Paired t test of equal means (Student 1908); lists of equal length ≥ 2. Use it for values that are independent between pairs, such as users.</summary>
    public static TestOutcome PairedT(ReadOnlySpan<double> first, ReadOnlySpan<double> second, double level = 0.95)
    {
        var (mean, variance, n) = Differences(first, second);
        return StudentOutcome(mean, Math.Sqrt(variance / n), n - 1, level);
    }

    /// <summary>
    /// Corrected resampled t test (Nadeau, Bengio 2003): for scores of two models over k repeated splits that share training rows, the variance is
    /// (1/k + test/train)·s². <paramref name="testToTrain"/> is the test size over the training size (1/(folds − 1) for cross-validation).
    /// </summary>
    public static TestOutcome CorrectedResampledT(ReadOnlySpan<double> first, ReadOnlySpan<double> second, double testToTrain, double level = 0.95)
    {
        if (!(testToTrain > 0)) throw new ArgumentOutOfRangeException(nameof(testToTrain), testToTrain, "The ratio must be positive.");
        var (mean, variance, k) = Differences(first, second);
        return StudentOutcome(mean, Math.Sqrt((1.0 / k + testToTrain) * variance), k - 1, level);
    }

    /// <summary>Welch's t test (1947) of equal means with unequal variances; two independent samples of at least 2.</summary>
    public static TestOutcome Welch(ReadOnlySpan<double> first, ReadOnlySpan<double> second, double level = 0.95)
    {
        var (m1, v1) = Moments(first);
        var (m2, v2) = Moments(second);
        return Welch(m1, v1, first.Length, m2, v2, second.Length, level);
    }

    /// <summary>Welch's t test from means, sample variances and sizes.</summary>
    public static TestOutcome Welch(double mean1, double variance1, long n1, double mean2, double variance2, long n2, double level = 0.95)
    {
        if (n1 < 2 || n2 < 2) throw new ArgumentException("Each sample needs at least two values.", nameof(n1));
        double a = variance1 / n1, b = variance2 / n2;
        double freedom = a + b == 0 ? n1 + n2 - 2 : (a + b) * (a + b) / (a * a / (n1 - 1) + b * b / (n2 - 1));
        return StudentOutcome(mean1 - mean2, Math.Sqrt(a + b), freedom, level);
    }

    /// <summary>
    /// McNemar's test (1947) of two classifiers on the same cases, from the cases only the first or only the second got right. Below 25 such cases the
    /// exact binomial p-value, else χ² with Edwards' continuity correction.
    /// </summary>
    public static TestOutcome McNemar(int onlyFirstRight, int onlySecondRight)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(onlyFirstRight);
        ArgumentOutOfRangeException.ThrowIfNegative(onlySecondRight);
        int n = onlyFirstRight + onlySecondRight;
        if (n == 0) return new TestOutcome(0, 1, 0, double.NaN, double.NaN, double.NaN);
        if (n < 25)
        {
            int few = Math.Min(onlyFirstRight, onlySecondRight);
            return new TestOutcome(few, Math.Min(1, 2 * Binomial.CDF(0.5, n, few)), 0, double.NaN, double.NaN, double.NaN);
        }

        double gap = Math.Max(0, Math.Abs(onlyFirstRight - onlySecondRight) - 1);
        double chi = gap * gap / n;
        return new TestOutcome(chi, 1 - ChiSquared.CDF(1, chi), 1, double.NaN, double.NaN, double.NaN);
    }

    /// <summary>Pearson's χ² test (1900) of independence of a table of counts, rows × columns, without continuity correction. Empty rows and columns are left out.</summary>
    public static TestOutcome ChiSquare(double[,] counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        int rows = counts.GetLength(0), columns = counts.GetLength(1);
        var row = new double[rows];
        var column = new double[columns];
        double total = 0;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
            {
                if (!(counts[i, j] >= 0)) throw new ArgumentException("Counts must not be negative.", nameof(counts));
                row[i] += counts[i, j];
                column[j] += counts[i, j];
                total += counts[i, j];
            }

        double chi = 0;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
            {
                double expected = row[i] * column[j] / total;
                if (expected > 0) chi += (counts[i, j] - expected) * (counts[i, j] - expected) / expected;
            }

        int freedom = (row.Count(r => r > 0) - 1) * (column.Count(c => c > 0) - 1);
        if (freedom < 1) throw new ArgumentException("At least two rows and two columns must hold something.", nameof(counts));
        return new TestOutcome(chi, 1 - ChiSquared.CDF(freedom, chi), freedom, double.NaN, double.NaN, double.NaN);
    }

    /// <summary>Two-proportion z test with the pooled standard error; the interval of the difference is Newcombe's (1998, method 10), sound near 0 and 1.</summary>
    public static TestOutcome TwoProportions(long successes1, long n1, long successes2, long n2, double level = 0.95)
    {
        CheckProportion(successes1, n1);
        CheckProportion(successes2, n2);
        double p1 = (double)successes1 / n1, p2 = (double)successes2 / n2, pooled = (double)(successes1 + successes2) / (n1 + n2);
        double error = Math.Sqrt(pooled * (1 - pooled) * (1.0 / n1 + 1.0 / n2));
        double z = error == 0 ? 0 : (p1 - p2) / error;
        var (l1, u1) = Wilson(successes1, n1, level);
        var (l2, u2) = Wilson(successes2, n2, level);
        double d = p1 - p2;
        return new TestOutcome(z, 2 * Normal.CDF(0, 1, -Math.Abs(z)), double.PositiveInfinity, d,
            d - Math.Sqrt((p1 - l1) * (p1 - l1) + (u2 - p2) * (u2 - p2)), d + Math.Sqrt((u1 - p1) * (u1 - p1) + (p2 - l2) * (p2 - l2)));
    }

    /// <summary>Wilson's score interval (1927) of a proportion.</summary>
    public static (double Lower, double Upper) Wilson(long successes, long n, double level = 0.95)
    {
        CheckProportion(successes, n);
        double z = Normal.InvCDF(0, 1, 0.5 + level / 2), p = (double)successes / n, z2 = z * z / n;
        double centre = (p + z2 / 2) / (1 + z2), half = z / (1 + z2) * Math.Sqrt(p * (1 - p) / n + z2 / (4 * n));
        return (Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    /// <summary>Holm's step-down adjustment (1979): p-values with the family-wise error controlled under any dependence, in the given order.</summary>
    public static double[] Holm(ReadOnlySpan<double> pValues)
    {
        var (p, order) = Ordered(pValues);
        double running = 0;
        for (int k = 0; k < p.Length; k++)
        {
            running = Math.Max(running, Math.Min(1, (p.Length - k) * pValues[order[k]]));
            p[order[k]] = running;
        }

        return p;
    }

    /// <summary>Benjamini and Hochberg's step-up adjustment (1995): p-values with the false discovery rate controlled, in the given order.</summary>
    public static double[] BenjaminiHochberg(ReadOnlySpan<double> pValues)
    {
        var (p, order) = Ordered(pValues);
        double running = 1;
        for (int k = p.Length - 1; k >= 0; k--)
        {
            running = Math.Min(running, pValues[order[k]] * p.Length / (k + 1));
            p[order[k]] = running;
        }

        return p;
    }

    private static (double[] P, int[] Order) Ordered(ReadOnlySpan<double> pValues)
    {
        foreach (double value in pValues)
            if (!(value is >= 0 and <= 1)) throw new ArgumentException($"{value} is not a p-value.", nameof(pValues));
        var p = pValues.ToArray();
        var order = Enumerable.Range(0, p.Length).OrderBy(i => p[i]).ToArray();
        return (p, order);
    }

    private static TestOutcome StudentOutcome(double difference, double error, double freedom, double level)
    {
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "A level lies between 0 and 1.");
        if (error == 0) return new TestOutcome(difference == 0 ? 0 : double.PositiveInfinity * Math.Sign(difference), difference == 0 ? 1 : 0, freedom, difference, difference, difference);
        double t = difference / error, half = StudentT.InvCDF(0, 1, freedom, 0.5 + level / 2) * error;
        return new TestOutcome(t, 2 * StudentT.CDF(0, 1, freedom, -Math.Abs(t)), freedom, difference, difference - half, difference + half);
    }

    private static (double Mean, double Variance, int Count) Differences(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        if (first.Length != second.Length) throw new ArgumentException("Pairs need lists of equal length.", nameof(second));
        var differences = new double[first.Length];
        for (int i = 0; i < differences.Length; i++) differences[i] = first[i] - second[i];
        var (mean, variance) = Moments(differences);
        return (mean, variance, differences.Length);
    }

    private static (double Mean, double Variance) Moments(ReadOnlySpan<double> values)
    {
        if (values.Length < 2) throw new ArgumentException("At least two values are needed.", nameof(values));
        double mean = 0, sum = 0;
        foreach (double value in values) mean += value / values.Length;
        foreach (double value in values) sum += (value - mean) * (value - mean);
        return (mean, sum / (values.Length - 1));
    }

    private static void CheckProportion(long successes, long n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, n);
    }
}
