using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OKLA.ML;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Datasets;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Training.Jobs;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class TrainingQueueTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CurrentUser Admin = new("ana", Role.Admin, null, new HashSet<string>());
    private Room room = null!;

    [OneTimeSetUp]
    public async Task BringDataAsync()
    {
        room = Open();
        await Get<DatasetStore>().AddAsync("cars", SmallTables.Csv(SmallTables.Cars(500, 21)), default);
    }

    [TearDown]
    public Task EmptyQueueAsync() => ExecuteAsync("delete from ml.training_jobs");

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public async Task A_table_becomes_a_served_version_with_run_card_and_history()
    {
        var queued = await QueueAsync(new QueueTraining.Request("car-price", "cars", Target: "price", Columns: ["age", "km", "transmission"], Profile: "fast", BudgetSeconds: 1, Unit: "USD", Notes: "Qué vale un carro."));
        queued.IsNew.ShouldBeTrue();

        (await Get<TrainingWorker>().WorkAsync(default)).ShouldBeTrue();

        var job = (await Get<TrainingJobs>().FindAsync(queued.Id, default))!;
        (job.State, job.Version, job.Published, job.Fraction).ShouldBe(("succeeded", 1, true, 1.0), job.Error ?? job.Message);
        var version = (await Get<ModelRegistry>().VersionAsync("car-price", 1, default))!;
        (version.Stage, version.Signature!.Unit, version.Run, version.Gates.Count).ShouldBe(("serving", "USD", job.RunId, OKLA.ML.Training.Gate.All.Count));
        var served = Get<ModelCatalog>().Find("car-price")!.Load(await Get<ModelRegistry>().ArtefactAsync("car-price", 1, default))!;
        served.Predict([["2", "50", "automática"]])[0].Value.ShouldBe(20_000 - 1_800 - 2_000 + 3_000, 2_000);

        // The day is a time: of 500 rows 400 are older, and the first of nine runs of those (44) is judged by nobody.
        (await ScalarAsync<long>("select jsonb_array_length(data->'reference'->'predictions')::bigint from ml.model_versions where model = 'car-price'")).ShouldBe(456);
        (await ScalarAsync<double>("select (data->'baseline'->>'value')::float8 from ml.model_versions where model = 'car-price'")).ShouldBeInRange(5_000, 20_000);
        version.Data.TryGetProperty("reference", out _).ShouldBeFalse("lists stay short");

        var run = (await Get<RunStore>().FindAsync(job.RunId!.Value, default))!;
        run.Sha256.ShouldBe(version.Sha256);
        run.Metrics.Count(metric => metric.Step > 0).ShouldBe(8);
        run.Environment.GetProperty("code").GetString().ShouldNotBeNullOrEmpty();
        var history = await Get<ModelRegistry>().HistoryAsync("car-price", 10, default);
        history.ShouldHaveSingleItem().ShouldSatisfyAllConditions(time => time.Version.ShouldBe(1), time => time.Until.ShouldBeNull(), time => time.Reason.ShouldStartWith("Published"));
        (await ScalarAsync<long>("select count(*) from ml.dataset_uses where dataset = 'cars' and model = 'car-price' and model_version = 1")).ShouldBe(1);

        var card = (await ManageVersions.CardAsync("car-price", 1, new DefaultHttpContext().Request, Get<ModelCatalog>(), Get<ModelRegistry>(), Get<RunStore>(), default)).Result.ShouldBeOfType<Ok<ModelCard>>().Value!;
        foreach (var fact in new[] { "# car-price, version 1", "Qué vale un carro.", version.Sha256, "| MAE |", "- baseline: passed.", "| age | number | 0 to 15 |", "Served from 2026-06-01" })
        {
            card.Markdown.ShouldContain(fact);
        }
    }

    [Test]
    public async Task A_run_made_again_gives_the_same_artefact_bit_for_bit()
    {
        var queued = await QueueAsync(Quick("again"));
        await Get<TrainingWorker>().WorkAsync(default);
        var run = (await Get<TrainingJobs>().FindAsync(queued.Id, default))!.RunId!.Value;

        var accepted = (await ReadRuns.ReproduceAsync(run, Admin, Get<RunStore>(), Get<RunTables>(), Get<ModelCatalog>(), Get<TrainingJobs>(), default)).Result.ShouldBeOfType<Accepted<ReadRuns.Queued>>().Value!;
        await Get<TrainingWorker>().WorkAsync(default);

        var job = (await Get<TrainingJobs>().FindAsync(accepted.Id, default))!;
        job.Message!.ShouldStartWith("Bit for bit the same artefact", customMessage: job.Error);
        (await Get<RunStore>().FindAsync(job.RunId!.Value, default))!.Identical.ShouldBe(true);
        (await ScalarAsync<long>("select count(*) from ml.model_versions where model = 'again'")).ShouldBe(1);
    }

    [Test]
    public async Task A_training_lets_its_version_in_step_by_step_when_it_is_asked_to()
    {
        await QueueAsync(Quick("stepwise"));
        await Get<TrainingWorker>().WorkAsync(default);
        var queued = await QueueAsync(Quick("stepwise") with
        {
            Gates = new QueueTraining.Strictness(["serving"]), Rollout = new QueueTraining.Steps([new OKLA.ML.Rollout.Stage("ab", 0.1, 30)]),
        });

        await Get<TrainingWorker>().WorkAsync(default);

        var job = (await Get<TrainingJobs>().FindAsync(queued.Id, default))!;
        (job.State, job.Version, job.Published).ShouldBe(("succeeded", 2, false), job.Error ?? job.Message);
        (await Get<ModelRegistry>().ServingAsync(default))["stepwise"].Version.ShouldBe(1);
        (await ScalarAsync<string>("select stage || ' ' || status || ' ' || (spec->'arms'->1->>'version') from ml.rollouts where model = 'stepwise'")).ShouldBe("ab running 2");
        (await ScalarAsync<string>("select stage from ml.model_versions where model = 'stepwise' and version = 2")).ShouldBe("candidate");

        // A second one finds the first under way: its version waits, and nothing that serves changes.
        var third = await QueueAsync(Quick("stepwise") with { Gates = new QueueTraining.Strictness(["serving"]), Rollout = new QueueTraining.Steps() });
        await Get<TrainingWorker>().WorkAsync(default);
        (await Get<TrainingJobs>().FindAsync(third.Id, default))!.Message!.ShouldContain("A rollout of stepwise is under way.");
        (await Get<ModelRegistry>().ServingAsync(default))["stepwise"].Version.ShouldBe(1);
    }

    [TestCase("weekly")]
    [TestCase("drift")]
    public async Task A_training_that_nobody_asked_for_begins_a_rollout_where_the_house_wants_that(string reason)
    {
        var model = $"by-itself-{reason}";
        await QueueAsync(Quick(model) with { Gates = new QueueTraining.Strictness(["serving"]) });
        await Get<TrainingWorker>().WorkAsync(default);
        await using var careful = Open(("ML:Rollout:Trainings", "true"));
        var (jobs, worker) = (careful.Services.GetRequiredService<TrainingJobs>(), careful.Services.GetRequiredService<TrainingWorker>());

        var own = await jobs.QueueAsync(model, reason, "house", 0, default);
        await worker.WorkAsync(default);

        var job = (await jobs.FindAsync(own, default))!;
        (job.State, job.Version, job.Published).ShouldBe(("succeeded", 2, false), job.Error ?? job.Message);
        job.Message!.ShouldContain("Let in step by step, rollout");
        (await Get<ModelRegistry>().ServingAsync(default))[model].Version.ShouldBe(1);
        // In the stages and with the goal of the settings.
        (await ScalarAsync<string>($"select stage || ' ' || status || ' ' || (spec->'arms'->1->>'version') || ' ' || jsonb_array_length(spec->'stages') || ' ' || started_by from ml.rollouts where model = '{model}'"))
            .ShouldBe("shadow running 2 3 house");

        // What somebody asks for, and what the house does by itself without that setting, is published at once.
        await ExecuteAsync($"update ml.rollouts set status = 'stopped', ended_at = now() where model = '{model}'");
        await jobs.QueueAsync(model, "demand", "ana", 0, default);
        await worker.WorkAsync(default);
        (await Get<ModelRegistry>().ServingAsync(default))[model].Version.ShouldBe(3);
        await Get<TrainingJobs>().QueueAsync(model, reason, "house", 0, default);
        await Get<TrainingWorker>().WorkAsync(default);
        (await Get<ModelRegistry>().ServingAsync(default))[model].Version.ShouldBe(4);
        (await ScalarAsync<long>($"select count(*) from ml.rollouts where model = '{model}'")).ShouldBe(1);
    }

    [Test]
    public async Task Runs_are_compared_on_the_cases_that_both_were_measured_on()
    {
        var ids = new List<Guid>();
        foreach (var columns in new[] { new[] { "age", "km", "transmission" }, ["noise"] })
        {
            var queued = await QueueAsync(Quick("compared") with { Columns = columns, Gates = new QueueTraining.Strictness(["serving", "baseline", "stability"]) });
            await Get<TrainingWorker>().WorkAsync(default);
            ids.Add((await Get<TrainingJobs>().FindAsync(queued.Id, default))!.RunId!.Value);
        }

        var compared = (await ReadRuns.CompareAsync(string.Join(',', ids), Get<RunStore>(), default)).Result.ShouldBeOfType<Ok<ReadRuns.Comparison>>().Value!;

        var pair = compared.Pairs.ShouldHaveSingleItem();
        (pair.SharedCases, pair.Verdict, pair.Loss).ShouldBe((100, "first", "absolute error"));
        pair.PValue!.Value.ShouldBeLessThan(0.001);
        compared.Parameters.Keys.ShouldContain("columns");
        compared.Metrics["MAE"][0]!.Value.ShouldBeLessThan(compared.Metrics["MAE"][1]!.Value);
    }

    [Test]
    public async Task A_version_that_waits_for_approval_serves_once_somebody_consents()
    {
        await QueueAsync(Quick("guarded") with { RequireApproval = true });
        await Get<TrainingWorker>().WorkAsync(default);
        (await Get<ModelRegistry>().ServingAsync(default)).ContainsKey("guarded").ShouldBeFalse();

        var approved = (await ManageVersions.ApproveAsync("guarded", 1, new ManageVersions.Consent("Looked at the card."), Admin, Get<ModelRegistry>(), default)).Result.ShouldBeOfType<Ok<ManageVersions.Approved>>().Value!;

        approved.Serves.ShouldBeTrue();
        approved.Approvals.ShouldHaveSingleItem().By.ShouldBe("ana");
        (await Get<ModelRegistry>().ServingAsync(default))["guarded"].Version.ShouldBe(1);
        (await Get<ModelRegistry>().HistoryAsync("guarded", 1, default))[0].ShouldSatisfyAllConditions(time => time.By.ShouldBe("ana"), time => time.Reason.ShouldBe("Approved. Looked at the card."));
    }

    [Test]
    public async Task What_serves_cannot_be_deleted_and_a_number_is_never_given_twice()
    {
        for (var i = 0; i < 3; i++)
        {
            await QueueAsync(Quick("deleted") with { Gates = new QueueTraining.Strictness([.. OKLA.ML.Training.Gate.All.Select(gate => gate.Name)]), Seed = i });
            await Get<TrainingWorker>().WorkAsync(default);
        }

        var registry = Get<ModelRegistry>();
        (await registry.DeleteAsync("deleted", 3, default)).ShouldBeFalse();
        (await registry.DeleteAsync("deleted", 2, default)).ShouldBeFalse("a rollback would bring it back");
        (await registry.DeleteAsync("deleted", 1, default)).ShouldBeTrue();
        (await registry.HistoryAsync("deleted", 10, default)).Select(time => time.Version).ShouldBe([3, 2, 1]);
    }

    [Test]
    public async Task A_failed_gate_blocks_with_its_reason_and_leaves_the_old_version_serving()
    {
        await QueueAsync(Quick("gated"));
        await Get<TrainingWorker>().WorkAsync(default);
        var worse = await QueueAsync(Quick("gated") with { Columns = ["noise"] });
        await Get<TrainingWorker>().WorkAsync(default);

        var job = (await Get<TrainingJobs>().FindAsync(worse.Id, default))!;
        (job.State, job.Version, job.Published).ShouldBe(("succeeded", 2, false));
        job.Message!.ShouldContain("on 100 cases that both were measured on");
        (await Get<ModelRegistry>().ServingAsync(default))["gated"].Version.ShouldBe(1);
        (await Get<ModelRegistry>().VersionAsync("gated", 2, default))!.ShouldSatisfyAllConditions(version => version.Stage.ShouldBe("rejected"), version => version.Parent.ShouldBe(1));
    }

    [TestCase("model", "Not a name", "cars", "price", null)]
    [TestCase("dataset", "new-model", null, "price", null)]
    [TestCase("dataset", "new-model", "nowhere", "price", null)]
    [TestCase("target", "new-model", "cars", "nothing", null)]
    [TestCase("task", "new-model", "cars", "price", "guessing")]
    [TestCase("dataset", "price-predictor", "cars", null, null)]
    public async Task A_wrong_field_is_named(string field, string model, string? dataset, string? target, string? task)
    {
        var answer = await QueueTraining.HandleAsync(new QueueTraining.Request(model, dataset, Target: target, Task: task), Admin, Get<ModelCatalog>(), Get<DatasetStore>(), Get<TrainingJobs>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), default);

        answer.Result.ShouldBeOfType<ValidationProblem>().ProblemDetails.Errors.Keys.ShouldBe([field]);
        (await ScalarAsync<long>("select count(*) from ml.training_jobs")).ShouldBe(0);
    }

    [Test]
    public async Task The_larger_priority_goes_first_and_a_model_trains_once_at_a_time()
    {
        var jobs = Get<TrainingJobs>();
        var late = await jobs.QueueAsync("a", "demand", "ana", 0, default);
        room.Clock.Now += TimeSpan.FromSeconds(1);
        await jobs.QueueAsync("a", "demand", "ana", 0, default);
        var first = await jobs.QueueAsync("b", "demand", "ana", 5, default);

        (await jobs.ClaimAsync(default))!.Id.ShouldBe(first);
        (await jobs.ClaimAsync(default))!.Id.ShouldBe(late);
        (await jobs.ClaimAsync(default)).ShouldBeNull("the other job of a waits for the first");
    }

    [Test]
    public async Task Hosts_that_ask_at_once_get_different_jobs()
    {
        var hosts = Enumerable.Range(0, 8).Select(_ => AnotherHost()).ToArray();
        for (var i = 0; i < 8; i++)
        {
            await hosts[0].QueueAsync($"model-{i}", "demand", "ana", 0, default);
        }

        var claimed = await Task.WhenAll(hosts.Select(host => host.ClaimAsync(default)));

        claimed.OfType<TrainingJob>().Select(job => job.Id).ShouldBeUnique();
        claimed.OfType<TrainingJob>().Count().ShouldBe(8);
    }

    [Test]
    public async Task A_host_that_is_stopped_while_it_asks_has_the_job_or_leaves_it_free()
    {
        var jobs = AnotherHost();
        for (var i = 0; i < 200; i++)
        {
            var id = await jobs.QueueAsync("stopped", "demand", "ana", 0, default);
            using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(1 + (i % 5)));
            TrainingJob? claimed = null;
            try
            {
                claimed = await jobs.ClaimAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                // It took nothing.
            }

            (await jobs.FindAsync(id, default))!.State.ShouldBe(claimed is null ? "queued" : "running", $"round {i}");
            await ExecuteAsync("delete from ml.training_jobs");
        }
    }

    [Test]
    public async Task A_job_whose_host_was_lost_goes_on_elsewhere_after_the_trials_that_are_over()
    {
        var (lost, other) = (AnotherHost(), AnotherHost());
        var id = await lost.QueueAsync("c", "demand", "ana", 0, default);
        await lost.ClaimAsync(default);
        Trial[] trials = [new Trial { Number = 0, State = TrialState.Completed, Parameters = new Dictionary<string, double> { ["leaves"] = 8 }, Values = [0.5] }];
        (await lost.RenewAsync(id, new WorkProgress(0.3, "searching settings"), trials, default)).ShouldBe(false);
        (await other.ClaimAsync(default)).ShouldBeNull("its host lives");

        room.Clock.Now += TimeSpan.FromSeconds(31);
        var taken = (await other.ClaimAsync(default))!;

        (taken.Id, taken.Attempt, taken.Trials, taken.Host).ShouldBe((id, 2, 1, other.Host));
        (await other.TrialsAsync(id, default))[0].Values.ShouldBe([0.5]);
        (await lost.RenewAsync(id, new WorkProgress(0.4, ""), null, default)).ShouldBeNull("the host that came back has lost it");
        await lost.FinishAsync(id, "succeeded", "", null, null, null, null);
        (await other.FindAsync(id, default))!.State.ShouldBe("running");
    }

    [Test]
    public async Task A_job_whose_hosts_are_lost_again_and_again_is_given_up()
    {
        var jobs = AnotherHost();
        var id = await jobs.QueueAsync("d", "demand", "ana", 0, default);
        for (var i = 0; i < 4; i++)
        {
            (await jobs.ClaimAsync(default))!.Attempt.ShouldBe(i + 1);
            room.Clock.Now += TimeSpan.FromSeconds(31);
        }

        (await jobs.ClaimAsync(default)).ShouldBeNull();
        (await jobs.FindAsync(id, default))!.State.ShouldBe("failed");
    }

    [Test]
    public async Task A_job_that_waits_is_cancelled_at_once_and_one_at_work_when_its_host_hears_of_it()
    {
        var jobs = Get<TrainingJobs>();
        var waiting = await jobs.QueueAsync("e", "demand", "ana", 0, default);
        (await jobs.CancelAsync(waiting, default)).ShouldBeTrue();
        (await jobs.FindAsync(waiting, default))!.State.ShouldBe("cancelled");
        (await jobs.CancelAsync(waiting, default)).ShouldBeFalse();

        var running = await QueueAsync(Quick("stopped") with { BudgetSeconds = 600, Profile = "accurate" });
        var working = Get<TrainingWorker>().WorkAsync(default);
        await UntilAsync(async () => (await jobs.FindAsync(running.Id, default))!.State == "running");
        (await jobs.CancelAsync(running.Id, default)).ShouldBeTrue();
        await working;

        (await jobs.FindAsync(running.Id, default))!.State.ShouldBe("cancelled");
    }

    [Test]
    public async Task A_fault_is_tried_again_later_and_too_little_data_is_not()
    {
        var jobs = Get<TrainingJobs>();
        var missing = await jobs.QueueAsync("no-such-model", "demand", "ana", 0, default);
        await Get<TrainingWorker>().WorkAsync(default);
        (await jobs.FindAsync(missing, default))!.ShouldSatisfyAllConditions(job => job.State.ShouldBe("failed"), job => job.Message.ShouldBe("There is no model named no-such-model."));

        var faulty = await jobs.QueueAsync("f", "demand", "ana", 0, default);
        await jobs.ClaimAsync(default);
        await jobs.PutBackAsync(faulty, TimeSpan.FromSeconds(20), "The disk was full.");
        (await jobs.ClaimAsync(default)).ShouldBeNull("it waits");
        room.Clock.Now += TimeSpan.FromSeconds(21);
        (await jobs.ClaimAsync(default))!.ShouldSatisfyAllConditions(job => job.Id.ShouldBe(faulty), job => job.Attempt.ShouldBe(2), job => job.Error.ShouldBe("The disk was full."));
    }

    private static QueueTraining.Request Quick(string model) => new(model, "cars", Target: "price", Columns: ["age", "km", "transmission"], Profile: "fast", BudgetSeconds: 1);

    private async Task<QueueTraining.Response> QueueAsync(QueueTraining.Request request) =>
        (await QueueTraining.HandleAsync(request, Admin, Get<ModelCatalog>(), Get<DatasetStore>(), Get<TrainingJobs>(), room.Services.GetRequiredService<IOptions<MLOptions>>(), default)).Result.ShouldBeOfType<Accepted<QueueTraining.Response>>().Value!;

    private TrainingJobs AnotherHost() => new(Database, room.Services.GetRequiredService<IOptions<MLOptions>>(), room.Clock);

    private T Get<T>()
        where T : notnull => room.Services.GetRequiredService<T>();

    private Room Open(params (string Key, string Value)[] settings) => MLRoom.Open(Database, Now, [], [("ML:TrainingThreads", "1"), .. settings]);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, deadline.Token);
        }
    }
}
