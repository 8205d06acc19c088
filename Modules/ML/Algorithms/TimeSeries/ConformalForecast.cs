namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Intervals for any forecaster from its own past errors at the same number of steps ahead (split conformal; Vovk et al. 2005, Stankevičiūtė et al. 2021).</summary>
public static class ConformalForecast
{
    /// <summary>
    /// Forecasts from the last <paramref name="origins"/> places where the truth is known and widens each step by the ⌈(m + 1)·level⌉-th least of
    /// its m absolute errors; by the greatest where m is too small for the level. <paramref name="leastPast"/> is the forecaster's need.
    /// </summary>
    public static Forecast Predict(ReadOnlySpan<double> series, PointForecaster forecaster, int horizon, int leastPast, double level = 0.9, int origins = 20)
    {
        ArgumentNullException.ThrowIfNull(forecaster);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(leastPast, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(origins, 1);
        Series.CheckLevel(level);
        double[] y = Series.Checked(series, leastPast + horizon);
        var errors = new List<double>[horizon];
        for (int h = 0; h < horizon; h++) errors[h] = [];
        for (int cut = Math.Max(leastPast, y.Length - horizon - origins + 1); cut <= y.Length - horizon; cut++)
        {
            double[] past = forecaster(y[..cut], horizon);
            for (int h = 0; h < horizon; h++) errors[h].Add(Math.Abs(y[cut + h] - past[h]));
        }

        double[] point = forecaster(y, horizon);
        var lower = new double[horizon];
        var upper = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            errors[h].Sort();
            int rank = Math.Min(errors[h].Count, (int)Math.Ceiling((errors[h].Count + 1) * level));
            (lower[h], upper[h]) = (point[h] - errors[h][rank - 1], point[h] + errors[h][rank - 1]);
        }

        return new Forecast(point, lower, upper);
    }
}
