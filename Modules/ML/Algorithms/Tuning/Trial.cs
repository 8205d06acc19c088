namespace OKLA.ML.Algorithms.Tuning;

/// <summary>How far a <see cref="Trial"/> is.</summary>
public enum TrialState
{
    /// <summary>Asked for and not told yet.</summary>
    Running,

    /// <summary>Told its values.</summary>
    Completed,

    /// <summary>Stopped early; its last report counts as its value.</summary>
    Pruned,

    /// <summary>Gave no value.</summary>
    Failed,
}

/// <summary>What a trial had reached at a step.</summary>
/// <param name="Step">The step or resource spent, rising.</param>
/// <param name="Value">The objective there.</param>
public sealed record TrialReport(int Step, double Value);

/// <summary>One setting of the parameters and what came of it. Plain data: a list of trials, written as JSON and read back, is a study to go on with.</summary>
public sealed record Trial
{
    /// <summary>Place in the study, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>How far it is.</summary>
    public required TrialState State { get; init; }

    /// <summary>Value of each parameter in use (a category's place).</summary>
    public required IReadOnlyDictionary<string, double> Parameters { get; init; }

    /// <summary>One value an objective; empty until told.</summary>
    public IReadOnlyList<double> Values { get; init; } = [];

    /// <summary>Values on the way.</summary>
    public IReadOnlyList<TrialReport> Reports { get; init; } = [];
}
