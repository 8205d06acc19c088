using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Caching;

internal static partial class Log
{
    [LoggerMessage(1101, LogLevel.Warning, "The factory of {Key} failed; the value from before is served")]
    public static partial void StaleServed(this ILogger logger, Exception exception, string key);

    [LoggerMessage(1102, LogLevel.Warning, "The factory of {Key} failed after its callers stopped waiting")]
    public static partial void LateFailure(this ILogger logger, Exception exception, string key);

    [LoggerMessage(1103, LogLevel.Warning, "Evictions of other nodes cannot be heard; trying again in {Delay}")]
    public static partial void ListeningFailed(this ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(1104, LogLevel.Warning, "{Count} evictions cannot be told to other nodes; trying again in {Delay}")]
    public static partial void TellingFailed(this ILogger logger, Exception exception, int count, TimeSpan delay);

    [LoggerMessage(1105, LogLevel.Warning, "{Count} evictions were not told to other nodes: the queue is full")]
    public static partial void EvictionsLost(this ILogger logger, long count);
}
