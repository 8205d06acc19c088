namespace OKLA.ML.Algorithms.Text;

/// <summary>
/// Joins the probabilities of several models by a weighted geometric mean, P(c) ∝ Π p_m(c)^w_m (Genest, Zidek 1986; one model: temperature scaling, Guo et al. 2017),
/// with weights of 0 or more that minimise the log loss, a convex problem.
/// </summary>
internal static class LogPool
{
    /// <summary>Below it a probability counts as this, so that a sure mistake stays finite.</summary>
    public const double Least = 1e-9;

    /// <summary>Learns the weights from each model's probabilities (rows × classes) of rows that it did not learn from.</summary>
    public static double[] Fit(IReadOnlyList<double[]> models, int[] labels, int classes)
    {
        var logs = models.Select(Logs).ToArray();
        double[] weights = [.. Enumerable.Repeat(1.0 / logs.Length, logs.Length)];
        for (var sweep = 0; sweep < 60; sweep++)
        {
            var moved = 0.0;
            for (var m = 0; m < logs.Length; m++)
            {
                var (slope, curvature) = Slopes(logs, weights, m, labels, classes);
                var next = Math.Clamp(weights[m] - slope / (curvature + 1e-9), 0, weights[m] + 1);
                moved = Math.Max(moved, Math.Abs(next - weights[m]));
                weights[m] = next;
            }
            if (moved < 1e-4) break;
        }
        return weights.Sum() > 0 ? weights : [.. Enumerable.Repeat(1.0 / logs.Length, logs.Length)];
    }

    /// <summary>The joined probabilities, rows × classes.</summary>
    public static double[] Join(IReadOnlyList<double[]> models, IReadOnlyList<double> weights, int classes)
    {
        var logs = models.Select(Logs).ToArray();
        var joined = new double[logs[0].Length];
        for (var at = 0; at < joined.Length; at += classes) Row(logs, weights, at, joined.AsSpan(at, classes));
        return joined;
    }

    /// <summary>Mean −ln P(true class).</summary>
    public static double Loss(double[] probabilities, int[] labels, int classes)
    {
        double sum = 0;
        for (var i = 0; i < labels.Length; i++) sum -= Math.Log(Math.Max(probabilities[i * classes + labels[i]], Least));
        return sum / labels.Length;
    }

    /// <summary>First and second derivative of the total loss in one weight.</summary>
    private static (double Slope, double Curvature) Slopes(double[][] logs, double[] weights, int m, int[] labels, int classes)
    {
        double slope = 0, curvature = 0;
        Span<double> p = new double[classes];
        for (var i = 0; i < labels.Length; i++)
        {
            Row(logs, weights, i * classes, p);
            double mean = 0, square = 0;
            for (var c = 0; c < classes; c++)
            {
                var log = logs[m][i * classes + c];
                mean += p[c] * log;
                square += p[c] * log * log;
            }
            slope += mean - logs[m][i * classes + labels[i]];
            curvature += square - mean * mean;
        }
        return (slope, curvature);
    }

    private static void Row(double[][] logs, IReadOnlyList<double> weights, int at, Span<double> into)
    {
        into.Clear();
        for (var m = 0; m < logs.Length; m++)
        {
            if (weights[m] == 0) continue;
            for (var c = 0; c < into.Length; c++) into[c] += weights[m] * logs[m][at + c];
        }
        System.Numerics.Tensors.TensorPrimitives.SoftMax<double>(into, into);
    }

    private static double[] Logs(double[] probabilities) => Array.ConvertAll(probabilities, p => Math.Log(Math.Max(p, Least)));
}
