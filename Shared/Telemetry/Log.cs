using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Telemetry;

internal static partial class Log
{
    [LoggerMessage(1401, LogLevel.Information, "Traces and metrics go to {Endpoint} by OTLP over {Transport}")]
    public static partial void Exporting(this ILogger logger, Uri endpoint, OtlpTransport transport);

    [LoggerMessage(1402, LogLevel.Warning, "Instrument {Instrument} of {Meter} is left out of /metrics: {Name} is taken by one of another kind")]
    public static partial void NameTaken(this ILogger logger, string instrument, string meter, string name);

    [LoggerMessage(1403, LogLevel.Warning, "An observable instrument failed; the other metrics are there")]
    public static partial void ObservationFailed(this ILogger logger, Exception exception);
}
