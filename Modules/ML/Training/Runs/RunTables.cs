using System.Text.Json;
using Dapper;
using Npgsql;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Datasets;
using OKLA.ML.Registry;

namespace OKLA.ML.Training.Runs;

/// <summary>
/// Tables that runs leave behind, as canonical CSV: the rows that a model was measured on, and for models of the log, whose frame is another one tomorrow, the whole table that
/// was learned from; and what trainings that learn no table read (<see cref="TrainingWorld"/>). Of a model, the newest few runs keep the latter two.
/// </summary>
internal sealed class RunTables(NpgsqlDataSource database, BlobStore blobs)
{
    private const int KeptWhole = 5;

    /// <summary>Keeps what a run leaves.</summary>
    public async Task KeepAsync(Guid run, string model, HeldOutRows? heldOut, TableData? whole, Stream? readings, CancellationToken ct)
    {
        var (held, table) = (heldOut is null ? null : await WriteAsync(heldOut.Table(), ct), whole is null ? null : await WriteAsync(Rows(whole), ct));
        var read = readings is null ? null : (await blobs.WriteAsync(readings, ct)).Sha256;
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update ml.runs set held_out = @held, held_out_threshold = @threshold, learned = @table, readings = @read where id = @run", new { run, held, threshold = heldOut?.Threshold, table, read }, cancellationToken: ct));
        var old = (await connection.QueryAsync<string>(new CommandDefinition("""
            with old as (select id, coalesce(learned, readings) as blob from ml.runs where model = @model and (learned is not null or readings is not null) order by started_at desc, id desc offset @KeptWhole)
            update ml.runs r set learned = null, readings = null from old where r.id = old.id returning old.blob
            """, new { model, KeptWhole }, cancellationToken: ct))).AsList();
        foreach (var blob in old)
        {
            await blobs.DeleteAsync(blob, ct);
        }
    }

    /// <summary>
    /// Forgets what old runs were measured on, rows and losses of cases, but not of versions that serve, would come back, are tried by a rollout or are among a model's
    /// newest; a lot in a transaction, past rows that somebody else holds. Their figures stay.
    /// </summary>
    /// <param name="before">Runs that began before it.</param>
    /// <param name="newest">Newest versions of a model that keep theirs.</param>
    /// <param name="now">When it is.</param>
    /// <param name="lot">Runs at once.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>How many runs forgot something.</returns>
    public async Task<int> ForgetAsync(DateTimeOffset before, int newest, DateTimeOffset now, int lot, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var gone = (await connection.QueryAsync<string?>(new CommandDefinition("""
            with old as (
                select r.id, r.held_out from ml.runs r
                where r.started_at < @before and (r.held_out is not null or r.case_losses is not null)
                and not exists (
                    select from ml.model_versions v where v.run_id = r.id and (
                        exists (select from ml.serving s where s.model = v.model and v.version in (s.version, s.previous_version))
                        or exists (select from ml.rollouts o where o.model = v.model and o.status = 'running'
                            and jsonb_path_exists(o.spec, '$.arms[*].**.version ? (@ == $v)', jsonb_build_object('v', v.version)))
                        or (select count(*) from ml.model_versions n where n.model = v.model and n.version > v.version) < @newest))
                order by r.started_at limit @lot for update of r skip locked
            )
            update ml.runs r set held_out = null, held_out_threshold = null, loss = null, case_keys = null, case_losses = null, forgotten_at = @now from old where r.id = old.id returning old.held_out
            """, new { before = before.UtcDateTime, newest, now = now.UtcDateTime, lot }, commandTimeout: 120, cancellationToken: ct))).AsList();
        foreach (var blob in gone.OfType<string>())
        {
            await blobs.DeleteAsync(blob, ct);
        }

        return gone.Count;
    }

