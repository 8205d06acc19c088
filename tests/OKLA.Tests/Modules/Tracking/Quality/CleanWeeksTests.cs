using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OKLA.Host.Demo;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using OKLA.Tests.Host.Demo;
using OKLA.Tracking.Quality;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Quality;

public sealed class CleanWeeksTests : DatabaseTest
{
    private static readonly DateTimeOffset End = new(2026, 6, 15, 4, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task Two_clean_weeks_of_the_simulator_raise_no_alert()
    {
        var options = new QualityOptions();
        var clock = new Room.StillClock(End);
        var collection = new ServiceCollection();
        collection.AddLogging().AddSingleton<Microsoft.Extensions.Configuration.IConfiguration>(new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build());
        collection.AddDemoServices(Database, clock).AddSingleton(options).AddSubscription<QualitySubscription>();
        await using var services = collection.BuildServiceProvider();
        var report = await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(Visitors: 800, Days: 28, Seed: 3, Listings: 600));
        var subscriptions = services.GetRequiredService<Subscriptions>();
        await subscriptions.CatchUpAsync();

        var (raised, judged) = (new List<string>(), 0);
        for (var now = End.AddDays(-14); now < End; now += TimeSpan.FromHours(2))
        {
            // The last moment of an hour, so that the hour is whole.
            clock.Now = now.AddSeconds(-1);
            await subscriptions.CatchUpAsync();
            var (checks, told) = await CheckQualityHandler.HandleAsync(
                new CheckQuality(), Database, services.GetRequiredService<Log>(), subscriptions, options, clock, NullLogger<CheckQuality>.Instance, default);
            judged += checks.Judged;
            raised.AddRange(told.Select(alert => $"{alert.Since:dd HH:mm} {alert.Expectation}: {alert.Message}"));
        }

        TestContext.Out.WriteLine($"{report.Events.Values.Sum()} events, {judged} judgements, {raised.Count} alerts");
        judged.ShouldBeGreaterThan(5_000);
        raised.ShouldBeEmpty();
    }
}
