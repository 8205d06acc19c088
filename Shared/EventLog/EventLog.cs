using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace OKLA.Shared.EventLog;

/// <summary>
/// The append-only log of everything that happened, in PostgreSQL: many streams, one global order.
/// </summary>
/// <remarks>
/// Appends are serialised by one transaction-scoped advisory lock, taken before positions are drawn. Positions therefore become
/// visible in order, and "the highest visible position" is a safe mark for readers. Append last in a transaction: the lock is
/// held until it commits.
/// </remarks>
public sealed class EventLog(NpgsqlDataSource database, TimeProvider clock, Upcasts? upcasts = null)
{
    /// <summary>Channel of the NOTIFY that follows every append.</summary>
    public const string Channel = "okla_events";

    private const long AppendLock = 0x4F4B4C41_4C4F4721; // "OKLALOG!"

    private const string Columns = "seq_id, id, stream_id, version, type, schema_version, data, occurred_at, timestamp";

    /// <summary>Appends events to one stream in a transaction of its own.</summary>
    public async Task<AppendResult> AppendAsync(string streamId, ExpectedVersion expected, IReadOnlyList<NewEvent> events, CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var result = await AppendAsync(transaction, streamId, expected, events, ct);
        if (result.Status == AppendStatus.Appended)
        {
            await transaction.CommitAsync(ct);
        }

        return result;
    }

    /// <summary>Appends events to one stream within the caller's transaction, so that they appear with its other writes or not at all.</summary>
    public async Task<AppendResult> AppendAsync(
        NpgsqlTransaction transaction, string streamId, ExpectedVersion expected, IReadOnlyList<NewEvent> events, CancellationToken ct = default)
    {
        var connection = transaction.Connection!;
        await LockAsync(connection, ct);
        var version = await connection.ExecuteScalarAsync<long?>(
            new CommandDefinition("select version from events.mt_streams where id = @streamId", new { streamId }, cancellationToken: ct)) ?? 0;
        if (!expected.Allows(version))
        {
            return new AppendResult(AppendStatus.VersionConflict, version, []);
        }

        var repeated = await AppendAsync(transaction, [.. events.Select(item => new StreamEvent(streamId, item))], ct);
        return new AppendResult(AppendStatus.Appended, version + repeated.Count(known => !known), repeated);
    }

