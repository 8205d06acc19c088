using System.Text.Json.Serialization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>What a training measured on the part of the data that lies after (or apart from) what it learned from.</summary>
/// <param name="Split">How train and test were separated, in one sentence.</param>
/// <param name="Metrics">Each beside its baseline; the first one decides.</param>
/// <param name="Serving">The serving version on the same test data; null when there is none or it has seen that data.</param>
internal sealed record HeldOut(string Split, IReadOnlyList<MetricRow> Metrics, double? Serving)
{
    /// <summary>The losses of single cases; null where a training does not keep them.</summary>
    [JsonIgnore]
    public CaseLosses? Cases { get; init; }

    /// <summary>Rows learned from.</summary>
    public int RowsLearned { get; init; }

    /// <summary>Rows measured on.</summary>
    public int RowsMeasured { get; init; }

    /// <summary>The deciding metric in each fold of cross-validation.</summary>
    public IReadOnlyList<FoldFigure> Folds { get; init; } = [];

    /// <summary>Expected calibration error; null where answers are no probabilities.</summary>
    public Interval? CalibrationError { get; init; }

    /// <summary>Share of cases that intervals held; null where there are none.</summary>
    public CoverageFigure? Coverage { get; init; }

    /// <summary>Microseconds that one warm row takes (median).</summary>
    public double? RowMicroseconds { get; init; }

    /// <summary>Size of the artefact that was measured.</summary>
    public long? Bytes { get; init; }

    /// <summary>Differences between groups of declared columns.</summary>
    public IReadOnlyList<GroupGap> Groups { get; init; } = [];

    /// <summary>Every group of declared columns, the largest first.</summary>
    public IReadOnlyList<GroupFigure> GroupFigures { get; init; } = [];

    /// <summary>Declared tests of behaviour.</summary>
    public IReadOnlyList<BehaviourFigure> Behaviours { get; init; } = [];

    /// <summary>Columns that give the target away, each in a sentence; null where nobody looked.</summary>
    public IReadOnlyList<string>? Leaks { get; init; }

    /// <summary>How much the loss grows when a column is shuffled, the most important one first.</summary>
    public IReadOnlyList<ColumnImportance> Importance { get; init; } = [];

    /// <summary>What was tried, with each one's loss, speed and size.</summary>
    public IReadOnlyList<TriedModel> Tried { get; init; } = [];
}

/// <summary>Losses of single cases, in one order.</summary>
/// <param name="Loss">What each one is: log loss or absolute error.</param>
/// <param name="Keys">A number that the same case has in every training.</param>
/// <param name="Model">The model's.</param>
/// <param name="Baseline">The baseline's.</param>
/// <param name="Serving">The serving version's; null when there is none or it has seen the cases.</param>
internal sealed record CaseLosses(string Loss, long[] Keys, double[] Model, double[] Baseline, double[]? Serving = null);

/// <summary>The deciding metric in a fold, from 1.</summary>
internal sealed record FoldFigure(int Fold, double Model, double Baseline);

/// <summary>Share of cases that intervals held, and the share that they promise.</summary>
internal sealed record CoverageFigure(Interval Held, double Wanted);

/// <summary>The largest difference between groups of a column.</summary>
/// <param name="Column">The column.</param>
/// <param name="Measure">What differs.</param>
/// <param name="Size">By how much.</param>
/// <param name="Highest">The group with the most.</param>
/// <param name="Lowest">The group with the least.</param>
internal sealed record GroupGap(string Column, string Measure, Interval Size, string Highest, string Lowest);

/// <summary>What a model does to a group.</summary>
/// <param name="Column">The column.</param>
/// <param name="Group">The group.</param>
/// <param name="Rows">Its test rows.</param>
/// <param name="Loss">Mean loss: log loss or absolute error.</param>
/// <param name="MeanTruth">Mean of what happened: a share of two classes, or a number; null for more classes.</param>
/// <param name="MeanAnswer">Mean answer.</param>
/// <param name="Chosen">Share called positive; null where there are not two classes.</param>
/// <param name="TruePositiveRate">Share called positive of those that were; null where there are none.</param>
/// <param name="FalsePositiveRate">Share called positive of those that were not.</param>
internal sealed record GroupFigure(
    string Column, string Group, int Rows, double Loss, double? MeanTruth, double? MeanAnswer, double? Chosen, double? TruePositiveRate, double? FalsePositiveRate);

/// <summary>What came of a declared test of behaviour.</summary>
/// <param name="Kind">invariance or direction.</param>
/// <param name="Said">The test in words.</param>
/// <param name="Rows">Rows tried.</param>
/// <param name="Violations">Rows that broke it.</param>
internal sealed record BehaviourFigure(string Kind, string Said, int Rows, int Violations)
{
    /// <summary>Share of rows that broke it.</summary>
    public double Share => Rows == 0 ? 0 : (double)Violations / Rows;
}

/// <summary>By how much the loss grows when a column is shuffled.</summary>
internal sealed record ColumnImportance(string Column, double LossIncrease);

/// <summary>A model that was tried.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Loss">Its loss on rows that it had not learned from.</param>
/// <param name="RowMicroseconds">Microseconds a row; null where only a part of it was trained.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="GroupGap">By how much its loss is larger in the worst served group of declared columns; null where none is declared.</param>
/// <param name="OnFront">Whether no other one is better in quality, speed, size and fairness together.</param>
internal sealed record TriedModel(string Name, double Loss, double? RowMicroseconds, long? Bytes, double? GroupGap, bool OnFront)
{
    /// <summary>Whether it is what the version is made of.</summary>
    public bool Chosen { get; init; }
}
