using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Registry;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Datasets;

/// <summary>
/// Data sets: tables by name whose versions do not change. Each version is its content, so that the same table again is the same version; what its columns are can be
/// corrected, and rules say whether it may be trained on.
/// </summary>
internal sealed partial class DatasetStore(NpgsqlDataSource database, BlobStore blobs, IOptions<MLOptions> options, TimeProvider clock, ILogger<DatasetStore> logger) : IDisposable
{
    private const int MaxName = 100;

    // A pass over a table takes a core and some hundred MiB.
    private readonly SemaphoreSlim passes = new(options.Value.Datasets.Concurrent);

    private DatasetLimits Limits => options.Value.Datasets;

    /// <summary>A version; the newest one without a number; null when there is none.</summary>
    public async Task<DatasetVersion?> FindAsync(string name, int? version, CancellationToken ct) => (await RecordAsync(name, version, ct))?.Version;

    /// <summary>All cells of a version as texts, null where one is missing.</summary>
    /// <exception cref="DatasetRefusedException">There are more than <c>ML:Datasets:MaxTrainingCells</c>.</exception>
    /// <exception cref="InvalidDataException">The bytes kept are not those that were written.</exception>
    public async Task<DatasetTable> ReadAsync(DatasetVersion version, CancellationToken ct)
    {
        if (version.Rows * version.Columns.Count > Limits.MaxTrainingCells)
        {
            throw new DatasetRefusedException(
                "dataset", $"Version {version.Version} of {version.Dataset} has {version.Rows * version.Columns.Count:N0} cells; ML:Datasets:MaxTrainingCells lets {Limits.MaxTrainingCells:N0} into memory.");
        }

        var columns = version.Columns.Select(_ => new string?[version.Rows]).ToArray();
        var row = -1;
        await foreach (var cells in CanonicalCsv.ReadAsync(await blobs.OpenAsync(version.Sha256, ct), ct))
        {
            for (var c = 0; row >= 0 && c < cells.Length; c++)
            {
                columns[c][row] = cells[c].Length == 0 ? null : cells[c];
            }

            row++;
        }

        return new DatasetTable(version, [.. version.Columns.Zip(columns, (column, values) => new RawColumn(column.Name, values))]);
    }

    /// <summary>Why a version must not be trained on, by the rules of its data set; empty when it may.</summary>
    public async Task<IReadOnlyList<string>> BlockersAsync(DatasetVersion version, CancellationToken ct) =>
        await RecordAsync(version.Dataset, version.Version, ct) is { } record
            ? [.. record.QualityNow(clock.GetUtcNow()).Findings.Where(finding => !finding.Passed && finding.Severity == QualityRules.Block).Select(finding => finding.Message)]
            : [$"There is no version {version.Version} of {version.Dataset}."];

