using System.Reflection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OKLA.Shared.Telemetry;

/// <summary>Sends traces and metrics by OTLP while the host runs, when an endpoint is configured; what is left is flushed at the stop.</summary>
internal sealed class OtlpExport(IOptions<TelemetryOptions> options, ILogger<OtlpExport> logger) : IHostedService, IDisposable
{
    // Built-in sources, by name: no instrumentation packages. OKLA.* are our own.
    private static readonly string[] Sources = ["OKLA.*", "Microsoft.AspNetCore", "System.Net.Http", "Npgsql", "Quartz*"];

    private static readonly string[] Meters =
        ["OKLA.*", "Microsoft.AspNetCore.*", "System.Net.Http", "System.Net.NameResolution", "System.Runtime", "Npgsql", "Quartz*"];

    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var telemetry = options.Value;
        if (telemetry.OtlpEndpoint is not { } endpoint) return Task.CompletedTask;
        var resource = ResourceBuilder.CreateDefault().AddService(
            telemetry.ServiceName, serviceVersion: Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3), serviceInstanceId: $"{Environment.MachineName}:{Environment.ProcessId}");

        void Send(OtlpExporterOptions otlp, string path)
        {
            var http = telemetry.OtlpTransport == OtlpTransport.Http;
            otlp.Protocol = http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
            otlp.Endpoint = http ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}") : endpoint;
            otlp.Headers = telemetry.OtlpHeaders;
        }

        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(telemetry.TraceRatio)))
            .AddSource(Sources)
            .AddOtlpExporter(o => Send(o, "v1/traces"))
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Meters)
            .AddOtlpExporter((o, reader) =>
            {
                Send(o, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)telemetry.ExportInterval.TotalMilliseconds;
            })
            .Build();
        logger.Exporting(endpoint, telemetry.OtlpTransport);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    // Disposing flushes.
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        (_traces, _metrics) = (null, null);
    }
}
