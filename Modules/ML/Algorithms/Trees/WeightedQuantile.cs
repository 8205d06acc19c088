namespace OKLA.ML.Algorithms.Trees;

/// <summary>Weighted quantiles by linear interpolation between order statistics.</summary>
internal static class WeightedQuantile
{
    /// <summary>The <paramref name="share"/> quantile of <paramref name="values"/>, which are put in order; 0 for none.</summary>
    public static double Of(float[] values, float[]? weights, double share)
    {
        if (values.Length == 0) return 0;
        if (weights is null)
        {
            Array.Sort(values);
            var position = share * (values.Length - 1);
            var below = (int)position;
            return values[below] + (position - below) * (values[Math.Min(below + 1, values.Length - 1)] - (double)values[below]);
        }
        Array.Sort(values, weights);
        var total = weights.Sum(w => (double)w);
        double sum = 0;
        for (var i = 0; i < values.Length; i++)
        {
            sum += weights[i];
            if (sum > share * total) return values[i];
            // Exactly on the edge of two values the middle is taken, as for even counts without weights.
            if (sum == share * total && i + 1 < values.Length) return (values[i] + (double)values[i + 1]) / 2;
        }
        return values[^1];
    }
}