    /// <summary>Notes that a version of a model learned from a version of a data set, which therefore stays.</summary>
    public async Task RecordUseAsync(DatasetVersion version, string model, int modelVersion, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.dataset_uses (dataset, version, model, model_version, used_at) values (@Dataset, @Version, @model, @modelVersion, @now) on conflict do nothing
            """, new { version.Dataset, version.Version, model, modelVersion, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
    }

    /// <summary>Takes a table of CSV or NDJSON in as a version.</summary>
    /// <exception cref="DatasetRefusedException">It is no table, or not within bounds.</exception>
    public async Task<DatasetVersion> AddAsync(string name, Stream csv, CancellationToken ct) => (await AddAsync(name, csv, new Wording(), "host", ct)).Record.Version;

    /// <summary>As <see cref="AddAsync(string, Stream, CancellationToken)"/>, told how it is written and who brings it; answers whether the version is new.</summary>
    public async Task<(DatasetRecord Record, bool IsNew)> AddAsync(string name, Stream body, Wording wording, string by, CancellationToken ct)
    {
        CheckName(name);
        TemporaryFile.DeleteAbandoned(clock.GetUtcNow());
        using var file = new TemporaryFile();
        return await AddAsync(name, await Intake.OpenAsync(body, file, wording, Limits, ct), "upload", by, ct);
    }

    /// <summary>Takes a table in as a version.</summary>
    public async Task<(DatasetRecord Record, bool IsNew)> AddAsync(string name, TableRows table, string source, string by, CancellationToken ct)
    {
        CheckName(name);
        using var file = new TemporaryFile();
        using var owners = table.Owned ? new RowOwners() : null;
        table = owners?.Aside(table) ?? table;
        await passes.WaitAsync(ct);
        try
        {
            var (started, since) = (clock.GetTimestamp(), clock.GetUtcNow());
            var written = await CanonicalCsv.WriteAsync(table, file.Path, ct, Limits.MaxBytes);
            if (await VersionOfAsync(name, written.Sha256, owners, since, ct) is { } known)
            {
                return ((await RecordAsync(name, known, ct))!, false);
            }

            var inferred = Inference.Guess(written.Names, written.Sample);
            var said = (await RecordAsync(name, null, ct))?.Edits ?? new Dictionary<string, ColumnEdit>();
            while (true)
            {
                var rules = await RulesAsync(name, ct) ?? [];
                var guesses = inferred.Select(guess => guess with { Type = said.GetValueOrDefault(guess.Name)?.Type ?? guess.Type }).ToList();
                var survey = await Survey.TakeAsync(CanonicalCsv.ReadAsync(File.OpenRead(file.Path), ct), guesses, UniqueColumns(rules), ct);
                if (Contradicted(survey, said) is { Count: > 0 } wrong)
                {
                    said = said.Where(edit => !wrong.Contains(edit.Key)).ToDictionary();
                    continue;
                }

                var columns = Inference.Columns(inferred, survey);
                var edits = DatasetRecord.Inherited(said, columns);
                var profile = TableProfile.Of(DatasetRecord.Effective(columns, edits), survey);
                var draft = new Draft(name, written, columns, edits, survey, profile, rules, source, by, owners, since);
                await using var content = File.OpenRead(file.Path);
                if (await InsertAsync(draft, content, ct) is (var version, var isNew))
                {
                    DatasetLog.Taken(logger, name, version, written.Rows, written.Names.Count, clock.GetElapsedTime(started).TotalSeconds);
                    return ((await RecordAsync(name, version, ct))!, isNew);
                }
            }
        }
        finally
        {
            passes.Release();
        }
    }

    /// <summary>A version with all that is known of it; the newest one without a number.</summary>
    public async Task<DatasetRecord?> RecordAsync(string name, int? version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await DatasetRows.FindAsync(connection, name, version, ct);
    }

    /// <summary>The rules of a data set; null when there is none of that name.</summary>
    public async Task<IReadOnlyList<QualityRule>?> RulesAsync(string name, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select rules from ml.datasets where name = @name", new { name }, cancellationToken: ct));
        return json is null ? null : JsonSerializer.Deserialize<QualityRule[]>(json, EventJson.Options);
    }

    /// <summary>Replaces the rules of a data set, which need not have a version yet, and judges the newest version by them.</summary>
    public async Task<DatasetRecord?> PutRulesAsync(string name, IReadOnlyList<QualityRule> rules, CancellationToken ct)
    {
        CheckName(name);
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.datasets (name, last_version, rules, created_at) values (@name, 0, @rules::jsonb, @now) on conflict (name) do update set rules = excluded.rules
            """, new { name, rules = DatasetRows.Json(rules), now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        return await RecordAsync(name, null, ct) is { } newest ? await LookAgainAsync(newest, newest.Edits, rules, ct) : null;
    }

    /// <summary>Lets other types and roles hold for a version than those that were inferred.</summary>
    /// <exception cref="DatasetRefusedException">The table does not bear them out.</exception>
    public async Task<DatasetRecord> EditAsync(DatasetRecord record, IReadOnlyDictionary<string, ColumnEdit> edits, CancellationToken ct) =>
        await LookAgainAsync(record, edits, await RulesAsync(record.Version.Dataset, ct) ?? [], ct);

    /// <summary>Deletes a version; answers the models that hold it, which keep it from being deleted.</summary>
    public async Task<IReadOnlyList<string>> DeleteAsync(DatasetVersion version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        string? owners;
        try
        {
            if (await DatasetRows.FindAsync(connection, version.Dataset, version.Version, ct) is { Models: { Count: > 0 } models })
            {
                return models;
            }

            owners = await connection.ExecuteScalarAsync<string?>(
                new CommandDefinition("delete from ml.dataset_versions where dataset = @Dataset and version = @Version returning owners", version, cancellationToken: ct));
        }
        catch (PostgresException used) when (used.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            // A model came to it in between.
            return (await DatasetRows.FindAsync(connection, version.Dataset, version.Version, ct))?.Models ?? [];
        }

        await blobs.DeleteAsync(version.Sha256, ct);
        if (owners is not null)
        {
            await blobs.DeleteAsync(owners, ct);
        }

        return [];
    }

    /// <summary>Opens a version as CSV.</summary>
    public Task<Stream> OpenAsync(DatasetVersion version, CancellationToken ct) => blobs.OpenAsync(version.Sha256, ct);

    public void Dispose() => passes.Dispose();

    private static HashSet<string> UniqueColumns(IReadOnlyList<QualityRule> rules) =>
        [.. rules.Where(rule => rule.Rule == QualityRules.Unique && rule.Column is not null).Select(rule => rule.Column!)];

    private static void CheckName(string name)
    {
        if (name.Length is 0 or > MaxName || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new DatasetRefusedException("name", $"Lower-case letters, digits and dashes, at most {MaxName}.");
        }
    }

    /// <summary>Columns that were said to be numbers or dates, and of whose values most are none.</summary>
    private static List<string> Contradicted(Survey survey, IReadOnlyDictionary<string, ColumnEdit> edits) =>
        [.. survey.Columns.Where(seen => edits.GetValueOrDefault(seen.Name)?.Type is not null && seen.Unreadable > (survey.Rows - seen.Missing) / 2).Select(seen => seen.Name)];

    /// <summary>The version that has this content already; null when none has. It learns whose its rows are, where it did not know.</summary>
    private async Task<int?> VersionOfAsync(string name, string sha256, RowOwners? owners, DateTimeOffset since, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var known = await connection.QuerySingleOrDefaultAsync<(int Version, bool Owned)?>(new CommandDefinition(
            "select version, owners is not null from ml.dataset_versions where dataset = @name and sha256 = @sha256 order by version desc limit 1", new { name, sha256 }, cancellationToken: ct));
        if (known is { Owned: false, Version: var version } && owners is not null)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var lines = owners.Read();
            await connection.ExecuteAsync(new CommandDefinition(
                "update ml.dataset_versions set owners = @owners where dataset = @name and version = @version and sha256 = @sha256",
                new { name, version, sha256, owners = (await blobs.WriteAsync(transaction, lines, ct)).Sha256 }, transaction, cancellationToken: ct));
            await Erasures.AgainAsync(transaction, since, ct);
            await transaction.CommitAsync(ct);
        }

        return known?.Version;
    }

