using System.Globalization;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.Database;

namespace OKLA.Shared.EventLog;

/// <summary>
/// Old events in compressed files instead of the log, and back. Every state of a file is a row that is written before the next step
/// begins, and only what was read back from the file is deleted, so that a crash at any point loses and doubles nothing. One node
/// works at a time, by an advisory lock that is held for one file; it is held on the connection that writes the states, so that who
/// lost it cannot go on. Streams keep their versions, and ids of what left are remembered for a set time.
/// </summary>
public sealed partial class Archive
{
    private const long ArchiveLock = 0x4F4B4C41_41524348; // "OKLAARCH"

    private const string Columns =
        "id, day, part, state, file, schema_versions, events, first_position, last_position, first_known_at, last_known_at, bytes, sha256, changed_at";

    private readonly NpgsqlDataSource database;
    private readonly IReadOnlyList<string> subscribed;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly string folder;

    /// <summary>Creates nothing yet; the folder is made when the first file is written.</summary>
    public Archive(
        NpgsqlDataSource database, IEnumerable<Subscription> subscriptions, IOptions<ArchiveOptions> options, TimeProvider clock, DatabaseOptions? data = null, IHostEnvironment? host = null)
    {
        this.database = database;
        this.options = options.Value;
        this.clock = clock;
        subscribed = [.. subscriptions.Select(subscription => subscription.Name)];
        var dataFolder = Path.GetFullPath((data ?? new DatabaseOptions()).DataFolder, host?.ContentRootPath ?? Directory.GetCurrentDirectory());
        folder = Path.GetFullPath(this.options.Folder, dataFolder);
    }

    /// <summary>Called after each step with its name; tests stop the work there.</summary>
    internal Action<string>? AfterStep { get; init; }

