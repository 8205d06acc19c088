using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Monitoring;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML;

/// <summary>One small marketplace with planted tastes; each test adds its own visitors to it.</summary>
public sealed class RecommenderTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly List<Room> rooms = [];
    private IReadOnlyList<(CatalogItem Item, DateTimeOffset At)> vehicles = [];
    private Room room = null!;
    private TrainingOutcome first = null!;

    [OneTimeSetUp]
    public async Task TrainAsync()
    {
        room = Open();
        vehicles = Vehicles();
        await room.AppendAsync(vehicles.Select(v => Room.Listed(v.Item, v.At)));
        await room.AppendAsync(Town.Visits(vehicles, people: 300, views: 20, Now.AddDays(-59), 58, seed: 4));
        await room.Subscriptions.CatchUpAsync();
        first = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "first"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var open in rooms) await open.DisposeAsync();
    }

    [Test]
    public void The_recommender_beats_popularity_and_stays_below_the_ceiling()
    {
        first.Published.ShouldBeTrue(first.Decision);
        var ndcg = first.Metrics.Single(metric => metric.Name == "NDCG@10");
        var auc = first.Metrics.Single(metric => metric.Name == "AUC");
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, first.Metrics));
        ndcg.Model.ShouldBeGreaterThan(1.5 * ndcg.Baseline!.Value);
        auc.Model.ShouldBeGreaterThan(auc.Baseline!.Value + 0.1);

        // Ranking by the true probabilities is the best there is; chance may lift a good model a little above it on few people.
        auc.Model.ShouldBeLessThan(auc.Ceiling!.Value + 0.01);
        ndcg.Ceiling.ShouldNotBeNull();
    }

    [Test]
    public async Task A_training_by_hand_spares_the_weekly_one()
    {
        var job = (await room.Services.GetRequiredService<JobRuns>().ListAsync()).Single(job => job.Name == $"train-{ModelNames.VehicleRecommender}");

        job.Last!.Outcome.ShouldBe(JobOutcome.Succeeded);
        job.Last.Reason.ShouldNotBe("schedule");
        job.NextDue!.Value.ShouldBeGreaterThan(Now);
    }

    [Test]
    public async Task A_visitor_of_a_minute_ago_is_served_by_the_model_with_a_reason()
    {
        await room.TellAsync(vehicles.Where(v => v.Item.Text("make") == "Kia" && v.Item.Text("bodyType") == "jeepeta").Take(4).Select((v, n) => Room.View("newcomer", v.Item.Id, Now.AddMinutes(-1 - n))));

        var answer = await AskAsync("newcomer");

        answer.Source.ShouldBe("model");
        answer.ModelVersion.ShouldBe(await ServingAsync());
        answer.Items.Count.ShouldBe(10);
        answer.Items.Count(item => item.Item.Make == "Kia" || item.Item.BodyType == "jeepeta").ShouldBeGreaterThanOrEqualTo(8);
        answer.Items.ShouldContain(item => item.Reason.StartsWith("Porque viste cuatro jeepetas Kia", StringComparison.Ordinal));
        var seen = vehicles.Where(v => v.Item.Text("make") == "Kia" && v.Item.Text("bodyType") == "jeepeta").Take(4).Select(v => v.Item.Id);
        answer.Items.Select(item => item.ItemId).ShouldNotContain(id => seen.Contains(id));
    }

    [Test]
    public async Task Who_signs_in_keeps_the_history_of_the_browser_and_nobody_else_learns_it()
    {
        var seen = vehicles.Where(v => v.Item.Text("make") == "Kia" && v.Item.Text("bodyType") == "jeepeta").Take(4).ToList();
        await room.TellAsync(seen.Select((v, n) => Room.View("her-phone", v.Item.Id, Now.AddMinutes(-9 - n))));
        await room.TellAsync(Room.Behaviour(EventTypes.FavoriteAdded, "her-phone", "rosa", seen[0].Item.Id, Now.AddMinutes(-1)));
        CurrentUser Buyer(string id) => new(id, Role.Buyer, null, new HashSet<string>());

        foreach (var id in new[] { "rosa", "her-phone" })
        {
            (await AskAsync(id, caller: Buyer("rosa"))).Source.ShouldBe("model");
            (await AskAsync(id, caller: Buyer("otra"))).Source.ShouldBe("popularity");
            (await AskAsync(id)).Source.ShouldBe("popularity");
            (await AskAsync(id, caller: new CurrentUser(null, Role.Anonymous, null, new HashSet<string> { Policies.Scopes.Predict }))).Source.ShouldBe("model");
        }

        (await AskAsync("rosa", caller: Buyer("rosa"))).Items.Count(item => item.Item.Make == "Kia" || item.Item.BodyType == "jeepeta").ShouldBeGreaterThanOrEqualTo(8);
    }

    [Test]
    public async Task Sold_vehicles_go_and_new_ones_come_without_a_training()
    {
        await room.TellAsync(vehicles.Where(v => v.Item.Text("make") == "Ford" && v.Item.Text("bodyType") == "sedan").Take(3).Select(v => Room.View("buyer", v.Item.Id, Now.AddMinutes(-5))));
        var before = await AskAsync("buyer", 3);

        await room.TellAsync(before.Items.Select(item => Room.Ended(EventTypes.ItemSold, item.ItemId, Now)));
        var fresh = Room.Car("fresh-ford", "Ford", "sedana", 2016, 12_000, body: "sedan");
        await room.TellAsync(Room.Listed(fresh, Now));
        var after = await AskAsync("buyer", 100);

        after.Items.Select(item => item.ItemId).ShouldNotContain(id => before.Items.Any(item => item.ItemId == id));
        after.Items.Take(50).Select(item => item.ItemId).ShouldContain("fresh-ford");
    }

    [Test]
    public async Task What_was_refused_does_not_come_back_and_neither_does_what_was_just_seen()
    {
        var hondas = vehicles.Where(v => v.Item.Text("make") == "Honda" && v.Item.Text("bodyType") == "sedan").Take(4).ToList();
        await room.TellAsync(hondas.Take(3).Select((v, n) => Room.View("picky", v.Item.Id, Now.AddMinutes(-20 - n))));
        var first = (await AskAsync("picky", 5)).Items[0].ItemId;

        await room.TellAsync(Told(EventTypes.FeedbackGiven, "picky", first, Now.AddMinutes(-1), new { feedback = "dislike" }));
        var after = await AskAsync("picky", 100);

        after.Source.ShouldBe("model");
        after.Items.Select(item => item.ItemId).ShouldNotContain(first);
        after.Items.Select(item => item.ItemId).ShouldNotContain(id => hondas.Take(3).Any(v => v.Item.Id == id));
    }

    [Test]
    public async Task What_was_seen_long_ago_may_come_back()
    {
        var old = vehicles.First(v => v.Item.Text("make") == "Nissan" && v.Item.Text("bodyType") == "camioneta").Item.Id;
        await room.TellAsync(Room.View("returning", old, Now.AddDays(-40)));

        (await AskAsync("returning", 100)).Items.Select(item => item.ItemId).ShouldContain(old);
    }

    [Test]
    public async Task What_a_visit_opened_counts_before_its_events_have_arrived()
    {
        var opened = vehicles.Where(v => v.Item.Text("make") == "Ford" && v.Item.Text("bodyType") == "camioneta").Take(3).Select(v => v.Item.Id).ToList();

        var answer = await AskAsync("never-seen", recent: string.Join(',', opened));

        answer.Source.ShouldBe("model");
        answer.Items.Count(item => item.Item.Make == "Ford" || item.Item.BodyType == "camioneta").ShouldBeGreaterThanOrEqualTo(7);
        answer.Items.Select(item => item.ItemId).ShouldNotContain(id => opened.Contains(id));
    }

    [Test]
    public async Task Operators_pin_and_block_for_a_time_and_what_they_did_stays_readable()
    {
        await room.TellAsync(vehicles.Where(v => v.Item.Text("make") == "Toyota").Take(3).Select((v, n) => Room.View("ruled", v.Item.Id, Now.AddMinutes(-5 - n))));
        var rules = room.Services.GetRequiredService<OperatorRules>();
        var admin = new CurrentUser("ana-admin", Role.Admin, null, new HashSet<string>());
        var pinned = vehicles.First(v => v.Item.Text("make") == "Hyundai").Item.Id;
        var pin = (await RuleEndpoints.PostAsync(new RuleEndpoints.Request("pin", "item", pinned, "feria", Until: Now.AddDays(1)), admin, rules, room.Clock, default)).Result.ShouldBeOfType<Created<OperatorRule>>().Value!;
        var block = (await RuleEndpoints.PostAsync(new RuleEndpoints.Request("block", "make", "Toyota", "retirada"), admin, rules, room.Clock, default)).Result.ShouldBeOfType<Created<OperatorRule>>().Value!;

        var answer = await AskAsync("ruled");

        answer.Items[0].ItemId.ShouldBe(pinned);
        answer.Items[0].Reason.ShouldBe("Recomendado por OKLA");
        answer.Items.ShouldAllBe(item => item.Item.Make != "Toyota");

        (await RuleEndpoints.EndAsync(pin.Id, admin, rules, default)).Result.ShouldBeOfType<NoContent>();
        (await RuleEndpoints.EndAsync(block.Id, admin, rules, default)).Result.ShouldBeOfType<NoContent>();
        (await RuleEndpoints.EndAsync(block.Id, admin, rules, default)).Result.ShouldBeOfType<NotFound>();
        (await AskAsync("ruled")).Items.ShouldContain(item => item.Item.Make == "Toyota");
        (await rules.ListAsync(10, default)).Where(rule => rule.Id == pin.Id || rule.Id == block.Id).ShouldAllBe(rule => rule.By == "ana-admin" && rule.EndedBy == "ana-admin" && rule.EndedAt == Now);
    }

    [Test]
    public async Task A_ranking_is_kept_for_who_comes_back_and_made_anew_when_something_happened()
    {
        await room.TellAsync(Room.View("reader", vehicles[5].Item.Id, Now.AddMinutes(-5)));
        var meter = room.Services.GetRequiredService<ServingMeter>();

        var first = await AskAsync("reader");
        var second = await AskAsync("reader");
        await room.TellAsync(Room.View("reader", first.Items[0].ItemId, Now.AddMinutes(-1)));
        var third = await AskAsync("reader");

        second.Items.Select(item => item.ItemId).ShouldBe(first.Items.Select(item => item.ItemId));
        third.Items.Select(item => item.ItemId).ShouldNotContain(first.Items[0].ItemId);
        await meter.FlushAsync();
        (await ScalarAsync<long>("select sum(cache_hits)::bigint from ml.serving_minutes where model = 'vehicle-recommender'")).ShouldBeGreaterThanOrEqualTo(1);
    }

    [Test]
    public async Task Similar_vehicles_keep_to_the_price_and_follow_what_people_compare()
    {
        var outcome = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.SimilarVehicles, "first"));
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, outcome.Metrics) + outcome.Decision);
        outcome.Version.ShouldBeGreaterThan(0, outcome.Decision);
        var alike = outcome.Metrics.Single(row => row.Name == OKLA.ML.Training.Recommenders.SimilarTraining.Alikeness);
        alike.Ceiling!.Value.ShouldBeInRange(Math.Max(alike.Model, alike.Baseline!.Value), 1, "nothing has more in common than what has most");
        var live = room.Services.GetRequiredService<LiveModels>();
        await room.Services.GetRequiredService<ModelRegistry>().PublishAsync(ModelNames.SimilarVehicles, outcome.Version, default);
        await live.RefreshAsync();
        var car = live.Live(OKLA.ML.Models.Recommenders.ItemKind.Vehicle).First(card => card.View.Make == "Honda" && card.View.BodyType == "jeepeta");

        var answer = (await FindSimilar.Handle(
            car.Snapshot.Item.Id, CurrentUser.Nobody, live, room.Services.GetRequiredService<TriedVersions>(), room.Services.GetRequiredService<OperatorRules>(),
            room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), NullLogger<LiveModels>.Instance, default)).Result.ShouldBeOfType<Ok<FindSimilar.Response>>().Value!;

        answer.Source.ShouldBe("model");
        answer.Items.Count.ShouldBe(10);
        answer.Items.Select(item => item.SamePrice).ShouldBeInOrder(SortDirection.Descending);
        answer.Items[0].SamePrice.ShouldBeTrue();
        answer.Items.Count(item => item.Item.Make == "Honda" || item.Item.BodyType == "jeepeta").ShouldBeGreaterThanOrEqualTo(7);
        answer.Items.Select(item => item.ItemId).ShouldNotContain(car.Snapshot.Item.Id);
    }

    [Test]
    public async Task Buyers_are_told_to_the_seller_only_and_only_those_who_agreed_to_advertising()
    {
        var outcome = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.BuyerRecommender, "first"));
        TestContext.Out.WriteLine(string.Join(Environment.NewLine, outcome.Metrics));
        outcome.Published.ShouldBeTrue(outcome.Decision);
        await room.TellAsync(vehicles.Where(v => v.Item.Text("make") == "Kia" && v.Item.Text("bodyType") == "sedan").Skip(1).Take(3)
            .Select((v, n) => Told(EventTypes.ItemViewed, "agrees", v.Item.Id, Now.AddHours(-2 - n), new { }, "marketing")));
        await room.TellAsync(vehicles.Where(v => v.Item.Text("make") == "Kia" && v.Item.Text("bodyType") == "sedan").Skip(1).Take(3)
            .Select((v, n) => Told(EventTypes.ItemViewed, "declines", v.Item.Id, Now.AddHours(-2 - n), new { }, "analytics")));
        var live = room.Services.GetRequiredService<LiveModels>();
        await live.RefreshAsync();
        var car = live.Live(OKLA.ML.Models.Recommenders.ItemKind.Vehicle).First(card => card.View.Make == "Kia" && card.View.BodyType == "sedan");
        async Task<IResult> AskForAsync(CurrentUser caller) => (await FindBuyers.Handle(
            car.Snapshot.Item.Id, caller, live, room.Services.GetRequiredService<TriedVersions>(), room.Services.GetRequiredService<ActiveBuyers>(), room.Bus, room.Services.GetRequiredService<PredictionLog>(),
            NullLogger<LiveModels>.Instance, default)).Result;

        (await AskForAsync(new CurrentUser("d2", Role.Dealer, "another-dealer", new HashSet<string>()))).ShouldBeOfType<ForbidHttpResult>();
        var own = (await AskForAsync(new CurrentUser("d1", Role.Dealer, car.Snapshot.Item.SellerId, new HashSet<string>()))).ShouldBeOfType<Ok<FindBuyers.Response>>().Value!;
        var admin = (await AskForAsync(new CurrentUser("a", Role.Admin, null, new HashSet<string>()))).ShouldBeOfType<Ok<FindBuyers.Response>>().Value!;

        admin.Buyers.Select(buyer => buyer.Handle).ShouldBe(["agrees"]);
        own.Buyers.Count.ShouldBe(1);
        own.Buyers[0].Handle.ShouldNotBe("agrees");
        own.Asked.ShouldBe(1);
    }

    [Test]
    public async Task E_mails_go_to_those_of_a_segment_who_agreed_to_advertising()
    {
        await room.TellAsync(Told(EventTypes.ItemViewed, "letter-yes", vehicles[7].Item.Id, Now.AddHours(-3), new { }, "marketing"), Told(EventTypes.ItemViewed, "letter-no", vehicles[7].Item.Id, Now.AddHours(-3), new { }, "analytics"));
        await ExecuteAsync($"insert into features.person_segments (person_id, segment, since, counted_at) values ('letter-yes', 'comparing', now(), now()), ('letter-no', 'comparing', now(), now())");
        await room.Services.GetRequiredService<LiveModels>().RefreshAsync();

        async Task<IResult> AskForAsync(string segment) => (await RecommendSegment.Handle(
            segment, room.Services.GetRequiredService<RecommendationDesk>(), room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock, default)).Result;
        var answer = (await AskForAsync("comparing")).ShouldBeOfType<Ok<RecommendSegment.Response>>().Value!;

        answer.People.Select(letter => letter.UserId).ShouldBe(["letter-yes"]);
        answer.People[0].Items.Count.ShouldBe(5);
        answer.People[0].Items.Select(item => item.ItemId).ShouldNotContain(vehicles[7].Item.Id);
        answer.Next.ShouldBeNull();
        (await AskForAsync("no-such")).ShouldBeOfType<ProblemHttpResult>().StatusCode.ShouldBe(StatusCodes.Status404NotFound);
    }

    [Test]
    public async Task An_unknown_visitor_gets_what_is_popular_this_week()
    {
        var answer = await AskAsync("nobody-knows", 5);

        (answer.Source, answer.ModelVersion).ShouldBe(("popularity", null));
        answer.Items.Count.ShouldBe(5);
        answer.Items.ShouldAllBe(item => item.Reason == "Popular esta semana");
        answer.Items.Select(item => item.Score).ShouldBeInOrder(SortDirection.Descending);
    }

    [Test]
    public async Task A_version_that_is_worse_is_kept_but_not_published()
    {
        var serving = await ServingAsync();
        await using var weak = Open(("ML:Recommender:Factors", "2"), ("ML:Recommender:Iterations", "1"), ("ML:Recommender:PriorPeople", "0"), ("ML:Recommender:Alpha", "0.001"), ("ML:Recommender:Regularization", "100000"));

        var outcome = await weak.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "demand"));

        outcome.Published.ShouldBeFalse();
        outcome.Version.ShouldBeGreaterThan(serving);
        (await ServingAsync()).ShouldBe(serving);
        (await ScalarAsync<string>($"select stage from ml.model_versions where version = {outcome.Version}")).ShouldBe("rejected");
    }

    [Test]
    public async Task A_crash_before_the_publication_leaves_the_old_version_serving()
    {
        var serving = await ServingAsync();
        var crash = new CrashAt("publishing");

        await Should.ThrowAsync<InvalidOperationException>(() => room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "demand", crash)));

        (await ServingAsync()).ShouldBe(serving);
        (await AskAsync("v1")).ModelVersion.ShouldBe(serving);

        // The turn was given back: the next training goes through and serves.
        var again = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "demand"));
        again.Published.ShouldBeTrue(again.Decision);
        (await AskAsync("v1")).ModelVersion.ShouldBe(again.Version);
    }

    [Test]
    public async Task A_damaged_artefact_falls_back_to_the_version_before_it_and_says_so()
    {
        var previous = await ServingAsync();
        // The same data would make the same bytes again, and the same bytes are kept once.
        await room.TellAsync([Room.View("one-more", vehicles[0].Item.Id, Now.AddMinutes(-1))]);
        var newest = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "demand"));
        newest.Published.ShouldBeTrue(newest.Decision);
        var chunks = $"update ml.blob_chunks c set bytes = set_byte(c.bytes, length(c.bytes) / 2, get_byte(c.bytes, length(c.bytes) / 2) # 1) from ml.blobs b, ml.model_versions v where b.id = c.blob and b.sha256 = v.blob and c.number = 0 and v.version = {newest.Version}";
        await ExecuteAsync(chunks);
        await using var restarted = Open();

        var answer = await AskAsync("v1", room: restarted);
        await ExecuteAsync(chunks);

        answer.Items.Count.ShouldBe(10);
        (answer.Source, answer.ModelVersion).ShouldBe(("previous", previous));
    }

    [Test]
    public async Task Two_trainings_of_one_model_do_not_run_at_once()
    {
        await using var turn = await room.Services.GetRequiredService<ModelRegistry>().TryTakeTurnAsync(ModelNames.VehicleRecommender, default);

        var outcome = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "demand"));

        turn.ShouldNotBeNull();
        (outcome.Version, outcome.Published).ShouldBe((0, false));
    }

    [Test]
    public async Task An_empty_market_trains_nothing()
    {
        await using var early = Open();
        early.Clock.Now = Now.AddDays(-70);

        var outcome = await early.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "weekly"));

        (outcome.Version, outcome.Published).ShouldBe((0, false));
    }

    private static IReadOnlyList<(CatalogItem Item, DateTimeOffset At)> Vehicles() => Town.Vehicles(300, Now.AddDays(-60), 1, seed: 3);

    private Room Open(params (string, string)[] settings)
    {
        var opened = MLRoom.Open(Database, Now, [typeof(KnownTastesHandler), typeof(FindPersonHandler)], settings);
        rooms.Add(opened);
        return opened;
    }

    private async Task<RecommendVehicles.Response> AskAsync(string id, int limit = 10, Room? room = null, CurrentUser? caller = null, string? recent = null)
    {
        room ??= this.room;
        var live = room.Services.GetRequiredService<LiveModels>();
        await live.RefreshAsync();
        Ok<RecommendVehicles.Response> answer = await RecommendVehicles.Handle(
            id, caller ?? CurrentUser.Nobody, new HostingEnvironment { EnvironmentName = Environments.Production },
            room.Services.GetRequiredService<RecommendationDesk>(), room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock,
            NullLogger<RecommendationDesk>.Instance, new(), default, limit, recent: recent);
        return answer.Value!;
    }

    private static StreamEvent Told(string type, string person, string item, DateTimeOffset at, object properties, string consent = "analytics") => new(
        BehaviourEvent.StreamOf(person, null),
        NewEvent.Of(type, new BehaviourEvent(person, null, null, item, JsonSerializer.SerializeToElement(new { consent }), JsonSerializer.SerializeToElement(properties)), at) with { KnownAt = at });

    private Task<int> ServingAsync() => ScalarAsync<int>("select version from ml.serving where model = 'vehicle-recommender'");

    /// <summary>Progress that breaks the training where it says a certain thing.</summary>
    private sealed class CrashAt(string step) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Step == step) throw new InvalidOperationException("crash");
        }
    }

    /// <summary>Knows the tastes that were planted.</summary>
    internal static class KnownTastesHandler
    {
        private static readonly Dictionary<string, CatalogItem> Items = Vehicles().ToDictionary(v => v.Item.Id, v => v.Item);

        public static TrueProbabilities Handle(GetTrueProbabilities query) =>
            new([.. query.Pairs.Select(pair => pair.PersonId.StartsWith('v') && Items.TryGetValue(pair.ItemId, out var item)
                ? Want(item, int.Parse(pair.PersonId.AsSpan(1), CultureInfo.InvariantCulture))
                : double.NaN)]);

        private static double Want(CatalogItem item, int person) => Town.Want(item, Town.Taste(person).Make, Town.Taste(person).Body) / 1_000;
    }
}
