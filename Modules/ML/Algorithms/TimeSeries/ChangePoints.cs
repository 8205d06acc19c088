namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>What may change from one segment to the next.</summary>
public enum ChangeKind
{
    /// <summary>The level; the noise is the same everywhere.</summary>
    Mean,

    /// <summary>Level and deviation.</summary>
    MeanAndVariance,
}

/// <summary>A level shift.</summary>
/// <param name="At">First place of the new level.</param>
/// <param name="Before">Mean of the segment before.</param>
/// <param name="After">Mean of the segment after.</param>
public readonly record struct LevelShift(int At, double Before, double After);

/// <summary>Places where a series changes its regime.</summary>
public static class ChangePoints
{
    /// <summary>
    /// PELT (Killick, Fearnhead, Eckley 2012): the exact segmentation of least Gaussian cost plus <paramref name="penalty"/> a change, in expected linear time.
    /// The cost of <see cref="ChangeKind.Mean"/> is the squared error over the noise variance, itself taken robustly from the differences.
    /// Returns the first places of the new segments, ascending. Penalty 0 is 3·ln n for means, 4·ln n for both.
    /// </summary>
    public static int[] Pelt(ReadOnlySpan<double> series, ChangeKind kind = ChangeKind.Mean, double penalty = 0, int leastSegment = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leastSegment, kind == ChangeKind.Mean ? 1 : 2);
        ArgumentOutOfRangeException.ThrowIfNegative(penalty);
        double[] y = Series.Checked(series, 2 * leastSegment);
        int n = y.Length;
        double centre = y.Average();
        double[] sum = new double[n + 1], square = new double[n + 1];
        for (int t = 0; t < n; t++)
        {
            double v = y[t] - centre;
            sum[t + 1] = sum[t] + v;
            square[t + 1] = square[t] + v * v;
        }

        double noise = NoiseVariance(y), floor = Math.Max(1e-12 * square[n] / n, 1e-300);
        if (penalty == 0) penalty = (kind == ChangeKind.Mean ? 3 : 4) * Math.Log(n);
        var best = new double[n + 1];
        var previous = new int[n + 1];
        Array.Fill(best, double.PositiveInfinity);
        best[0] = -penalty;
        var candidates = new List<int> { 0 };
        for (int t = leastSegment; t <= n; t++)
        {
            if (t - leastSegment >= leastSegment) candidates.Add(t - leastSegment);
            foreach (int s in candidates)
            {
                double value = best[s] + Cost(s, t) + penalty;
                if (value < best[t]) (best[t], previous[t]) = (value, s);
            }

            // Theorem 3.1 with K = 0: such a start can never again be the last change. Asked a least segment late, when that end may itself be a change.
            int end = t - leastSegment;
            candidates.RemoveAll(s => s < end && best[s] + Cost(s, end) > best[end]);
        }

        var changes = new List<int>();
        for (int t = previous[n]; t > 0; t = previous[t]) changes.Add(t);
        changes.Reverse();
        return [.. changes];

        double Cost(int from, int to)
        {
            int length = to - from;
            double total = sum[to] - sum[from], error = Math.Max(0, square[to] - square[from] - total * total / length);
            return kind == ChangeKind.Mean ? error / noise : length * Math.Log(Math.Max(error / length, floor));
        }
    }

    /// <summary>The level shifts of at least <paramref name="leastDeviations"/> noise deviations, by PELT on the mean.</summary>
    public static LevelShift[] LevelShifts(ReadOnlySpan<double> series, double leastDeviations = 1, int leastSegment = 5)
    {
        double[] y = Series.Checked(series, 2 * leastSegment);
        int[] edges = [0, .. Pelt(y, ChangeKind.Mean, 0, leastSegment), y.Length];
        double noise = Math.Sqrt(NoiseVariance(y));
        var shifts = new List<LevelShift>();
        for (int i = 1; i + 1 < edges.Length; i++)
        {
            double before = y[edges[i - 1]..edges[i]].Average(), after = y[edges[i]..edges[i + 1]].Average();
            if (Math.Abs(after - before) >= leastDeviations * noise) shifts.Add(new LevelShift(edges[i], before, after));
        }

        return [.. shifts];
    }

    /// <summary>
    /// Two-sided cumulative sums (Page 1954): places where the sum of deviations from <paramref name="target"/> beyond <paramref name="slack"/>
    /// passes <paramref name="limit"/>, all in the series' unit; both sums start anew after an alarm.
    /// </summary>
    public static int[] Cusum(ReadOnlySpan<double> series, double target, double slack, double limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slack);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        double up = 0, down = 0;
        var alarms = new List<int>();
        for (int t = 0; t < series.Length; t++)
        {
            up = Math.Max(0, up + series[t] - target - slack);
            down = Math.Max(0, down - series[t] + target - slack);
            if (up <= limit && down <= limit) continue;
            alarms.Add(t);
            up = down = 0;
        }

        return [.. alarms];
    }

    /// <summary>Variance of the noise from first differences, which a level shift touches only once; robust, then plain where half the differences are equal.</summary>
    private static double NoiseVariance(double[] y)
    {
        var steps = new double[y.Length - 1];
        for (int t = 1; t < y.Length; t++) steps[t - 1] = y[t] - y[t - 1];
        double deviation = Series.ScaledMad(steps, Series.Median(steps)) / Math.Sqrt(2);
        double variance = deviation > 0 ? deviation * deviation : steps.Sum(d => d * d) / (2.0 * steps.Length);
        return Math.Max(variance, 1e-300);
    }
}
