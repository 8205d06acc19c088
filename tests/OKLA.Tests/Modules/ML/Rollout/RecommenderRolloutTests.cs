using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML.Rollout;

/// <summary>Recommendations while a version of the recommender is tried.</summary>
public sealed class RecommenderRolloutTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;
    private int control, candidate;

    [OneTimeSetUp]
    public async Task TrainTwiceAsync()
    {
        room = MLRoom.Open(Database, Now, [typeof(NoTruthHandler), typeof(FindPersonHandler)]);
        var vehicles = Town.Vehicles(120, Now.AddDays(-60), 1, seed: 3);
        await room.AppendAsync(vehicles.Select(v => Room.Listed(v.Item, v.At)));
        await room.AppendAsync(Town.Visits(vehicles, people: 150, views: 15, Now.AddDays(-59), 58, seed: 4));
        await room.Subscriptions.CatchUpAsync();
        control = (await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "first"))).Version;
        candidate = (await room.Bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "second"))).Version;
        await room.Services.GetRequiredService<OKLA.ML.Registry.ModelRegistry>().PublishAsync(ModelNames.VehicleRecommender, control, default);
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [SetUp]
    public Task EndRolloutsAsync() => ExecuteAsync("update ml.rollouts set status = 'stopped', ended_at = now() where status = 'running'");

    [Test]
    public async Task Half_of_the_people_meet_the_candidate_and_keep_it()
    {
        var id = await StartAsync("canary", new Arm("control", 1, control), new Arm("candidate", 1, candidate));

        var met = new Dictionary<string, (string Source, int? Version)>();
        for (var n = 0; n < 40; n++)
        {
            var answer = await AskAsync($"v{n}");
            met[$"v{n}"] = (answer.Source, answer.ModelVersion);
        }

        met.Values.Distinct().ShouldBe([("rollout:control", control), ("rollout:candidate", candidate)], ignoreOrder: true);
        met.Values.Count(item => item.Version == candidate).ShouldBeInRange(10, 30);
        var again = await AskAsync("v7");
        (again.Source, again.ModelVersion).ShouldBe(met["v7"]);
        await room.Services.GetRequiredService<Exposures>().FlushAsync();
        (await ScalarAsync<long>($"select count(*) from ml.exposures where rollout_id = '{id}'")).ShouldBe(40);
    }

    [Test]
    public async Task Who_is_not_signed_in_takes_no_user_into_an_experiment_and_a_browser_of_hers_takes_part_by_itself()
    {
        await ExecuteAsync($"""
            insert into tracking.users (user_id, first_at) values ('rosa', now()) on conflict do nothing;
            insert into tracking.identity_links (id, anonymous_id, user_id, linked_at, linked_by) values ('{Guid.NewGuid()}', 'her-phone', 'rosa', now(), 'sign-in')
            """);
        // What is popular is an answer to whoever asks, also as to a stranger.
        var id = await StartAsync("experiment", new Arm("popular", 1, Strategy: "popularity"), new Arm("also popular", 1, Strategy: "popularity"));

        foreach (var person in new[] { "rosa", "her-phone", "somebody" })
        {
            (await AskAsync(person)).Source.ShouldStartWith("rollout:");
        }

        await room.Services.GetRequiredService<Exposures>().FlushAsync();
        (await ScalarAsync<string[]>($"select array_agg(user_key order by user_key) from ml.exposures where rollout_id = '{id}'")).ShouldBe(["her-phone", "somebody"]);
    }

    [Test]
    public async Task Popularity_may_be_an_arm()
    {
        await StartAsync("experiment", new Arm("model", 1, Strategy: "model"), new Arm("popular", 1, Strategy: "popularity"));

        var sources = new HashSet<(string, int?)>();
        for (var n = 0; n < 30; n++)
        {
            var answer = await AskAsync($"v{n}");
            answer.Items.ShouldNotBeEmpty();
            sources.Add((answer.Source, answer.ModelVersion));
        }

        sources.ShouldBe([("rollout:model", control), ("rollout:popular", null)], ignoreOrder: true);
    }

    [Test]
    public async Task A_candidate_in_the_shadow_is_compared_with_what_was_shown()
    {
        var id = await StartAsync("shadow", new Arm("control", 1, control), new Arm("candidate", 1, candidate));

        for (var n = 0; n < 10; n++)
        {
            (await AskAsync($"v{n}")).Source.ShouldBe("model");
        }

        await room.Services.GetRequiredService<ShadowAnswers>().FlushAsync();
        (await ScalarAsync<long>($"select sum(rows)::bigint from ml.shadow_minutes where rollout_id = '{id}'")).ShouldBe(10);
        // Two trainings on the same data with the same seed show the same vehicles.
        (await ScalarAsync<double>($"select sum(absolute) from ml.shadow_minutes where rollout_id = '{id}'")).ShouldBe(0, 1e-9);
    }

    [Test]
    public async Task What_matters_to_the_recommender_and_whom_it_serves_how_well_is_told()
    {
        var (registry, tables) = (room.Services.GetRequiredService<ModelRegistry>(), room.Services.GetRequiredService<RunTables>());
        var importance = (await VersionReports.ImportanceAsync(
            ModelNames.VehicleRecommender, control, registry, room.Services.GetRequiredService<ServedModels>(), room.Services.GetRequiredService<Explainer>(), room.Services.GetRequiredService<RunStore>(), tables,
            Database, room.Clock, default)).Result.ShouldBeOfType<Ok<VersionReports.Importance>>().Value!;

        importance.Inputs.ShouldContain(input => input.Name.StartsWith("part ", StringComparison.Ordinal));
        importance.Inputs.Select(input => input.LossIncrease!.Value).ShouldBeInOrder(SortDirection.Descending);
        // Without what it is made of it finds less.
        importance.Inputs[0].LossIncrease!.Value.ShouldBeGreaterThan(0);

        foreach (var attribute in new[] { "usual make", "item bodyType", "historyItems", "seller" })
        {
            var bias = (await VersionReports.BiasAsync(ModelNames.VehicleRecommender, control, attribute, registry, tables, Database, room.Clock, default)).Result
                .ShouldBeOfType<Ok<VersionReports.Bias>>().Value!;
            bias.Rows.ShouldBeGreaterThan(50);
            bias.Groups.ShouldAllBe(group => group.MeanTruth == 1 && Math.Abs(group.Loss + group.MeanAnswer!.Value - 1) < 1e-6);
        }

        var makes = (await tables.HeldOutAsync(await ScalarAsync<Guid>($"select run_id from ml.model_versions where model = '{ModelNames.VehicleRecommender}' and version = {control}"), 0, default))!;
        var people = makes.Columns.Single(column => column.Name == "person").Values;
        var usual = makes.Columns.Single(column => column.Name == "usual make").Values;
        // Everybody looks at one make in two of three views; by chance it would be named for one in six.
        Enumerable.Range(0, people.Count).Average(row => string.Equals(usual[row], Town.Taste(int.Parse(people[row]![1..], System.Globalization.CultureInfo.InvariantCulture)).Make, StringComparison.OrdinalIgnoreCase) ? 1.0 : 0)
            .ShouldBeGreaterThan(0.75);
    }

    private async Task<Guid> StartAsync(string stage, params Arm[] arms)
    {
        IReadOnlyList<Stage> stages = stage == "experiment" ? [] : [new Stage("shadow", 0, 60), new Stage("canary", 0.5, 60)];
        var spec = new RolloutSpec(arms, stages, new Goal([EventTypes.Contacted], 60), new Guardrails(0.02, 1.5, 0.1, 30), false);
        var rollout = new ActiveRollout(Guid.CreateVersion7(), ModelNames.VehicleRecommender, stage == "experiment" ? "experiment" : "version", stage, spec, Now, Now, 1);
        await using var connection = await Database.OpenConnectionAsync();
        (await RolloutStore.StartAsync(connection, rollout, "test", default)).ShouldBeTrue();
        await room.Services.GetRequiredService<ServedModels>().RefreshAsync();
        await room.Services.GetRequiredService<LiveModels>().RefreshAsync();
        return rollout.Id;
    }

    private async Task<RecommendVehicles.Response> AskAsync(string person)
    {
        Ok<RecommendVehicles.Response> answer = await RecommendVehicles.Handle(
            person, CurrentUser.Nobody, new HostingEnvironment { EnvironmentName = Environments.Production }, room.Services.GetRequiredService<RecommendationDesk>(),
            room.Bus, room.Services.GetRequiredService<PredictionLog>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock, NullLogger<RecommendationDesk>.Instance, new(), default, 5);
        return answer.Value!;
    }

    /// <summary>Nobody knows the true tastes here.</summary>
    internal static class NoTruthHandler
    {
        public static TrueProbabilities Handle(GetTrueProbabilities query) => new([.. Enumerable.Repeat(double.NaN, query.Pairs.Count)]);
    }
}
