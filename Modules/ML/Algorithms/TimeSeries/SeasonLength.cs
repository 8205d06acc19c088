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
        if (power <= 1e-12 * (meanY * meanY * n + 1e-300)) return 1;
        var correlation = new double[longest + 2];
        for (int lag = 1; lag <= longest + 1 && lag < n; lag++)
        {
            double sum = 0;
            for (int t = lag; t < n; t++) sum += y[t] * y[t - lag];
            correlation[lag] = sum / power;
        }

        int best = 1;
        double highest = Math.Max(least, 3 / Math.Sqrt(n));
        for (int lag = 2; lag <= longest; lag++)
        {
            bool peak = correlation[lag] > correlation[lag - 1] && correlation[lag] >= correlation[lag + 1];
            if (peak && correlation[lag] > highest) (highest, best) = (correlation[lag], lag);
        }

        return best;
    }
}
