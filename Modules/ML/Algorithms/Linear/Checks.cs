namespace OKLA.ML.Algorithms.Linear;

/// <summary>Checks of training input that the linear learners share.</summary>
internal static class Checks
{
    public static void Weights(float[]? weights, int rows)
    {
        if (weights is not null && (weights.Length != rows || weights.Any(w => !(w >= 0) || float.IsInfinity(w)) || !weights.Any(w => w > 0)))
            throw new ArgumentException("Weights must be finite, at least 0, not all 0 and one a row.", nameof(weights));
    }

    public static void Targets(float[] y, int rows)
    {
        ArgumentNullException.ThrowIfNull(y);
        if (rows == 0 || y.Length != rows) throw new ArgumentException($"{rows} rows and {y.Length} targets.", nameof(y));
        if (y.Any(value => !float.IsFinite(value))) throw new ArgumentException("Targets must be finite.", nameof(y));
    }

    /// <summary>The number of classes, the largest label plus one, at least 2; every label is 0 or more.</summary>
    public static int Classes(int[] labels, int rows)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (rows == 0 || labels.Length != rows) throw new ArgumentException($"{rows} rows and {labels.Length} labels.", nameof(labels));
        if (labels.Min() < 0) throw new ArgumentException("Labels count from 0.", nameof(labels));
        return Math.Max(2, labels.Max() + 1);
    }

    public static double[] WeightsOrOnes(float[]? weights, int rows)
    {
        Weights(weights, rows);
        var w = new double[rows];
        if (weights is null) Array.Fill(w, 1);
        else for (var i = 0; i < rows; i++) w[i] = weights[i];
        return w;
    }
}
