using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Features;
using OKLA.Features.Online;
using OKLA.Features.Profiles;
using OKLA.Features.Registry;
using OKLA.Shared.Caching;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Features.Profiles;

public sealed class ProfileTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams cascade; truncate events.mt_event_progression; truncate features.facts, features.item_days, features.item_history, features.items, features.person_segments, features.segment_sizes, features.person_links");
        room = new Room(Database, Now, services => services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly));
        await room.TellAsync(
            [.. Enumerable.Range(0, 6).Select(n => Room.Listed(Room.Car($"toyota-{n}", "Toyota", $"Corolla{n % 2}", 2015, 10_000, body: "sedan"), Now.AddDays(-80))),
            .. Enumerable.Range(0, 12).Select(n => Room.Listed(Room.Car($"other-{n}", $"Make{n}", $"Model{n}", 2015, 40_000, body: n % 2 == 0 ? "jeepeta" : "camioneta"), Now.AddDays(-80)))]);
    }

    [TearDown]
    public async ValueTask DisposeAsync() => await room.DisposeAsync();

    [Test]
    public async Task A_profile_tells_tastes_budget_stage_and_what_they_rest_on()
    {
        await room.TellAsync([.. Views("ana", 8, n => $"toyota-{n % 6}", 2), Room.View("ana", "other-0", Now.AddDays(-1)), Room.View("ana", "other-2", Now.AddDays(-1).AddHours(1))]);

        var profile = await ProfileAsync("ana");

        profile.Known.ShouldBeTrue();
        profile.Tastes[0].ShouldBe(new GetProfile.Taste("make", "Toyota", 0.8, 8));
        profile.Tastes.Single(taste => taste is { Kind: "body_type", Value: "sedan" }).Share.ShouldBe(0.8);
        // Eight views at 10,000 and two at 40,000 dollars: exp(ln 10,000 + 0.2 ln 4) = 13,195.
        profile.Budget!.LevelUsd.ShouldBe(13_195, 1);
        profile.Budget.LowUsd.ShouldBeLessThan(13_195);
        profile.Stage.ShouldBe("comparing");
        profile.Segment.ShouldBe("comparing");
        profile.NextNeed.Action.ShouldBe("compare");
    }

    [Test]
    public async Task A_person_who_is_not_known_has_an_empty_profile()
    {
        var profile = await ProfileAsync("nobody");

        (profile.Known, profile.Tastes.Count, profile.Budget, profile.Stage, profile.Segment, profile.NextNeed.Action).ShouldBe((false, 0, null, "resting", "browsing", "start"));
    }

    [Test]
    public async Task Each_rule_has_its_people_and_the_count_tells_who_moved()
    {
        IEnumerable<StreamEvent> events =
        [
            Room.View("new", "toyota-1", Now.AddDays(-1)),
            .. Views("browsing", 5, n => $"other-{n}", 20), Room.View("browsing", "toyota-3", Now.AddDays(-1)),
            .. Views("comparing", 9, n => $"toyota-{n % 6}", 20), Room.View("comparing", "toyota-3", Now.AddDays(-1)),
            .. Views("ready", 4, n => $"other-{n}", 20), Room.Behaviour(EventTypes.Contacted, "ready", null, "other-1", Now.AddDays(-1)),
            .. Views("risk", 8, n => $"other-{n}", 25, everyHours: 24),
            Room.View("dormant", "toyota-1", Now.AddDays(-70)),
            .. Views("dealer", 80, n => $"other-{n % 12}", 5),
            Room.Repriced("toyota-0", 9_000, "USD", Now.AddDays(-40)), .. Views("hunter", 6, _ => "toyota-0", 10), Room.View("hunter", "toyota-0", Now.AddDays(-1)),
        ];
        await room.TellAsync(events);

        await room.Bus.InvokeAsync(new CountSegments());

        (await SegmentsAsync()).ShouldBe(
            "browsing=browsing comparing=comparing dealer=dealer_like dormant=dormant hunter=bargain_hunter new=new ready=ready_to_buy risk=at_risk");
        Segments.All.Count.ShouldBeGreaterThanOrEqualTo(7);

        await room.TellAsync(Room.Behaviour(EventTypes.Contacted, "browsing", null, "other-1", Now.AddHours(20)));
        room.Clock.Now = Now.AddDays(1);
        await room.Bus.InvokeAsync(new CountSegments());

        var ready = (await ListSegments.ListAsync(Database, default)).Value!.Segments.Single(segment => segment.Name == "ready_to_buy");
        ready.History.Select(count => (count.Members, count.Joined)).ShouldBe([(1, 1), (2, 1)]);
    }

    [Test]
    public async Task A_visitor_who_signs_in_is_one_person_with_the_user_until_they_are_split()
    {
        await room.TellAsync([.. Views("ana", 8, n => $"toyota-{n % 6}", 2), Room.View(Village.User, "other-0", Now.AddDays(-1)), Village.Linked("ana", Now.AddHours(-2), Now.AddHours(-2))]);

        (await ProfileAsync("ana")).ShouldSatisfyAllConditions(profile => profile.Tastes[0].Share.ShouldBe(0.889, 0.001), profile => profile.Segment.ShouldBe("comparing"));
        (await ProfileAsync(Village.User)).Segment.ShouldBe("comparing");
        await room.Bus.InvokeAsync(new CountSegments());
        (await SegmentsAsync()).ShouldBe("user-ana=comparing");

        await room.TellAsync(Village.Split("ana", Now.AddHours(-1)));
        (await ProfileAsync(Village.User)).Segment.ShouldBe("new");
        room.Clock.Now = Now.AddMinutes(1);
        await room.Bus.InvokeAsync(new CountSegments());
        (await SegmentsAsync()).ShouldBe("ana=comparing user-ana=new");
    }

    [Test]
    public async Task A_link_and_a_split_drop_what_was_kept_of_both()
    {
        await using var cached = new Room(Database, Now, services => { services.AddFeatures().AddMessaging(typeof(FeaturesModule).Assembly); services.AddMetrics().AddSingleton<HybridCache, NodeCache>(); });
        var store = cached.Services.GetRequiredService<OnlineStore>();
        var place = store.Registry.Of(Entity.User).ToList().FindIndex(feature => feature.Id.Name == "views_total");
        async Task<double[]> ViewsAsync() => [(await store.GetAsync(Entity.User, "ana", default)).Values[place].Number, (await store.GetAsync(Entity.User, Village.User, default)).Values[place].Number];
        await cached.TellAsync(Room.View("ana", "toyota-0", Now.AddDays(-1)), Room.View(Village.User, "toyota-1", Now.AddDays(-1)));
        (await ViewsAsync()).ShouldBe([1, 1]);

        await cached.TellAsync(Village.Linked("ana", Now.AddHours(-3), Now.AddHours(-3)));
        (await ViewsAsync()).ShouldBe([2, 2]);

        await cached.TellAsync(Room.View("ana", "toyota-2", Now.AddHours(-2)));
        (await ViewsAsync()).ShouldBe([3, 3]);

        await cached.TellAsync(Village.Split("ana", Now.AddHours(-1)));
        (await ViewsAsync()).ShouldBe([2, 1]);
    }

    [Test]
    public async Task Look_alikes_like_the_same()
    {
        await room.TellAsync([.. Views("ana", 6, n => $"toyota-{n}", 5), .. Views("ben", 6, n => $"toyota-{n}", 4), .. Views("eva", 6, n => n == 0 ? "toyota-0" : $"other-{n}", 4)]);

        var alike = (await ListSegments.AlikeAsync("ana", room.Services.GetRequiredService<OnlineStore>(), Database, default)).Value!.People;

        alike.Select(person => person.UserId).ShouldBe(["ben", "eva"]);
        alike[0].Similarity.ShouldBe(1, 1e-6);
        alike[1].Similarity.ShouldBeLessThan(0.5);
    }

    private static IEnumerable<StreamEvent> Views(string person, int count, Func<int, string> item, double daysAgo, double everyHours = 1) =>
        Enumerable.Range(0, count).Select(n => Room.View(person, item(n), Now.AddDays(-daysAgo).AddHours(n * everyHours)));

    private Task<string> SegmentsAsync() => ScalarAsync<string>("select string_agg(person_id || '=' || segment, ' ' order by person_id) from features.person_segments");

    private async Task<GetProfile.Profile> ProfileAsync(string id)
    {
        var store = room.Services.GetRequiredService<OnlineStore>();
        var vector = await store.GetAsync(Entity.User, id, default);
        return GetProfile.Of(id, vector.Known, Now, new ProfileFeatures([.. store.Registry.Of(Entity.User)], vector.Values));
    }
}
