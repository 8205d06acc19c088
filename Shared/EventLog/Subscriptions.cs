using Dapper;
using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>Moves subscriptions along the log, and gives operators their state, rebuild and replay.</summary>
public sealed class Subscriptions(NpgsqlDataSource database, IEnumerable<Subscription> all, TimeProvider clock, Upcasts? upcasts = null)
{
    /// <summary>Events that are read quickly whatever the database believes of them.</summary>
    private const int SmallLog = 20_000;

    /// <summary>Rounds of catching up at most.</summary>
    private const int MostRounds = 5;

    private readonly Dictionary<string, Subscription> byName = all.ToDictionary(subscription => subscription.Name);

    /// <summary>Every subscription of this host.</summary>
    public IReadOnlyCollection<Subscription> All => byName.Values;

    /// <summary>State of every subscription.</summary>
    public async Task<IReadOnlyList<SubscriptionStatus>> StatusAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var end = await HighWaterMarkAsync(connection, ct);
        var rows = (await connection.QueryAsync<(string Name, long Position, DateTime? Updated, long Parked)>(new CommandDefinition("""
            select p.name, coalesce(p.last_seq_id, 0), p.last_updated, (select count(*) from events.parked_events e where e.subscription = p.name)
            from events.mt_event_progression p
            """, cancellationToken: ct))).ToDictionary(row => row.Name);
        return [.. byName.Keys.Order(StringComparer.Ordinal).Select(name => rows.TryGetValue(name, out var row)
            ? new SubscriptionStatus(name, row.Position, end - row.Position, row.Parked, row.Updated)
            : new SubscriptionStatus(name, 0, end, 0, null))];
    }

    /// <summary>
    /// Subscriptions that have not passed events of their types which are in archive files alone: added after those left the log, or sent back
    /// before. They will not see them until the files are loaded.
    /// </summary>
    public async Task<IReadOnlyList<MissedEvents>> MissedAsync(CancellationToken ct = default)
    {
        var missed = new List<MissedEvents>();
        await using var connection = await database.OpenConnectionAsync(ct);
        foreach (var subscription in byName.Values.OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            var (files, first, last) = await connection.QuerySingleAsync<(long, long, long)>(new CommandDefinition("""
                select count(*), coalesce(min(first_position), 0), coalesce(max(last_position), 0) from events.archives
                where state in ('deleting', 'done', 'loading') and (@types::varchar[] is null or types && @types::varchar[])
                    and last_position > coalesce((select last_seq_id from events.mt_event_progression where name = @Name), 0)
                """, new { types = subscription.EventTypes?.ToArray(), subscription.Name }, cancellationToken: ct));
            if (files > 0)
            {
                missed.Add(new MissedEvents(subscription.Name, files, first, last));
            }
        }

        return missed;
    }

    /// <summary>
    /// Notes which types each subscription asks for, and answers those that it came to ask for after it had passed events of them. To be called
    /// before any of them moves. A subscription that is noted for the first time is taken to have asked for its types always.
    /// </summary>
    public async Task<IReadOnlyList<TypePassedOver>> NoteTypesAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        foreach (var subscription in byName.Values.Where(item => item.EventTypes is not null))
        {
            await connection.ExecuteAsync(new CommandDefinition("""
                with forgotten as (
                    delete from events.subscription_types where subscription = @Name and type <> all(@types::varchar[])
                ), stands as (
                    select coalesce((select last_seq_id from events.mt_event_progression where name = @Name), 0) as at,
                        exists (select from events.subscription_types where subscription = @Name) as known
                )
                insert into events.subscription_types (subscription, type, since)
                select @Name, type, case when known then at else 0 end from stands, unnest(@types::varchar[]) type on conflict do nothing
                """, new { subscription.Name, types = subscription.EventTypes!.ToArray() }, cancellationToken: ct));
        }

        return (await connection.QueryAsync<TypePassedOver>(new CommandDefinition("""
            select s.subscription, s.type, s.since from events.subscription_types s
            where s.subscription = any(@names) and s.since > 0 and (
                exists (select from events.mt_events e where e.type = s.type and e.seq_id <= s.since)
                or exists (select from events.archives a where s.type = any(a.types) and a.state in ('deleting', 'done', 'loading') and a.first_position <= s.since))
            order by 1, 2
            """, new { names = byName.Keys.ToArray() }, cancellationToken: ct))).AsList();
    }

    /// <summary>Events that were set aside, oldest first.</summary>
    public async Task<IReadOnlyList<ParkedEvent>> ParkedAsync(int limit = 100, CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(string Subscription, long Position, string Type, string Reason, int Attempts, DateTime ParkedAt)>(new CommandDefinition("""
            select p.subscription, p.seq_id, e.type, p.reason, p.attempts, p.parked_at
            from events.parked_events p join events.mt_events e using (seq_id) order by p.parked_at limit @limit
            """, new { limit }, cancellationToken: ct));
        return [.. rows.Select(row => new ParkedEvent(row.Subscription, row.Position, row.Type, row.Reason, row.Attempts, row.ParkedAt))];
    }

    /// <summary>
    /// Takes the next batch of a subscription: its events and its position in one transaction. The position's row is locked, so
    /// that of all hosts one works at a time; when another holds it, nothing happens here.
    /// </summary>
    /// <returns>Events handled, and whether more wait.</returns>
    public async Task<Progress> AdvanceAsync(Subscription subscription, int? batchSize = null, CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        if (await BeginAsync(connection, subscription.Name, wait: false, ct) is not var (transaction, position))
        {
            return new Progress(0, false, 0);
        }

        await using var work = transaction;
        var limit = batchSize ?? subscription.BatchSize;
        var end = await HighWaterMarkAsync(connection, ct);
        if (end <= position)
        {
            return new Progress(0, false, position);
        }

        var events = await ReadAsync(connection, position, end, subscription.EventTypes, limit, ct);
        var reached = events.Count == limit ? events[^1].Position : end;
        if (events.Count > 0)
        {
            await subscription.HandleAsync(events, transaction, ct);
        }

        await MoveAsync(connection, subscription.Name, reached, ct);
        await transaction.CommitAsync(ct);
        if (events.Count > 0)
        {
            await subscription.CommittedAsync(events, ct);
        }

        return new Progress(events.Count, reached < end, reached);
    }

    /// <summary>Moves past the one event that stands next and keeps it with the reason; used after it failed alone.</summary>
    internal async Task ParkNextAsync(Subscription subscription, Exception reason, int attempts, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        if (await BeginAsync(connection, subscription.Name, wait: false, ct) is not var (transaction, position))
        {
            return;
        }

        await using var work = transaction;
        var events = await ReadAsync(connection, position, await HighWaterMarkAsync(connection, ct), subscription.EventTypes, 1, ct);
        if (events.Count == 0)
        {
            return;
        }

        await connection.ExecuteAsync(new CommandDefinition("""
            insert into events.parked_events (subscription, seq_id, reason, attempts, parked_at) values (@Name, @Position, @Message, @attempts, @now)
            on conflict (subscription, seq_id) do update set reason = excluded.reason, attempts = excluded.attempts, parked_at = excluded.parked_at
            """, new { subscription.Name, events[0].Position, Message = $"{reason.GetType().Name}: {reason.Message}", attempts, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        await MoveAsync(connection, subscription.Name, events[0].Position, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Hands a subscription's parked events to it once more, each in a transaction of its own; those that succeed are no longer parked.</summary>
    /// <returns>Replayed and still failing.</returns>
    public async Task<(int Replayed, int Failed)> ReplayParkedAsync(string name, CancellationToken ct = default)
    {
        var subscription = byName[name];
        await using var connection = await database.OpenConnectionAsync(ct);
        var positions = (await connection.QueryAsync<long>(new CommandDefinition(
            "select seq_id from events.parked_events where subscription = @name order by seq_id", new { name }, cancellationToken: ct))).AsList();
        var failed = 0;
        foreach (var position in positions)
        {
            var (transaction, _) = (await BeginAsync(connection, name, wait: true, ct))!.Value;
            await using var work = transaction;
            var events = await ReadAsync(connection, position - 1, position, null, 1, ct);
            try
            {
                await subscription.HandleAsync(events, transaction, ct);
                await connection.ExecuteAsync(new CommandDefinition(
                    "delete from events.parked_events where subscription = @name and seq_id = @position", new { name, position }, cancellationToken: ct));
                await transaction.CommitAsync(ct);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                await transaction.RollbackAsync(ct);
                await connection.ExecuteAsync(new CommandDefinition(
                    "update events.parked_events set reason = @Message, attempts = attempts + 1 where subscription = @name and seq_id = @position",
                    new { name, position, Message = $"{fault.GetType().Name}: {fault.Message}" }, cancellationToken: ct));
                failed++;
            }
        }

        return (positions.Count - failed, failed);
    }

    /// <summary>Empties a subscription's tables and sends it back to the start of the log; the others go on.</summary>
    /// <exception cref="ArchiveException">Events that it wants have left the log; nothing was changed.</exception>
    public Task RebuildAsync(string name, CancellationToken ct = default) => RebuildAsync(name, int.MaxValue, ct);

    /// <summary>
    /// Sends back every subscription whose tables an older version of it wrote, and answers them; to be called before any of them moves. One whose events are no longer all in the log
    /// keeps its tables as they are.
    /// </summary>
    public async Task<IReadOnlyList<OutdatedTables>> RebuildOutdatedAsync(CancellationToken ct = default)
    {
        List<(string Name, int Version)> known;
        await using (var connection = await database.OpenConnectionAsync(ct))
        {
            known = (await connection.QueryAsync<(string Name, int Version)>(new CommandDefinition("select name, projection_version from events.mt_event_progression order by name", cancellationToken: ct))).AsList();
        }

        var outdated = new List<OutdatedTables>();
        foreach (var (name, version) in known.Where(one => byName.TryGetValue(one.Name, out var subscription) && one.Version < subscription.Version))
        {
            try
            {
                await RebuildAsync(name, byName[name].Version, ct);
                outdated.Add(new OutdatedTables(name, version, null));
            }
            catch (ArchiveException gone)
            {
                outdated.Add(new OutdatedTables(name, version, gone.Message));
            }
        }

        return outdated;
    }

    /// <summary>Rebuilds one unless its tables are of this version or a newer one by now: another host may have been quicker.</summary>
    private async Task RebuildAsync(string name, int unless, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var (transaction, _) = (await BeginAsync(connection, name, wait: true, ct))!.Value;
        await using var work = transaction;
        if (await connection.ExecuteScalarAsync<int>(new CommandDefinition("select projection_version from events.mt_event_progression where name = @name", new { name }, cancellationToken: ct)) >= unless)
        {
            return;
        }

        await Archive.RequireWholeLogAsync(connection, byName[name].EventTypes, ct);
        await byName[name].ResetAsync(transaction, ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            delete from events.parked_events where subscription = @name;
            update events.subscription_types set since = 0 where subscription = @name;
            update events.mt_event_progression set projection_version = @Version where name = @name
            """, new { name, byName[name].Version }, cancellationToken: ct));
        await MoveAsync(connection, name, 0, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Handles everything the log holds now, and what the subscriptions themselves append meanwhile, for every subscription or one; the way command-line verbs and tests
    /// wait for projections.
    /// </summary>
    public async Task CatchUpAsync(string? name = null, CancellationToken ct = default)
    {
        await RebuildOutdatedAsync(ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        // What one appends may be for another that stands before it. On a host that takes events in there is always one more: then a few rounds are enough.
        var end = -1L;
        for (var round = 0; round < MostRounds && await HighWaterMarkAsync(connection, ct) is var now && now > end; round++)
        {
            end = now;
            await CatchUpToAsync(connection, end, name, ct);
        }
    }

    private async Task CatchUpToAsync(NpgsqlConnection connection, long end, string? name, CancellationToken ct)
    {
        if (end > SmallLog && await connection.ExecuteScalarAsync<float>(new CommandDefinition("select reltuples from pg_class where oid = 'events.mt_events'::regclass", cancellationToken: ct)) < end / 2)
        {
            // Of a log that was filled a moment ago the database believes that it is small, and would read all that is left for each batch.
            await connection.ExecuteAsync(new CommandDefinition("analyze events.mt_events", commandTimeout: 600, cancellationToken: ct));
        }

        foreach (var subscription in byName.Values.Where(item => name is null || item.Name == name))
        {
            while ((await AdvanceAsync(subscription, ct: ct)).Position < end)
            {
                var position = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                    "select coalesce(max(last_seq_id), 0) from events.mt_event_progression where name = @Name", new { subscription.Name }, cancellationToken: ct));
                if (position >= end)
                {
                    break;
                }
            }
        }
    }

    /// <summary>Opens a transaction that holds the position's row, or none when another host holds it.</summary>
    private async Task<(NpgsqlTransaction Transaction, long Position)?> BeginAsync(NpgsqlConnection connection, string name, bool wait, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            var transaction = await connection.BeginTransactionAsync(ct);
            // No wait for the disk: a crash takes the last steps back whole, tables and position together, and they are done again. What is
            // on the disk later implies what was committed before, so nobody has passed an event that a crash can take back.
            var row = await connection.QuerySingleOrDefaultAsync<(long? Position, string Setting)>(new CommandDefinition(
                $"select coalesce(last_seq_id, 0), set_config('synchronous_commit', 'off', true) from events.mt_event_progression where name = @name for update{(wait ? "" : " skip locked")}",
                new { name }, transaction, cancellationToken: ct));
            if (row.Position is { } position)
            {
                return (transaction, position);
            }

            await transaction.DisposeAsync();
            if (attempt > 0)
            {
                return null;
            }

            // The row may be new: made in a transaction of its own, so that no other host waits for this one's work.
            await connection.ExecuteAsync(new CommandDefinition(
                "insert into events.mt_event_progression (name, last_seq_id, projection_version) values (@name, 0, @Version) on conflict do nothing", new { name, byName[name].Version }, cancellationToken: ct));
        }
    }

    private static async Task<long> HighWaterMarkAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<long>(new CommandDefinition("select coalesce(max(seq_id), 0) from events.mt_events", cancellationToken: ct));

    private static async Task MoveAsync(NpgsqlConnection connection, string name, long position, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition(
            "update events.mt_event_progression set last_seq_id = @position, last_updated = transaction_timestamp() where name = @name", new { name, position }, cancellationToken: ct));

    private async Task<List<RecordedEvent>> ReadAsync(
        NpgsqlConnection connection, long after, long upTo, IReadOnlyCollection<string>? types, int limit, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            select seq_id, id, stream_id, version, type, schema_version, data, occurred_at, timestamp from events.mt_events
            where seq_id > $1 and seq_id <= $2 and ($3::varchar[] is null or type = any($3)) order by seq_id limit $4
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = after });
        command.Parameters.Add(new NpgsqlParameter { Value = upTo });
        command.Parameters.Add(new NpgsqlParameter { Value = types is null ? DBNull.Value : types.ToArray(), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Varchar });
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var events = new List<RecordedEvent>();
        while (await reader.ReadAsync(ct))
        {
            events.Add((upcasts ?? Upcasts.None).Apply(EventLog.Read(reader)));
        }

        return events;
    }

    /// <summary>What one step of a subscription did.</summary>
    /// <param name="Handled">Events that took effect.</param>
    /// <param name="More">Whether more wait.</param>
    /// <param name="Position">Where it stands now; 0 when another host holds it.</param>
    public readonly record struct Progress(int Handled, bool More, long Position);
}
