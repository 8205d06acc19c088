using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace OKLA.Shared.Jobs;

/// <summary>
/// The one job type that Quartz knows: it finds the declared job by the chosen name and keeps the run's history. So no CLR name of a
/// module stands in Quartz' tables, and a job may be renamed or moved in code without touching them.
/// </summary>
internal sealed class JobRunner(
    IEnumerable<DeclaredJob> declared, IServiceScopeFactory scopes, NpgsqlDataSource database, IOptions<JobsOptions> options, TimeProvider time, JobMetrics metrics,
    ILogger<JobRunner> logger) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var name = context.JobDetail.Key.Name;
        if (declared.FirstOrDefault(d => d.Name == name) is not { } job)
        {
            logger.Undeclared(name);
            return;
        }

        var run = Guid.Parse((string)context.MergedJobDataMap[JobQueue.Run]!);
        var reason = (string)context.MergedJobDataMap[JobQueue.Reason]!;
        if (reason == JobQueue.Scheduled && !await IsStillDueAsync(job, cancellationToken)) return;

        await using var scope = scopes.CreateAsyncScope();
        var progress = scope.ServiceProvider.GetRequiredService<JobProgress>();
        progress.Begin(run, name, reason);
        logger.Started(name, reason, context.RetryAttempt);
        await StartAsync(run, name, reason, context, cancellationToken);
        var began = time.GetTimestamp();
        var (outcome, error) = (JobOutcome.Succeeded, (Exception?)null);
        try
        {
            await job.Create(scope.ServiceProvider).Execute(context, cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            (outcome, error) = (JobOutcome.Cancelled, e);
        }
        catch (Exception e)
        {
            (outcome, error) = (context.RetryAttempt < options.Value.Retries ? JobOutcome.Retrying : JobOutcome.Failed, e);
        }

        var seconds = time.GetElapsedTime(began).TotalSeconds;
        var message = context.Result?.ToString() ?? progress.Last?.Step;
        // Cancelled or not, the end is written.
        await FinishAsync(run, name, outcome, outcome == JobOutcome.Succeeded ? 100 : progress.Last?.Percent, message, error);
        metrics.Duration.Record(seconds, new("job", name), new KeyValuePair<string, object?>("outcome", JobRuns.Stored(outcome)));
        logger.Finished(name, outcome, seconds, error?.Message ?? message);

        // Quartz retries, hands over or logs by what it is thrown.
        if (error is OperationCanceledException && outcome == JobOutcome.Cancelled) throw new OperationCanceledException(error.Message, error, cancellationToken);
        if (error is not null) throw new JobExecutionException($"Job {name} failed", error);
    }

    // A run that was handed over, or was queued while another succeeded, has nothing left to do.
    private async Task<bool> IsStillDueAsync(DeclaredJob job, CancellationToken ct)
    {
        var successes = await JobRuns.LastAsync(database, "started_at", JobOutcome.Succeeded, ct);
        return job.Schedule.IsDue(time.GetUtcNow(), successes.TryGetValue(job.Name, out var at) ? at : null, null, TimeSpan.Zero);
    }

    private async Task StartAsync(Guid run, string job, string reason, IJobExecutionContext context, CancellationToken ct)
    {
        // One run of a job is at work in the cluster, so another one that still says so died with its node.
        await using var command = database.CreateCommand("""
            with lost as (
                update jobs.runs set outcome = 'lost', finished_at = $6
                where job = $2 and id <> $1 and (outcome = 'running' or (outcome in ('queued', 'retrying') and requested_at < $6 - interval '2 days')))
            insert into jobs.runs (id, job, reason, outcome, attempt, requested_at, started_at, node) values ($1, $2, $3, 'running', $4, $6, $6, $5)
            on conflict (id) do update set
                outcome = 'running', attempt = $4, started_at = $6, node = $5, finished_at = null, percent = 0, message = null, error = null
            """);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(job);
        command.Parameters.AddWithValue(reason);
        command.Parameters.AddWithValue(context.RetryAttempt);
        command.Parameters.AddWithValue(context.Scheduler.SchedulerInstanceId);
        command.Parameters.AddWithValue(time.GetUtcNow());
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task FinishAsync(Guid run, string job, JobOutcome outcome, double? percent, string? message, Exception? error)
    {
        await using var command = database.CreateCommand("""
            with old as (
                delete from jobs.runs where job = $7 and requested_at < $8
                and started_at < (select max(started_at) from jobs.runs where job = $7 and outcome = 'succeeded'))
            update jobs.runs set outcome = $2, percent = coalesce($3, percent), message = coalesce($4, message), error = $5, finished_at = $6 where id = $1
            """);
        command.Parameters.AddWithValue(run);
        command.Parameters.AddWithValue(JobRuns.Stored(outcome));
        command.Parameters.Add(new NpgsqlParameter<double?> { TypedValue = percent });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = message });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = error is null ? null : Shorten(error.ToString()) });
        command.Parameters.AddWithValue(time.GetUtcNow());
        command.Parameters.AddWithValue(job);
        command.Parameters.AddWithValue(time.GetUtcNow() - options.Value.KeepRuns);
        await command.ExecuteNonQueryAsync();
    }

    private static string Shorten(string text) => text.Length <= 8000 ? text : text[..8000] + "…";
}

/// <summary>The meter <c>OKLA.Jobs</c>.</summary>
internal sealed class JobMetrics(IMeterFactory meters)
{
    public Histogram<double> Duration { get; } = meters.Create("OKLA.Jobs").CreateHistogram(
        "okla.jobs.duration", "s", "Time a run took, by job and outcome.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 5, 15, 60, 300, 900, 3600, 14400] });
}
