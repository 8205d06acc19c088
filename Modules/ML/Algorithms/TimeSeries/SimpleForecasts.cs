namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Forecasts that need no fitting, or a few sums. All take past observations, oldest first, and give <c>horizon</c> values.</summary>
public static class SimpleForecasts
{
    private const int LongestSmoothed = 500;

    /// <summary>The last value.</summary>
    public static double[] Naive(double[] past, int horizon) => SeasonalNaive(past, 1, horizon);

    /// <summary>The value one season ago (the last one where the past is shorter than a season).</summary>
    public static double[] SeasonalNaive(double[] past, int season, int horizon)
    {
        ArgumentNullException.ThrowIfNull(past);
        int length = past.Length >= season ? season : 1;
        return [.. Enumerable.Range(0, horizon).Select(h => past[past.Length - length + h % length])];
    }

    /// <summary>The line through the first and the last value (the random walk with drift).</summary>
    public static double[] Drift(double[] past, int horizon)
    {
        ArgumentNullException.ThrowIfNull(past);
        double slope = past.Length > 1 ? (past[^1] - past[0]) / (past.Length - 1) : 0;
        return [.. Enumerable.Range(1, horizon).Select(h => past[^1] + h * slope)];
    }

    /// <summary>
    /// Least squares on a linear trend and one level for each place in the season, on logarithms with <paramref name="log"/> (the past must be positive).
    /// <paramref name="follow"/> lets the last residual fade by the residuals' first autocorrelation.
    /// </summary>
    public static double[] TrendAndSeason(double[] past, int season, int horizon, bool log, bool follow = false)
    {
        ArgumentNullException.ThrowIfNull(past);
        double[] y = log ? Array.ConvertAll(past, Math.Log) : past;
        int n = y.Length;
        var (count, meanT, meanY) = (new int[season], new double[season], new double[season]);
        for (int t = 0; t < n; t++)
        {
            count[t % season]++;
            meanT[t % season] += t;
            meanY[t % season] += y[t];
        }

        for (int j = 0; j < season; j++) (meanT[j], meanY[j]) = (meanT[j] / Math.Max(1, count[j]), meanY[j] / Math.Max(1, count[j]));
        double products = 0, squares = 0;
        for (int t = 0; t < n; t++)
        {
            // Within places of the season, so that the levels drop out (Frisch, Waugh 1933).
            products += (t - meanT[t % season]) * (y[t] - meanY[t % season]);
            squares += (t - meanT[t % season]) * (t - meanT[t % season]);
        }

        double slope = squares > 0 ? products / squares : 0, last = 0, fade = 0;
        if (follow) (last, fade) = LastResidual(t => y[t] - meanY[t % season] - slope * (t - meanT[t % season]), n);
        var result = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            int t = n + h;
            double value = meanY[t % season] + slope * (t - meanT[t % season]) + last * Math.Pow(fade, h + 1);
            result[h] = log ? Math.Exp(value) : value;
        }

        return result;
    }

    private static (double Last, double Fade) LastResidual(Func<int, double> residual, int n)
    {
        double products = 0, squares = 0;
        for (int t = 1; t < n; t++)
        {
            products += residual(t) * residual(t - 1);
            squares += residual(t - 1) * residual(t - 1);
        }

        return (residual(n - 1), squares > 0 ? Math.Clamp(products / squares, 0, 0.99) : 0);
    }

    /// <summary>
    /// The theta method (Assimakopoulos, Nikolopoulos 2000) in the form of Hyndman and Billah 2003, eq. 3: simple exponential smoothing with half the slope of the
    /// linear trend as its drift, on the series without its season (<see cref="Stl"/>, of logarithms where the past is positive).
    /// </summary>
    public static double[] Theta(double[] past, int season, int horizon)
    {
        ArgumentNullException.ThrowIfNull(past);
        bool log = past.Min() > 0;
        double[] y = log && season > 1 ? Array.ConvertAll(past, Math.Log) : past;
        double[]? seasonal = season > 1 ? Stl.Decompose(y, season, seasonalWindow: 0).Seasonal : null;
        double[] adjusted = seasonal is null ? past : [.. y.Select((value, t) => log ? Math.Exp(value - seasonal[t]) : value - seasonal[t])];
        int n = adjusted.Length;
        double meanT = (n - 1) / 2.0, meanY = adjusted.Average(), products = 0, squares = 0;
        for (int t = 0; t < n; t++)
        {
            products += (t - meanT) * (adjusted[t] - meanY);
            squares += (t - meanT) * (t - meanT);
        }

        var smooth = EtsModel.Fit(adjusted, 1, new EtsForm(EtsError.Additive, EtsTrend.None, EtsSeason.None));
        double level = smooth.Predict(1)[0], drift = products / squares / 2, alpha = smooth.Alpha, start = (1 - Math.Pow(1 - alpha, n)) / alpha;
        var result = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            double value = level + drift * (h + start);
            result[h] = seasonal is null ? value : log ? value * Math.Exp(seasonal[n - season + h % season]) : value + seasonal[n - season + h % season];
        }

        return result;
    }

    /// <summary>
    /// The season by <see cref="Stl"/> going on as in its last year, the rest by exponential smoothing without a season chosen by AICc (Cleveland et al. 1990;
    /// Hyndman, Athanasopoulos, Forecasting, section 6.6); on logarithms with <paramref name="log"/>.
    /// </summary>
    public static double[] StlAndSmoothing(double[] past, int season, int horizon, bool log)
    {
        ArgumentNullException.ThrowIfNull(past);
        double[] y = log ? Array.ConvertAll(past, Math.Log) : past;
        double[] seasonal = Stl.Decompose(y, season, seasonalWindow: 13, robustPasses: 1).Seasonal;
        double[] rest = [.. y.Select((value, t) => value - seasonal[t])];
        double[] point = EtsModel.FitBest(rest.AsSpan(Math.Max(0, rest.Length - LongestSmoothed)), 1).Predict(horizon);
        for (int h = 0; h < horizon; h++) point[h] = log ? Math.Exp(point[h] + seasonal[y.Length - season + h % season]) : point[h] + seasonal[y.Length - season + h % season];
        return point;
    }

    /// <summary>Singular spectrum analysis with a window of whole seasons; on logarithms with <paramref name="log"/>.</summary>
    public static double[] Spectrum(double[] past, int season, int horizon, bool log)
    {
        ArgumentNullException.ThrowIfNull(past);
        const int Longest = 168;
        double[] y = log ? Array.ConvertAll(past, Math.Log) : past;
        int most = Math.Min(y.Length / 2, Longest), window = season > 1 && season <= most ? most / season * season : most;
        double mean = y.Average();
        double[] point = Ssa.Fit(Array.ConvertAll(y, value => value - mean), window, share: 0.95).Predict(horizon);
        return Array.ConvertAll(point, value => log ? Math.Exp(value + mean) : value + mean);
    }
}