    /// <summary>
    /// Appends events of any streams within the caller's transaction: ids that the log holds already, or that come twice in the
    /// batch, are skipped. Cost: three round trips whatever the size.
    /// </summary>
    /// <returns>For each event, whether it was a repeat.</returns>
    public async Task<bool[]> AppendAsync(NpgsqlTransaction transaction, IReadOnlyList<StreamEvent> events, CancellationToken ct = default)
    {
        var connection = transaction.Connection!;
        var repeated = await FindRepeatsAsync(connection, events, ct);
        var counts = new Dictionary<string, long>();
        var fresh = 0;
        for (var i = 0; i < events.Count; i++)
        {
            if (!repeated[i])
            {
                counts[events[i].StreamId] = counts.GetValueOrDefault(events[i].StreamId) + 1;
                fresh++;
            }
        }

        if (fresh == 0)
        {
            return repeated;
        }

        var now = clock.GetUtcNow();
        var (next, positions) = await ReserveAsync(connection, counts, fresh, now, ct);
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy events.mt_events (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version) from stdin (format binary)", ct);
        for (int i = 0, row = 0; i < events.Count; i++)
        {
            if (repeated[i])
            {
                continue;
            }

            var (streamId, item) = events[i];
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(positions[row++], NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(item.Id, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(streamId, NpgsqlDbType.Varchar, ct);
            await copy.WriteAsync(next[streamId]++, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(item.Data, NpgsqlDbType.Jsonb, ct);
            await copy.WriteAsync(item.Type, NpgsqlDbType.Varchar, ct);
            await copy.WriteAsync((item.KnownAt ?? now).UtcDateTime, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync((item.OccurredAt ?? item.KnownAt ?? now).UtcDateTime, NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync(item.SchemaVersion, NpgsqlDbType.Smallint, ct);
        }

        await copy.CompleteAsync(ct);
        return repeated;
    }

    /// <summary>
    /// Appends events of any streams in a transaction of its own, as <see cref="AppendAsync(NpgsqlTransaction, IReadOnlyList{StreamEvent}, CancellationToken)"/>
    /// does. Cost: one round trip, so that the lock is held no longer than the database works; dearer by the event, so it is for small groups.
    /// </summary>
    /// <returns>For each event, whether it was a repeat.</returns>
    internal async Task<bool[]> AppendAtOnceAsync(IReadOnlyList<StreamEvent> events, CancellationToken ct = default)
    {
        var places = new Dictionary<Guid, int>(events.Count);
        var sent = new List<StreamEvent>(events.Count);
        for (var i = 0; i < events.Count; i++)
        {
            if (places.TryAdd(events[i].Event.Id, i))
            {
                sent.Add(events[i]);
            }
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await using var append = new NpgsqlCommand("select * from events.append($1, $2, $3, $4, $5, $6, $7, $8, $9)", connection);
        append.Parameters.Add(new NpgsqlParameter { Value = AppendLock });
        void Add<T>(NpgsqlDbType type, Func<NewEvent, T> of) => append.Parameters.Add(new NpgsqlParameter { Value = sent.ConvertAll(item => of(item.Event)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
        append.Parameters.Add(new NpgsqlParameter { Value = clock.GetUtcNow().UtcDateTime });
        Add(NpgsqlDbType.Uuid, item => item.Id);
        append.Parameters.Add(new NpgsqlParameter { Value = sent.ConvertAll(item => item.StreamId).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar });
        Add(NpgsqlDbType.Jsonb, item => item.Data);
        Add(NpgsqlDbType.Varchar, item => item.Type);
        Add(NpgsqlDbType.TimestampTz, item => item.KnownAt?.UtcDateTime);
        Add(NpgsqlDbType.TimestampTz, item => item.OccurredAt?.UtcDateTime);
        Add(NpgsqlDbType.Smallint, item => item.SchemaVersion);
        await append.PrepareAsync(ct);
        var repeated = new bool[events.Count];
        Array.Fill(repeated, true);
        await using var fresh = await append.ExecuteReaderAsync(ct);
        while (await fresh.ReadAsync(ct))
        {
            repeated[places[fresh.GetGuid(0)]] = false;
        }

        return repeated;
    }

    /// <summary>The events of one stream from a version on, in order.</summary>
    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(string streamId, long fromVersion = 1, CancellationToken ct = default) =>
        QueryAsync($"select {Columns} from events.mt_events where stream_id = $1 and version >= $2 order by version", [streamId, fromVersion], ct);

    /// <summary>The events after a position in the global order, of some types or of all, up to <paramref name="limit"/>.</summary>
    public IAsyncEnumerable<RecordedEvent> ReadAsync(long afterPosition, IReadOnlyCollection<string>? types = null, int limit = int.MaxValue, CancellationToken ct = default) =>
        types is null
            ? QueryAsync($"select {Columns} from events.mt_events where seq_id > $1 order by seq_id limit $2", [afterPosition, limit], ct)
            : QueryAsync($"select {Columns} from events.mt_events where seq_id > $1 and type = any($3) order by seq_id limit $2", [afterPosition, limit, types.ToArray()], ct);

    /// <summary>The position below which nothing can appear any more; 0 when the log is empty.</summary>
    public async Task<long> HighWaterMarkAsync(CancellationToken ct = default)
    {
        await using var command = database.CreateCommand("select coalesce(max(seq_id), 0) from events.mt_events");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Makes appends wait until the caller's transaction ends.</summary>
    internal static Task LockAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@AppendLock)", new { AppendLock }, cancellationToken: ct));

    internal static RecordedEvent Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), row.GetString(2), row.GetInt64(3), row.GetString(4), row.GetInt16(5), row.GetFieldValue<byte[]>(6),
        row.GetFieldValue<DateTimeOffset>(7), row.GetFieldValue<DateTimeOffset>(8));

    private async IAsyncEnumerable<RecordedEvent> QueryAsync(string sql, object[] parameters, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            yield return (upcasts ?? Upcasts.None).Apply(Read(reader));
        }
    }

    private static async Task<bool[]> FindRepeatsAsync(NpgsqlConnection connection, IReadOnlyList<StreamEvent> events, CancellationToken ct)
    {
        var repeated = new bool[events.Count];
        var places = new Dictionary<Guid, int>(events.Count);
        for (var i = 0; i < events.Count; i++)
        {
            repeated[i] = !places.TryAdd(events[i].Event.Id, i);
        }

        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = AppendLock } } });
        // A statement of its own after the lock: its snapshot sees everything committed by earlier holders, and an event that leaves for
        // a file or comes back is in one of the two.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select id from events.mt_events where id = any($1) union all select id from events.archived_ids where id = any($1)") { Parameters = { new() { Value = places.Keys.ToArray() } } });
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            repeated[places[reader.GetGuid(0)]] = true;
        }

        return repeated;
    }

    /// <summary>Raises the streams' versions, draws positions and announces the append in one round trip.</summary>
    private static async Task<(Dictionary<string, long> NextVersion, long[] Positions)> ReserveAsync(
        NpgsqlConnection connection, Dictionary<string, long> counts, int fresh, DateTimeOffset now, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into events.mt_streams as s (id, version, timestamp, created)
            select id, n, $3, $3 from unnest($1, $2) as new (id, n)
            on conflict (id) do update set version = s.version + excluded.version, timestamp = excluded.timestamp
            returning id, version
            """)
        {
            Parameters = { new() { Value = counts.Keys.ToArray() }, new() { Value = counts.Values.ToArray() }, new() { Value = now.UtcDateTime } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select array_agg(nextval('events.mt_events_sequence')) from generate_series(1, $1)")
        {
            Parameters = { new() { Value = fresh } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"notify {Channel}"));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var id = reader.GetString(0);
            counts[id] = reader.GetInt64(1) - counts[id] + 1;
        }

        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return (counts, reader.GetFieldValue<long[]>(0));
    }
}
