using System.ComponentModel.DataAnnotations;
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

/// <summary>Fills an empty database for the demo before the host listens: simulates people, projects their events, trains the first models; then says what to look at.</summary>
internal static class DemoSeed
{
    private const ulong Seed = 1;

    /// <summary>Does what is still missing: a start that was cut off goes on at the next, a filled database changes nothing.</summary>
    public static async Task FillAsync(WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<DemoSeedOptions>>().Value;
        if (!options.Enabled)
        {
            return;
        }

        var (bus, ct) = (app.Services.GetRequiredService<IMessageBus>(), app.Lifetime.ApplicationStopping);
        if (await IsUnfinishedAsync(app.Services, bus, options, ct))
        {
            Say($"an empty database: simulating {options.Visitors:N0} people over {options.Days} days …");
            var report = await bus.InvokeAsync<SimulationReport>(new Simulate(options.Visitors, options.Days, Seed, options.Listings), ct);
            Say($"{report.Events.Values.Sum():N0} events on {report.Items:N0} vehicles in {report.Seconds:F1} s");
        }

        await app.Services.GetRequiredService<Subscriptions>().CatchUpAsync(ct: ct);
        foreach (var model in new[] { ModelNames.VehicleRecommender, ModelNames.PricePredictor })
        {
            if ((await bus.InvokeAsync<ServingVersion>(new GetServingVersion(model), ct)).Version is null)
            {
                var trained = await bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "first"), ct);
                Say($"{model} version {trained.Version} in {trained.Seconds:F1} s. {trained.Decision}");
            }
        }

        // The others are trained by their weekly jobs, which are due at the first start: nobody waits for them.
        app.Lifetime.ApplicationStarted.Register(() => Announce(app));
    }

    /// <summary>Nothing is in the catalogue yet, or the simulation of an earlier start broke off.</summary>
    private static async Task<bool> IsUnfinishedAsync(IServiceProvider services, IMessageBus bus, DemoSeedOptions options, CancellationToken ct) =>
        await SimulationRuns.FindAsync(services.GetRequiredService<EventLog>(), Seed, ct) is { } known
            ? known.FinishedDays < known.Run.Days && known.Run.Visitors == options.Visitors && known.Run.Days == options.Days
            : (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems("vehicle", Limit: 1), ct)).Count == 0;

    private static void Announce(WebApplication app)
    {
        var address = app.Urls.FirstOrDefault() ?? "";
        var signIns = app.Environment.IsDevelopment() ? $"POST {address}/api/auth/demo/buyer | dealer | admin" : "only in Development";
        Say($$"""
            ready.

              Vehículos para ti   {{address}}/
              API reference       {{address}}/docs
              Metrics             {{address}}/metrics
              Demo sign-ins       {{signIns}}

              Similar vehicles    {{address}}/api/recommendations/items/ID/similar
              What a search means POST {{address}}/api/search/intent  {"query":"jeepeta toyota 2018 de menos de 1.2 millones en Santiago"}
              Trainings under way {{address}}/api/ml/jobs (as admin)

            """);
    }

    private static void Say(string line) => Console.WriteLine($"OKLA demo: {line}");
}
