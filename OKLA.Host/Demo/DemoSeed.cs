using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>What the demo starts with when the database is empty: section <c>DemoSeed</c>.</summary>
internal sealed class DemoSeedOptions
{
    /// <summary>Whether an empty database is filled with a simulated marketplace and its first models at the start.</summary>
    public bool Enabled { get; set; }

    /// <summary>Simulated people.</summary>
    [Range(10, 1_000_000)]
    public int Visitors { get; set; } = 800;

    /// <summary>Days that they browse, up to now.</summary>
    [Range(7, 3_650)]
    public int Days { get; set; } = 45;

    /// <summary>Listings made up for them.</summary>
    [Range(50, 1_000_000)]
    public int Listings { get; set; } = 2_000;
}

/// <summary>Fills an empty database for the demo: simulates people, projects their events, trains the models; then says what to look at.</summary>
/// <remarks>Not ready until it is done, so that the first page a newcomer opens is the real one. A start that was cut off goes on at the next.</remarks>
internal sealed class DemoSeed(
    IOptions<DemoSeedOptions> options, IMessageBus bus, Subscriptions subscriptions, IHostApplicationLifetime lifetime, IHostEnvironment environment, IServer server)
    : BackgroundService, IHealthCheck
{
    private const ulong Seed = 1;

    private volatile string? waitingFor = options.Value.Enabled ? "the demo's data" : null;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(waitingFor is { } step ? HealthCheckResult.Unhealthy($"Preparing {step}.") : HealthCheckResult.Healthy());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled)
        {
            return;
        }

        await Task.Yield();
        var (visitors, days, listings) = (options.Value.Visitors, options.Value.Days, options.Value.Listings);
        if ((await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems("vehicle", Limit: 1), stoppingToken)).Count == 0)
        {
            Say($"an empty database: simulating {visitors:N0} people over {days} days …");
            var report = await bus.InvokeAsync<SimulationReport>(new Simulate(visitors, days, Seed, listings), stoppingToken);
            Say($"{report.Events.Values.Sum():N0} events on {report.Items:N0} vehicles in {report.Seconds:F1} s");
        }

        waitingFor = "features";
        await subscriptions.CatchUpAsync(ct: stoppingToken);
        foreach (var model in new[] { ModelNames.VehicleRecommender, ModelNames.PricePredictor })
        {
            waitingFor = model;
            if ((await bus.InvokeAsync<ServingVersion>(new GetServingVersion(model), stoppingToken)).Version is null)
            {
                var trained = await bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "first"), stoppingToken);
                Say($"{model} version {trained.Version} in {trained.Seconds:F1} s. {trained.Decision}");
            }
        }

        waitingFor = null;
        await WaitForStartAsync(stoppingToken);
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        Say($"""
            ready.

              Vehículos para ti   {address}/
              API reference       {address}/docs
              Metrics             {address}/metrics
              Demo sign-ins       {(environment.IsDevelopment() ? $"POST {address}/api/auth/demo/buyer | dealer | admin" : "only in Development")}

            """);
    }

    private static void Say(string line) => Console.WriteLine($"OKLA demo: {line}");

    private Task WaitForStartAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lifetime.ApplicationStarted.Register(started.SetResult);
        return started.Task.WaitAsync(ct);
    }
}
