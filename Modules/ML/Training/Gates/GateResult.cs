using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Training.Gates;

/// <summary>What came of a gate.</summary>
/// <param name="Gate">Its name.</param>
/// <param name="State">passed, failed, skipped (nothing to measure) or off (failed, but told not to block).</param>
/// <param name="Reason">Why, with the figures, in one sentence.</param>
internal sealed record GateResult(string Gate, string State, string Reason);

/// <summary>What gates judge by.</summary>
/// <param name="HeldOut">What was measured; its first metric decides.</param>
/// <param name="LargerIsBetter">Direction of that metric.</param>
/// <param name="Recorded">The deciding metric that the serving version was published with; null when nothing serves.</param>
/// <param name="RecordedCases">The losses of single cases that the serving version was measured with, when they were kept.</param>
/// <param name="Tolerance">Share by which figures of different test data may differ by chance.</param>
/// <param name="Settings">How strict to be.</param>
internal sealed record GateCase(HeldOut HeldOut, bool LargerIsBetter, double? Recorded, CaseLosses? RecordedCases, double Tolerance, GateSettings Settings)
{
    /// <summary>Whether those losses were kept and are not any more.</summary>
    public bool CasesForgotten { get; init; }

    /// <summary>The deciding metric's name.</summary>
    public string Metric => HeldOut.Metrics[0].Name;

    /// <summary>Whether <paramref name="a"/> is better than <paramref name="b"/>.</summary>
    public bool Better(double a, double b) => LargerIsBetter ? a > b : a < b;

    /// <summary>The interval of the mean of first less second on the same cases (bootstrap over cases).</summary>
    public static Interval Difference(IReadOnlyList<double> first, IReadOnlyList<double> second) => Bootstrap.Mean([.. first.Select((value, i) => value - second[i])], resamples: 500);
}

/// <summary>A condition that a version must meet before it may serve.</summary>
internal interface IGate
{
    /// <summary>Its name in settings and reports.</summary>
    public string Name { get; }

    /// <summary>Judges; null when there is nothing to judge by.</summary>
    public (bool Passed, string Reason)? Check(GateCase @case);
}
