using OKLA.Features.Definitions;
using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.Features;

/// <summary>Every registered feature, whatever it is called: served values are a frame's values, and nothing comes from the future.</summary>
public sealed class SkewAndLeakTests : DatabaseTest
{
    private static readonly DateTimeOffset[] Stops = [.. new[] { 0.5, 3.3, 9, 16.1, 25.7, 33, 40.4 }.Select(days => Village.Start.AddDays(days).AddMinutes(17))];

    [SetUp]
    public Task EmptyAsync() => ForgetAsync();

    [Test]
    public async Task Every_feature_is_served_as_a_frame_of_that_time_tells_it_and_knows_nothing_of_the_future()
    {
        var events = Village.Events(seed: 11);
        await using var harness = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        var served = await harness.ServeAsync(events, Stops);
        var framed = await harness.FrameAsync(Stops);

        SkewAndLeakHarness.Differences(served, framed).ShouldBeEmpty();
        Untold(served).ShouldBeEmpty("These features had nothing to tell, so nothing was proved of them.");

        await harness.Room.TellAsync(Future());
        SkewAndLeakHarness.Differences(framed, await harness.FrameAsync(Stops)).ShouldBeEmpty();
    }

    [Test]
    public async Task What_arrives_late_repairs_history_and_a_rebuild_gives_the_same_again()
    {
        var events = Village.Events(seed: 12, perPersonAndDay: 2);
        await using var inTime = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        await inTime.Room.TellAsync(events);
        var expected = await inTime.FrameAsync(Stops);

        await ForgetAsync();
        await using var late = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        var shuffled = events.ToArray();
        new Random(3).Shuffle(shuffled);
        await late.Room.TellAsync(shuffled.Take(shuffled.Length / 2));
        SkewAndLeakHarness.Differences(expected, await late.FrameAsync(Stops)).Count.ShouldBeGreaterThan(100);
        await late.Room.TellAsync(shuffled.Skip(shuffled.Length / 2));
        SkewAndLeakHarness.Differences(expected, await late.FrameAsync(Stops)).ShouldBeEmpty();

        foreach (var subscription in late.Room.Subscriptions.All)
        {
            await late.Room.Subscriptions.RebuildAsync(subscription.Name);
        }

        await late.Room.Subscriptions.CatchUpAsync();
        SkewAndLeakHarness.Differences(expected, await late.FrameAsync(Stops)).ShouldBeEmpty();
    }

    [Test]
    public async Task A_planted_skew_is_found()
    {
        // Counts how often it was asked: what a clock, a cache of its own or a different code path when serving comes down to.
        var asked = 0;
        var user = new FeatureList(Entity.User);
        var honest = user.Number("views_total", "events", Streams.Views, Window.All, Reductions.Count, "Views.", 0);
        user.Number("skewed", "events", Streams.Views, Window.All, slice => slice.Count + (++asked % 2 == 0 ? 1e-9 : 0), "Depends on who asks.");
        await using var harness = new SkewAndLeakHarness(Database, new FeatureRegistry(user));

        var served = await harness.ServeAsync(Village.Events(seed: 13, perPersonAndDay: 1), [Stops[2], Stops[4]]);

        var found = SkewAndLeakHarness.Differences(served, await harness.FrameAsync([Stops[2], Stops[4]]));
        found.Keys.ShouldBe(["user.skewed"]);
        found.Keys.ShouldNotContain(honest.ToString());
    }

    [Test]
    public async Task A_planted_leak_is_found()
    {
        // Reads what the item is like now, whatever the moment asked for.
        var item = new FeatureList(Entity.Item);
        item.OfItem("honest_price", "USD", view => view.Item?.PriceUsd, "Price.");
        CatalogueHistory? catalogue = null;
        item.OfItem("leaking_changes", "changes", view => view.Item?.Item.SellerId is { } seller ? catalogue?.ItemsOf(seller).Sum(one => one.Versions[^1].PriceChanges) : Value.None, "All changes of the seller that there will ever be.");
        await using var harness = new SkewAndLeakHarness(Database, new FeatureRegistry(item));
        catalogue = (CatalogueHistory)harness.Room.Services.GetService(typeof(CatalogueHistory))!;
        await harness.Room.TellAsync(Village.Events(seed: 14, perPersonAndDay: 1));
        await catalogue.ReadOnAsync(long.MaxValue, default);
        var framed = await harness.FrameAsync(Stops);

        await harness.Room.TellAsync(Future());
        await catalogue.ReadOnAsync(long.MaxValue, default);

        SkewAndLeakHarness.Differences(framed, await harness.FrameAsync(Stops)).Keys.ShouldBe(["item.leaking_changes"]);
    }

    [Test]
    public async Task An_event_counts_from_when_it_is_known_and_at_the_time_when_it_happened()
    {
        await using var harness = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        var at = Village.Start;
        await harness.Room.TellAsync(Village.Told(EventTypes.ItemViewed, "ana", null, "car-1", null, at, known: at.AddDays(8)));

        var days = new[] { 1.0, 7.9, 8, 20, 31 }.Select(day => at.AddDays(day)).ToArray();
        double[] Of(string feature, IReadOnlyList<SkewAndLeakHarness.Reading> readings) => [.. days.Select(day => readings.Single(r => r.Feature == feature && r.Id == "ana" && r.At == day).Value.Number)];
        var framed = await harness.FrameAsync(days);

        // Unknown until the eighth day; then it is eight days old, so that the week has missed it and the month has it until the thirtieth.
        Of("user.views_total", framed).ShouldBe([0, 0, 1, 1, 1]);
        Of("user.views_7d", framed).ShouldBe([0, 0, 0, 0, 0]);
        Of("user.views_30d", framed).ShouldBe([0, 0, 1, 1, 0]);
        Of("user.tenure_days", framed).ShouldBe([double.NaN, double.NaN, 8, 20, 31]);
    }

