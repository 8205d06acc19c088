using Npgsql;
using Quartz;

namespace OKLA.Shared.Jobs;

/// <summary>What became of a run.</summary>
public enum JobOutcome
{
    /// <summary>Asked for, waiting for a node or for the run before it.</summary>
    Queued,

    /// <summary>At work.</summary>
    Running,

    /// <summary>Failed, and will be tried again.</summary>
    Retrying,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Failed for good.</summary>
    Failed,

    /// <summary>Stopped by an administrator or by the host's stop.</summary>
    Cancelled,

    /// <summary>Its node died before it ended.</summary>
    Lost,
}

/// <summary>One run of a job: times in UTC, progress in percent, 0 to 100.</summary>
public sealed record JobRun(
    Guid Id, string Job, string Reason, JobOutcome Outcome, int Attempt, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt,
    double Percent, string? Message, string? Node, string? Error);

/// <summary>A declared job: when it is next due (null: only on demand), its last run and when its last success began.</summary>
public sealed record JobState(string Name, string Description, string Schedule, DateTimeOffset? NextDue, JobRun? Last, DateTimeOffset? LastSuccess);

/// <summary>The jobs of this house and their history; runs them on demand.</summary>
public sealed class JobRuns
{
    private const string Columns = "id, job, reason, outcome, attempt, requested_at, started_at, finished_at, percent, message, node, error";

    private readonly IReadOnlyList<DeclaredJob> _declared;
    private readonly NpgsqlDataSource _database;
    private readonly ISchedulerFactory _schedulers;
    private readonly JobQueue _queue;
    private readonly TimeProvider _time;

    internal JobRuns(IEnumerable<DeclaredJob> declared, NpgsqlDataSource database, ISchedulerFactory schedulers, JobQueue queue, TimeProvider time) =>
        (_declared, _database, _schedulers, _queue, _time) = ([.. declared], database, schedulers, queue, time);

    /// <summary>Every declared job by name.</summary>
    public async Task<IReadOnlyList<JobState>> ListAsync(CancellationToken ct = default)
    {
        var last = (await ReadAsync($"select distinct on (job) {Columns} from jobs.runs order by job, requested_at desc", [], ct)).ToDictionary(r => r.Job);
        var successes = await LastAsync(_database, "started_at", JobOutcome.Succeeded, ct);
        var now = _time.GetUtcNow();
        return [.. _declared.OrderBy(d => d.Name, StringComparer.Ordinal).Select(d =>
        {
            var success = successes.TryGetValue(d.Name, out var at) ? at : (DateTimeOffset?)null;
            return new JobState(d.Name, d.Description, d.Schedule.Text, d.Schedule.NextDue(now, success), last.GetValueOrDefault(d.Name), success);
        })];
    }

    /// <summary>The latest runs, of one job or of all, newest first.</summary>
    public Task<IReadOnlyList<JobRun>> HistoryAsync(string? job = null, int limit = 50, CancellationToken ct = default) =>
        ReadAsync($"select {Columns} from jobs.runs where $1 is null or job = $1 order by requested_at desc limit $2", [new NpgsqlParameter<string?> { TypedValue = job }, new NpgsqlParameter<int> { TypedValue = limit }], ct);

    /// <summary>One run; null when there is none of that id.</summary>
    public async Task<JobRun?> FindAsync(Guid run, CancellationToken ct = default) =>
        (await ReadAsync($"select {Columns} from jobs.runs where id = $1", [new NpgsqlParameter<Guid> { TypedValue = run }], ct)).SingleOrDefault();

    /// <summary>Queues a run now, after the one that may be at work.</summary>
    /// <returns>The run's id, to follow it with <see cref="FindAsync"/>; null when no such job is declared.</returns>
    public async Task<Guid?> TriggerAsync(string job, string reason = "demand", CancellationToken ct = default)
    {
        if (_declared.All(d => d.Name != job)) return null;
        var run = Guid.CreateVersion7(_time.GetUtcNow());
        await using (var insert = _database.CreateCommand("insert into jobs.runs (id, job, reason, outcome, requested_at) values ($1, $2, $3, 'queued', $4)"))
        {
            insert.Parameters.AddWithValue(run);
            insert.Parameters.AddWithValue(job);
            insert.Parameters.AddWithValue(reason);
            insert.Parameters.AddWithValue(_time.GetUtcNow());
            await insert.ExecuteNonQueryAsync(ct);
        }

        await _queue.EnqueueAsync(await _schedulers.GetScheduler(ct), job, run, reason, run.ToString(), TriggerConflict.Throw, ct);
        return run;
    }

    /// <summary>Records that what a job does was just done without it (by the command line, by the demo), so that it is next due as after a run of its own.</summary>
    public async Task RecordAsync(string job, string reason, DateTimeOffset startedAt, string message, CancellationToken ct = default)
    {
        await using var insert = _database.CreateCommand("""
            insert into jobs.runs (id, job, reason, outcome, requested_at, started_at, finished_at, percent, message)
            values ($1, $2, $3, 'succeeded', $4, $4, $5, 100, $6)
            """);
        insert.Parameters.AddWithValue(Guid.CreateVersion7(startedAt));
        insert.Parameters.AddWithValue(job);
        insert.Parameters.AddWithValue(reason);
        insert.Parameters.AddWithValue(startedAt);
        insert.Parameters.AddWithValue(_time.GetUtcNow());
        insert.Parameters.AddWithValue(message);
        await insert.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Asks the job's runs to stop, on whichever node they are; false when none is at work.</summary>
    public async Task<bool> CancelAsync(string job, CancellationToken ct = default) => await (await _schedulers.GetScheduler(ct)).Interrupt(new JobKey(job), ct);

    /// <summary>By job, the latest <paramref name="column"/> of the runs with that outcome.</summary>
    internal static async Task<Dictionary<string, DateTimeOffset>> LastAsync(NpgsqlDataSource database, string column, JobOutcome outcome, CancellationToken ct)
    {
        await using var command = database.CreateCommand($"select job, max({column}) from jobs.runs where outcome = $1 and {column} is not null group by job");
        command.Parameters.AddWithValue(Stored(outcome));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var result = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        while (await reader.ReadAsync(ct)) result[reader.GetString(0)] = reader.GetFieldValue<DateTimeOffset>(1);
        return result;
    }

    internal static string Stored(JobOutcome outcome) => outcome.ToString().ToLowerInvariant();

    private async Task<IReadOnlyList<JobRun>> ReadAsync(string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = _database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(ct);
        DateTimeOffset? Time(int i) => reader.IsDBNull(i) ? null : reader.GetFieldValue<DateTimeOffset>(i);
        string? Text(int i) => reader.IsDBNull(i) ? null : reader.GetString(i);
        var runs = new List<JobRun>();
        while (await reader.ReadAsync(ct))
            runs.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), Enum.Parse<JobOutcome>(reader.GetString(3), ignoreCase: true), reader.GetInt32(4),
                Time(5)!.Value, Time(6), Time(7), reader.GetDouble(8), Text(9), Text(10), Text(11)));
        return runs;
    }
}
