using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML.Rollout;

/// <summary>Similar vehicles and buyers of a vehicle: what matters to their versions, whom they serve how well, and how versions of them are tried.</summary>
public sealed class SimilarAndBuyersTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;

    [OneTimeSetUp]
    public async Task TrainTwiceAsync()
    {
        room = MLRoom.Open(Database, Now, [typeof(RecommenderRolloutTests.NoTruthHandler), typeof(FindPersonHandler)], ("ML:Recommender:TowerIterations", "3"), ("ML:Recommender:MachineIterations", "3"));
        var vehicles = Town.Vehicles(200, Now.AddDays(-60), 40, seed: 3);
        await room.AppendAsync(vehicles.Select(v => Room.Listed(v.Item, v.At)));
        await room.AppendAsync(Town.Visits(vehicles, people: 120, views: 12, Now.AddDays(-60), 59, seed: 4).OrderBy(visit => visit.Event.OccurredAt));
        await room.AppendAsync(new[] { -30, -12, -2 }.SelectMany(day => Town.Visits(vehicles, people: 60, views: 4, Now.AddDays(day), 0.03, seed: 9 - day)));
        // Some agreed to advertising: only they are named as buyers.
        await room.AppendAsync(Enumerable.Range(0, 120).Select(n => Agreed($"w{n / 4}", vehicles[(n * 37 % 150) + 50].Item.Id, Now.AddHours(-50 + (n / 4)))));
        await room.Subscriptions.CatchUpAsync();
        foreach (var model in new[] { ModelNames.SimilarVehicles, ModelNames.BuyerRecommender })
        {
            for (var time = 0; time < 2; time++)
            {
                var steps = new Steps();
                var outcome = await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "test", steps));
                outcome.Version.ShouldBe(time + 1, outcome.Decision);
                TestContext.Out.WriteLine($"{model}: {steps.Measuring.TotalSeconds:0.00} s of {steps.All.TotalSeconds:0.00} s for what matters and to whom");
                steps.Measuring.ShouldBeGreaterThan(TimeSpan.Zero);
            }

            await Get<ModelRegistry>().PublishAsync(model, 1, default);
        }
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [SetUp]
    public Task EndRolloutsAsync() => ExecuteAsync("update ml.rollouts set status = 'stopped', ended_at = now() where status = 'running'");

    [Test]
    public async Task What_matters_to_similar_vehicles_is_told_and_whom_it_serves_how_well()
    {
        var importance = await ImportanceAsync(ModelNames.SimilarVehicles);

        var names = importance.Inputs.Select(input => input.Name).ToList();
        names.ShouldContain("co-views");
        names.ShouldContain("price");
        names.ShouldContain("content make");
        importance.Inputs.Select(input => input.LossIncrease!.Value).ShouldBeInOrder(SortDirection.Descending);
        importance.Inputs[0].LossIncrease!.Value.ShouldBeGreaterThan(0);
        foreach (var attribute in new[] { "asked make", "item bodyType", "seller" })
        {
            Check(await BiasAsync(ModelNames.SimilarVehicles, attribute));
        }
    }

    [Test]
    public async Task What_matters_to_buyers_is_told_and_its_groups_make_the_figure_that_was_measured()
    {
        var importance = await ImportanceAsync(ModelNames.BuyerRecommender);

        importance.Inputs.ShouldContain(input => input.Name == "part als");
        importance.Inputs.ShouldContain(input => input.Name == "activity");
        importance.Inputs[0].LossIncrease!.Value.ShouldBeGreaterThan(0);
        foreach (var attribute in new[] { "usual make", "item bodyType", "historyItems" })
        {
            Check(await BiasAsync(ModelNames.BuyerRecommender, attribute));
        }

        // The share of others below a person is what the AUC of a vehicle is the mean of.
        var run = await ScalarAsync<Guid>($"select run_id from ml.model_versions where model = '{ModelNames.BuyerRecommender}' and version = 1");
        var rows = (await Get<RunTables>().HeldOutAsync(run, 0, default))!;
        rows.Answers.ShouldAllBe(share => share >= 0 && share <= 1);
        var auc = await ScalarAsync<double>($"select value from ml.run_metrics where run_id = '{run}' and name = 'AUC' and step = 0");
        rows.Answers.Average(share => (double)share).ShouldBe(auc, 0.05);
    }

    [Test]
    public async Task Half_of_the_people_meet_the_candidate_of_similar_vehicles_and_keep_it_and_pages_for_nobody_keep_theirs_too()
    {
        var rollout = await StartAsync(ModelNames.SimilarVehicles, "canary");

        var met = new Dictionary<string, (string, int?)>();
        foreach (var n in Enumerable.Range(0, 40))
        {
            var answer = await SimilarAsync("car-0003", $"v{n}");
            answer.Items.ShouldNotBeEmpty();
            met[$"v{n}"] = (answer.Source, answer.ModelVersion);
        }

        met.Values.Distinct().ShouldBe([("rollout:control", 1), ("rollout:candidate", 2)], ignoreOrder: true);
        var again = await SimilarAsync("car-0009", "v7");
        (again.Source, again.ModelVersion).ShouldBe(met["v7"]);
        foreach (var n in Enumerable.Range(0, 20))
        {
            (await SimilarAsync($"car-{n:0000}", null)).Source.ShouldBe((await SimilarAsync($"car-{n:0000}", null)).Source);
        }

        await Get<Exposures>().FlushAsync();
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{rollout}'")).ShouldBe(40);
    }

    [Test]
    public async Task A_rule_may_be_an_arm_beside_the_model_of_similar_vehicles()
    {
        await StartAsync(ModelNames.SimilarVehicles, "experiment", new Arm("model", 1, Strategy: "model"), new Arm("rule", 1, Strategy: "baseline"));

        (await Task.WhenAll(Enumerable.Range(0, 30).Select(n => SimilarAsync("car-0003", $"v{n}")))).Select(answer => (answer.Source, answer.ModelVersion, answer.Items.Count > 0)).Distinct()
            .ShouldBe([("rollout:model", 1, true), ("rollout:rule", null, true)], ignoreOrder: true);
    }

    [TestCase(ModelNames.SimilarVehicles)]
    [TestCase(ModelNames.BuyerRecommender)]
    public async Task A_candidate_in_the_shadow_is_compared_with_what_was_shown(string model)
    {
        var rollout = await StartAsync(model, "shadow");

        (await BuyersAsync("car-0001")).Buyers.Count.ShouldBe(10);
        await Get<ShadowAnswers>().FlushAsync();
        await ExecuteAsync("delete from ml.shadow_minutes");
        for (var n = 0; n < 5; n++)
        {
            (model == ModelNames.SimilarVehicles ? (await SimilarAsync($"car-{n:0000}", $"v{n}")).Source : (await BuyersAsync($"car-{n:0000}")).Source).ShouldBe("model");
        }

        await Get<ShadowAnswers>().FlushAsync();
        (await ScalarAsync<long>($"select sum(rows)::bigint from ml.shadow_minutes where rollout_id = '{rollout}'")).ShouldBe(5);
        // Two trainings on the same data with the same seed show the same.
        (await ScalarAsync<double>($"select sum(absolute) from ml.shadow_minutes where rollout_id = '{rollout}'")).ShouldBe(0, 1e-9);
    }

    [Test]
    public async Task A_seller_meets_one_version_of_buyers_whichever_vehicle_it_asks_about()
    {
        await StartAsync(ModelNames.BuyerRecommender, "canary");

        var sources = new HashSet<(string, int)>();
        for (var n = 0; n < 20; n++)
        {
            // Every vehicle of this town has a seller of its own.
            var answer = await BuyersAsync($"car-{n:0000}");
            (await BuyersAsync($"car-{n:0000}")).Source.ShouldBe(answer.Source);
            sources.Add((answer.Source, answer.ModelVersion));
        }

        sources.ShouldBe([("rollout:control", 1), ("rollout:candidate", 2)], ignoreOrder: true);
    }

    private static StreamEvent Agreed(string person, string item, DateTimeOffset at) => new(
        BehaviourEvent.StreamOf(person, null),
        NewEvent.Of(EventTypes.ItemViewed, new BehaviourEvent(person, null, null, item, JsonSerializer.SerializeToElement(new { consent = "marketing" }), null), at) with { KnownAt = at });

    private static void Check(VersionReports.Bias bias)
    {
        bias.Rows.ShouldBeGreaterThan(30);
        bias.Groups.ShouldAllBe(group => group.MeanTruth == 1 && Math.Abs(group.Loss + group.MeanAnswer!.Value - 1) < 1e-6);
    }

    private async Task<VersionReports.Importance> ImportanceAsync(string model) => (await VersionReports.ImportanceAsync(
        model, 1, Get<ModelRegistry>(), Get<ServedModels>(), Get<Explainer>(), Get<RunStore>(), Get<RunTables>(), Database, room.Clock, default)).Result.ShouldBeOfType<Ok<VersionReports.Importance>>().Value!;

    private async Task<VersionReports.Bias> BiasAsync(string model, string attribute) =>
        (await VersionReports.BiasAsync(model, 1, attribute, Get<ModelRegistry>(), Get<RunTables>(), Database, room.Clock, default)).Result.ShouldBeOfType<Ok<VersionReports.Bias>>().Value!;

    private async Task<FindSimilar.Response> SimilarAsync(string id, string? person) => (await FindSimilar.Handle(
        id, CurrentUser.Nobody, Get<LiveModels>(), Get<TriedVersions>(), Get<OperatorRules>(), room.Bus, Get<PredictionLog>(), Get<IOptions<MLOptions>>(), NullLogger<LiveModels>.Instance, default, 5, person))
        .Result.ShouldBeOfType<Ok<FindSimilar.Response>>().Value!;

    private async Task<FindBuyers.Response> BuyersAsync(string id) => (await FindBuyers.Handle(
        id, new CurrentUser("boss", Role.Admin, null, new HashSet<string>()), Get<LiveModels>(), Get<TriedVersions>(), Get<ActiveBuyers>(), room.Bus, Get<PredictionLog>(), NullLogger<LiveModels>.Instance, default, 10))
        .Result.ShouldBeOfType<Ok<FindBuyers.Response>>().Value!;

    private async Task<Guid> StartAsync(string model, string stage, params Arm[] arms)
    {
        IReadOnlyList<Stage> stages = stage == "experiment" ? [] : [new Stage("shadow", 0, 60), new Stage("canary", 0.5, 60)];
        arms = arms.Length > 0 ? arms : [new Arm("control", 1, 1), new Arm("candidate", 1, 2)];
        var spec = new RolloutSpec(arms, stages, new Goal([EventTypes.Contacted], 60), new Guardrails(0.02, 1.5, 0.1, 30), false);
        var rollout = new ActiveRollout(Guid.CreateVersion7(), model, stage == "experiment" ? "experiment" : "version", stage, spec, Now, Now, 1);
        await using var connection = await Database.OpenConnectionAsync();
        (await RolloutStore.StartAsync(connection, rollout, "test", default)).ShouldBeTrue();
        await Get<ServedModels>().RefreshAsync();
        await Get<LiveModels>().RefreshAsync();
        return rollout.Id;
    }

    private T Get<T>()
        where T : notnull => room.Services.GetRequiredService<T>();

    /// <summary>Hears how long a training measures what matters.</summary>
    private sealed class Steps : IProgress<WorkProgress>
    {
        private readonly long began = Stopwatch.GetTimestamp();
        private long from;

        public TimeSpan Measuring { get; private set; }

        public TimeSpan All { get; private set; }

        public void Report(WorkProgress value)
        {
            All = Stopwatch.GetElapsedTime(began);
            if (value.Step == "what matters, and to whom")
            {
                from = Stopwatch.GetTimestamp();
            }
            else if (value.Step == "measured")
            {
                Measuring = Stopwatch.GetElapsedTime(from);
            }
        }
    }
}
