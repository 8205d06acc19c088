namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Point forecasts with their interval; element h is h + 1 steps after the last observation, in the series' own unit.</summary>
/// <param name="Point">Point forecasts.</param>
/// <param name="Lower">Lower ends.</param>
/// <param name="Upper">Upper ends.</param>
public sealed record Forecast(double[] Point, double[] Lower, double[] Upper);

/// <summary>A forecaster: past observations and a horizon to as many point forecasts.</summary>
public delegate double[] PointForecaster(double[] past, int horizon);

internal static class Series
{
    public static double[] Checked(ReadOnlySpan<double> series, int atLeast)
    {
        if (series.Length < atLeast) throw new ArgumentException($"The series needs at least {atLeast} observations, it has {series.Length}.", nameof(series));
        foreach (double value in series)
            if (!double.IsFinite(value)) throw new ArgumentException("The series holds a value that is not finite.", nameof(series));
        return series.ToArray();
    }

    public static void CheckLevel(double level)
    {
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "A level lies between 0 and 1.");
    }

    /// <summary>The quantile with linear interpolation (type 7) of an ascending list.</summary>
    public static double Quantile(double[] sorted, double p)
    {
        double at = Math.Clamp(p, 0, 1) * (sorted.Length - 1);
        int low = (int)at;
        return low + 1 >= sorted.Length ? sorted[^1] : sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]);
    }

    public static double Median(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray();
        Array.Sort(sorted);
        return Quantile(sorted, 0.5);
    }

    /// <summary>Median absolute deviation, scaled by 1.4826 to the standard deviation of a Gaussian.</summary>
    public static double ScaledMad(ReadOnlySpan<double> values, double median)
    {
        var deviations = new double[values.Length];
        for (int i = 0; i < values.Length; i++) deviations[i] = Math.Abs(values[i] - median);
        return 1.4826 * Median(deviations);
    }
}
