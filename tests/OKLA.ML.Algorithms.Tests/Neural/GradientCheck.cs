namespace OKLA.ML.Algorithms.Tests.Neural;

/// <summary>Compares gradients with central differences (f(x + h) − f(x − h)) / 2h, element by element.</summary>
internal static class GradientCheck
{
    // Single precision: rounding of f is near 1e-7, so h = 5e-3 leaves about 1e-4 of noise and 1e-5 of curvature.
    private const float Step = 5e-3f;

    public static void ShouldMatch(float[] gradient, float[] values, Func<double> loss, string name)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var kept = values[i];
            values[i] = kept + Step;
            var above = loss();
            values[i] = kept - Step;
            var below = loss();
            values[i] = kept;
            var numeric = (above - below) / (2 * Step);
            ((double)gradient[i]).ShouldBe(numeric, 2e-3 * Math.Max(1, Math.Abs(numeric)), $"{name}[{i}]");
        }
    }

    /// <summary>Random numbers in (−1, 1).</summary>
    public static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * (float)random.NextDouble() - 1)];
    }
}
