using Microsoft.Extensions.Logging;

namespace OKLA.Tracking;

internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Warning, "{Count} rejected events could not be kept")]
    public static partial void RejectedNotKept(ILogger logger, int count, Exception fault);

    [LoggerMessage(2020, LogLevel.Warning, "Data quality: {Expectation} breached since {Since}: {Message}")]
    public static partial void QualityBreached(ILogger logger, string expectation, DateTimeOffset since, string message);
}
