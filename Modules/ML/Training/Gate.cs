using System.Globalization;

namespace OKLA.ML.Training;

/// <summary>Decides whether a version may serve.</summary>
internal static class Gate
{
    /// <summary>
    /// A version must be better than the baseline, and not worse than the serving one: on the same test data where the serving one has not
    /// seen it, otherwise against the figure it was published with, within <paramref name="tolerance"/>.
    /// </summary>
    /// <param name="heldOut">What was measured; its first metric decides.</param>
    /// <param name="largerIsBetter">Direction of that metric.</param>
    /// <param name="recorded">The deciding metric that the serving version was published with; null when nothing serves.</param>
    /// <param name="tolerance">Share by which figures of different test data may differ by chance.</param>
    public static (bool Publish, string Decision) Decide(HeldOut heldOut, bool largerIsBetter, double? recorded, double tolerance)
    {
        var metric = heldOut.Metrics[0];
        if (!double.IsFinite(metric.Model))
        {
            return (false, $"Not published: {metric.Name} could not be measured.");
        }

        if (metric.Baseline is { } baseline && !Better(metric.Model, baseline, largerIsBetter))
        {
            return (false, $"Not published: {metric.Name} {Text(metric.Model)} is not better than {metric.BaselineName} ({Text(baseline)}).");
        }

        if (heldOut.Serving is { } same)
        {
            return Better(same, metric.Model, largerIsBetter)
                ? (false, $"Not published: {metric.Name} {Text(metric.Model)} is worse than the serving version's {Text(same)} on the same data.")
                : (true, $"Published: {metric.Name} {Text(metric.Model)}, the version before it {Text(same)} on the same data.");
        }

        if (recorded is { } published)
        {
            var bound = largerIsBetter ? published * (1 - tolerance) : published * (1 + tolerance);
            return Better(bound, metric.Model, largerIsBetter)
                ? (false, $"Not published: {metric.Name} {Text(metric.Model)} is worse than the {Text(published)} that the serving version was published with.")
                : (true, $"Published: {metric.Name} {Text(metric.Model)}, the version before it was published with {Text(published)}.");
        }

        return (true, $"Published: {metric.Name} {Text(metric.Model)}; there was no version before it.");
    }

    private static bool Better(double a, double b, bool larger) => larger ? a > b : a < b;

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
