using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Telemetry;

/// <summary>How OTLP travels.</summary>
public enum OtlpTransport
{
    /// <summary>gRPC, usually port 4317.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP, usually port 4318; <c>/v1/traces</c> and <c>/v1/metrics</c> are added to the endpoint.</summary>
    Http,
}

/// <summary>Section <c>Telemetry</c>: where traces and metrics go.</summary>
public sealed class TelemetryOptions
{
    /// <summary>The collector, such as <c>http://collector:4317</c>. Absent: nothing is sent; <c>/metrics</c> is there either way.</summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>How it is reached.</summary>
    public OtlpTransport OtlpTransport { get; set; } = OtlpTransport.Grpc;

    /// <summary>Headers of every export, such as <c>authorization=Bearer …</c>, separated by commas. Absent: none.</summary>
    public string? OtlpHeaders { get; set; }

    /// <summary>Share of the traces that begin here which are recorded. 0 to 1.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; set; } = 1;

    /// <summary>Time between two exports of metrics. 1 second to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan ExportInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The name this service bears in traces and metrics.</summary>
    [Required]
    public string ServiceName { get; set; } = "okla";

    /// <summary>Label combinations kept of one metric on <c>/metrics</c>; further ones are counted together under <c>otel_metric_overflow="true"</c>. 10 to 100,000.</summary>
    [Range(10, 100_000)]
    public int MaxSeriesPerMetric { get; set; } = 1000;
}
