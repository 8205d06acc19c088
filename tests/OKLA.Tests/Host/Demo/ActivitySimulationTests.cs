using Microsoft.Extensions.DependencyInjection;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Catalog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Host.Demo;

public sealed class ActivitySimulationTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 15, 15, 0, 0, TimeSpan.Zero);
    private static readonly Simulate Small = new(Visitors: 200, Days: 25, Seed: 9, Listings: 200, Kind: SimulationRun.Activities);
    private ServiceProvider services = null!;
    private IMessageBus bus = null!;
    private Log log = null!;

    [SetUp]
    public async Task SimulateAsync()
    {
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
        services = DemoServices.Build(Database, new StoppedClock(Now));
        (bus, log) = (services.GetRequiredService<IMessageBus>(), services.GetRequiredService<Log>());
        await bus.InvokeAsync<SimulationReport>(Small);
    }

    [TearDown]
    public ValueTask DisposeAsync() => services.DisposeAsync();

    [Test]
    public async Task The_calendar_is_right_by_the_schema_of_its_kind_and_states_what_recommenders_read()
    {
        var items = (await log.ReadAsync(0, [EventTypes.ItemListed]).ToListAsync()).Select(e => (e.Read<ItemListed>().Item, e.OccurredAt)).ToList();
        var schema = KindSchema.BuiltIn.Single(kind => kind.Kind == SimulationRun.Activities);

        items.Count.ShouldBe(200);
        items.SelectMany(pair => schema.Check(pair.Item.Attributes)).ShouldBeEmpty();
        items.SelectMany(pair => pair.Item.Attributes.Keys).Except(schema.Attributes.Keys).ShouldBeEmpty();
        foreach (var (item, listedAt) in items)
        {
            foreach (var attribute in new[] { "type", "tags", "locality" })
            {
                item.Text(attribute).ShouldNotBeNullOrEmpty();
            }

            (item.Latitude, item.Longitude).ShouldBe((item.Number("latitude"), item.Number("longitude")));
            item.Tags.Count.ShouldBeGreaterThan(0);
            if (item.Window is { } window)
            {
                window.From!.Value.ShouldBeGreaterThan(listedAt);
                DateTimeOffset.Parse(item.Text("startsAt")!, System.Globalization.CultureInfo.InvariantCulture).ShouldBe(window.From.Value);
                window.Until!.Value.ShouldBeGreaterThan(window.From.Value);
            }
        }

        items.Count(pair => pair.Item.Price!.Amount == 0).ShouldBeInRange(40, 130);
        items.Count(pair => pair.Item.Text("level") is not null).ShouldBeInRange(60, 180);
    }

    [Test]
    public async Task People_go_to_what_they_looked_at_before_when_it_takes_place_and_rate_it_afterwards()
    {
        var items = (await log.ReadAsync(0, [EventTypes.ItemListed]).ToListAsync()).Select(e => e.Read<ItemListed>().Item).ToDictionary(item => item.Id);
        var events = (await log.ReadAsync(0, [EventTypes.ItemViewed, EventTypes.Attended, EventTypes.Rated]).ToListAsync()).Select(e => (e.Type, e.OccurredAt, Body: e.Read<BehaviourEvent>())).ToList();
        var attended = events.Where(e => e.Type == EventTypes.Attended).ToList();

        attended.Count.ShouldBeGreaterThan(20);
        attended.Select(e => e.Body.Properties!.Value.GetProperty("attended").GetBoolean()).Distinct().Count().ShouldBe(2);
        foreach (var visit in attended)
        {
            visit.OccurredAt.ShouldBeGreaterThanOrEqualTo(items[visit.Body.ItemId!].Window!.From!.Value);
            events.ShouldContain(e => e.Type == EventTypes.ItemViewed && e.Body.AnonymousId == visit.Body.AnonymousId && e.Body.ItemId == visit.Body.ItemId && e.OccurredAt < visit.OccurredAt);
        }

        var rated = events.Where(e => e.Type == EventTypes.Rated).ToList();
        rated.Count.ShouldBeGreaterThan(5);
        rated.ShouldAllBe(e => attended.Any(visit => visit.Body.AnonymousId == e.Body.AnonymousId && visit.Body.ItemId == e.Body.ItemId && visit.OccurredAt < e.OccurredAt));
    }

    [Test]
    public async Task True_probabilities_explain_what_people_looked_at_and_a_seed_is_of_one_catalogue()
    {
        var views = (await log.ReadAsync(0, [EventTypes.ItemViewed]).ToListAsync()).Select(e => e.Read<BehaviourEvent>()).ToList();
        var ids = views.Select(view => view.ItemId!).Distinct().ToList();
        async Task<double[]> AskAsync(IEnumerable<(string, string)> pairs) => (await bus.InvokeAsync<TrueProbabilities>(new GetTrueProbabilities([.. pairs], Now.AddDays(-12)))).Values;

        var viewed = await AskAsync(views.Select(view => (view.PersonId, view.ItemId!)));
        var any = await AskAsync(views.SelectMany((view, i) => Enumerable.Range(0, 3).Select(j => (view.PersonId, ids[((i * 31) + (j * 17)) % ids.Count]))));

        viewed.ShouldAllBe(value => value > 0 && value < 1);
        viewed.Average().ShouldBeGreaterThan(any.Average() * 1.5);
        (await Should.ThrowAsync<SimulationRefusedException>(() => bus.InvokeAsync<SimulationReport>(Small with { Kind = SimulationRun.Vehicles }))).Message.ShouldContain("activity");
    }
}
