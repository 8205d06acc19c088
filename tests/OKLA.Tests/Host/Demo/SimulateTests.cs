using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host.Demo;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Host.Demo;

public sealed class SimulateTests : DatabaseTest
{
    private static readonly DateTimeOffset Now = new(2026, 6, 15, 15, 0, 0, TimeSpan.Zero);
    private static readonly Simulate Small = new(Visitors: 80, Days: 12, Seed: 7, Listings: 200);
    private ServiceProvider services = null!;
    private IMessageBus bus = null!;
    private Log log = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
        services = DemoServices.Build(Database, new StoppedClock(Now));
        (bus, log) = (services.GetRequiredService<IMessageBus>(), services.GetRequiredService<Log>());
    }

    [TearDown]
    public ValueTask DisposeAsync() => services.DisposeAsync();

    [Test]
    public async Task People_look_at_vehicles_that_are_on_offer_in_the_past_that_ends_now()
    {
        var report = await bus.InvokeAsync<SimulationReport>(Small);

        var events = await log.ReadAsync(0).ToListAsync();
        // The days are local: the last one ends at midnight in Santo Domingo, four hours behind UTC.
        report.Run.Start.ShouldBe(new DateTimeOffset(2026, 6, 3, 4, 0, 0, TimeSpan.Zero));
        events.Where(e => e.StreamId.StartsWith("visitor-", StringComparison.Ordinal)).ShouldAllBe(e => e.OccurredAt == e.KnownAt && e.OccurredAt >= report.Run.Start && e.OccurredAt < Now);
        events.Count(e => e.Type == EventTypes.ItemViewed).ShouldBe(report.Events[EventTypes.ItemViewed]);
        report.Events[EventTypes.ItemViewed].ShouldBeGreaterThan(100);
        foreach (var type in new[] { EventTypes.Searched, EventTypes.RecommendationShown, EventTypes.RecommendationClicked, EventTypes.FavoriteAdded })
        {
            report.Events.Keys.ShouldContain(type);
        }

        var listed = events.Where(e => e.Type == EventTypes.ItemListed).ToDictionary(e => e.Read<ItemListed>().Item.Id, e => e.OccurredAt);
        var ended = events.Where(e => e.Type is EventTypes.ItemSold or EventTypes.ItemWithdrawn).ToDictionary(e => e.Read<ItemEnded>().ItemId, e => e.OccurredAt);
        listed.Count.ShouldBe(200);
        ended.Count.ShouldBeGreaterThan(0);
        foreach (var viewed in events.Where(e => e.Type == EventTypes.ItemViewed))
        {
            var body = viewed.Read<BehaviourEvent>();
            listed[body.ItemId!].ShouldBeLessThanOrEqualTo(viewed.OccurredAt);
            if (ended.TryGetValue(body.ItemId!, out var end))
            {
                // A vehicle that leaves today leaves at the start of the day.
                viewed.OccurredAt.ShouldBeLessThan(end);
            }

            viewed.StreamId.ShouldBe(BehaviourEvent.StreamOf(body.AnonymousId, body.UserId));
            body.Properties!.Value.GetProperty("visibleSeconds").GetDouble().ShouldBeGreaterThan(0);
        }
    }

    [Test]
    public async Task What_is_true_of_campaigns_is_told_in_dollars_as_the_house_reads_the_pesos_of_the_log()
    {
        var report = await bus.InvokeAsync<SimulationReport>(Small with { Campaigns = 3 });
        var rates = services.GetRequiredService<ExchangeRates>();
        var costs = (await log.ReadAsync(0).Where(e => e.Type == EventTypes.CampaignCostRecorded).ToListAsync()).ConvertAll(e => (e.OccurredAt, Said: e.Read<BehaviourEvent>().Properties!.Value));
        var asked = costs.ConvertAll(cost => (cost.Said.GetProperty("campaignId").GetString()!, cost.Said.GetProperty("channel").GetString()!, cost.OccurredAt.AddMinutes(-58), (double?)null));
        var spent = costs.ConvertAll(cost => (double)rates.ToUsd(new Money(cost.Said.GetProperty("amount").GetDecimal(), "DOP"), cost.OccurredAt)!);

        var planned = await bus.InvokeAsync<TrueCampaignHours>(new GetTrueCampaignHours(asked));
        var afterwards = await bus.InvokeAsync<TrueCampaignHours>(new GetTrueCampaignHours([.. asked.Zip(spent, (hour, usd) => hour with { Item4 = usd })]));
        var responses = (await bus.InvokeAsync<TrueCampaigns>(new GetTrueCampaigns([.. asked.Select(hour => hour.Item1).Distinct()]))).Responses;

        // The simulation's dollar is not the house's.
        Math.Abs(report.Run.Choice.PesosPerDollar - (double)rates.DopPerUsd(Now)).ShouldBeGreaterThan(1);
        // Spending strays by a tenth around the plan (a lognormal whose mean is 1.005), over some thousands of hours.
        (spent.Sum() / planned.PlannedUsd.Sum()).ShouldBe(1.005, 0.01);
        afterwards.PlannedUsd.Zip(spent, (told, usd) => Math.Abs(told - usd)).Max().ShouldBeLessThan(1e-9);
        (afterwards.Applications.Sum() / planned.Applications.Sum()).ShouldBe(1, 0.02);
        responses.Count.ShouldBe(CampaignModel.Channels.Length);
        responses[0].HalfUsd.ShouldBe(CampaignModel.Channels[0].HalfUsd * report.Run.Choice.PesosPerDollar / (double)rates.DopPerUsd(Now), 1e-9);
    }

    [Test]
    public async Task The_same_seed_gives_the_same_events_in_another_database()
    {
        await bus.InvokeAsync<SimulationReport>(Small);
        var first = await log.ReadAsync(0).Select(e => (e.Type, e.StreamId, e.OccurredAt, Body: System.Text.Encoding.UTF8.GetString(e.Data.Span))).ToListAsync();
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");

        await bus.InvokeAsync<SimulationReport>(Small);

        (await log.ReadAsync(0).Select(e => (e.Type, e.StreamId, e.OccurredAt, Body: System.Text.Encoding.UTF8.GetString(e.Data.Span))).ToListAsync()).ShouldBe(first);
    }

    [Test]
    public async Task A_seed_that_was_simulated_changes_nothing_and_other_numbers_are_refused()
    {
        await bus.InvokeAsync<SimulationReport>(Small);
        var end = await log.HighWaterMarkAsync();

        (await bus.InvokeAsync<SimulationReport>(Small)).Repeated.ShouldBeTrue();
        (await Should.ThrowAsync<SimulationRefusedException>(() => bus.InvokeAsync<SimulationReport>(Small with { Days = 13 }))).Message.ShouldContain("80 visitors over 12 days");

        (await log.HighWaterMarkAsync()).ShouldBe(end);
    }

    [Test]
    public async Task A_simulation_that_broke_off_goes_on_to_the_same_end()
    {
        await bus.InvokeAsync<SimulationReport>(Small);
        var whole = await BehaviourAsync();
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
        using var stop = new CancellationTokenSource();
        var stopping = Small with { Progress = new Stopper(stop, 0.4) };
        await Should.ThrowAsync<OperationCanceledException>(() => bus.InvokeAsync<SimulationReport>(stopping, stop.Token));
        (await BehaviourAsync()).Count.ShouldBeInRange(1, whole.Count - 1);

        await bus.InvokeAsync<SimulationReport>(Small);

        (await BehaviourAsync()).ShouldBe(whole);
    }

    [Test]
    public async Task True_probabilities_are_known_for_simulated_people_only_and_explain_what_they_looked_at()
    {
        await bus.InvokeAsync<SimulationReport>(Small);
        var views = (await log.ReadAsync(0, [EventTypes.ItemViewed]).ToListAsync()).Select(e => e.Read<BehaviourEvent>()).ToList();
        var items = (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems("vehicle"))).Select(entry => entry.Item.Id).ToList();
        var person = views[0].PersonId;

        async Task<double[]> AskAsync(params (string, string)[] pairs) => (await bus.InvokeAsync<TrueProbabilities>(new GetTrueProbabilities(pairs, Now))).Values;
        var viewed = await AskAsync([.. views.Select(view => (view.PersonId, view.ItemId!))]);
        var any = await AskAsync([.. views.SelectMany((view, i) => Enumerable.Range(0, 3).Select(j => (view.PersonId, items[((i * 31) + (j * 17)) % items.Count])))]);
        var unknown = await AskAsync(("somebody", items[0]), ("sim-99-1", items[0]), ("sim-7-80", items[0]), (person, "no-such-car"), ("sim-7-79", items[0]));

        viewed.ShouldAllBe(value => value > 0 && value < 1);
        // What people chose they want at least half as much again as what they might have seen.
        viewed.Average().ShouldBeGreaterThan(any.Average() * 1.5);
        unknown.Select(double.IsNaN).ShouldBe([true, true, true, true, false]);
        // Browser, second browser and account are one person with one taste.
        (await AskAsync(("sim-7-3", items[0]), ("sim-7-3.2", items[0]), ("sim-user-7-3", items[0]))).Distinct().Count().ShouldBe(1);
    }

    [Test]
    public async Task A_contact_leads_to_a_deal_as_often_as_its_true_probability_says_and_a_vehicle_is_sold_once()
    {
        await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 500, Days: 45, Seed: 7, Listings: 600));

        var contacts = await log.ReadAsync(0, [EventTypes.Contacted]).Select(e => (Body: e.Read<BehaviourEvent>(), e.OccurredAt)).ToListAsync();
        var deals = await log.ReadAsync(0, [EventTypes.Sold]).Select(e => (Body: e.Read<BehaviourEvent>(), e.OccurredAt)).ToListAsync();
        var truth = (await bus.InvokeAsync<TrueProbabilities>(new GetTrueDealProbabilities(
            [.. contacts.Select(c => (c.Body.PersonId, c.Body.ItemId!, c.Body.Properties!.Value.GetProperty("channel").GetString()!, c.OccurredAt))]))).Values;

        deals.Count.ShouldBeGreaterThan(10);
        deals.Select(deal => deal.Body.ItemId).ShouldBeUnique();
        deals.ShouldAllBe(deal => contacts.Any(c => c.Body.ItemId == deal.Body.ItemId && c.OccurredAt < deal.OccurredAt));
        // What was settled before a contact is counted; deals that lie after the last day and vehicles that a later and faster buyer took do not come about.
        ((double)deals.Count).ShouldBeInRange(truth.Sum() * 0.6, truth.Sum() * 1.15);
        truth.ShouldContain(0);
        truth.ShouldAllBe(value => value >= 0 && value <= 1);
        var bought = deals.Select(deal => deal.Body.ItemId).ToHashSet();
        var pairs = contacts.Zip(truth).ToLookup(pair => bought.Contains(pair.First.Body.ItemId), pair => pair.Second);
        pairs[true].Average().ShouldBeGreaterThan(pairs[false].Average());

        // Who was sold leaves the catalogue the next day; a swindle leaves with its reason.
        var ended = (await log.ReadAsync(0, [EventTypes.ItemSold, EventTypes.ItemWithdrawn]).ToListAsync()).ToLookup(e => e.Read<ItemEnded>().ItemId);
        deals.Where(deal => deal.OccurredAt < Now.AddDays(-2)).ShouldAllBe(deal => ended[deal.Body.ItemId!].Any(e => e.Type == EventTypes.ItemSold));
        string[] fraud = [.. ended.Where(item => item.Any(e => e.Read<ItemEnded>().Reason == ItemEnded.Fraud)).Select(item => item.Key)];
        var swindles = (await bus.InvokeAsync<TrueProbabilities>(new GetTrueSwindleProbabilities([.. fraud, deals[0].Body.ItemId!, "no-such-car"]))).Values;
        fraud.ShouldNotBeEmpty();
        swindles.ShouldBe([.. fraud.Select(_ => DominicanCatalogue.FoundShare), 0, double.NaN]);
        (await log.ReadAsync(0, [EventTypes.Rated]).CountAsync()).ShouldBeGreaterThan(0);
    }

    [Test]
    public async Task People_stay_away_as_often_as_the_true_probability_says()
    {
        const int Days = 14;
        var run = (await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 700, Days: 40, Seed: 7, Listings: 300))).Run;
        var signs = await log.ReadAsync(0, [EventTypes.ItemViewed, EventTypes.Searched]).Select(e => (Person: e.Read<BehaviourEvent>().AnonymousId, e.OccurredAt)).ToListAsync();
        var asked = new List<(string Person, DateTimeOffset Last, DateTimeOffset At)>();
        var came = new List<bool>();
        foreach (var day in new[] { 12, 19, 26 })
        {
            var at = run.Start.AddDays(day);
            foreach (var person in signs.ToLookup(sign => sign.Person, sign => sign.OccurredAt))
            {
                if (person.Where(sign => sign < at).DefaultIfEmpty().Max() is var last && last > at.AddDays(-10))
                {
                    asked.Add((person.Key!, last, at));
                    came.Add(person.Any(sign => sign >= at && sign < at.AddDays(Days)));
                }
            }
        }

        var truth = (await bus.InvokeAsync<TrueProbabilities>(new GetTrueAbsences(asked, Days))).Values;
        var unknown = (await bus.InvokeAsync<TrueProbabilities>(new GetTrueAbsences([("somebody", asked[0].Last, asked[0].At), ("sim-99-1", asked[0].Last, asked[0].At)], Days))).Values;

        unknown.ShouldAllBe(value => double.IsNaN(value));
        truth.Length.ShouldBeGreaterThan(300);
        truth.ShouldAllBe(value => value > 0 && value <= 1);
        // Who bought some days before is gone for sure.
        truth.Zip(came).Where(pair => pair.First == 1).ShouldAllBe(pair => !pair.Second);
        // Over all, and in the half that is rather gone as in the other one: within three standard errors of a share of some hundred cases.
        foreach (var half in truth.Zip(came).OrderBy(pair => pair.First).Chunk((truth.Length + 1) / 2))
        {
            half.Average(pair => pair.First).ShouldBe(half.Count(pair => !pair.Second) / (double)half.Length, 3 * Math.Sqrt(0.25 / half.Length));
        }

        bool[] away = [.. came.Select(one => !one)];
        BinaryMetrics.RocAuc(truth, away).ShouldBeGreaterThan(BinaryMetrics.RocAuc([.. asked.Select(one => (one.At - one.Last).TotalDays)], away) + 0.02);
    }

    [Test]
    public async Task What_was_agreed_is_told_again_out_of_the_contacts()
    {
        var run = (await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 500, Days: 45, Seed: 7, Listings: 600))).Run;
        var contacts = await log.ReadAsync(0, [EventTypes.Contacted]).Select(e => (Body: e.Read<BehaviourEvent>(), e.OccurredAt)).ToListAsync();
        var sold = await log.ReadAsync(0, [EventTypes.Sold]).Select(e => (Body: e.Read<BehaviourEvent>(), e.OccurredAt)).ToListAsync();
        var items = (await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems([.. contacts.Select(contact => contact.Body.ItemId!).Distinct()]))).ToDictionary(entry => entry.Item.Id);
        int PersonOf(BehaviourEvent body) => SimulationRun.PersonOf(body.PersonId)!.Value.Person;

        var history = new DealHistory(
            run, new DealModel(run), new WantModel(run), id => Vehicle.Of(items[id], run.Choice.PesosPerDollar),
            contacts.Select(contact => new SimulatedContact(
                PersonOf(contact.Body), int.Parse(contact.Body.SessionId!.Split('-')[^1], CultureInfo.InvariantCulture), contact.Body.ItemId!,
                Array.IndexOf(Visitor.Channels, contact.Body.Properties!.Value.GetProperty("channel").GetString()), contact.OccurredAt)),
            sold.ToDictionary(sale => sale.Body.ItemId!, sale => (PersonOf(sale.Body), sale.OccurredAt)));

        // Every deal that came about had been agreed by that person about that vehicle for that day.
        var agreed = history.Agreed.ToList();
        sold.Select(sale => (PersonOf(sale.Body), sale.Body.ItemId!, (int)(sale.OccurredAt - run.Start).TotalDays)).ShouldBeSubsetOf(agreed);
        // And what was agreed for a day that was lived came about, unless the vehicle was gone by then.
        var ended = (await log.ReadAsync(0, [EventTypes.ItemSold, EventTypes.ItemWithdrawn]).ToListAsync()).ToDictionary(e => e.Read<ItemEnded>().ItemId, e => (int)Math.Floor((e.OccurredAt - run.Start).TotalDays));
        var bought = sold.ToDictionary(sale => sale.Body.ItemId!, sale => PersonOf(sale.Body));
        agreed.Where(one => one.Day < run.Days).ShouldAllBe(one => bought.ContainsKey(one.ItemId) || (ended.ContainsKey(one.ItemId) && ended[one.ItemId] <= one.Day));
    }

    [Test]
    public async Task A_catalogue_that_is_there_is_browsed_and_left_as_it_is()
    {
        await bus.InvokeAsync<CatalogChanges>(new PutCatalogItems(
            [.. DominicanCatalogue.Generate(3, 100, Now.AddDays(-200), 1, 60).Select(planned => planned.Item)], Now.AddDays(-100), Now.AddDays(-100)));

        var report = await bus.InvokeAsync<SimulationReport>(Small);

        (report.Run.Listings, report.Items).ShouldBe((0, 100));
        (await ScalarAsync<long>("select count(*) from tracking.items")).ShouldBe(100);
        (await log.ReadAsync(0, [EventTypes.ItemListed, EventTypes.ItemSold, EventTypes.ItemWithdrawn, EventTypes.ItemPriceChanged]).CountAsync()).ShouldBe(100);
    }

    private async Task<List<(string Type, Guid Id, DateTimeOffset At)>> BehaviourAsync() =>
        await log.ReadAsync(0).Where(e => e.StreamId.StartsWith("visitor-", StringComparison.Ordinal)).Select(e => (e.Type, e.Id, e.OccurredAt)).ToListAsync();

    private sealed class Stopper(CancellationTokenSource stop, double at) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Fraction >= at)
            {
                stop.Cancel();
            }
        }
    }
}