    /// <summary>When what a run was measured on was forgotten for its age; null when it was not.</summary>
    public async Task<DateTimeOffset?> ForgottenAsync(Guid run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition("select forgotten_at from ml.runs where id = @run", new { run }, cancellationToken: ct)) is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
    }

    /// <summary>The rows that a run was measured on; null when they were not kept, are not kept any more, or lost an erased person's rows.</summary>
    public async Task<HeldOutRows?> HeldOutAsync(Guid run, int classes, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var (blob, threshold) = await connection.QuerySingleOrDefaultAsync<(string?, double?)>(new CommandDefinition(
            "select held_out, held_out_threshold from ml.runs where id = @run", new { run }, cancellationToken: ct));
        return blob is null ? null : HeldOutRows.Of(await ReadAsync(blob, ct), classes, threshold ?? 0);
    }

    /// <summary>Whether the whole table of a run is kept.</summary>
    public async Task<bool> HasLearnedAsync(Guid run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select learned is not null from ml.runs where id = @run", new { run }, cancellationToken: ct));
    }

    /// <summary>The table that a run learned from; null when it was not kept.</summary>
    public async Task<TableData?> LearnedAsync(RunRecord run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select learned from ml.runs where id = @Id", new { run.Id }, cancellationToken: ct)) is { } blob
            ? new TableData(await ReadAsync(blob, ct), $"log:{run.Model}", 0, run.Data.TryGetProperty("sha256", out var sha256) ? sha256.GetString() ?? "" : "", run.StartedAt)
            : null;
    }

    /// <summary>What a run read; null when it is not kept.</summary>
    public async Task<Stream?> ReadingsAsync(Guid run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select readings from ml.runs where id = @run", new { run }, cancellationToken: ct)) is { } blob
            ? await blobs.OpenAsync(blob, ct) : null;
    }

    /// <summary>
    /// Takes a person's rows out of what runs kept of the log. What they kept of a data set that lost rows goes as a whole: its rows do not say whose they were.
    /// What they read goes as a whole too: without a part of it nothing could be made again bit for bit.
    /// </summary>
    public async Task EraseAsync(ErasedPerson person, IReadOnlyCollection<(string Dataset, int Version)> changed, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var kept = (await connection.QueryAsync<(Guid Run, string? Held, string? Learned, string? Dataset, int? Version)>(new CommandDefinition("""
            select id, held_out, learned, data->>'dataset', case when jsonb_typeof(data->'version') = 'number' then (data->>'version')::int end from ml.runs where held_out is not null or learned is not null
            """, cancellationToken: ct))).AsList();
        foreach (var (run, held, learned, dataset, version) in kept)
        {
            foreach (var (column, blob) in new[] { ("held_out", held), ("learned", learned) })
            {
                if (blob is null)
                {
                    continue;
                }

                var gone = dataset is not null && version is { } number && changed.Contains((dataset, number));
                var left = gone ? null : await WithoutAsync(blob, person, ct);
                if (left != blob)
                {
                    await connection.ExecuteAsync(new CommandDefinition($"update ml.runs set {column} = @left where id = @run", new { run, left }, cancellationToken: ct));
                    await blobs.DeleteAsync(blob, ct);
                }
            }
        }

        foreach (var (run, readings) in (await connection.QueryAsync<(Guid, string)>(new CommandDefinition("select id, readings from ml.runs where readings is not null", cancellationToken: ct))).AsList())
        {
            if (await NamesAsync(readings, person, ct))
            {
                await connection.ExecuteAsync(new CommandDefinition("update ml.runs set readings = null where id = @run", new { run }, cancellationToken: ct));
                await blobs.DeleteAsync(readings, ct);
            }
        }
    }

    private async Task<bool> NamesAsync(string readings, ErasedPerson person, CancellationToken ct)
    {
        await using var kept = await blobs.OpenAsync(readings, ct);
        await foreach (var (_, answer) in TrainingWorld.ReadingsAsync(kept, ct))
        {
            using var json = JsonDocument.Parse(answer);
            if (person.IsIn(json.RootElement))
            {
                return true;
            }
        }

        return false;
    }

    private static TableRows Rows(TableData data) =>
        new([.. data.Columns.Select(column => column.Name)], Enumerable.Range(0, data.Columns[0].Values.Count).Select(row => data.Columns.Select(column => column.Values[row]).ToArray()).ToAsyncEnumerable());

    private async Task<string> WriteAsync(TableRows table, CancellationToken ct)
    {
        using var file = new TemporaryFile();
        await CanonicalCsv.WriteAsync(table, file.Path, ct);
        await using var content = File.OpenRead(file.Path);
        return (await blobs.WriteAsync(content, ct)).Sha256;
    }

    private async Task<IReadOnlyList<RawColumn>> ReadAsync(string blob, CancellationToken ct)
    {
        string[]? names = null;
        var columns = new List<List<string?>>();
        await foreach (var row in CanonicalCsv.ReadAsync(await blobs.OpenAsync(blob, ct), ct))
        {
            if (names is null)
            {
                names = [.. row];
                columns.AddRange(row.Select(_ => new List<string?>()));
                continue;
            }

            for (var c = 0; c < row.Length; c++)
            {
                columns[c].Add(row[c].Length == 0 ? null : row[c]);
            }
        }

        return [.. (names ?? []).Zip(columns, (name, values) => new RawColumn(name, [.. values]))];
    }

    /// <summary>The blob without a person's rows: the same one when it has none, null when nothing else is left.</summary>
    private async Task<string?> WithoutAsync(string blob, ErasedPerson person, CancellationToken ct)
    {
        var table = await ReadAsync(blob, ct);
        int[] left = [.. Enumerable.Range(0, table.Count == 0 ? 0 : table[0].Values.Count).Where(row => !person.IsIn(table.Select(column => column.Values[row])))];
        return table.Count == 0 || left.Length == table[0].Values.Count ? blob
            : left.Length == 0 ? null
            : await WriteAsync(new TableRows([.. table.Select(column => column.Name)], left.Select(row => table.Select(column => column.Values[row]).ToArray()).ToAsyncEnumerable()), ct);
    }
}
