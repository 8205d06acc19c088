namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Single observations far from their surroundings.</summary>
public static class Spikes
{
    /// <summary>
    /// Hampel's filter: places whose distance to the median of the <paramref name="halfWindow"/> neighbours on each side exceeds
    /// <paramref name="threshold"/> scaled median absolute deviations (Hampel 1974). With a season above 1, the trend and season of a robust
    /// decomposition are taken off first. Ascending places.
    /// </summary>
    public static int[] Detect(ReadOnlySpan<double> series, int season = 1, int halfWindow = 7, double threshold = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(halfWindow, 2);
        double[] y = Series.Checked(series, 2 * halfWindow + 1);
        if (season > 1) y = Stl.Decompose(y, season, 0, 5).Remainder;
        // Where half the window is constant its deviation is 0; the deviation of the whole series then decides.
        double whole = Series.ScaledMad(y, Series.Median(y));
        var found = new List<int>();
        for (int t = 0; t < y.Length; t++)
        {
            int from = Math.Clamp(t - halfWindow, 0, y.Length - 2 * halfWindow - 1);
            var window = y.AsSpan(from, 2 * halfWindow + 1);
            double median = Series.Median(window), deviation = season > 1 ? whole : Series.ScaledMad(window, median);
            if (deviation == 0) deviation = whole;
            if (Math.Abs(y[t] - median) > threshold * deviation && Math.Abs(y[t] - median) > 0) found.Add(t);
        }

        return [.. found];
    }
}
