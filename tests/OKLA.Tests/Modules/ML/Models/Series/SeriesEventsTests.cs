using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Models.Series;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.ML.Models.Series;

public sealed class SeriesEventsTests : DatabaseTest
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 16, 0, 0, TimeSpan.Zero);

    [SetUp]
    public Task EmptyAsync() => ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression; truncate ml.campaign_hours, ml.demand_items, ml.demand_hours");

    [Test]
    public async Task Reports_of_platforms_and_clicks_of_browsers_add_up_by_hour_in_dollars()
    {
        await using var room = Open();
        await room.AppendAsync(
        [
            Campaign(EventTypes.CampaignCostRecorded, Noon.AddMinutes(58), new { campaignId = "verano", channel = "search", amount = 10, currency = "USD", competition = 0.25 }),
            Campaign(EventTypes.CampaignCostRecorded, Noon.AddMinutes(59), new { campaignId = "verano", channel = "search", amount = 2, currency = "USD" }),
            Campaign(EventTypes.CampaignApplication, Noon.AddMinutes(58), new { campaignId = "verano", channel = "search", count = 3 }),
            Campaign(EventTypes.CampaignClick, Noon.AddMinutes(5), new { campaignId = "verano", channel = "search" }),
            Campaign(EventTypes.CampaignClick, Noon.AddMinutes(6), new { campaignId = "verano", channel = "search" }),
            Campaign(EventTypes.CampaignCostRecorded, Noon.AddMinutes(200), new { campaignId = "verano", channel = "search", amount = 1, currency = "USD" }),
        ]);
        await room.Subscriptions.CatchUpAsync();

        async Task SeenAsync()
        {
            var series = (await room.Services.GetRequiredService<SeriesStore>().CampaignsAsync(Noon.AddHours(9), null, null, default)).ShouldHaveSingleItem();
            (series.Campaign, series.Channel, series.Start).ShouldBe(("verano", "search", Noon));
            series.Usd.ShouldBe([12, 0, 0, 1]);
            series.Clicks.ShouldBe([2, 0, 0, 0]);
            series.Applications.ShouldBe([3, 0, 0, 0]);
            series.Competition.ShouldBe([0.25, 0.25, 0.25, 0.25]);
        }

        await SeenAsync();
        // The hour under way is left out.
        (await room.Services.GetRequiredService<SeriesStore>().CampaignsAsync(Noon.AddMinutes(30), null, null, default)).ShouldBeEmpty();
        await room.Subscriptions.RebuildAsync("ml.series");
        await room.Subscriptions.CatchUpAsync();
        await SeenAsync();
    }

    [Test]
    public async Task A_view_counts_for_the_segment_that_the_item_belonged_to_when_it_was_seen()
    {
        await using var room = Open();
        var car = Room.Car("car-1", "Toyota", "Corolla", 2020, 15_000, "USD", "sedan") with { Place = "Santiago" };
        await room.AppendAsync(
        [
            Room.Listed(car, Noon.AddDays(-1)), Room.View("ana", "car-1", Noon.AddMinutes(1)), Room.View("ben", "car-1", Noon.AddMinutes(2)), Room.View("ana", "nobody-knows", Noon.AddMinutes(3)),
            Room.Repriced("car-1", 9_000, "USD", Noon.AddMinutes(10), Noon.AddMinutes(10)), Room.View("ana", "car-1", Noon.AddMinutes(20)),
        ]);
        await room.Subscriptions.CatchUpAsync();

        var rows = await room.Services.GetRequiredService<SeriesStore>().DemandAsync("vehicle", Noon.AddDays(-1), Noon.AddDays(1), default);

        rows.Select(row => (row.Type, row.Band, row.Place, row.Hours[Noon])).ShouldBe(
            [("sedan", "10 a 20 mil", "Santiago", 2), ("sedan", "menos de 10 mil", "Santiago", 1)], ignoreOrder: true);
    }

    private Room Open() => new(Database, Noon.AddHours(9), services => services.AddSingleton<SeriesStore>().AddSingleton(new ExchangeRates(new MoneyOptions())).AddSubscription<SeriesEvents>());

    private static StreamEvent Campaign(string type, DateTimeOffset at, object properties) => new(
        "campaign-verano", NewEvent.Of(type, new BehaviourEvent(null, null, null, null, null, JsonSerializer.SerializeToElement(properties)), at) with { KnownAt = at });
}
