using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Features;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Caching;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Features;

public sealed class FramesTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset T0 = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression");
        await ExecuteAsync("truncate features.facts, features.item_days, features.item_history, features.items, features.person_links");
        room = new Room(Database, T0.AddDays(30), services => services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly));
    }

    [TearDown]
    public async ValueTask DisposeAsync() => await room.DisposeAsync();

    [Test]
    public async Task An_interaction_frame_holds_each_event_once_with_its_weight()
    {
        await room.TellAsync(
            Room.View("ana", "car-1", T0),
            Room.Behaviour(EventTypes.Contacted, "ana", "user-ana", "car-2", T0.AddHours(1)),
            Room.Behaviour(EventTypes.Searched, "ana", null, null, T0.AddHours(2)),
            Room.View("ben", "car-1", T0.AddHours(3)));

        var frame = await Interactions(T0.AddDays(1));

        Lines(frame).ShouldBe(["ana car-1 1", "user-ana car-2 8", "ben car-1 1"]);
    }

    [Test]
    public async Task What_a_visitor_did_is_the_users_in_a_frame_of_a_time_when_that_was_known()
    {
        await room.TellAsync(
            Room.View("ana", "car-1", T0), Room.View(Village.User, "car-2", T0), Room.View("ben", "car-3", T0),
            Village.Linked("ana", T0.AddDays(1), T0.AddDays(3)), Village.Split("ana", T0.AddDays(5)));

        Lines(await Interactions(T0.AddDays(2))).ShouldBe(["ana car-1 1", "user-ana car-2 1", "ben car-3 1"]);
        Lines(await Interactions(T0.AddDays(4))).ShouldBe(["user-ana car-1 1", "user-ana car-2 1", "ben car-3 1"]);
        Lines(await Interactions(T0.AddDays(6))).ShouldBe(["ana car-1 1", "user-ana car-2 1", "ben car-3 1"]);
    }

    [Test]
    public async Task A_planted_future_event_changes_no_frame()
    {
        var asOf = T0.AddDays(1);
        await room.TellAsync(Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 14_000), T0), Room.View("ana", "car-1", T0));
        var (interactions, items) = (Lines(await Interactions(asOf)), Lines(await Items(asOf)));

        await room.TellAsync(
            Room.View("ana", "car-1", asOf.AddTicks(10)),
            Room.View("ana", "car-1", T0, known: asOf.AddTicks(10)),
            Room.Repriced("car-1", 9_000, "USD", T0.AddHours(1), known: asOf.AddTicks(10)),
            Room.Ended(EventTypes.ItemSold, "car-1", asOf.AddHours(1)),
            Room.Listed(Room.Car("car-2", "Kia", "Rio", 2020, 12_000), T0, known: asOf.AddDays(1)));

        Lines(await Interactions(asOf)).ShouldBe(interactions);
        Lines(await Items(asOf)).ShouldBe(items);
        Lines(await Interactions(T0.AddDays(5))).Length.ShouldBe(3);
        Lines(await Items(T0.AddDays(5))).ShouldBe(["car-1 sold 9000 USD", "car-2 live 12000 USD"]);
    }

    [Test]
    public async Task A_frame_taken_later_holds_the_rows_of_an_earlier_one()
    {
        await room.TellAsync(Room.View("ana", "car-1", T0), Room.View("ben", "car-1", T0, known: T0.AddDays(3)), Room.View("eva", "car-2", T0.AddDays(2)));

        var later = await Interactions(T0.AddDays(9));

        foreach (var at in new[] { T0, T0.AddDays(2), T0.AddDays(3) })
        {
            later.RowsAsOf(at).Select(row => Line(later, row)).ShouldBe(Lines(await Interactions(at)));
        }
    }

    [Test]
    public async Task Who_signed_in_or_was_split_later_is_not_known_in_what_is_told_of_an_earlier_time()
    {
        await room.TellAsync(
            Room.View("ana", "car-1", T0), Room.View("ben", "car-1", T0.AddHours(1)), Room.View(Village.User, "car-2", T0.AddHours(2)),
            Village.Linked("ana", T0.AddDays(1), T0.AddDays(1)), Village.Linked("ben", T0.AddDays(2), T0.AddDays(3)), Village.Split("ben", T0.AddDays(5)));

        var last = await Interactions(T0.AddDays(9));

        Lines(last).ShouldBe(["user-ana car-1 1", "ben car-1 1", "user-ana car-2 1"]);
        Lines(last.AsOf(T0.AddHours(2))).ShouldBe(["ana car-1 1", "ben car-1 1", "user-ana car-2 1"]);
        Lines(last.AsOf(T0.AddDays(4))).ShouldBe(["user-ana car-1 1", "user-ana car-1 1", "user-ana car-2 1"]);
        foreach (var at in new[] { T0.AddHours(1), T0.AddDays(1), T0.AddDays(2.5), T0.AddDays(3), T0.AddDays(5) })
        {
            var then = last.AsOf(at);
            then.RowsAsOf(at).Select(row => Line(then, row)).ShouldBe(Lines(await Interactions(at)), at.ToString("O"));
        }
    }

    [Test]
    public async Task An_item_frame_tells_the_price_and_state_of_that_day()
    {
        var car = Room.Car("car-1", "Toyota", "Corolla", 2018, 800_000, "DOP");
        await room.TellAsync(
            Room.Listed(car, T0), Room.Repriced("car-1", 750_000, "DOP", T0.AddDays(2)), Room.Ended(EventTypes.ItemWithdrawn, "car-1", T0.AddDays(4)), Room.Listed(car, T0.AddDays(6)));

        Lines(await Items(T0.AddDays(-1))).ShouldBeEmpty();
        Lines(await Items(T0.AddDays(1))).ShouldBe(["car-1 live 800000 DOP"]);
        Lines(await Items(T0.AddDays(3))).ShouldBe(["car-1 live 750000 DOP"]);
        Lines(await Items(T0.AddDays(5))).ShouldBe(["car-1 withdrawn 750000 DOP"]);
        Lines(await Items(T0.AddDays(7))).ShouldBe(["car-1 live 800000 DOP"]);
    }

    [Test]
    public async Task A_late_event_repairs_the_catalogue_as_if_it_had_come_in_time()
    {
        await room.TellAsync(Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 15_000), T0), Room.Repriced("car-1", 13_000, "USD", T0.AddDays(3)));
        await room.TellAsync(Room.Repriced("car-1", 14_000, "USD", T0.AddDays(1), known: T0.AddDays(5)));

        var now = (await room.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems(["car-1", "nobody"]))).ShouldHaveSingleItem();

        now.Item.Price.ShouldBe(new Money(13_000, "USD"));
        now.PricedAt.ShouldBe(T0.AddDays(3));
        Lines(await Items(T0.AddDays(6), "vehicle")).ShouldBe(["car-1 live 13000 USD"]);
    }

    [Test]
    public async Task A_price_change_that_arrives_before_its_listing_is_not_lost()
    {
        await room.TellAsync(Room.Repriced("car-1", 13_000, "USD", T0.AddDays(1)));
        (await room.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems(["car-1"]))).ShouldBeEmpty();

        await room.TellAsync(Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 15_000), T0, known: T0.AddDays(2)));

        (await room.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItems(["car-1"]))).Single().Item.Price!.Amount.ShouldBe(13_000);
    }

    [Test]
    public async Task A_rebuild_from_zero_gives_identical_rows()
    {
        var random = new Random(7);
        await room.TellAsync(Enumerable.Range(0, 20).Select(n => Room.Listed(Room.Car($"car-{n}", "Toyota", "Corolla", 2000 + n, 10_000 + n), T0)));
        for (var step = 0; step < 5; step++)
        {
            await room.TellAsync(Enumerable.Range(0, 40).Select(_ => random.Next(4) == 0
                ? Room.Repriced($"car-{random.Next(20)}", random.Next(5_000, 20_000), "USD", T0.AddMinutes(random.Next(9_000)))
                : Room.View($"v{random.Next(9)}", $"car-{random.Next(20)}", T0.AddMinutes(random.Next(9_000)))));
        }

        string[] tables = ["facts", "item_days", "item_history", "items"];
        async Task<string[]> ContentsAsync() =>
            await Task.WhenAll(tables.Select(table => ScalarAsync<string>($"select count(*) || ' ' || md5(string_agg(t::text, '|' order by t::text)) from features.{table} t")));
        var before = await ContentsAsync();

        foreach (var subscription in room.Subscriptions.All)
        {
            await room.Subscriptions.RebuildAsync(subscription.Name);
        }

        (await ScalarAsync<long>("select count(*) from features.items")).ShouldBe(0);
        await room.Subscriptions.CatchUpAsync();
        (await ContentsAsync()).ShouldBe(before);
    }

    [Test]
    public async Task A_history_comes_newest_first_and_names_the_strongest_deed()
    {
        await room.TellAsync(
            Room.View("ana", "car-1", T0), Room.Behaviour(EventTypes.Contacted, "ana", null, "car-1", T0.AddHours(1)), Room.View("ana", "car-1", T0.AddHours(2)),
            Room.View("ana", "car-2", T0.AddHours(5)), Room.View("ben", "car-3", T0.AddHours(6)));

        var history = await room.Bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory("ana", T0.AddDays(1)));

        history.ShouldBe([
            new HistoryItem("car-2", 1, 1, EventTypes.ItemViewed, T0.AddHours(5)),
            new HistoryItem("car-1", 10, 3, EventTypes.Contacted, T0.AddHours(2)),
        ]);
    }

    [Test]
    public async Task Few_stars_are_no_liking_many_are_one_and_stars_of_a_seller_say_nothing_of_the_item()
    {
        await room.TellAsync(
            Said(EventTypes.Attended, "ana", "show-1", T0, new { attended = true }), Said(EventTypes.Rated, "ana", "show-1", T0.AddHours(1), new { rating = 1, subject = "item" }),
            Said(EventTypes.Attended, "ana", "show-2", T0, new { attended = true, rating = 2 }),
            Said(EventTypes.Rated, "ana", "show-3", T0, new { rating = 5, subject = "item" }), Said(EventTypes.Rated, "ana", "show-4", T0, new { rating = 3, subject = "item" }),
            Said(EventTypes.Rated, "ana", "car-1", T0, new { rating = 5, subject = "seller" }));

        Lines(await Interactions(T0.AddDays(1))).ShouldBe(["ana show-1 6", "ana show-1 -8", "ana show-2 0", "ana show-3 4"]);
        var history = (await room.Bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory("ana", T0.AddDays(1)))).ToDictionary(item => item.ItemId, item => item.Weight);
        history.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}").ShouldBe(["show-1 -2", "show-2 0", "show-3 4"]);
        var active = await room.Bus.InvokeAsync<IReadOnlyList<ActivePerson>>(new GetActivePeople(T0.AddDays(-1), T0.AddDays(1), 10));
        active.ShouldHaveSingleItem().History.OrderBy(item => item.ItemId).Select(item => $"{item.ItemId} {item.Weight}").ShouldBe(["show-1 -2", "show-2 0", "show-3 4"]);
    }

    [Test]
    public async Task A_history_that_is_kept_in_memory_has_the_next_event_at_once()
    {
        await using var cached = new Room(Database, T0.AddDays(1), services =>
        {
            services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly);
            services.AddMetrics().AddSingleton<HybridCache, NodeCache>();
        });
        async Task<string[]> ItemsAsync(string id) => [.. (await cached.Bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory(id))).Select(item => item.ItemId)];
        await cached.TellAsync(Room.View("ana", "car-1", T0), Room.View("ben", "car-9", T0));
        (await ItemsAsync("ana")).ShouldBe(["car-1"]);
        await ExecuteAsync("delete from features.facts where person_id = 'ben'");
        (await ItemsAsync("ben")).ShouldBeEmpty();

        await cached.TellAsync(Room.View("ana", "car-2", T0.AddHours(1)));

        (await ItemsAsync("ana")).ShouldBe(["car-2", "car-1"]);
        await ExecuteAsync("delete from features.facts");
        (await ItemsAsync("ana")).ShouldBe(["car-2", "car-1"], "it is kept in memory");
    }

    [Test]
    public async Task A_first_visit_tells_how_it_began_and_what_was_then_looked_at()
    {
        await room.TellAsync(
            Said(EventTypes.Searched, "ana", null, T0, new { filters = new { make = "Toyota", bodyType = "jeepeta", maxPriceUsd = 20_000 } }, new { device = "mobile" }),
            Room.View("ana", "car-1", T0.AddMinutes(1)), Said(EventTypes.Searched, "ana", null, T0.AddMinutes(2), new { filters = new { make = "Kia" } }), Room.View("ana", "car-2", T0.AddMinutes(3)),
            Room.View("ana", "car-3", T0.AddHours(2)), Room.View("ben", "car-4", T0));

        var visits = await room.Bus.InvokeAsync<IReadOnlyList<FirstVisit>>(new GetFirstVisits(T0.AddDays(1)));

        // 20,000 lies in the half octave from 2^14: floor(2 log2 20,000) = 28.
        visits.Select(visit => $"{visit.PersonId}: {string.Join(' ', visit.Entry)} -> {string.Join(' ', visit.Items)}").ShouldBe(
            ["ana: began=searched device=mobile make=toyota body=jeepeta upto=28 -> car-1 car-2", "ben: began=item_viewed -> car-4"]);
        (await room.Bus.InvokeAsync<IReadOnlyList<string>>(new GetEntry("ana"))).ShouldBe(visits[0].Entry);
        (await room.Bus.InvokeAsync<IReadOnlyList<FirstVisit>>(new GetFirstVisits(T0.AddMinutes(1)))).Single(visit => visit.PersonId == "ana").Items.ShouldBe(["car-1"]);
    }

    [Test]
    public async Task A_first_search_is_told_by_the_names_of_its_filters_whatever_is_searched_for()
    {
        // A number tells nothing by itself, a list is not one wish, and a filter named as something else we know of does not pass for it.
        await room.TellAsync(
            Said(EventTypes.Searched, "ana", null, T0, new { filters = new { type = "Deporte", locality = "Zona Colonial", free = true, minPriceUsd = 5, tags = new[] { "yoga" }, device = "oven" } }, new { device = "mobile" }),
            Said(EventTypes.Searched, "ana", null, T0.AddSeconds(9), new { filters = new { type = "arte" } }), Room.View("ana", "yoga-1", T0.AddMinutes(1)));

        var visits = await room.Bus.InvokeAsync<IReadOnlyList<FirstVisit>>(new GetFirstVisits(T0.AddDays(1)));

        visits.ShouldHaveSingleItem().Entry.ShouldBe(["began=searched", "device=mobile", "free=true", "locality=zona colonial", "type=deporte"]);
        (await room.Bus.InvokeAsync<IReadOnlyList<string>>(new GetEntry("ana"))).ShouldBe(visits[0].Entry);
        EntryWords.OfFilters("type=Deporte, locality=Zona Colonial,free=true,device=oven").ShouldBe(["type=deporte", "locality=zona colonial", "free=true"]);
    }

    [Test]
    public async Task Who_is_learned_from_began_with_what_would_have_been_told_of_them_just_before_the_first_look()
    {
        // Ana searches on her second day and looks on her third; Ben's search is his 21st fact, too late to be how he began.
        await room.TellAsync(
            [Said(EventTypes.PageViewed, "ana", null, T0, new { }, new { device = "mobile" }), Said(EventTypes.Searched, "ana", null, T0.AddDays(1), new { filters = new { make = "Kia" } }),
             .. Enumerable.Range(0, 20).Select(n => Said(EventTypes.PageViewed, "ben", null, T0.AddSeconds(n), new { }, new { device = "desktop" })),
             Said(EventTypes.Searched, "ben", null, T0.AddMinutes(1), new { filters = new { make = "Ford" } }), Said(EventTypes.PageViewed, "eva", null, T0, new { })]);
        room.Clock.Now = T0.AddDays(2);
        string[][] told = [[.. await EntryAsync("ana")], [.. await EntryAsync("ben")]];

        await room.TellAsync(
            Room.View("ana", "car-1", T0.AddDays(2)), Room.View("ana", "car-2", T0.AddDays(2).AddMinutes(50)), Room.View("ana", "car-3", T0.AddDays(2).AddMinutes(70)), Room.View("ben", "car-4", T0.AddDays(2)));

        var visits = await room.Bus.InvokeAsync<IReadOnlyList<FirstVisit>>(new GetFirstVisits(T0.AddDays(3)));
        visits.Select(visit => visit.PersonId).ShouldBe(["ana", "ben"]);
        visits.Select(visit => string.Join(' ', visit.Entry)).ShouldBe(told.Select(words => string.Join(' ', words)));
        told[0].ShouldBe(["began=page_viewed", "device=mobile", "make=kia"]);
        told[1].ShouldBe(["began=page_viewed", "device=desktop"]);
        (visits[0].At, string.Join(' ', visits[0].Items)).ShouldBe((T0.AddDays(2), "car-1 car-2"));

        async Task<IReadOnlyList<string>> EntryAsync(string person) => await room.Bus.InvokeAsync<IReadOnlyList<string>>(new GetEntry(person));
    }

    [Test]
    public async Task Popularity_counts_the_days_of_Santo_Domingo()
    {
        // 03:59 UTC is still the day before in Santo Domingo (UTC-4).
        room.Clock.Now = new DateTimeOffset(2026, 3, 8, 3, 59, 0, TimeSpan.Zero);
        await room.TellAsync(
            Room.View("a", "car-1", new DateTimeOffset(2026, 3, 7, 12, 0, 0, TimeSpan.Zero)),
            Room.View("b", "car-1", new DateTimeOffset(2026, 3, 1, 4, 1, 0, TimeSpan.Zero)),
            Room.View("c", "car-2", new DateTimeOffset(2026, 3, 1, 3, 59, 0, TimeSpan.Zero)));

        (await room.Bus.InvokeAsync<IReadOnlyList<PopularItem>>(new GetPopularItems(7, 10))).ShouldBe([new PopularItem("car-1", 2)]);
    }

    [Test]
    public async Task Changed_items_are_told_in_pages_without_gap_or_repeat()
    {
        await room.TellAsync(Enumerable.Range(0, 7).Select(n => Room.Listed(Room.Car($"car-{n}", "Kia", "Rio", 2015, 8_000), T0)));
        var seen = new List<string>();
        for (long position = 0; ;)
        {
            var page = await room.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetChangedItems(position, Limit: 3));
            if (page.Count == 0) break;
            seen.AddRange(page.Select(item => item.Item.Id));
            position = page[^1].Position;
        }

        seen.ShouldBe(Enumerable.Range(0, 7).Select(n => $"car-{n}"));
    }

    [Test]
    public async Task A_users_features_count_what_the_user_did()
    {
        await room.TellAsync(
            Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 10_000), T0), Room.Listed(Room.Car("car-2", "Toyota", "Yaris", 2019, 533_000, "DOP"), T0),
            Room.View("ana", "car-1", T0), Room.View("ana", "car-1", T0.AddDays(28)), Room.View("ana", "car-2", T0.AddDays(29)),
            Room.Behaviour(EventTypes.Searched, "ana", null, null, T0.AddDays(29)));

        var values = await GetAsync(Entity.User, "ana");

        values("views_total").ShouldBe(3.0);
        values("searches_total").ShouldBe(1.0);
        values("events_7d").ShouldBe(3.0);
        values("distinct_items").ShouldBe(2.0);
        values("top_make").ShouldBe("Toyota");
        // 533,000 pesos at 53.3 are 10,000 dollars.
        values("price_level_usd").ShouldBe(10_000.0);
        values("days_since_last_event").ShouldBe(1.0);
        values("tenure_days").ShouldBe(30.0);
    }

    [Test]
    public async Task An_items_features_count_who_saw_it_and_unknown_ids_get_defaults()
    {
        await room.TellAsync(
            Room.Listed(Room.Car("car-1", "Toyota", "Corolla", 2018, 10_000), T0), Room.Repriced("car-1", 9_500, "USD", T0.AddDays(1)),
            Room.View("ana", "car-1", T0), Room.View("ana", "car-1", T0.AddDays(29)), Room.View("ben", "car-1", T0.AddDays(29)));

        var values = await GetAsync(Entity.Item, "car-1");

        values("views_total").ShouldBe(3.0);
        values("views_7d").ShouldBe(2.0);
        values("distinct_people").ShouldBe(2.0);
        values("price_usd").ShouldBe(9_500.0);
        values("price_changes").ShouldBe(1.0);
        values("age_days").ShouldBe(30.0);
        var unknown = await Store.GetAsync(Entity.Item, "car-9", default);
        unknown.Known.ShouldBeFalse();
        (await GetAsync(Entity.Item, "car-9"))("views_7d").ShouldBe(0.0);
        (await GetAsync(Entity.Item, "car-9"))("price_usd").ShouldBeNull();
    }

    private OnlineStore Store => room.Services.GetRequiredService<OnlineStore>();

    private async Task<Func<string, object?>> GetAsync(Entity entity, string id)
    {
        var vector = await Store.GetAsync(entity, id, default);
        var values = Store.Registry.Of(entity).Zip(vector.Values).ToDictionary(pair => pair.First.Id.Name, pair => pair.Second.Plain);
        return name => values[name];
    }

    private Task<InteractionFrame> Interactions(DateTimeOffset asOf) => room.Bus.InvokeAsync<InteractionFrame>(new GetInteractionFrame(asOf));

    private Task<IReadOnlyList<ItemSnapshot>> Items(DateTimeOffset asOf, string kind = "vehicle") => room.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(asOf, kind));

    private static string[] Lines(InteractionFrame frame) => [.. Enumerable.Range(0, frame.Count).Select(row => Line(frame, row))];

    private static string Line(InteractionFrame frame, int row) => FormattableString.Invariant($"{frame.People[frame.Person[row]]} {frame.Items[frame.Item[row]]} {frame.Weight[row]}");

    private static string[] Lines(IReadOnlyList<ItemSnapshot> items) =>
        [.. items.Select(item => FormattableString.Invariant($"{item.Item.Id} {item.Status} {item.Item.Price?.Amount} {item.Item.Price?.Currency}"))];

    private static StreamEvent Said(string type, string person, string? item, DateTimeOffset at, object properties, object? context = null) => new(
        BehaviourEvent.StreamOf(person, null),
        NewEvent.Of(type, new BehaviourEvent(person, null, null, item, JsonSerializer.SerializeToElement(context ?? new { }), JsonSerializer.SerializeToElement(properties)), at) with { KnownAt = at });
}