    /// <summary>Writes content and version in one transaction, one upload of a name at a time; null when the rules changed since the table was looked at.</summary>
    private async Task<(int Version, bool IsNew)?> InsertAsync(Draft draft, Stream content, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var rules = await connection.ExecuteScalarAsync<string>(new CommandDefinition("""
            insert into ml.datasets as d (name, last_version, rules, created_at) values (@Name, 0, '[]', @now) on conflict (name) do update set name = d.name returning rules
            """, new { draft.Name, now = now.UtcDateTime }, transaction, cancellationToken: ct));
        if (DatasetRows.Json(JsonSerializer.Deserialize<QualityRule[]>(rules!, EventJson.Options)) != DatasetRows.Json(draft.Rules))
        {
            return null;
        }

        var known = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "select max(version) from ml.dataset_versions where dataset = @Name and sha256 = @Sha256", new { draft.Name, draft.Written.Sha256 }, transaction, cancellationToken: ct));
        if (known is { } same)
        {
            return (same, false);
        }

        var earlier = await DatasetRows.FindAsync(connection, draft.Name, null, ct);
        var findings = QualityRules.Judge(draft.Rules, DatasetRecord.Effective(draft.Columns, draft.Edits), draft.Survey, earlier?.Statistics, now);
        var blob = await blobs.WriteAsync(transaction, content, ct);
        if (blob.Sha256 != draft.Written.Sha256)
        {
            throw new InvalidDataException($"The table of {draft.Name} was changed on its way.");
        }

        string? owners = null;
        if (draft.Owners is not null)
        {
            await using var lines = draft.Owners.Read();
            owners = (await blobs.WriteAsync(transaction, lines, ct)).Sha256;
            // Whoever was erased while the log was read may be in it.
            await Erasures.AgainAsync(transaction, draft.Since, ct);
        }

        var version = await connection.ExecuteScalarAsync<int>(new CommandDefinition("""
            with next as (update ml.datasets set last_version = last_version + 1 where name = @Name returning last_version)
            insert into ml.dataset_versions (dataset, version, sha256, rows, columns, edits, statistics, profile, findings, source, created_at, created_by, owners)
            select @Name, last_version, @Sha256, @Rows, @columns::jsonb, @edits::jsonb, @statistics::jsonb, @profile::jsonb, @findings::jsonb, @Source, @now, @By, @owners from next returning version
            """, new
        {
            draft.Name, draft.Written.Sha256, draft.Survey.Rows, columns = DatasetRows.Json(draft.Columns), edits = DatasetRows.Json(draft.Edits), statistics = DatasetRows.Json(draft.Survey.Columns),
            profile = DatasetRows.Json(draft.Profile), findings = DatasetRows.Json(new Quality(draft.Rules, findings)), draft.Source, now = now.UtcDateTime, draft.By, owners,
        }, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return (version, true);
    }

    /// <summary>Goes through a kept table again, with other types, roles or rules, and keeps what it finds.</summary>
    private async Task<DatasetRecord> LookAgainAsync(DatasetRecord record, IReadOnlyDictionary<string, ColumnEdit> edits, IReadOnlyList<QualityRule> rules, CancellationToken ct)
    {
        var columns = DatasetRecord.Effective(record.Inferred, edits);
        await passes.WaitAsync(ct);
        try
        {
            var guesses = Inference.Guess([.. columns.Select(column => column.Name)], await CanonicalCsv.SampleAsync(await OpenAsync(record.Version, ct), columns.Count, ct));
            guesses = [.. guesses.Zip(columns, (guess, column) => guess with { Type = column.Type })];
            var survey = await Survey.TakeAsync(CanonicalCsv.ReadAsync(await OpenAsync(record.Version, ct), ct), guesses, UniqueColumns(rules), ct);
            if (Contradicted(survey, edits) is [var wrong, ..])
            {
                var seen = survey.Columns.First(column => column.Name == wrong);
                throw new DatasetRefusedException($"{wrong}.type", $"{seen.Unreadable:N0} of {survey.Rows - seen.Missing:N0} values are no {edits[wrong].Type}.");
            }

            var now = clock.GetUtcNow();
            await using var connection = await database.OpenConnectionAsync(ct);
            var earlier = record.Version.Version > 1 ? await DatasetRows.BeforeAsync(connection, record.Version.Dataset, record.Version.Version, ct) : null;
            var findings = QualityRules.Judge(rules, columns, survey, earlier?.Statistics, now);
            var kept = await connection.ExecuteAsync(new CommandDefinition("""
                update ml.dataset_versions set edits = @edits::jsonb, statistics = @statistics::jsonb, profile = @profile::jsonb, findings = @findings::jsonb
                where dataset = @Dataset and version = @Version and sha256 = @Sha256 and edits = @before::jsonb and (select rules from ml.datasets where name = @Dataset) = @rules::jsonb
                """, new
            {
                record.Version.Dataset, record.Version.Version, record.Version.Sha256, before = DatasetRows.Json(record.Edits), rules = DatasetRows.Json(rules), edits = DatasetRows.Json(edits), statistics = DatasetRows.Json(survey.Columns),
                profile = DatasetRows.Json(TableProfile.Of(columns, survey)), findings = DatasetRows.Json(new Quality(rules, findings)),
            }, cancellationToken: ct));
            return kept == 1 && await DatasetRows.FindAsync(connection, record.Version.Dataset, record.Version.Version, ct) is { } looked
                ? looked
                : throw new DatasetRefusedException("version", "Its columns or rules were changed by somebody else meanwhile: look again.") { Status = StatusCodes.Status409Conflict };
        }
        finally
        {
            passes.Release();
        }
    }

    /// <summary>A version on its way into the store.</summary>
    private sealed record Draft(
        string Name, CanonicalCsv.Written Written, IReadOnlyList<DatasetColumn> Columns, IReadOnlyDictionary<string, ColumnEdit> Edits, Survey Survey, TableProfile Profile, IReadOnlyList<QualityRule> Rules, string Source, string By,
        RowOwners? Owners, DateTimeOffset Since);
}
