using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Web;

internal static partial class Log
{
    [LoggerMessage(1301, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(1302, LogLevel.Warning, "{Method} {Path} found a source unavailable")]
    public static partial void SourceUnavailable(this ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(1303, LogLevel.Debug, "{Method} {Path} refused: {Reason}")]
    public static partial void RequestRefused(this ILogger logger, string method, string path, string reason);
}
