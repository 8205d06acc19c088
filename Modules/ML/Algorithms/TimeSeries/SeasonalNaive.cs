using MathNet.Numerics.Distributions;

namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>The forecast every other one has to beat: the value one season ago (season 1: the last value).</summary>
public static class SeasonalNaive
{
    /// <summary>
    /// Forecasts with Gaussian intervals of deviation σ·√(k + 1), k whole seasons ahead (Hyndman, Athanasopoulos, Forecasting, table 5.2).
    /// Needs more than one season of observations.
    /// </summary>
    public static Forecast Predict(ReadOnlySpan<double> series, int season, int horizon, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        Series.CheckLevel(level);
        double[] y = Series.Checked(series, season + 1);
        double square = 0;
        for (int t = season; t < y.Length; t++) square += (y[t] - y[t - season]) * (y[t] - y[t - season]);
        double sigma = Math.Sqrt(square / (y.Length - season)), z = Normal.InvCDF(0, 1, 0.5 + level / 2);
        var point = new double[horizon];
        var lower = new double[horizon];
        var upper = new double[horizon];
        for (int h = 0; h < horizon; h++)
        {
            point[h] = y[y.Length - season + h % season];
            double width = z * sigma * Math.Sqrt(h / season + 1);
            lower[h] = point[h] - width;
            upper[h] = point[h] + width;
        }

        return new Forecast(point, lower, upper);
    }
}
