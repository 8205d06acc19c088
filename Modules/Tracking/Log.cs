using Microsoft.Extensions.Logging;

namespace OKLA.Tracking;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Warning, "{Count} rejected events could not be kept")]
    public static partial void RejectedNotKept(ILogger logger, int count, Exception fault);

    [LoggerMessage(2002, LogLevel.Warning, "The live view of events waits for the database")]
    public static partial void TailInterrupted(ILogger logger, Exception fault);

    [LoggerMessage(2003, LogLevel.Debug, "The live view of events ended: {Reason}")]
    public static partial void TailEnded(ILogger logger, string reason);

    [LoggerMessage(2020, LogLevel.Warning, "Data quality: {Expectation} breached since {Since}: {Message}")]
    public static partial void QualityBreached(ILogger logger, string expectation, DateTimeOffset since, string message);
}