    [Test]
    public async Task A_link_joins_two_histories_from_when_it_is_known_and_a_split_gives_each_its_own_again()
    {
        await using var harness = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        var at = Village.Start;
        StreamEvent View(string person, double day, double? known = null) => Village.Told(EventTypes.ItemViewed, person, null, "car-1", null, at.AddDays(day), at.AddDays(known ?? day));
        StreamEvent[] events =
        [
            View("ana", 1), View("ana", 2), View(Village.User, 3), View("ben", 4), Village.Linked("ana", at.AddDays(5), at.AddDays(5)),
            // Happened before both, became known after the link.
            View("ana", 1.5, known: 7), Village.Linked("ben", at.AddDays(6), at.AddDays(8)), Village.Split("ana", at.AddDays(10)), View("ana", 11),
        ];
        var days = new[] { 4.5, 5.5, 7.5, 8.5, 10.5, 11.5 }.Select(day => at.AddDays(day)).ToArray();

        var served = await harness.ServeAsync([.. events.OrderBy(e => e.Event.KnownAt)], days);
        var framed = await harness.FrameAsync(days);

        double[] Of(string id) => [.. days.Select(day => framed.Single(r => r.Feature == "user.views_total" && r.Id == id && r.At == day).Value.Number)];
        Of("ana").ShouldBe([2, 3, 4, 5, 3, 4]);
        Of(Village.User).ShouldBe([1, 3, 4, 5, 2, 2]);
        Of("ben").ShouldBe([1, 1, 1, 5, 2, 2]);
        SkewAndLeakHarness.Differences(served, framed).ShouldBeEmpty();
    }

    [Test]
    public async Task What_a_program_did_counts_for_nobody()
    {
        await using var harness = new SkewAndLeakHarness(Database, AllFeatures.Registry());
        static StreamEvent View(string context) => new("visitor-ana", new NewEvent(
            EventTypes.ItemViewed, System.Text.Encoding.UTF8.GetBytes($$$"""{"anonymousId":"ana","itemId":"car-1","context":{{{context}}},"properties":{"visibleSeconds":9}}""")) { OccurredAt = Village.Start, KnownAt = Village.Start });
        await harness.Room.TellAsync(View("""{"bot":true}"""), View("""{"bot":false}"""), View("{}"));
        var at = Village.Start.AddHours(1);

        var framed = await harness.FrameAsync([at]);

        framed.Single(r => r is { Feature: "user.views_total", Id: "ana" }).Value.Number.ShouldBe(2);
        framed.Single(r => r is { Feature: "item.views_total", Id: "car-1" }).Value.Number.ShouldBe(2);
        harness.Room.Clock.Now = at;
        (await harness.Room.Bus.InvokeAsync<InteractionFrame>(new GetInteractionFrame(at))).Count.ShouldBe(2);
        (await harness.Room.Bus.InvokeAsync<IReadOnlyList<PopularItem>>(new GetPopularItems(7, 10))).ShouldBe([new PopularItem("car-1", 2)]);
    }

    /// <summary>For everybody and everything: something that happens after each stop, and something known only after it.</summary>
    private static IEnumerable<StreamEvent> Future()
    {
        var end = Village.Start.AddDays(Village.Days + 2);
        var n = 0;
        DateTimeOffset Next() => end.AddMinutes(++n);
        yield return Village.Linked("leo", Village.Start.AddSeconds(++n), Next());
        yield return Village.Linked("mia", Next(), Next());
        yield return Village.Split("ana", Next());
        foreach (var (person, car) in Village.People.SelectMany(person => Village.Cars, (person, car) => (person, car)))
        {
            yield return Village.Told(EventTypes.ItemViewed, person, $"{person}-3", car, new { visibleSeconds = 1e6, origin = "search" }, Next(), Next());
            yield return Village.Told(EventTypes.Contacted, person, $"{person}-0", car, new { channel = "form" }, Village.Start.AddSeconds(++n), Next());
            yield return Village.Told("dealer_replied", person, null, car, new { minutes = 1e6, sellerId = Village.Dealers[n % 3] }, Village.Start.AddSeconds(++n), Next());
        }

        foreach (var car in Village.Cars)
        {
            yield return Room.Repriced(car, 1, "USD", Village.Start.AddDays(1).AddSeconds(++n), Next());
            yield return Room.Ended(EventTypes.ItemSold, car, Next());
        }

        foreach (var campaign in Village.Campaigns)
        {
            yield return Village.Told("campaign_click", "ana", null, null, new { campaignId = campaign, channel = "x" }, Village.Start.AddSeconds(++n), Next());
            yield return Village.Told("campaign_budget_set", "ana", null, null, new { campaignId = campaign, amount = 1e6, currency = "USD", days = 1 }, Village.Start.AddSeconds(++n), Next());
            yield return Village.Told("campaign_cost_recorded", "ana", null, null, new { campaignId = campaign, amount = 1e6, currency = "USD" }, Next(), Next());
        }
    }

    /// <summary>Features that were nothing or their default for everybody at all times.</summary>
    private static List<string> Untold(IReadOnlyList<SkewAndLeakHarness.Reading> readings)
    {
        var registry = AllFeatures.Registry();
        return [.. readings.GroupBy(reading => reading.Feature)
            .Where(group => group.All(reading => reading.Value.IsNone || (registry.TryGet(group.Key, out var feature) && reading.Value == feature.Default))).Select(group => group.Key)];
    }

    private Task ForgetAsync() => ExecuteAsync(
        "truncate events.mt_streams cascade; truncate events.mt_event_progression; truncate features.facts, features.item_days, features.item_history, features.items, features.frames, features.person_links cascade");
}
