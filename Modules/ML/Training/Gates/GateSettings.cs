using System.ComponentModel.DataAnnotations;

namespace OKLA.ML.Training.Gates;

/// <summary>How strict the gates of a model are; kept with its definition. What is not said has these defaults.</summary>
internal sealed record GateSettings
{
    /// <summary>Gates that do not block, by name; they are measured and reported all the same.</summary>
    public IReadOnlyList<string> Off { get; init; } = [];

    /// <summary>How much worse than the serving version a new one may measure, as a share; null takes the house's tolerance.</summary>
    [Range(0, 1)]
    public double? Tolerance { get; init; }

    /// <summary>Expected calibration error at most.</summary>
    [Range(0, 1)]
    public double CalibrationError { get; init; } = 0.1;

    /// <summary>Share of cases by which an interval may miss its coverage.</summary>
    [Range(0, 1)]
    public double CoverageGap { get; init; } = 0.05;

    /// <summary>Microseconds that one warm row may take.</summary>
    [Range(1, 60_000_000)]
    public double RowMicroseconds { get; init; } = 20_000;

    /// <summary>Bytes that an artefact may have.</summary>
    [Range(1, 1_000_000_000)]
    public long Bytes { get; init; } = 256 << 20;

    /// <summary>Standard deviation of the deciding metric over folds at most, as a share of its mean or of the mean's distance from the baseline's, whichever is larger.</summary>
    [Range(0, 10)]
    public double FoldSpread { get; init; } = 0.5;

    /// <summary>Difference between groups at most: of true positive rates of two classes, otherwise of the error as a share of the smaller one.</summary>
    [Range(0, 10)]
    public double GroupGap { get; init; } = 0.2;

    /// <summary>Share of rows at most that may break an invariance or a direction.</summary>
    [Range(0, 1)]
    public double Violations { get; init; } = 0.05;

    /// <summary>What one column alone may reach (AUC, or R²) before it is taken for a leak.</summary>
    [Range(0, 1)]
    public double SingleColumn { get; init; } = 0.985;
}
