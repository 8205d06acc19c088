using Microsoft.Extensions.Logging;
using OKLA.Shared.EventLog;

namespace OKLA.ML;

internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "Trained {Model} version {Version} in {Seconds:0.0} s. {Decision}")]
    public static partial void Trained(ILogger logger, string model, int version, string decision, double seconds);

    [LoggerMessage(3002, LogLevel.Error, "The artefact of {Model} version {Version} cannot be used")]
    public static partial void ArtefactDamaged(ILogger logger, string model, int version, Exception fault);

    [LoggerMessage(3003, LogLevel.Information, "{Model} version {Version} is in memory as {Source}")]
    public static partial void Loaded(ILogger logger, string model, int version, string source);

    [LoggerMessage(3004, LogLevel.Warning, "The catalogue and the models could not be looked at; what is in memory goes on serving")]
    public static partial void RefreshFailed(ILogger logger, Exception fault);

    [LoggerMessage(3005, LogLevel.Error, "{Model} version {Version} failed at a prediction; the next fallback answers")]
    public static partial void PredictionFailed(ILogger logger, string model, int version, Exception fault);

    [LoggerMessage(3006, LogLevel.Warning, "Predictions are not put into the log: it answers {Status}")]
    public static partial void PredictionsDropped(ILogger logger, WriteStatus status);

    [LoggerMessage(3007, LogLevel.Warning, "The history of a visitor could not be read; popularity answers")]
    public static partial void HistoryUnavailable(ILogger logger, Exception fault);

    [LoggerMessage(3050, LogLevel.Error, "Training {Model} failed (job {Job}, attempt {Attempt})")]
    public static partial void TrainingFailed(ILogger logger, string model, Guid job, int attempt, Exception fault);

    [LoggerMessage(3051, LogLevel.Warning, "The queue of trainings could not be reached; it is asked again")]
    public static partial void QueueUnavailable(ILogger logger, Exception fault);

    [LoggerMessage(3052, LogLevel.Error, "The process that trains ended with code {Code}; its job is taken up again")]
    public static partial void TrainerEnded(ILogger logger, int code);

    [LoggerMessage(3053, LogLevel.Error, "The process that trains could not be started")]
    public static partial void TrainerNotStarted(ILogger logger, Exception fault);

    [LoggerMessage(3040, LogLevel.Warning, "{Writer} could not write what waited; {Lost} things are lost so far")]
    public static partial void LotNotWritten(ILogger logger, string writer, long lost, Exception fault);

    [LoggerMessage(3041, LogLevel.Error, "The explanation of {Model} version {Version} does not add up: {Sum} is not {Output}")]
    public static partial void ExplanationDoesNotAddUp(ILogger logger, string model, int version, double sum, double output);

    [LoggerMessage(3042, LogLevel.Warning, "Rollout of {Model}: {Step}. {Reason}")]
    public static partial void RolloutStep(ILogger logger, string model, string step, string reason);

    [LoggerMessage(3043, LogLevel.Warning, "The look at {What} failed; the next one follows")]
    public static partial void LookFailed(ILogger logger, string what, Exception fault);

    [LoggerMessage(3044, LogLevel.Warning, "Alert {Rule} of {Model}: {Message}")]
    public static partial void AlertRaised(ILogger logger, string rule, string model, string message);

    [LoggerMessage(3045, LogLevel.Warning, "{Channel} did not take the alert {Rule} of {Model}")]
    public static partial void AlertNotDelivered(ILogger logger, string channel, string rule, string model, Exception fault);

    [LoggerMessage(3046, LogLevel.Warning, "Part {Part} of batch {Job} failed")]
    public static partial void BatchPartFailed(ILogger logger, Guid job, int part, Exception fault);

    [LoggerMessage(3047, LogLevel.Warning, "The call-back of {Id} was not taken at attempt {Attempt}")]
    public static partial void CallbackNotTaken(ILogger logger, Guid id, int attempt, Exception? fault);
}
