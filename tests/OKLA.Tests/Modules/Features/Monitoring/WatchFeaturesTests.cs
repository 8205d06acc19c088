using Microsoft.Extensions.DependencyInjection;
using OKLA.Features;
using OKLA.Features.Definitions;
using OKLA.Features.Monitoring;
using OKLA.Features.Registry;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Features.Monitoring;

public sealed class WatchFeaturesTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task A_day_is_told_with_its_gaps_its_drift_and_what_was_served_wrong()
    {
        var asked = 0;
        var user = new FeatureList(Entity.User);
        user.Number("views_1d", "events", Streams.Views, Window.Day, Reductions.Count, "Views.", 0);
        user.Number("price", "USD", Streams.Prices, Window.Day, Reductions.Last, "Last price.");
        user.Number("skewed", "events", Streams.Views, Window.Day, _ => ++asked, "Another value each time.");
        await using var room = new Room(Database, Now, services => services.AddFeatures().AddSingleton(new FeatureRegistry(user)).AddMessaging(typeof(FeaturesModule).Assembly));
        await room.TellAsync(Enumerable.Range(0, 40).SelectMany(n => Enumerable.Range(0, 1 + (n % 4)).Select(view => Room.View($"v{n}", "car-1", Now.AddHours(-1).AddSeconds((50 * n) + view)))));

        await room.Bus.InvokeAsync(new WatchFeatures());

        var first = await ReadAsync();
        // Views of 1, 2, 3 and 4, ten people each; nobody saw a price.
        var views = first["user.views_1d"];
        (views.Entities, views.NullRate, views.Mean, views.Drift, views.Skewed).ShouldBe((40, 0, 2.5, null, 0));
        (first["user.price"].NullRate, first["user.price"].Mean).ShouldBe((1, null));
        first["user.skewed"].Skewed.ShouldBe(40);

        room.Clock.Now = Now.AddDays(1);
        await room.TellAsync(Enumerable.Range(0, 40).SelectMany(n => Enumerable.Range(0, 9).Select(view => Room.View($"v{n}", "car-1", room.Clock.Now.AddHours(-1).AddSeconds((20 * n) + view)))));
        await room.Bus.InvokeAsync(new WatchFeatures());

        (await ReadAsync())["user.views_1d"].Drift!.Value.ShouldBeGreaterThan(0.25);
    }

    [Test]
    public void A_population_does_not_drift_from_itself()
    {
        double[] numbers = [.. Enumerable.Range(0, 500).Select(n => n % 50 == 0 ? 3.0 : 0)];
        var reference = FeatureStatistics.Of(numbers);

        FeatureStatistics.Drift(reference.Deciles, reference.Shares, numbers).ShouldBe(0, 1e-12);
        // 0.02 of 500 were above 0; now half are: with half a person added, p = .5, q = (10.5 / 501, 490.5 / 501).
        var q = 10.5 / 501;
        FeatureStatistics.Drift(reference.Deciles, reference.Shares, [.. Enumerable.Range(0, 500).Select(n => n % 2 * 1.0)])
            .ShouldBe(((0.5 - q) * Math.Log(0.5 / q)) + ((0.5 - (1 - q)) * Math.Log(0.5 / (1 - q))), 1e-9);
    }

    private async Task<Dictionary<string, WatchFeaturesHandler.FeatureDay>> ReadAsync() =>
        (await WatchFeaturesHandler.ListAsync(Database, default)).Value!.Statistics.ToDictionary(day => day.Feature);
}
