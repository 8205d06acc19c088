using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>An estimate with its interval.</summary>
/// <param name="Estimate">The statistic on all cases.</param>
/// <param name="Lower">Lower end.</param>
/// <param name="Upper">Upper end.</param>
public readonly record struct Interval(double Estimate, double Lower, double Upper);

/// <summary>Intervals by resampling cases with replacement (Efron 1979). Seeded.</summary>
public static class Bootstrap
{
    /// <summary>
    /// Bias-corrected and accelerated interval (Efron 1987) of a statistic of <paramref name="cases"/> cases. The statistic is given case numbers
    /// (some repeated) and must not keep the span. NaN results of a resample are left out. The acceleration is by jackknife over at most
    /// 1,000 groups of cases; below 3 cases the percentile interval is given.
    /// </summary>
    public static Interval Estimate(int cases, BootstrapStatistic statistic, double level = 0.95, int resamples = 1000, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(statistic);
        ArgumentOutOfRangeException.ThrowIfLessThan(cases, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 20);
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "A level lies between 0 and 1.");
        var rows = Enumerable.Range(0, cases).ToArray();
        double estimate = statistic(rows);
        var random = new Random(seed);
        var values = new List<double>(resamples);
        var draw = new int[cases];
        for (int r = 0; r < resamples; r++)
        {
            for (int i = 0; i < cases; i++) draw[i] = random.Next(cases);
            double value = statistic(draw);
            if (!double.IsNaN(value)) values.Add(value);
        }

        if (values.Count == 0) return new Interval(estimate, double.NaN, double.NaN);
        values.Sort();
        double z = Normal.InvCDF(0, 1, 0.5 + level / 2);
        double below = (values.Count(v => v < estimate) + 0.5 * values.Count(v => v == estimate)) / values.Count;
        double bias = Normal.InvCDF(0, 1, Math.Clamp(below, 0.5 / values.Count, 1 - 0.5 / values.Count));
        double acceleration = Acceleration(rows, statistic);
        return new Interval(estimate, Quantile(values, Adjusted(-z)), Quantile(values, Adjusted(z)));

        double Adjusted(double at) => Normal.CDF(0, 1, bias + (bias + at) / (1 - acceleration * (bias + at)));
    }

    /// <summary>The interval of a mean of values.</summary>
    public static Interval Mean(IReadOnlyList<double> values, double level = 0.95, int resamples = 1000, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Estimate(values.Count, rows =>
        {
            double sum = 0;
            foreach (int row in rows) sum += values[row];
            return sum / rows.Length;
        }, level, resamples, seed);
    }

    private static double Acceleration(int[] rows, BootstrapStatistic statistic)
    {
        if (rows.Length < 3) return 0;
        int groups = Math.Min(rows.Length, 1000);
        var left = new List<double>(groups);
        for (int g = 0; g < groups; g++)
        {
            int from = (int)((long)rows.Length * g / groups), to = (int)((long)rows.Length * (g + 1) / groups);
            int[] rest = [.. rows.AsSpan(0, from), .. rows.AsSpan(to)];
            double value = statistic(rest);
            if (!double.IsNaN(value)) left.Add(value);
        }

        if (left.Count == 0) return 0;
        double mean = left.Average(), square = 0, cube = 0;
        foreach (double value in left)
        {
            square += (mean - value) * (mean - value);
            cube += (mean - value) * (mean - value) * (mean - value);
        }

        return square == 0 ? 0 : cube / (6 * Math.Pow(square, 1.5));
    }

    private static double Quantile(List<double> sorted, double share)
    {
        double at = Math.Clamp(share, 0, 1) * (sorted.Count - 1);
        int low = (int)at;
        return low + 1 < sorted.Count ? sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]) : sorted[^1];
    }
}

/// <summary>A measure of the cases with these numbers, which may repeat.</summary>
public delegate double BootstrapStatistic(ReadOnlySpan<int> rows);
