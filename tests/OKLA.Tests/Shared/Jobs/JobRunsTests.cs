using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using Quartz;

namespace OKLA.Tests.Shared.Jobs;

[NonParallelizable]
public sealed class JobRunsTests : DatabaseTest
{
    /// <summary>What the jobs under test did; shared by the nodes.</summary>
    private sealed class Diary
    {
        public ConcurrentQueue<string> Entries { get; } = [];

        public int AtWork;

        public int MostAtWork;

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Work(Diary diary, JobProgress progress) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            var atWork = Interlocked.Increment(ref diary.AtWork);
            lock (diary) diary.MostAtWork = Math.Max(diary.MostAtWork, atWork);
            progress.Report(0.4, "reading");
            await Task.Delay(100, cancellationToken);
            diary.Entries.Enqueue($"{progress.Job} by {progress.Reason}");
            Interlocked.Decrement(ref diary.AtWork);
            context.Result = "42 rows";
        }
    }

    private sealed class Breaks(Diary diary) : IJob
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            diary.Entries.Enqueue($"attempt {context.RetryAttempt}");
            return context.RetryAttempt < 1 ? throw new InvalidOperationException("the source is down") : default;
        }
    }

    private sealed class AlwaysBreaks : IJob
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => throw new InvalidOperationException("never works");
    }

    private sealed class Waits(Diary diary, JobProgress progress) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            diary.Entries.Enqueue($"begun on {context.Scheduler.SchedulerInstanceId}");
            progress.Report(0.25, "waiting");
            await diary.Gate.Task.WaitAsync(cancellationToken);
        }
    }

    private sealed class Dies(Diary diary) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            diary.Entries.Enqueue(context.Recovering ? "recovered" : "begun");
            // The first run hangs as a dead node's does: it hears nothing, not even its cancellation.
            if (!context.Recovering) await diary.Gate.Task;
        }
    }

    private sealed class Bus(Diary diary) : IMessageBus
    {
        public Task<T> InvokeAsync<T>(object message, CancellationToken ct = default) => throw new NotSupportedException();

        public Task InvokeAsync(object message, CancellationToken ct = default)
        {
            diary.Entries.Enqueue(message.ToString()!);
            return Task.CompletedTask;
        }

        public ValueTask PublishAsync(object message, CancellationToken ct = default) => throw new NotSupportedException();
    }

    private sealed record Node(IHost Host, NpgsqlDataSource Data) : IAsyncDisposable
    {
        public JobRuns Runs => Host.Services.GetRequiredService<JobRuns>();

        public async ValueTask DisposeAsync()
        {
            await Host.StopAsync();
            Host.Dispose();
            await Data.DisposeAsync();
        }
    }

    private async Task<Node> NodeAsync(Diary diary, Action<IServiceCollection> declare)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        var data = NpgsqlDataSource.Create(ConnectionString);
        builder.Services.AddSingleton(data).AddSingleton(diary).AddSingleton<IMessageBus, Bus>().AddJobs();
        builder.Services.Configure<JobsOptions>(o => (o.CheckInterval, o.RetryDelay, o.ClusterCheckin, o.Retries) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), 1));
        declare(builder.Services);
        var host = builder.Build();
        await host.StartAsync();
        return new(host, data);
    }

    private static async Task<JobRun> Ends(JobRuns runs, Guid? run, JobOutcome outcome = JobOutcome.Succeeded)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var found = await runs.FindAsync(run!.Value, deadline.Token);
            if (found?.Outcome == outcome) return found;
            await Task.Delay(20, deadline.Token);
        }
    }

    private static async Task Until(Func<bool> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds()) await Task.Delay(20, deadline.Token);
    }

    [Test]
    public async Task A_job_on_demand_runs_and_its_history_says_how()
    {
        var diary = new Diary();
        await using var node = await NodeAsync(diary, s => s.AddJob<Work>("history", "Counts rows.", JobSchedule.OnDemand));
        var run = await Ends(node.Runs, await node.Runs.TriggerAsync("history"));
        run.Reason.ShouldBe("demand");
        run.Percent.ShouldBe(100);
        run.Message.ShouldBe("42 rows");
        run.Error.ShouldBeNull();
        run.Node.ShouldNotBeNullOrEmpty();
        run.StartedAt.ShouldNotBeNull().ShouldBeLessThanOrEqualTo(run.FinishedAt.ShouldNotBeNull());
        diary.Entries.ShouldBe(["history by demand"]);

        var state = (await node.Runs.ListAsync()).ShouldHaveSingleItem();
        state.Name.ShouldBe("history");
        state.Description.ShouldBe("Counts rows.");
        state.NextDue.ShouldBeNull();
        state.Last!.Id.ShouldBe(run.Id);
        state.LastSuccess.ShouldBe(run.StartedAt);
        (await node.Runs.HistoryAsync("history")).ShouldHaveSingleItem().ShouldBe(run);
        (await node.Runs.TriggerAsync("no such job")).ShouldBeNull();
    }

    [Test]
    public async Task A_job_that_only_invokes_a_message_needs_no_class()
    {
        var diary = new Diary();
        await using var node = await NodeAsync(diary, s => s.AddJob("message", "Trains.", JobSchedule.OnDemand, p => new TrainModel("price-predictor", p.Reason, null)));
        await Ends(node.Runs, await node.Runs.TriggerAsync("message"));
        diary.Entries.ShouldHaveSingleItem().ShouldContain("price-predictor, Reason = demand");
    }

    [Test]
    public async Task Two_nodes_run_a_job_one_at_a_time()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s.AddJob<Work>("exclusive", "Counts rows.", JobSchedule.OnDemand);
        await using var first = await NodeAsync(diary, Declare);
        await using var second = await NodeAsync(diary, Declare);
        var asked = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => (i % 2 == 0 ? first : second).Runs.TriggerAsync("exclusive")));
        foreach (var run in asked) await Ends(first.Runs, run);
        diary.Entries.Count.ShouldBe(6);
        diary.MostAtWork.ShouldBe(1);
    }

    [Test]
    public async Task A_job_that_is_due_runs_once_in_the_cluster_and_not_again_before_its_time()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s
            .AddJob<Work>("weekly", "Counts rows.", JobSchedule.Weekly(DayOfWeek.Sunday, new(3, 0)))
            .AddJob<Work>("often", "Counts rows.", JobSchedule.Every(TimeSpan.FromSeconds(1)));
        await using var first = await NodeAsync(diary, Declare);
        await using var second = await NodeAsync(diary, Declare);
        await Until(() => diary.Entries.Count(e => e == "often by schedule") >= 3);
        diary.Entries.Count(e => e == "weekly by schedule").ShouldBe(1);
        diary.MostAtWork.ShouldBeLessThanOrEqualTo(2);
    }

    [Test]
    public async Task A_failed_run_is_tried_again_and_keeps_its_id()
    {
        var diary = new Diary();
        await using var node = await NodeAsync(diary, s => s.AddJob<Breaks>("breaks", "Fails once.", JobSchedule.OnDemand));
        var run = await Ends(node.Runs, await node.Runs.TriggerAsync("breaks"));
        run.Attempt.ShouldBe(1);
        run.Error.ShouldBeNull();
        diary.Entries.ShouldBe(["attempt 0", "attempt 1"]);
    }

    [Test]
    public async Task When_all_retries_failed_the_reason_is_kept_and_a_scheduled_job_rests()
    {
        await using var node = await NodeAsync(new(), s => s.AddJob<AlwaysBreaks>("hopeless", "Fails.", JobSchedule.Every(TimeSpan.FromSeconds(1))));
        JobRun[] failed = [];
        await Until(() => (failed = [.. node.Runs.HistoryAsync("hopeless").GetAwaiter().GetResult().Where(r => r.Outcome == JobOutcome.Failed)]).Length > 0);
        failed.ShouldHaveSingleItem().Error.ShouldNotBeNull().ShouldContain("never works");
        failed[0].Attempt.ShouldBe(1);

        // Three more looks at what is due find it resting.
        var looks = await Checks(node);
        await Until(() => Checks(node).GetAwaiter().GetResult() >= looks.AddSeconds(3));
        (await node.Runs.HistoryAsync("hopeless")).Count.ShouldBe(1);
    }

    private static async Task<DateTimeOffset> Checks(Node node)
    {
        var scheduler = await node.Host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler();
        return (await scheduler.GetTrigger(new("okla-check")))?.PreviousFireTimeUtc ?? DateTimeOffset.MinValue;
    }

    [Test]
    public async Task Progress_is_seen_while_the_job_works_and_another_node_can_stop_it()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s.AddJob<Waits>("waits", "Waits.", JobSchedule.OnDemand);
        await using var first = await NodeAsync(diary, Declare);
        await using var second = await NodeAsync(diary, Declare);
        var asked = await first.Runs.TriggerAsync("waits");
        JobRun? seen = null;
        await Until(() => (seen = second.Runs.FindAsync(asked!.Value).GetAwaiter().GetResult()) is { Outcome: JobOutcome.Running, Percent: 25, Message: "waiting" });
        seen!.FinishedAt.ShouldBeNull();

        var other = new[] { first, second }.Single(n => n.Host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler().AsTask().Result.SchedulerInstanceId != seen.Node);
        (await other.Runs.CancelAsync("waits")).ShouldBeTrue();
        (await Ends(first.Runs, asked, JobOutcome.Cancelled)).Percent.ShouldBe(25);
    }

    [Test]
    public async Task A_run_whose_host_stops_is_taken_over_by_the_other_node()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s.AddJob<Waits>("moves", "Waits.", JobSchedule.OnDemand);
        var first = await NodeAsync(diary, Declare);
        var asked = await first.Runs.TriggerAsync("moves");
        await Until(() => !diary.Entries.IsEmpty);
        await using var second = await NodeAsync(diary, Declare);
        await first.DisposeAsync();
        await Until(() => diary.Entries.Count == 2);
        diary.Entries.Distinct().Count().ShouldBe(2, "two nodes");
        diary.Gate.SetResult();
        await Ends(second.Runs, asked);
    }

    [Test]
    public async Task A_run_whose_node_dies_is_taken_over_by_the_other_node()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s.AddJob<Dies>("dies", "Hangs.", JobSchedule.OnDemand);
        var first = await NodeAsync(diary, Declare);
        var asked = await first.Runs.TriggerAsync("dies");
        await Until(() => diary.Entries.Contains("begun"));
        // Without its connections the node says no more that it is alive.
        await first.Data.DisposeAsync();
        await using var second = await NodeAsync(diary, Declare);
        await Until(() => diary.Entries.Contains("recovered"));
        await Ends(second.Runs, asked);

        // What is left of the dead node cannot write its end, and stops nevertheless when the host's patience ends.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<OperationCanceledException>(() => first.Host.StopAsync(patience.Token));
        diary.Gate.SetResult();
    }

    [Test]
    public async Task Two_jobs_of_one_name_stop_the_start() =>
        (await Should.ThrowAsync<AggregateException>(() => NodeAsync(new(), s => s
            .AddJob<Work>("same", "One.", JobSchedule.OnDemand).AddJob<Breaks>("same", "Other.", JobSchedule.OnDemand)))).Message.ShouldContain("same name");

    [Test]
    public async Task A_job_queued_by_a_command_line_verb_runs_on_a_node()
    {
        var diary = new Diary();
        void Declare(IServiceCollection s) => s.AddJob<Work>("queued elsewhere", "Counts rows.", JobSchedule.OnDemand);
        await using var node = await NodeAsync(diary, Declare);
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(Database).AddSingleton(diary).AddJobs(runJobs: false);
        Declare(builder.Services);
        using var verb = builder.Build();
        await verb.StartAsync();
        var asked = await verb.Services.GetRequiredService<JobRuns>().TriggerAsync("queued elsewhere", "import");
        (await Ends(node.Runs, asked)).Reason.ShouldBe("import");
        await verb.StopAsync();
    }
}
