using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Rollout;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Training.Jobs;

/// <summary>A training that was asked for.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">The model.</param>
/// <param name="State">queued, running, succeeded, failed or cancelled.</param>
/// <param name="Priority">Larger goes first.</param>
/// <param name="Reason">Why: demand, weekly, drift, first, reproduce.</param>
/// <param name="RequestedBy">Who asked.</param>
/// <param name="Reproduces">The run that it makes again; null for a training.</param>
/// <param name="RequestedAt">When (UTC).</param>
/// <param name="StartedAt">When it began; null while it waits.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Attempt">How often it was begun.</param>
/// <param name="Host">The host at work.</param>
/// <param name="CancelRequested">Whether somebody asked to stop it.</param>
/// <param name="Fraction">Done so far, 0 to 1.</param>
/// <param name="Step">What is being done.</param>
/// <param name="Trials">Trials of the search that are over.</param>
/// <param name="RunId">What it did and measured.</param>
/// <param name="Version">The version it made.</param>
/// <param name="Published">Whether that version serves.</param>
/// <param name="Message">What came of it.</param>
/// <param name="Error">What went wrong last.</param>
internal sealed record TrainingJob(
    Guid Id, string Model, string State, int Priority, string Reason, string RequestedBy, Guid? Reproduces, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt,
    int Attempt, string? Host, bool CancelRequested, double Fraction, string Step, int Trials, Guid? RunId, int? Version, bool? Published, string? Message, string? Error)
{
    /// <summary>Whether nothing more will come of it.</summary>
    public bool IsOver => State is not ("queued" or "running");
}

/// <summary>
/// The queue of trainings in PostgreSQL. One job of a model runs at a time in the cluster (a unique index says so); who runs it renews its lease, and a lease
/// that ran out is free to take, as after a kill -9.
/// </summary>
internal sealed class TrainingJobs(NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock)
{
    private const string Columns = """
        id, model, state, priority, reason, requested_by, reproduces, requested_at, started_at, finished_at, attempt, host, cancel_requested, fraction, step,
        coalesce(jsonb_array_length(trials), 0), run_id, version, published, message, error
        """;

    // Of j, at @now: its host was lost, or it waits and no other one of its model is under way.
    private const string Free = """
        (j.state = 'running' and j.lease_until < @now)
        or (j.state = 'queued' and j.not_before <= @now and not exists (select from ml.training_jobs o where o.model = j.model and o.state = 'running'))
        """;

