using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace OKLA.Shared.Jobs;

/// <summary>A job as a module declared it; <paramref name="Name"/> is what the tables know it by.</summary>
internal sealed record DeclaredJob(string Name, string Description, JobSchedule Schedule, Func<IServiceProvider, IJob> Create);

/// <summary>Puts runs before Quartz: one trigger that fires once, with the retries in it.</summary>
internal sealed class JobQueue(IOptions<JobsOptions> options)
{
    public const string Run = "run";
    public const string Reason = "reason";
    public const string Scheduled = "schedule";

    public async Task EnqueueAsync(IScheduler scheduler, string job, Guid run, string reason, string trigger, TriggerConflict conflict, CancellationToken ct) =>
        await scheduler.ScheduleTrigger(
            TriggerBuilder.Create(scheduler.TimeProvider).WithIdentity(trigger, job).ForJob(job).StartNow()
                .UsingJobData(Run, run.ToString()).UsingJobData(Reason, reason)
                .WithRetryPolicy(options.Value.Retries == 0 ? RetryPolicy.None : RetryPolicy.Exponential(options.Value.Retries, options.Value.RetryDelay, 4)).Build(),
            conflict, ct);
}

/// <summary>Looks, on one node of the cluster at a time, which jobs are due, and queues them.</summary>
internal sealed class JobCheck(
    IEnumerable<DeclaredJob> declared, NpgsqlDataSource database, JobQueue queue, IOptions<JobsOptions> options, TimeProvider time, ILogger<JobCheck> logger) : IJob
{
    public const string Name = "okla-check";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        if (!options.Value.Scheduled) return;
        var successes = await JobRuns.LastAsync(database, "started_at", JobOutcome.Succeeded, cancellationToken);
        var failures = await JobRuns.LastAsync(database, "finished_at", JobOutcome.Failed, cancellationToken);
        foreach (var job in declared)
        {
            DateTimeOffset? At(Dictionary<string, DateTimeOffset> times) => times.TryGetValue(job.Name, out var at) ? at : null;
            if (!job.Schedule.IsDue(time.GetUtcNow(), At(successes), At(failures), options.Value.RestAfterFailure)) continue;

            // It exists from here until its run has ended, retries included. One that Quartz gave up is replaced.
            var key = new TriggerKey(JobQueue.Scheduled, job.Name);
            if (await context.Scheduler.GetTriggerState(key, cancellationToken) is not (TriggerState.None or TriggerState.Error)) continue;
            await queue.EnqueueAsync(context.Scheduler, job.Name, Guid.CreateVersion7(time.GetUtcNow()), JobQueue.Scheduled, key.Name, TriggerConflict.Replace, cancellationToken);
            logger.Due(job.Name);
        }
    }
}
