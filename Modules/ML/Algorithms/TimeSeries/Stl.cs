namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>A series taken apart: value = trend + seasonal + remainder.</summary>
/// <param name="Trend">Trend.</param>
/// <param name="Seasonal">Season.</param>
/// <param name="Remainder">What is left.</param>
public sealed record Decomposed(double[] Trend, double[] Seasonal, double[] Remainder);

/// <summary>Seasonal and trend decomposition by loess (Cleveland, Cleveland, McRae, Terpenning 1990). Time O(n · window) a pass.</summary>
public static class Stl
{
    /// <summary>
    /// Decomposes. <paramref name="seasonalWindow"/> is the odd span of the loess over one month's (say) values, in seasons; 0 makes the season
    /// periodic. <paramref name="robustPasses"/> outer passes weigh outliers down; 0 is none. Needs two whole seasons.
    /// </summary>
    public static Decomposed Decompose(ReadOnlySpan<double> series, int season, int seasonalWindow = 7, int robustPasses = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(season, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(seasonalWindow);
        ArgumentOutOfRangeException.ThrowIfNegative(robustPasses);
        double[] y = Series.Checked(series, 2 * season);
        int n = y.Length, seasonalSpan = seasonalWindow == 0 ? 10 * n + 1 : seasonalWindow | 1;
        // Section 3.4: the trend's span must exceed 1.5·season / (1 − 1.5/seasonal span), the low-pass span is the least odd one ≥ season.
        int trendSpan = (int)Math.Ceiling(1.5 * season / (1 - 1.5 / Math.Max(seasonalSpan, 3))) | 1, lowSpan = season | 1;
        double[] trend = new double[n], seasonal = new double[n], weights = new double[n], work = new double[n];
        Array.Fill(weights, 1);
        for (int outer = 0; outer <= robustPasses; outer++)
        {
            for (int inner = 0; inner < (robustPasses == 0 ? 2 : 1) + (outer == 0 ? 1 : 0); inner++)
            {
                for (int t = 0; t < n; t++) work[t] = y[t] - trend[t];
                double[] cycle = CycleSubseries(work, weights, season, seasonalSpan, seasonalWindow == 0);
                double[] low = Average(Average(Average(cycle, season), season), 3);
                low = Loess(low, null, lowSpan, 1, 0, low.Length);
                for (int t = 0; t < n; t++)
                {
                    seasonal[t] = cycle[season + t] - low[t];
                    work[t] = y[t] - seasonal[t];
                }

                trend = Loess(work, weights, trendSpan, 1, 0, n);
            }

            if (outer == robustPasses) break;
            for (int t = 0; t < n; t++) work[t] = Math.Abs(y[t] - trend[t] - seasonal[t]);
            double h = 6 * Series.Median(work);
            for (int t = 0; t < n; t++)
            {
                double u = h > 0 ? work[t] / h : 0;
                weights[t] = u >= 1 ? 0 : (1 - u * u) * (1 - u * u);
            }
        }

        var remainder = new double[n];
        for (int t = 0; t < n; t++) remainder[t] = y[t] - trend[t] - seasonal[t];
        return new Decomposed(trend, seasonal, remainder);
    }

    /// <summary>Smooths each place of the season by itself and one season beyond both ends: n + 2·season values.</summary>
    private static double[] CycleSubseries(double[] values, double[] weights, int season, int span, bool periodic)
    {
        var result = new double[values.Length + 2 * season];
        for (int place = 0; place < season; place++)
        {
            int count = (values.Length - place + season - 1) / season;
            var part = new double[count];
            var partWeights = new double[count];
            for (int k = 0; k < count; k++) (part[k], partWeights[k]) = (values[place + k * season], weights[place + k * season]);
            double[] smooth = Loess(part, partWeights, span, periodic ? 0 : 1, -1, count + 1);
            for (int k = 0; k < smooth.Length; k++) result[place + k * season] = smooth[k];
        }

        return result;
    }

    private static double[] Average(double[] values, int window)
    {
        var result = new double[values.Length - window + 1];
        double sum = 0;
        for (int i = 0; i < values.Length; i++)
        {
            sum += values[i];
            if (i >= window) sum -= values[i - window];
            if (i >= window - 1) result[i - window + 1] = sum / window;
        }

        return result;
    }

    /// <summary>Loess at the points from..to−1 of a series on 0..n−1: tricube weights over the nearest <paramref name="span"/> points, local constant or line.</summary>
    internal static double[] Loess(double[] values, double[]? weights, int span, int degree, int from, int to)
    {
        int n = values.Length, near = Math.Min(span, n);
        var result = new double[to - from];
        for (int at = from; at < to; at++)
        {
            int left = Math.Clamp(at - near / 2, 0, n - near), right = left + near - 1;
            double reach = Math.Max(at - left, right - at);
            if (span > n) reach += (span - n) / 2;
            double w0 = 0, w1 = 0, w2 = 0, v0 = 0, v1 = 0;
            for (int j = left; j <= right; j++)
            {
                double distance = Math.Abs(j - at), u = reach > 0 ? distance / reach : 0;
                if (u >= 0.999) continue;
                double cube = u <= 0.001 ? 1 : 1 - u * u * u, w = cube * cube * cube * (weights?[j] ?? 1), x = j - at;
                w0 += w;
                w1 += w * x;
                w2 += w * x * x;
                v0 += w * values[j];
                v1 += w * x * values[j];
            }

            double determinant = w0 * w2 - w1 * w1;
            result[at - from] = w0 <= 0 ? values[Math.Clamp(at, 0, n - 1)]
                : degree == 0 || determinant <= 1e-12 * w0 * w0 ? v0 / w0
                : (w2 * v0 - w1 * v1) / determinant;
        }

        return result;
    }
}
