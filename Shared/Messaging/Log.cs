using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Messaging;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Error, "{Handler} failed on a published {Message}; its other handlers go on")]
    public static partial void HandlerFailed(this ILogger logger, Exception exception, string handler, string message);

    [LoggerMessage(1002, LogLevel.Warning, "Published {Message} dropped: the queue of {Capacity} stayed full or is closed")]
    public static partial void MessageDropped(this ILogger logger, string message, int capacity);

    [LoggerMessage(1003, LogLevel.Information, "Found {Handlers} handlers for {Messages} messages")]
    public static partial void HandlersFound(this ILogger logger, int handlers, int messages);
}
