using System.ComponentModel.DataAnnotations;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Web;

namespace OKLA.ML.Models;

/// <summary>Answers must stay when a column takes other values.</summary>
/// <param name="Column">The column.</param>
/// <param name="Values">The values it takes in turn.</param>
/// <param name="Tolerance">How far an answer may move: of a probability, or as a share of a number.</param>
internal sealed record InvarianceTest([Required] string Column, [Required, MinLength(1)] IReadOnlyList<string> Values, [Range(0, 1)] double Tolerance = 0.05);

/// <summary>Answers must move one way when a number grows.</summary>
/// <param name="Column">A column of numbers.</param>
/// <param name="Change">What is added to it.</param>
/// <param name="Expect">up or down.</param>
/// <param name="Tolerance">How far an answer may move the other way: of a probability, or as a share of a number.</param>
internal sealed record DirectionTest([Required] string Column, double Change, [OneOf("up", "down")] string Expect, [Range(0, 1)] double Tolerance = 0.01);

/// <summary>A model of a table as a user brought it: what to learn from what, and how. Kept as JSON.</summary>
internal sealed record TableDefinition
{
    /// <summary>The model's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Name of the data set.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>Version of the data set; null takes the newest.</summary>
    public int? DatasetVersion { get; init; }

    /// <summary>The column to predict.</summary>
    public string Target { get; init; } = "";

    /// <summary>regression, binary or multiclass; null tells it from the target.</summary>
    public string? Task { get; init; }

    /// <summary>The label that is the positive one of two.</summary>
    public string? Positive { get; init; }

    /// <summary>
    /// A column of the target's two classes that is known more often than the target and moves with it: it is learned from in the target's stead (Athey et al. 2019, The Surrogate Index),
    /// while calibration, thresholds and every figure stay with the target. Null learns from the target itself.
    /// </summary>
    public string? Surrogate { get; init; }

    /// <summary>Unit of a number.</summary>
    public string? Unit { get; init; }

    /// <summary>What the columns describe and can be looked up by in the feature store.</summary>
    public string? Entity { get; init; }

    /// <summary>Columns to learn from; null takes all but target, time and group.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>A column of times: the newest rows are the test.</summary>
    public string? Time { get; init; }

    /// <summary>Days after its time by which a row's target is known: rows to learn from whose target the first test row could not have known yet are left out.</summary>
    [Range(0, 3_650)]
    public double EmbargoDays { get; init; }

    /// <summary>A column whose values are never on both sides of a split.</summary>
    public string? Group { get; init; }

    /// <summary>Columns whose groups must be served alike.</summary>
    public IReadOnlyList<string> Fairness { get; init; } = [];

    /// <summary>Declared invariances.</summary>
    public IReadOnlyList<InvarianceTest> Invariances { get; init; } = [];

    /// <summary>Declared directions.</summary>
    public IReadOnlyList<DirectionTest> Directions { get; init; } = [];

    /// <summary>Seconds that a training may search.</summary>
    public double BudgetSeconds { get; init; } = 60;

    /// <summary>fast, accurate, or auto: accurate where that is worth its time.</summary>
    public string Profile { get; init; } = "auto";

    /// <summary>Share of cases that intervals of a number should hold.</summary>
    public double Coverage { get; init; } = 0.9;

    /// <summary>Whether columns that help nothing are left out.</summary>
    public bool SelectColumns { get; init; }

    /// <summary>Whether a version that passed its gates waits until somebody approves it.</summary>
    public bool RequireApproval { get; init; }

    /// <summary>What to weigh quality against; null for quality alone, within the gates.</summary>
    public Objective? Objective { get; init; }

    /// <summary>Seed of everything random.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>
    /// Share of those called positive that must be, of two classes: the operating threshold is the lowest one that reached it on training rows held out; precision
    /// and recall on the test are told at it. Null tells none.
    /// </summary>
    [Range(0.5, 1)]
    public double? Precision { get; init; }

    /// <summary>How strict the gates are.</summary>
    public GateSettings Gates { get; init; } = new();
}
