namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Fills what is missing in a series.</summary>
public static class Gaps
{
    /// <summary>
    /// The series with every NaN replaced: the line between the neighbours that are known, plus the mean departure of the same place in the season from it
    /// where <paramref name="season"/> is above 1. Before the first and after the last known value its own. Throws when nothing is known.
    /// </summary>
    public static double[] Fill(ReadOnlySpan<double> series, int season = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        double[] filled = Line(series);
        if (season == 1) return filled;
        var (sums, counts) = (new double[season], new int[season]);
        double[] smooth = MovingAverage(filled, season);
        for (int t = 0; t < filled.Length; t++)
        {
            if (double.IsNaN(series[t])) continue;
            sums[t % season] += series[t] - smooth[t];
            counts[t % season]++;
        }

        for (int t = 0; t < filled.Length; t++)
            if (double.IsNaN(series[t]) && counts[t % season] > 0) filled[t] = smooth[t] + sums[t % season] / counts[t % season];
        return filled;
    }

    private static double[] Line(ReadOnlySpan<double> series)
    {
        double[] filled = series.ToArray();
        int before = -1;
        for (int t = 0; t <= filled.Length; t++)
        {
            if (t < filled.Length && double.IsNaN(filled[t])) continue;
            if (t == filled.Length && before < 0) throw new ArgumentException("No value of the series is known.", nameof(series));
            for (int gap = before + 1; gap < t; gap++)
                filled[gap] = before < 0 ? filled[t] : t == filled.Length ? filled[before] : filled[before] + (filled[t] - filled[before]) * (gap - before) / (t - before);
            before = t;
        }

        return filled;
    }

    private static double[] MovingAverage(double[] values, int window)
    {
        var sums = new double[values.Length + 1];
        for (int t = 0; t < values.Length; t++) sums[t + 1] = sums[t] + values[t];
        var result = new double[values.Length];
        for (int t = 0; t < values.Length; t++)
        {
            int from = Math.Max(0, t - window / 2), to = Math.Min(values.Length, from + window);
            result[t] = (sums[to] - sums[from]) / (to - from);
        }

        return result;
    }
}
