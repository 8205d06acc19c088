using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host.Demo;
using OKLA.Shared.Messaging;
using OKLA.Tests.Host.Demo;
using OKLA.Tracking.Ingest;
using OKLA.Tracking.Schemas;

namespace OKLA.Tests.Modules.Tracking.Schemas;

public sealed class SimulatedEventsTests : DatabaseTest
{
    private static readonly DateTimeOffset End = new(2026, 6, 15, 4, 0, 0, TimeSpan.Zero);

    /// <summary>The simulator writes past the door, so that its own ids and times stay; what it writes must come in by the door all the same.</summary>
    [TestCase(SimulationRun.Vehicles, 2)]
    [TestCase(SimulationRun.Activities, 0)]
    public async Task Everything_that_the_simulator_writes_is_right_by_its_schema(string kind, int campaigns)
    {
        await ExecuteAsync("truncate events.mt_streams, tracking.items cascade; truncate events.mt_event_progression");
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton<Microsoft.Extensions.Configuration.IConfiguration>(new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build());
        await using var provider = services.AddDemoServices(Database, new StoppedClock(End)).BuildServiceProvider();
        var report = await provider.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(Visitors: 150, Days: 20, Seed: 5, Listings: 200, kind, campaigns));

        var (seen, wrong) = (new HashSet<string>(), new List<string>());
        await foreach (var e in provider.GetRequiredService<OKLA.Shared.EventLog.EventLog>().ReadAsync(0, [.. report.Events.Keys]))
        {
            var sent = JsonNode.Parse(e.Data.Span)!.AsObject();
            (sent["id"], sent["type"], sent["schemaVersion"], sent["occurredAt"]) = (e.Id.ToString(), e.Type, e.SchemaVersion, e.OccurredAt.UtcDateTime.ToString("O"));
            var parsed = new EventParser(System.Text.Encoding.UTF8.GetBytes(sent.ToJsonString()), new Sender(true, null, false, false, null, null), SchemaSet.BuiltIn, new TrackingOptions(), End).Parse(out _)[0];
            seen.Add(e.Type);
            wrong.AddRange(parsed.Rejection is { } rejection ? [$"{e.Type} {rejection.Field}: {rejection.Reason}"] : []);
        }

        wrong.Distinct().ShouldBeEmpty();
        seen.ShouldBe(report.Events.Keys, ignoreOrder: true);
        seen.Count.ShouldBeGreaterThanOrEqualTo(6);
    }
}
