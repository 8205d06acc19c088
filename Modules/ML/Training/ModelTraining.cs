using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training.Gates;
using OKLA.ML.Tuning;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>Thrown when there is too little to learn from or to measure with; the message says what is missing.</summary>
internal sealed class TooLittleDataException(string message) : Exception(message);

/// <summary>One run of one model: it holds the data between its steps.</summary>
internal abstract class ModelTraining
{
    /// <summary>One of <see cref="ModelNames"/>.</summary>
    public abstract string Model { get; }

    /// <summary>Whether a larger value of the deciding metric is better.</summary>
    public abstract bool LargerIsBetter { get; }

    /// <summary>Loads what the log holds, splits it by time, fits on the earlier part and measures on the later one.</summary>
    /// <param name="serving">Artefact of the serving version and the time up to which it has seen the world; null when there is none.</param>
    /// <param name="progress">Hears 0 to 1 of this step.</param>
    /// <param name="ct">Stops it.</param>
    /// <exception cref="TooLittleDataException">Nothing to learn from.</exception>
    public abstract Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct);

    /// <summary>Fits once more on all of it.</summary>
    public abstract TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct);

    /// <summary>The model that was measured, for a version that is kept but not published.</summary>
    public abstract TrainedModel Measured();

    /// <summary>How strict the gates are.</summary>
    public virtual GateSettings Gates { get; } = new();

    /// <summary>What the model must be told; null when it is asked through an endpoint of its own.</summary>
    public virtual ModelSignature? Signature => null;

    /// <summary>What was found out, enough to train the same again; null where a training keeps no such thing. After <see cref="EvaluateAsync"/>.</summary>
    public virtual TableRecipe? Recipe => null;

    /// <summary>The rows that it was measured on with its answers; null where there are none to keep. After <see cref="EvaluateAsync"/>.</summary>
    public virtual HeldOutRows? HeldOutRows => null;

    /// <summary>The table that it learned from, where nobody else keeps it. After <see cref="EvaluateAsync"/>.</summary>
    public virtual TableData? Learned => null;

    /// <summary>Questions that the measured model has not seen, each answered anew when it is called; none where it is asked the rows that it was measured on, or answers nobody one by one. After <see cref="EvaluateAsync"/>.</summary>
    public virtual IReadOnlyList<Action> Questions => [];

    /// <summary>Told the trials of a search as they end, and asked for those of a run that was cut off; null when nobody keeps them.</summary>
    public ITrialBook? Trials { get; set; }
}

/// <summary>A part of a longer piece of work: its 0 to 1 lies within the whole's from and to.</summary>
internal sealed class ProgressPart(IProgress<WorkProgress>? whole, double from, double to) : IProgress<WorkProgress>
{
    public void Report(WorkProgress value) => whole?.Report(value with { Fraction = from + (to - from) * value.Fraction });
}
