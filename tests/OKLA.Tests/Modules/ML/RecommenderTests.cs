using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.Features;
using OKLA.ML;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
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
        answer.Items[0].Reason.ShouldStartWith("Porque viste Kia jeepeta");
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
        var opened = new Room(Database, Now, services =>
        {
            services.AddJobs(runJobs: false).AddFeatures().AddML(serve: false).AddMessaging(typeof(FeaturesModule).Assembly, typeof(MLModule).Assembly);
            services.AddSingleton(new MessagingServices.MessageTypes([typeof(KnownTastesHandler), typeof(FindPersonHandler)])).AddSubscription<IdentitySubscription>();
        }, settings);
        rooms.Add(opened);
        return opened;
    }

    private async Task<RecommendVehicles.Response> AskAsync(string id, int limit = 10, Room? room = null, CurrentUser? caller = null)
    {
        room ??= this.room;
        var live = room.Services.GetRequiredService<LiveModels>();
        await live.RefreshAsync();
        Ok<RecommendVehicles.Response> answer = await RecommendVehicles.Handle(
            id, caller ?? CurrentUser.Nobody, new HostingEnvironment { EnvironmentName = Environments.Production }, live, room.Services.GetRequiredService<TriedVersions>(), room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock, NullLogger<LiveModels>.Instance, default, limit);
        return answer.Value!;
    }

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
