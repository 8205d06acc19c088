using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OKLA.Shared.Telemetry;

namespace OKLA.Tests.Shared.Telemetry;

public sealed class OtlpExportTests
{
    private static IHost Host(params (string Key, string Value)[] settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("Telemetry:" + s.Key, (string?)s.Value)));
        builder.Services.AddTelemetry();
        return builder.Build();
    }

    [Test]
    public async Task Traces_and_metrics_reach_a_configured_collector_with_the_headers()
    {
        var received = new ConcurrentDictionary<string, string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.AddOrUpdate(request.Path.Value!, _ => Text(body, request), (_, before) => before + Text(body, request));
        });
        await collector.StartAsync();

        using (var host = Host(("OtlpEndpoint", collector.Urls.Single()), ("OtlpTransport", "Http"), ("OtlpHeaders", "x-tenant=okla-test"), ("ServiceName", "okla-under-test")))
        {
            await host.StartAsync();
            using var source = new ActivitySource("OKLA.Tests.Otlp");
            source.StartActivity("a traced step")!.Dispose();
            host.Services.GetRequiredService<IMeterFactory>().Create("OKLA.Tests.Otlp").CreateCounter<int>("okla.tests.otlp.steps").Add(1);
            await host.StopAsync();
        }

        received["/v1/traces"].ShouldContain("a traced step");
        received["/v1/traces"].ShouldContain("okla-under-test");
        received["/v1/traces"].ShouldContain("tenant:okla-test");
        received["/v1/metrics"].ShouldContain("okla.tests.otlp.steps");
    }

    private static string Text(MemoryStream body, HttpRequest request) => $"tenant:{request.Headers["x-tenant"]} {Encoding.Latin1.GetString(body.ToArray())}";

    [Test]
    public async Task Without_an_endpoint_nobody_listens_to_our_activities()
    {
        using var host = Host();
        await host.StartAsync();
        using var source = new ActivitySource("OKLA.Tests.Silent");
        source.HasListeners().ShouldBeFalse();
    }

    [Test]
    public async Task A_setting_out_of_range_stops_the_start_with_its_name()
    {
        using var host = Host(("TraceRatio", "1.5"));
        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync())).Message.ShouldContain("TraceRatio");
    }
}
