using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Jobs;

internal static partial class Log
{
    [LoggerMessage(1201, LogLevel.Information, "Job {Job} started ({Reason}, attempt {Attempt})")]
    public static partial void Started(this ILogger logger, string job, string reason, int attempt);

    [LoggerMessage(1202, LogLevel.Information, "Job {Job} {Outcome} after {Seconds:0.0} s: {Message}")]
    public static partial void Finished(this ILogger logger, string job, JobOutcome outcome, double seconds, string? message);

    [LoggerMessage(1203, LogLevel.Warning, "Job {Job} is scheduled but not declared by this build; skipped")]
    public static partial void Undeclared(this ILogger logger, string job);

    [LoggerMessage(1204, LogLevel.Debug, "The progress of job {Job} was not written")]
    public static partial void ProgressNotWritten(this ILogger logger, Exception exception, string job);

    [LoggerMessage(1205, LogLevel.Information, "Job {Job} is due and queued")]
    public static partial void Due(this ILogger logger, string job);
}
