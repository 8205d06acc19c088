using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OKLA.Shared.Telemetry;

/// <summary>Registration of metrics and traces.</summary>
public static class TelemetryServices
{
    /// <summary>
    /// Adds the <c>/metrics</c> listener and the OTLP export (section <c>Telemetry</c>). Modules make their meters with
    /// <see cref="System.Diagnostics.Metrics.IMeterFactory"/> and their activity sources under names that begin with <c>OKLA.</c>.
    /// </summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services)
    {
        services.AddMetrics().AddLogging();
        services.AddOptions<TelemetryOptions>().BindConfiguration("Telemetry").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<MetricsListener>();
        services.AddHostedService(s => s.GetRequiredService<MetricsListener>());
        return services.AddHostedService<OtlpExport>();
    }

    /// <summary>GET /metrics: every metric of this process in Prometheus' text format 0.0.4. Not rate limited; who may read it is the host's to say.</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder routes) => routes
        .MapGet("/metrics", (MetricsListener metrics) => TypedResults.Text(metrics.Scrape(), "text/plain; version=0.0.4; charset=utf-8"))
        .DisableRateLimiting().DisableHttpMetrics().ExcludeFromDescription();
}
