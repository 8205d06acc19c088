namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Measures of predicted numbers against true ones, in the target's unit unless said. All throw on empty or unequal lists or a value that is not finite.</summary>
public static class RegressionMetrics
{
    /// <summary>Share of the variance explained, 1 − Σ(y − ŷ)² / Σ(y − ȳ)². For a constant truth: 1 when exact, else 0.</summary>
    public static double R2(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted)
    {
        Check(truth, predicted);
        double mean = 0, residual = 0, total = 0;
        foreach (double y in truth) mean += y / truth.Length;
        for (int i = 0; i < truth.Length; i++)
        {
            residual += (truth[i] - predicted[i]) * (truth[i] - predicted[i]);
            total += (truth[i] - mean) * (truth[i] - mean);
        }

        return total == 0 ? (residual == 0 ? 1 : 0) : 1 - residual / total;
    }

    /// <summary>Mean absolute error.</summary>
    public static double Mae(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => Mean(truth, predicted, (y, p) => Math.Abs(y - p));

    /// <summary>Root of the mean squared error.</summary>
    public static double Rmse(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => Math.Sqrt(Mean(truth, predicted, (y, p) => (y - p) * (y - p)));

    /// <summary>Mean absolute error over |truth|, as a fraction; |truth| counts as at least 1e-9.</summary>
    public static double Mape(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted) => Mean(truth, predicted, RelativeError);

    /// <summary>Median of absolute error over |truth|, as a fraction; |truth| counts as at least 1e-9.</summary>
    public static double MedianApe(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted)
    {
        Check(truth, predicted);
        var errors = new double[truth.Length];
        for (int i = 0; i < errors.Length; i++) errors[i] = RelativeError(truth[i], predicted[i]);
        Array.Sort(errors);
        int middle = errors.Length / 2;
        return errors.Length % 2 == 1 ? errors[middle] : (errors[middle - 1] + errors[middle]) / 2;
    }

    /// <summary>Mean pinball loss of a predicted <paramref name="quantile"/> in (0, 1) (Koenker, Bassett 1978).</summary>
    public static double Pinball(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted, double quantile)
    {
        if (!(quantile is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "A quantile lies between 0 and 1.");
        return Mean(truth, predicted, (y, p) => y >= p ? quantile * (y - p) : (1 - quantile) * (p - y));
    }

    /// <summary>Share of truths inside [lower, upper], both ends included.</summary>
    public static double IntervalCoverage(ReadOnlySpan<double> truth, ReadOnlySpan<double> lower, ReadOnlySpan<double> upper)
    {
        Check(truth, lower);
        Check(truth, upper);
        int inside = 0;
        for (int i = 0; i < truth.Length; i++)
            if (truth[i] >= lower[i] && truth[i] <= upper[i]) inside++;
        return (double)inside / truth.Length;
    }

    /// <summary>Mean width of the intervals.</summary>
    public static double IntervalWidth(ReadOnlySpan<double> lower, ReadOnlySpan<double> upper) => Mean(lower, upper, (l, u) => u - l);

    private static double RelativeError(double truth, double predicted) => Math.Abs(truth - predicted) / Math.Max(Math.Abs(truth), 1e-9);

    private static double Mean(ReadOnlySpan<double> truth, ReadOnlySpan<double> predicted, Func<double, double, double> loss)
    {
        Check(truth, predicted);
        double sum = 0;
        for (int i = 0; i < truth.Length; i++) sum += loss(truth[i], predicted[i]);
        return sum / truth.Length;
    }

    private static void Check(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        if (a.Length != b.Length) throw new ArgumentException("Both lists must be equally long.", nameof(b));
        if (a.IsEmpty) throw new ArgumentException("There is nothing to measure.", nameof(a));
        for (int i = 0; i < a.Length; i++)
            if (!double.IsFinite(a[i]) || !double.IsFinite(b[i])) throw new ArgumentException($"Value {i} is not a finite number.", nameof(a));
    }
}
