using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Frames;

/// <summary>A moment of the past that a model learns from, and what came of it.</summary>
/// <param name="Row">Of whom or what, and when.</param>
/// <param name="Label">What came of it, as text: a number or a class.</param>
/// <param name="Channel">Way taken, where the moment is a contact.</param>
/// <param name="Surrogate">What is learned from in the label's stead, in the label's words; null where the label is.</param>
internal sealed record Moment(SpineRow Row, string Label, string? Channel = null, string? Surrogate = null)
{
    /// <summary>The last sign of somebody before, where that is what the moment is about.</summary>
    public DateTimeOffset? LastSign { get; init; }
}
