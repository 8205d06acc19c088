using Microsoft.Extensions.DependencyInjection;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Identity;
using OKLA.Tracking.Sessions;

namespace OKLA.Tests.Modules.Tracking.Sessions;

public sealed class SessionTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        room = new Room(Database, Noon, services => services.AddSubscription<SessionSubscription>());
        await ExecuteAsync("truncate events.mt_streams, events.mt_event_progression, tracking.sessions cascade");
    }

    [TearDown]
    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public async Task Half_an_hour_of_silence_ends_a_visit()
    {
        await room.TellAsync(Page("v", 0, "/?utm_source=ig&utm_campaign=mayo#x", "https://instagram.com/", 400), Look("v", 30), Look("v", 61), Page("v", 62, "/favoritos"));

        var visits = await VisitsAsync("visitor-v");
        visits.Select(v => (v.StartedAt, v.LastAt, v.Events, v.Pages, v.Items)).ShouldBe([(At(0), At(30), 2, 1, 1), (At(61), At(62), 2, 1, 1)]);
        (visits[0].EntryPage, visits[0].Referrer, visits[0].Device).ShouldBe(("/?utm_source=ig&utm_campaign=mayo#x", "https://instagram.com/", "mobile"));
        visits[0].Utm!.ShouldBe(new Dictionary<string, string> { ["source"] = "ig", ["campaign"] = "mayo" });
        visits[1].ExitPage.ShouldBe("/favoritos");
    }

    [Test]
    public async Task A_visit_ends_after_a_day_whatever_happens()
    {
        await room.TellAsync(Enumerable.Range(0, 100).Select(i => Look("tv", i * 20)));

        (await VisitsAsync("visitor-tv")).Select(v => v.Events).ShouldBe([73, 27]);
    }

    [Test]
    public async Task One_page_and_away_is_a_bounce()
    {
        await room.TellAsync(Page("a", 0, "/"), Page("b", 0, "/"), Room.Behaviour(EventTypes.Contacted, "b", null, "car", At(0).AddSeconds(5)), Page("c", 0, "/"), Page("c", 1, "/2"));

        (await VisitsAsync("visitor-a")).Single().IsBounce.ShouldBeTrue();
        (await VisitsAsync("visitor-b")).Single().IsBounce.ShouldBeFalse();
        (await VisitsAsync("visitor-c")).Single().IsBounce.ShouldBeFalse();
    }

    [Test]
    public async Task The_order_of_arrival_leaves_no_trace([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var minutes = Enumerable.Range(0, 300).Select(_ => random.Next(6_000)).ToArray();
        StreamEvent[] events = [.. minutes.Select((minute, i) => i % 3 == 0 ? Page("v", minute, $"/{i}") : Look("v", minute))];
        await room.AppendAsync(events.Take(100));
        await room.Subscriptions.CatchUpAsync();
        foreach (var part in events.Skip(100).Chunk(17))
        {
            await room.TellAsync(part);
        }

        var arrived = await VisitsAsync("visitor-v");
        await room.TellAsync(events.Select((e, i) => (Minute: minutes[i], Event: e with { StreamId = "visitor-sorted", Event = e.Event with { Id = Guid.NewGuid() } }))
            .OrderBy(e => e.Minute).Select(e => e.Event));

        var sorted = await VisitsAsync("visitor-sorted");
        arrived.Select(v => (v.StartedAt, v.LastAt, v.Events, v.Pages)).ShouldBe(sorted.Select(v => (v.StartedAt, v.LastAt, v.Events, v.Pages)));
        arrived.Sum(v => v.Events).ShouldBe(300);
        await room.Subscriptions.RebuildAsync("tracking.sessions");
        await room.Subscriptions.CatchUpAsync();
        (await VisitsAsync("visitor-v")).Select(v => (v.StartedAt, v.LastAt, v.Events, v.Pages)).ShouldBe(arrived.Select(v => (v.StartedAt, v.LastAt, v.Events, v.Pages)));
    }

    [Test]
    public async Task What_a_person_did_as_a_visitor_and_as_a_user_is_one_list_of_visits()
    {
        await using var both = new Room(Database, Noon, services => services.AddSingleton<KnownPeople>().AddSubscription<IdentitySubscription>().AddSubscription<SessionSubscription>());
        await ExecuteAsync("truncate tracking.identity_links, tracking.users");
        // Signs in on the telephone, goes on there on a page that knows only the user, and comes back an hour later.
        await both.TellAsync(
            Page("phone", 0, "/"), Room.Behaviour(EventTypes.ItemViewed, "phone", "maria", "car", At(10)), Room.Behaviour(EventTypes.Contacted, null, "maria", "car", At(25)),
            Page("phone", 50, "/gracias"), Room.Behaviour(EventTypes.ItemViewed, null, "maria", "car", At(120)));

        async Task<IReadOnlyList<ListSessions.Answer>> ListAsync(string id) => await ListSessions.OfAsync(await FindPersonHandler.HandleAsync(new FindPerson(id), new KnownPeople(Database), default), Database, 50, default);
        var visits = await ListAsync("maria");

        visits.Select(v => (v.StartedAt, v.Seconds, v.Events, v.Pages, v.Actions, v.ExitPage)).ShouldBe([(At(120), 0, 1, 0, 0, null), (At(0), 3_000, 4, 2, 1, "/gracias")]);
        (await ListAsync("phone")).ShouldBe(visits);
    }

    [Test]
    public async Task A_context_of_any_shape_does_not_stop_the_reader()
    {
        var odd = new[] { "[]", "7", "\"x\"", """{"page":7,"utm":{"source":[1]},"width":"wide","bot":"yes"}""", """{"page":{"url":{}},"referrer":null}""" };
        await room.TellAsync(odd.Select((context, i) => Event("v", i, EventTypes.PageViewed, context)));

        (await VisitsAsync("visitor-v")).Single().Events.ShouldBe(odd.Length);
        (await room.Subscriptions.StatusAsync()).Single().Parked.ShouldBe(0);
    }

    private static DateTimeOffset At(int minute) => Noon.AddDays(-30).AddMinutes(minute);

    private static StreamEvent Look(string visitor, int minute) => Room.View(visitor, "car", At(minute));

    private static StreamEvent Page(string visitor, int minute, string page, string? referrer = null, int width = 1_400) =>
        Event(visitor, minute, EventTypes.PageViewed, JsonSerializer.Serialize(new { page, referrer, width }));

    private static StreamEvent Event(string visitor, int minute, string type, string context) => new(
        BehaviourEvent.StreamOf(visitor, null), new NewEvent(type, System.Text.Encoding.UTF8.GetBytes($$"""{"anonymousId":"{{visitor}}","context":{{context}}}""")) { OccurredAt = At(minute) });

    private async Task<List<Session>> VisitsAsync(string actor)
    {
        await using var command = Database.CreateCommand($"select {SessionRows.Columns} from tracking.sessions where actor = $1 order by started_at");
        command.Parameters.Add(new() { Value = actor });
        await using var row = await command.ExecuteReaderAsync();
        var visits = new List<Session>();
        while (await row.ReadAsync())
        {
            visits.Add(SessionRows.Read(row));
        }

        return visits;
    }
}
