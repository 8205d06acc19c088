using System.Globalization;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;

namespace OKLA.Shared.EventLog;

/// <summary>The way back: events return with their positions, ids, versions and times.</summary>
public sealed partial class Archive
{
    /// <summary>Brings a file's events back into the log. Subscriptions that have passed them do not read them again. Loading twice changes nothing.</summary>
    /// <param name="id">The archive.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops between batches; the next call goes on.</param>
    /// <returns>Events that came back now; null when there is no such archive.</returns>
    /// <exception cref="ArchiveException">The file is damaged, and nothing of it was loaded; or it is still being written.</exception>
    public async Task<long?> LoadAsync(Guid id, IProgress<WorkProgress>? progress = null, CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await LockAsync(connection, ct);
        try
        {
            return (await FindAsync(connection, $"id = '{id}'", ct)).SingleOrDefault() switch
            {
                null => null,
                { State: ArchiveState.Exporting } file => throw new ArchiveException($"{file.File} is not finished; its events are in the log."),
                { State: ArchiveState.Verified or ArchiveState.Loaded } => 0,
                { } file => await LoadAsync(connection, file, progress, ct),
            };
        }
        finally
        {
            await UnlockAsync(connection);
        }
    }

    private async Task<long> LoadAsync(NpgsqlConnection connection, ArchiveManifest file, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        await CheckAsync(file, ct);
        if (file.State != ArchiveState.Loading)
        {
            await SaveAsync(connection, file with { State = ArchiveState.Loading }, file.State, ct);
            AfterStep?.Invoke("loading");
        }

        await connection.ExecuteAsync(new CommandDefinition("create temporary table if not exists returning_events (like events.mt_events including defaults) on commit delete rows", cancellationToken: ct));
        long back = 0, read = 0;
        var batch = new List<RecordedEvent>(options.BatchSize);
        await foreach (var line in ArchiveFile.LinesAsync(PathOf(file.File), ct))
        {
            // The line's memory is another one's when the batch is written.
            batch.Add(ArchiveFile.Parse(line.ToArray()));
            if (batch.Count == options.BatchSize)
            {
                await FlushAsync();
            }
        }

        await FlushAsync();
        await SaveAsync(connection, file with { State = ArchiveState.Loaded }, ArchiveState.Loading, ct);
        AfterStep?.Invoke("loaded");
        return back;

        async Task FlushAsync()
        {
            if (batch.Count > 0)
            {
                back += await ReturnAsync(connection, file.Id, batch, ct);
                read += batch.Count;
                batch.Clear();
                progress?.Report(new WorkProgress(read / (double)file.Events, file.File));
                AfterStep?.Invoke("returned");
            }
        }
    }

    /// <summary>
    /// Makes appends take the ids of a batch for known. Those that were forgotten are remembered again, for which appends wait a
    /// moment: one that has looked for an id is then through, and none takes it for new between here and its return.
    /// </summary>
    private static async Task RememberAsync(NpgsqlConnection connection, Guid archive, Guid[] ids, CancellationToken ct)
    {
        var known = await connection.ExecuteScalarAsync<long>(new CommandDefinition("select count(*) from events.archived_ids where id = any(@ids)", new { ids }, cancellationToken: ct));
        if (known == ids.Length)
        {
            return;
        }

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await EventLog.LockAsync(connection, ct);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into events.archived_ids (id, archive_id) select id, @archive from unnest(@ids) as i (id)
            where not exists (select 1 from events.mt_events e where e.id = i.id) on conflict do nothing
            """,
            new { archive, ids }, cancellationToken: ct));
        await transaction.CommitAsync(ct);
    }

    /// <summary>One batch in one transaction; appends do not wait for it.</summary>
    private static async Task<long> ReturnAsync(NpgsqlConnection connection, Guid archive, List<RecordedEvent> batch, CancellationToken ct)
    {
        await RememberAsync(connection, archive, [.. batch.Select(item => item.Id)], ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var copy = await connection.BeginBinaryImportAsync(
            "copy returning_events (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version) from stdin (format binary)", ct))
        {
            foreach (var item in batch)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(item.Position, NpgsqlDbType.Bigint, ct);
                await copy.WriteAsync(item.Id, NpgsqlDbType.Uuid, ct);
                await copy.WriteAsync(item.StreamId, NpgsqlDbType.Varchar, ct);
                await copy.WriteAsync(item.Version, NpgsqlDbType.Bigint, ct);
                await copy.WriteAsync(item.Data, NpgsqlDbType.Jsonb, ct);
                await copy.WriteAsync(item.Type, NpgsqlDbType.Varchar, ct);
                await copy.WriteAsync(item.KnownAt.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
                await copy.WriteAsync(item.OccurredAt.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
                await copy.WriteAsync(item.SchemaVersion, NpgsqlDbType.Smallint, ct);
            }

            await copy.CompleteAsync(ct);
        }

        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into events.mt_streams (id, version, timestamp, created)
            select stream_id, max(version), max(timestamp), min(timestamp) from returning_events group by stream_id on conflict (id) do nothing
            """, cancellationToken: ct));
        var back = await connection.ExecuteAsync(new CommandDefinition("insert into events.mt_events select * from returning_events order by seq_id on conflict do nothing", cancellationToken: ct));
        // Not there by its id either: its place is taken by another event.
        var lost = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "select count(*) from returning_events r where not exists (select 1 from events.mt_events e where e.id = r.id)", cancellationToken: ct));
        if (lost > 0)
        {
            throw new ArchiveException(string.Create(CultureInfo.InvariantCulture, $"{lost} events cannot come back: their positions or versions belong to others. The batch was not loaded."));
        }

        await connection.ExecuteAsync(new CommandDefinition("delete from events.archived_ids where id in (select id from returning_events)", cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return back;
    }
}
