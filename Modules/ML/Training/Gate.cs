using System.Globalization;
using OKLA.ML.Training.Gates;

namespace OKLA.ML.Training;

/// <summary>Decides whether a version may serve: every gate is asked, and one that fails blocks unless it was turned off.</summary>
internal static class Gate
{
    /// <summary>All gates, in the order of their report.</summary>
    public static IReadOnlyList<IGate> All { get; } =
    [
        new BaselineGate(), new ServingGate(), new CalibrationGate(), new LatencyGate(), new SizeGate(), new StabilityGate(), new FairnessGate(), new InvarianceGate(), new DirectionGate(),
        new LeakageGate(),
    ];

    /// <summary>Judges by the house's settings.</summary>
    /// <param name="heldOut">What was measured; its first metric decides.</param>
    /// <param name="largerIsBetter">Direction of that metric.</param>
    /// <param name="recorded">The deciding metric that the serving version was published with; null when nothing serves.</param>
    /// <param name="tolerance">Share by which figures of different test data may differ by chance.</param>
    public static GateVerdict Decide(HeldOut heldOut, bool largerIsBetter, double? recorded, double tolerance) =>
        Decide(new GateCase(heldOut, largerIsBetter, recorded, null, tolerance, new GateSettings()));

    /// <summary>Judges.</summary>
    public static GateVerdict Decide(GateCase @case)
    {
        var results = All.Select(gate => Judge(gate, @case)).ToArray();
        var failed = results.Where(result => result.State == "failed").ToArray();
        var metric = @case.HeldOut.Metrics[0];
        var serving = results.First(result => result.Gate == "serving");
        return failed.Length > 0
            ? new GateVerdict(false, $"Not published: {string.Join(". ", failed.Select(result => result.Reason))}.", results)
            : new GateVerdict(true, $"Published: {(serving.State == "passed" ? serving.Reason : $"{metric.Name} {Text(metric.Model)}")}.", results);
    }

    /// <summary>A figure as reasons write it.</summary>
    internal static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static GateResult Judge(IGate gate, GateCase @case) => gate.Check(@case) switch
    {
        null => new GateResult(gate.Name, "skipped", "Nothing to judge by."),
        (true, var reason) => new GateResult(gate.Name, "passed", reason),
        (false, var reason) when @case.Settings.Off.Contains(gate.Name, StringComparer.OrdinalIgnoreCase) => new GateResult(gate.Name, "off", reason),
        (false, var reason) => new GateResult(gate.Name, "failed", reason),
    };
}

/// <summary>What the gates came to.</summary>
/// <param name="Publish">Whether the version may serve.</param>
/// <param name="Decision">Why, in a sentence for each gate that failed.</param>
/// <param name="Gates">Every gate.</param>
internal sealed record GateVerdict(bool Publish, string Decision, IReadOnlyList<GateResult> Gates);
