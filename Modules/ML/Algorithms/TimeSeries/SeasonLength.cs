namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Finds how many observations a season has.</summary>
public static class SeasonLength
{
    /// <summary>
    /// The lag of the highest local peak of the autocorrelation of the series without its linear trend, if the peak is above
    /// <paramref name="least"/> and above the 3/√n that chance reaches; 1 otherwise. <paramref name="longest"/> 0 is a third of the series.
    /// Time O(n · longest).
    /// </summary>
    public static int Detect(ReadOnlySpan<double> series, int longest = 0, double least = 0.3)
    {
        double[] correlation = Autocorrelation(series, longest);
        double highest = Math.Max(least, 3 / Math.Sqrt(series.Length));
        int best = 1;
        foreach (int lag in Peaks(correlation))
            if (correlation[lag] > highest) (highest, best) = (correlation[lag], lag);
        return best;
    }

    /// <summary>
    /// Lengths worth trying, at most three and the likeliest first; none for a series without a season. Asks the autocorrelation without the linear trend and
    /// that of the differences (which no trend of any form hides); of peaks nearly as high the shortest is taken, since a season of 7 shows at 14 too.
    /// <paramref name="usual"/> lengths (12 for months, say) count as soon as they are no accident.
    /// </summary>
    public static IReadOnlyList<int> Candidates(ReadOnlySpan<double> series, IReadOnlyList<int> usual)
    {
        ArgumentNullException.ThrowIfNull(usual);
        double[] y = Series.Checked(series, 0);
        if (y.Length < 8) return [];
        var found = new List<int>();
        double chance = 3 / Math.Sqrt(y.Length);
        var differences = new double[y.Length - 1];
        for (int t = 1; t < y.Length; t++) differences[t - 1] = y[t] - y[t - 1];
        double[] plain = Autocorrelation(y, 0), differenced = Autocorrelation(differences, 0);
        foreach (int lag in usual)
            if (lag > 1 && y.Length >= 2 * lag && (differenced.ElementAtOrDefault(lag) > Math.Min(chance, 0.3) || (Peaks(plain).Contains(lag) && plain[lag] > Math.Min(chance, 0.3)))) found.Add(lag);
        foreach (double[] correlation in (double[][])[differenced, plain])
        {
            int[] peaks = [.. Peaks(correlation).Where(lag => correlation[lag] > Math.Max(0.2, chance))];
            if (peaks.Length == 0) continue;
            double highest = peaks.Max(lag => correlation[lag]);
            found.Add(peaks.First(lag => correlation[lag] > 0.85 * highest));
        }

        return [.. found.Distinct().Take(3)];
    }

    private static IEnumerable<int> Peaks(double[] correlation)
    {
        for (int lag = 2; lag + 1 < correlation.Length; lag++)
            if (correlation[lag] > correlation[lag - 1] && correlation[lag] >= correlation[lag + 1]) yield return lag;
    }

    /// <summary>Autocorrelation without the linear trend at lags 0 … longest + 1; zeros for a constant series.</summary>
    private static double[] Autocorrelation(ReadOnlySpan<double> series, int longest)
    {
        double[] y = Series.Checked(series, 6);
        int n = y.Length;
        if (longest <= 0) longest = n / 3;
        longest = Math.Min(longest, n / 2);
        double meanT = (n - 1) / 2.0, meanY = y.Average(), products = 0, squares = 0;
        for (int t = 0; t < n; t++)
        {
            products += (t - meanT) * (y[t] - meanY);
            squares += (t - meanT) * (t - meanT);
        }

        for (int t = 0; t < n; t++) y[t] -= meanY + products / squares * (t - meanT);
        double power = y.Sum(v => v * v);
        var correlation = new double[longest + 2];
        if (power <= 1e-12 * (meanY * meanY * n + 1e-300)) return correlation;
        for (int lag = 1; lag <= longest + 1 && lag < n; lag++)
        {
            double sum = 0;
            for (int t = lag; t < n; t++) sum += y[t] * y[t - lag];
            correlation[lag] = sum / power;
        }

        return correlation;
    }
}