    /// <summary>This process among those that work on the queue.</summary>
    public string Host { get; } = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid().ToString("n")[..6]}";

    /// <summary>Puts a training into the queue.</summary>
    public async Task<Guid> QueueAsync(string model, string reason, string by, int priority, CancellationToken ct, Guid? reproduces = null, RolloutEndpoints.Request? rollout = null)
    {
        var id = Guid.CreateVersion7(Now);
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.training_jobs (id, model, state, priority, reason, requested_by, reproduces, requested_at, not_before, rollout)
            values (@id, @model, 'queued', @priority, @reason, @by, @reproduces, @now, @now, @rollout::jsonb)
            """, new { id, model, priority, reason, by, reproduces, now = Now.UtcDateTime, rollout = rollout is null ? null : JsonSerializer.Serialize(rollout, EventJson.Options) }, cancellationToken: ct));
        return id;
    }

    /// <summary>Puts a training into the queue unless one of the model waits or is under way; null then.</summary>
    public async Task<Guid?> QueueOnceAsync(string model, string reason, string by, int priority, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var known = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select from ml.training_jobs where model = @model and state in ('queued', 'running') and reproduces is null)", new { model }, cancellationToken: ct));
        return known ? null : await QueueAsync(model, reason, by, priority, ct);
    }

    /// <summary>Begins a training here, past the queue; null when another one of the model is under way.</summary>
    public async Task<TrainingJob?> BeginAsync(string model, string reason, CancellationToken ct)
    {
        var id = Guid.CreateVersion7(Now);
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var taken = await connection.ExecuteAsync(new CommandDefinition("""
            update ml.training_jobs set state = 'failed', finished_at = @now, message = 'Its host was lost.', lease_until = null
            where model = @model and state = 'running' and lease_until < @now and reproduces is null;
            insert into ml.training_jobs (id, model, state, reason, requested_by, requested_at, not_before, started_at, attempt, host, lease_until)
            values (@id, @model, 'running', @reason, 'house', @now, @now, @now, 1, @Host, @until)
            on conflict (model) where state = 'running' do nothing
            """, new { id, model, reason, Host, now = Now.UtcDateTime, until = Until }, cancellationToken: ct));
        var begun = await FindAsync(connection, id, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return taken > 0 ? begun : null;
    }

    /// <summary>The next job for this host; null when there is nothing to do. Jobs whose host died come first: they were begun already.</summary>
    public async Task<TrainingJob?> ClaimAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.training_jobs set state = 'failed', finished_at = @now, lease_until = null, message = 'Given up: its hosts were lost ' || attempt || ' times.'
            where state = 'running' and lease_until < @now and attempt >= @most
            """, new { now = Now.UtcDateTime, most = options.Value.TrainingAttempts }, cancellationToken: ct));
        try
        {
            // Not to be stopped from here on: a job that is taken while nobody hears of it stays taken until its lease ends.
            var id = await connection.ExecuteScalarAsync<Guid?>(new CommandDefinition($"""
                update ml.training_jobs set state = 'running', host = @Host, lease_until = @until, attempt = attempt + 1, started_at = coalesce(started_at, @now), step = 'starting'
                where id = (
                    select j.id from ml.training_jobs j
                    where {Free}
                    order by j.state = 'running' desc, j.priority desc, j.requested_at
                    limit 1 for update of j skip locked)
                returning id
                """, new { Host, now = Now.UtcDateTime, until = Until }));
            return id is { } found ? await FindAsync(connection, found, CancellationToken.None) : null;
        }
        catch (PostgresException raced) when (raced.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Two jobs of one model were taken at once by two hosts; the other one has it.
            return null;
        }
    }

    /// <summary>Whether <see cref="ClaimAsync"/> would find something to do.</summary>
    public async Task<bool> AnyAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition($"select exists (select from ml.training_jobs j where {Free})", new { now = Now.UtcDateTime }, cancellationToken: ct));
    }

    /// <summary>Renews the lease and writes how far it is; null when the job is no longer this host's, otherwise whether somebody asked to stop it.</summary>
    public async Task<bool?> RenewAsync(Guid id, WorkProgress progress, IReadOnlyList<Trial>? trials, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool?>(new CommandDefinition("""
            update ml.training_jobs set lease_until = @until, fraction = @fraction, step = @step, trials = coalesce(@trials::jsonb, trials)
            where id = @id and state = 'running' and host = @Host returning cancel_requested
            """,
            new { id, Host, until = Until, fraction = Math.Clamp(progress.Fraction, 0, 1), step = progress.Step ?? "", trials = trials is null ? null : JsonSerializer.Serialize(trials, EventJson.Options) },
            cancellationToken: ct));
    }

    /// <summary>How a job wants its version to be let in; null for at once.</summary>
    public async Task<RolloutEndpoints.Request?> RolloutAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select rollout::text from ml.training_jobs where id = @id", new { id }, cancellationToken: ct));
        return json is null ? null : JsonSerializer.Deserialize<RolloutEndpoints.Request>(json, EventJson.Options);
    }

    /// <summary>Trials that an earlier attempt finished.</summary>
    public async Task<IReadOnlyList<Trial>> TrialsAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select trials::text from ml.training_jobs where id = @id", new { id }, cancellationToken: ct));
        return json is null ? [] : JsonSerializer.Deserialize<Trial[]>(json, EventJson.Options)!;
    }

    /// <summary>Ends a job of this host.</summary>
    public Task FinishAsync(Guid id, string state, string message, Guid? run, int? version, bool? published, string? error) => ExecuteAsync("""
        update ml.training_jobs set state = @state, finished_at = @now, lease_until = null, fraction = case when @state = 'succeeded' then 1 else fraction end,
            message = @message, run_id = coalesce(@run, run_id), version = @version, published = @published, error = @error
        where id = @id and state = 'running' and host = @Host
        """, new { id, state, message, run, version, published, error, Host, now = Now.UtcDateTime });

    /// <summary>Puts a job of this host back, to be begun again after a while (at once when <paramref name="error"/> is null).</summary>
    public Task PutBackAsync(Guid id, TimeSpan after, string? error) => ExecuteAsync("""
        update ml.training_jobs set state = 'queued', lease_until = null, host = null, not_before = @from, error = coalesce(@error, error), attempt = case when @error is null then attempt - 1 else attempt end
        where id = @id and state = 'running' and host = @Host
        """, new { id, error, Host, from = (Now + after).UtcDateTime });

    /// <summary>Stops a job: one that waits at once, one that runs as soon as its host hears of it. False when it is over or there is none.</summary>
    public async Task<bool> CancelAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition("""
            update ml.training_jobs set cancel_requested = true, state = case when state = 'queued' then 'cancelled' else state end,
                finished_at = case when state = 'queued' then @now::timestamptz else finished_at end, message = case when state = 'queued' then 'Cancelled before it began.' else message end
            where id = @id and state in ('queued', 'running')
            """, new { id, now = Now.UtcDateTime }, cancellationToken: ct)) == 1;
    }

    /// <summary>One job; null when there is none.</summary>
    public async Task<TrainingJob?> FindAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await FindAsync(connection, id, ct);
    }

    /// <summary>Jobs, of one model or state or all, newest first.</summary>
    public async Task<IReadOnlyList<TrainingJob>> ListAsync(string? model, string? state, int limit, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await ReadAsync(connection, "where (@model::text is null or model = @model) and (@state::text is null or state = @state) order by requested_at desc limit @limit", new { model, state, limit }, ct);
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    private DateTime Until => (Now + TimeSpan.FromSeconds(options.Value.TrainingLeaseSeconds)).UtcDateTime;

    private async Task ExecuteAsync(string sql, object parameters)
    {
        // The end of a job is written however it ends.
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        await connection.ExecuteAsync(sql, parameters);
    }

    private static async Task<TrainingJob?> FindAsync(NpgsqlConnection connection, Guid id, CancellationToken ct) => (await ReadAsync(connection, "where id = @id", new { id }, ct)).SingleOrDefault();

    private static async Task<IReadOnlyList<TrainingJob>> ReadAsync(NpgsqlConnection connection, string rest, object parameters, CancellationToken ct)
    {
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition($"select {Columns} from ml.training_jobs {rest}", parameters, cancellationToken: ct));
        T? Value<T>(int at) => row.IsDBNull(at) ? default : row.GetFieldValue<T>(at);
        var jobs = new List<TrainingJob>();
        while (await row.ReadAsync(ct))
        {
            jobs.Add(new TrainingJob(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetString(4), row.GetString(5), Value<Guid?>(6), row.GetFieldValue<DateTimeOffset>(7),
                Value<DateTimeOffset?>(8), Value<DateTimeOffset?>(9), row.GetInt32(10), Value<string>(11), row.GetBoolean(12), row.GetDouble(13), row.GetString(14), row.GetInt32(15), Value<Guid?>(16),
                Value<int?>(17), Value<bool?>(18), Value<string>(19), Value<string>(20)));
        }

        return jobs;
    }
}