    /// <summary>Every file, oldest day first.</summary>
    public async Task<IReadOnlyList<ArchiveManifest>> ListAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await FindAsync(connection, "true", ct);
    }

    /// <summary>
    /// Moves events that the rules name into files, after finishing what an earlier run left. Events stay while a subscription has
    /// not read them, while one of them is parked, and the newest one always.
    /// </summary>
    /// <exception cref="ArchiveException">A file cannot be written or is damaged; its events are still in the log.</exception>
    public async Task<ArchiveReport> ExportAsync(IReadOnlyList<ArchiveRule> rules, IProgress<WorkProgress>? progress = null, CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var (files, events, waiting) = (0, await FinishAsync(connection, ct), await BehindAsync(connection, ct));
        long planned = 0, done = 0;
        var days = new List<(ArchiveRule Rule, DateOnly Day, long UpTo)>();
        foreach (var rule in rules)
        {
            var upTo = await LimitAsync(connection, ct);
            foreach (var (day, count) in await DaysAsync(connection, rule, upTo, ct))
            {
                days.Add((rule, day, upTo));
                planned += count;
            }
        }

        foreach (var (rule, day, upTo) in days)
        {
            while (true)
            {
                await LockAsync(connection, ct);
                try
                {
                    if (await WriteAsync(connection, rule, day, upTo, ct) is not { } written)
                    {
                        break;
                    }

                    files++;
                    done += written.Events;
                    events += await RemoveAsync(connection, written, ct) ?? 0;
                    progress?.Report(new WorkProgress(planned == 0 ? 1 : Math.Min(1, done / (double)planned), written.File));
                }
                finally
                {
                    await UnlockAsync(connection);
                }
            }
        }

        return new ArchiveReport(files, events, waiting);
    }

    /// <summary>Deletes files that nothing names any more.</summary>
    public async Task SweepAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await LockAsync(connection, ct);
        try
        {
            await SweepAsync(connection, ct);
        }
        finally
        {
            await UnlockAsync(connection);
        }
    }

    /// <summary>Makes a change of a subscription's place in the log wait for no file, and refuses one that would miss events that are in files alone.</summary>
    /// <exception cref="ArchiveException">Events of these types have left the log.</exception>
    internal static async Task RequireWholeLogAsync(NpgsqlConnection connection, IReadOnlyCollection<string>? types, CancellationToken ct)
    {
        var (files, events, first, last) = await connection.QuerySingleAsync<(long, long, long?, long?)>(new CommandDefinition(
            """
            select count(*), coalesce(sum(events), 0)::bigint, min(first_position), max(last_position) from events.archives
            where state in ('deleting', 'done', 'loading') and (@types::varchar[] is null or types && @types::varchar[])
            """,
            new { types = types?.ToArray() }, cancellationToken: ct));
        if (files > 0)
        {
            throw new ArchiveException(string.Create(CultureInfo.InvariantCulture,
                $"{events:N0} events of positions {first} to {last} have left the log for {files} files and would be missed. Load them back first: archive load all."));
        }
    }

    /// <summary>What an earlier run left: half-written files go, half-deleted ones are finished, loaded ones leave again when their time is over.</summary>
    private async Task<long> FinishAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await LockAsync(connection, ct);
        try
        {
            foreach (var abandoned in await FindAsync(connection, "state = 'exporting'", ct))
            {
                await DropAsync(connection, abandoned, ct);
            }

            await SweepAsync(connection, ct);
            var now = clock.GetUtcNow();
            await connection.ExecuteAsync(new CommandDefinition(
                "delete from events.archived_ids where archive_id in (select id from events.archives where state = 'done' and changed_at < @forget)",
                new { forget = now.AddDays(-options.RememberIdsDays).UtcDateTime }, commandTimeout: 0, cancellationToken: ct));
            long removed = 0;
            foreach (var file in await FindAsync(connection, $"state in ('verified', 'deleting') or (state in ('loading', 'loaded') and changed_at < '{now.AddDays(-options.LoadedDays):O}')", ct))
            {
                // Time has passed since it was read back.
                await CheckAsync(file, ct);
                removed += await RemoveAsync(connection, file, ct) ?? 0;
            }

            return removed;
        }
        finally
        {
            await UnlockAsync(connection);
        }
    }

    /// <summary>Writes the next part of a day and reads it back; null when nothing of the day is left.</summary>
    private async Task<ArchiveManifest?> WriteAsync(NpgsqlConnection connection, ArchiveRule rule, DateOnly day, long upTo, CancellationToken ct)
    {
        var part = await connection.ExecuteScalarAsync<int>(new CommandDefinition("select coalesce(max(part), 0) + 1 from events.archives where day = @day", new { day }, cancellationToken: ct));
        var manifest = new ArchiveManifest(
            Guid.CreateVersion7(), day, part, ArchiveState.Exporting, string.Create(CultureInfo.InvariantCulture, $"{day:yyyy-MM-dd}-{part:000}.ndjson.gz"),
            new Dictionary<string, short[]>(), 0, 0, 0, null, null, 0, "", clock.GetUtcNow());
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into events.archives (id, day, part, state, file, changed_at) values (@Id, @Day, @Part, 'exporting', @File, @at)",
            new { manifest.Id, manifest.Day, manifest.Part, manifest.File, at = manifest.ChangedAt.UtcDateTime }, cancellationToken: ct));
        AfterStep?.Invoke("named");
        var (events, linesHash) = (0L, "");
        try
        {
            Directory.CreateDirectory(folder);
            await using var writer = ArchiveFile.Create(PathOf(manifest.File));
            await using (var command = new NpgsqlCommand($"""
                select {ArchiveFile.Line} from events.mt_events e
                where e.timestamp >= $1 and e.timestamp < $2 and e.type = any($3) and e.seq_id <= $4
                  and not exists (select 1 from events.parked_events p where p.seq_id = e.seq_id)
                  and not exists (
                      select 1 from events.archives a where a.day = $5 and a.state not in ('exporting', 'done')
                      and e.seq_id between a.first_position and a.last_position and e.type = any(a.types))
                order by e.seq_id limit $6
                """, connection) { CommandTimeout = 0 })
            {
                var start = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
                var end = rule.Before <= day ? start : start.AddDays(1);
                foreach (var value in new object[] { start, end, rule.Types.ToArray(), upTo, day, options.EventsPerFile })
                {
                    command.Parameters.Add(new NpgsqlParameter { Value = value });
                }

                await using var rows = await command.ExecuteReaderAsync(ct);
                for (; await rows.ReadAsync(ct); events++)
                {
                    writer.Add(rows.GetFieldValue<byte[]>(0));
                }
            }

            linesHash = await writer.FinishAsync();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            await DropAsync(connection, manifest, CancellationToken.None);
            throw new ArchiveException($"The archive's folder {folder} cannot be written to, and nothing was deleted: {refused.Message}", refused);
        }

        if (events == 0)
        {
            await DropAsync(connection, manifest, ct);
            return null;
        }

        AfterStep?.Invoke("written");
        var (content, readHash, sha256, bytes) = await ArchiveFile.ReadAsync(PathOf(manifest.File), ct);
        if (readHash != linesHash || content.Events != events)
        {
            throw new ArchiveException($"{manifest.File} does not hold what was written to it; nothing was deleted.");
        }

        manifest = Describe(manifest, content, sha256, bytes) with { State = ArchiveState.Verified };
        await WriteManifestAsync(manifest, ct);
        await SaveAsync(connection, manifest, ArchiveState.Exporting, ct);
        AfterStep?.Invoke("verified");
        return manifest;
    }

    /// <summary>Deletes from the log what a file holds.</summary>
    /// <returns>Events deleted now; null when a subscription has not read all of them.</returns>
    private async Task<long?> RemoveAsync(NpgsqlConnection connection, ArchiveManifest file, CancellationToken ct)
    {
        if (file.State != ArchiveState.Deleting)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            // A rebuild holds its row, so either it comes first and is seen here, or it finds this file among those that are gone.
            if (await ReadByAllAsync(connection, ct) < file.LastPosition)
            {
                return null;
            }

            await SaveAsync(connection, file with { State = ArchiveState.Deleting }, file.State, ct);
            await transaction.CommitAsync(ct);
            AfterStep?.Invoke("deleting");
        }

        long removed = 0;
        await foreach (var positions in PositionsAsync(file, ct))
        {
            await using var command = new NpgsqlCommand(
                """
                with gone as (delete from events.mt_events where seq_id = any($1) returning id), known as (
                    insert into events.archived_ids (id, archive_id) select id, $2 from gone on conflict (id) do update set archive_id = excluded.archive_id)
                select count(*) from gone
                """, connection) { Parameters = { new() { Value = positions }, new() { Value = file.Id } } };
            removed += (long)(await command.ExecuteScalarAsync(ct))!;
            AfterStep?.Invoke("batch");
        }

        await SaveAsync(connection, file with { State = ArchiveState.Done }, ArchiveState.Deleting, ct);
        AfterStep?.Invoke("done");
        return removed;
    }

    private async IAsyncEnumerable<long[]> PositionsAsync(ArchiveManifest file, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var positions = new List<long>(options.BatchSize);
        await foreach (var line in ArchiveFile.LinesAsync(PathOf(file.File), ct))
        {
            positions.Add(ArchiveFile.Parse(line).Position);
            if (positions.Count == options.BatchSize)
            {
                yield return positions.ToArray();
                positions.Clear();
            }
        }

        if (positions.Count > 0)
        {
            yield return positions.ToArray();
        }
    }

    /// <summary>Whether the file is what its manifest says, read whole.</summary>
    /// <exception cref="ArchiveException">It is not.</exception>
    private async Task CheckAsync(ArchiveManifest file, CancellationToken ct)
    {
        var (content, _, sha256, _) = await ArchiveFile.ReadAsync(PathOf(file.File), ct);
        if (sha256 != file.Sha256 || !content.Fits(file))
        {
            throw new ArchiveException($"{file.File} is damaged: its SHA-256 is {sha256}, and its manifest says {file.Sha256}. Nothing was changed.");
        }
    }

    private async Task SweepAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var file in (await connection.QueryAsync<string>(new CommandDefinition("select file from events.doomed_files", cancellationToken: ct))).AsList())
        {
            Delete(file);
            await connection.ExecuteAsync(new CommandDefinition("delete from events.doomed_files where file = @file", new { file }, cancellationToken: ct));
        }
    }

    private async Task DropAsync(NpgsqlConnection connection, ArchiveManifest file, CancellationToken ct)
    {
        Delete(file.File);
        await connection.ExecuteAsync(new CommandDefinition("delete from events.archives where id = @Id and state = 'exporting'", new { file.Id }, cancellationToken: ct));
    }

    private void Delete(string file)
    {
        if (Directory.Exists(folder))
        {
            File.Delete(PathOf(file));
            File.Delete(PathOf(ManifestOf(file)));
        }
    }

    /// <summary>The highest position that may leave: not the newest event, by which readers see how far the log goes, and nothing that a subscription still wants.</summary>
    private async Task<long> LimitAsync(NpgsqlConnection connection, CancellationToken ct) => Math.Min(
        await ReadByAllAsync(connection, ct),
        await connection.ExecuteScalarAsync<long>(new CommandDefinition("select coalesce(max(seq_id), 0) - 1 from events.mt_events", cancellationToken: ct)));

    private async Task<long> ReadByAllAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var places = await PlacesAsync(connection, ct);
        return subscribed.Select(name => places.GetValueOrDefault(name)).Concat(places.Values).DefaultIfEmpty(long.MaxValue).Min();
    }

    private async Task<IReadOnlyList<string>> BehindAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var places = await PlacesAsync(connection, ct);
        var end = await connection.ExecuteScalarAsync<long>(new CommandDefinition("select coalesce(max(seq_id), 0) from events.mt_events", cancellationToken: ct));
        return [.. subscribed.Concat(places.Keys).Distinct().Where(name => places.GetValueOrDefault(name) < end - 1).Order(StringComparer.Ordinal)
            .Select(name => string.Create(CultureInfo.InvariantCulture, $"{name} has read to position {places.GetValueOrDefault(name)} of {end}"))];
    }

    // A subscription that another release knows counts too. The share lock waits for a batch or a rebuild under way.
    private static async Task<Dictionary<string, long>> PlacesAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.QueryAsync<(string Name, long Position)>(new CommandDefinition(
            "select name, coalesce(last_seq_id, 0) from events.mt_event_progression order by name for share", commandTimeout: 0, cancellationToken: ct))).ToDictionary(row => row.Name, row => row.Position);

    private static async Task<List<(DateOnly Day, long Count)>> DaysAsync(NpgsqlConnection connection, ArchiveRule rule, long upTo, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            select (timestamp at time zone 'UTC')::date, count(*) from events.mt_events
            where timestamp < $1 and type = any($2) and seq_id <= $3 group by 1 order by 1
            """, connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = rule.Before.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc) }, new() { Value = rule.Types.ToArray() }, new() { Value = upTo },
            },
        };
        await using var rows = await command.ExecuteReaderAsync(ct);
        var days = new List<(DateOnly, long)>();
        while (await rows.ReadAsync(ct))
        {
            days.Add((rows.GetFieldValue<DateOnly>(0), rows.GetInt64(1)));
        }

        return days;
    }

    private static ArchiveManifest Describe(ArchiveManifest manifest, ArchiveContent content, string sha256, long bytes) => manifest with
    {
        SchemaVersions = content.SchemaVersions, Events = content.Events, FirstPosition = content.FirstPosition, LastPosition = content.LastPosition,
        FirstKnownAt = content.FirstKnownAt, LastKnownAt = content.LastKnownAt, Sha256 = sha256, Bytes = bytes,
    };

    /// <summary>The manifest beside the file, for who has only the files.</summary>
    private async Task WriteManifestAsync(ArchiveManifest manifest, CancellationToken ct)
    {
        var facts = new
        {
            manifest.Id, manifest.Day, manifest.Part, manifest.File, manifest.SchemaVersions, manifest.Events, manifest.FirstPosition, manifest.LastPosition,
            manifest.FirstKnownAt, manifest.LastKnownAt, manifest.Bytes, manifest.Sha256,
        };
        try
        {
            await File.WriteAllBytesAsync(PathOf(ManifestOf(manifest.File)), JsonSerializer.SerializeToUtf8Bytes(facts, EventJson.Options), ct);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"The archive's folder {folder} cannot be written to, and nothing was deleted: {refused.Message}", refused);
        }
    }

    private async Task SaveAsync(NpgsqlConnection connection, ArchiveManifest manifest, ArchiveState from, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            update events.archives set state = $2, file = $3, types = $4, schema_versions = $5, events = $6, first_position = $7, last_position = $8,
                first_known_at = $9, last_known_at = $10, bytes = $11, sha256 = $12, changed_at = $13
            where id = $1 and state = $14
            """, connection);
        command.Parameters.AddWithValue(manifest.Id);
        command.Parameters.AddWithValue(Stored(manifest.State));
        command.Parameters.AddWithValue(manifest.File);
        command.Parameters.AddWithValue(manifest.SchemaVersions.Keys.ToArray());
        command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(manifest.SchemaVersions), NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.AddWithValue(manifest.Events);
        command.Parameters.AddWithValue(manifest.FirstPosition);
        command.Parameters.AddWithValue(manifest.LastPosition);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)manifest.FirstKnownAt?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)manifest.LastKnownAt?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.AddWithValue(manifest.Bytes);
        command.Parameters.AddWithValue(manifest.Sha256);
        command.Parameters.AddWithValue(clock.GetUtcNow().UtcDateTime);
        command.Parameters.AddWithValue(Stored(from));
        if (await command.ExecuteNonQueryAsync(ct) != 1)
        {
            throw new ArchiveException($"{manifest.File} is no longer {Stored(from)}: somebody else works on it.");
        }
    }

    private static async Task<IReadOnlyList<ArchiveManifest>> FindAsync(NpgsqlConnection connection, string condition, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from events.archives where {condition} order by day, part", connection);
        await using var row = await command.ExecuteReaderAsync(ct);
        var found = new List<ArchiveManifest>();
        while (await row.ReadAsync(ct))
        {
            found.Add(new ArchiveManifest(
                row.GetGuid(0), row.GetFieldValue<DateOnly>(1), row.GetInt32(2), Enum.Parse<ArchiveState>(row.GetString(3), ignoreCase: true), row.GetString(4),
                JsonSerializer.Deserialize<Dictionary<string, short[]>>(row.GetString(5))!, row.GetInt64(6), row.GetInt64(7), row.GetInt64(8),
                row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9), row.IsDBNull(10) ? null : row.GetFieldValue<DateTimeOffset>(10),
                row.GetInt64(11), row.GetString(12), row.GetFieldValue<DateTimeOffset>(13)));
        }

        return found;
    }

    private static async Task LockAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition("select pg_advisory_lock(@ArchiveLock)", new { ArchiveLock }, commandTimeout: 0, cancellationToken: ct));

    // A broken connection has lost the lock by itself, and what broke it is the exception to be seen.
    private static Task UnlockAsync(NpgsqlConnection connection) => connection.FullState.HasFlag(System.Data.ConnectionState.Open)
        ? connection.ExecuteAsync("select pg_advisory_unlock(@ArchiveLock)", new { ArchiveLock }) : Task.CompletedTask;

    private static string Stored(ArchiveState state) => state.ToString().ToLowerInvariant();

    private static string ManifestOf(string file) => file + ".manifest.json";

    private string PathOf(string file) => Path.Combine(folder, file);
}
