using System.Runtime.CompilerServices;
using System.Text;
using Dapper;
using Npgsql;

namespace OKLA.ML.Datasets;

/// <summary>Taking erased persons' rows out of versions.</summary>
internal sealed partial class DatasetStore
{
    /// <summary>Versions that were made from the log or from frames of it.</summary>
    public async Task<IReadOnlyList<(string Dataset, int Version)>> OwnedAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return (await connection.QueryAsync<(string, int)>(new CommandDefinition(
            "select dataset, version from ml.dataset_versions where owners is not null order by dataset, version", cancellationToken: ct))).AsList();
    }

    /// <summary>
    /// Takes a person's rows out of a version: those that are hers, and those that name her. Its content becomes another one with another checksum under the same number;
    /// a version without any row left goes. Answers how many rows went.
    /// </summary>
    public async Task<long> EraseAsync(string name, int number, long position, ErasedPerson person, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var owners = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select owners from ml.dataset_versions where dataset = @name and version = @number", new { name, number }, cancellationToken: ct));
        if (owners is null || await DatasetRows.FindAsync(connection, name, number, ct) is not { } record)
        {
            return 0;
        }

        var (old, gone) = (record.Version, 0L);
        await foreach (var (_, _, hers) in RowsAsync(old, owners, person, ct))
        {
            gone += hers ? 1 : 0;
        }

        if (gone == 0)
        {
            return 0;
        }

        using var left = new RowOwners();
        using var file = new TemporaryFile();
        Rewritten? rewritten = null;
        if (gone < old.Rows)
        {
            var table = left.Aside(new TableRows([.. old.Columns.Select(column => column.Name)], KeptAsync(old, owners, person, ct)) { Owned = true });
            var written = await CanonicalCsv.WriteAsync(table, file.Path, ct);
            var columns = DatasetRecord.Effective(record.Inferred, record.Edits);
            IReadOnlyList<ColumnGuess> guesses = Inference.Guess(written.Names, written.Sample);
            guesses = [.. guesses.Zip(columns, (guess, column) => guess with { Type = column.Type })];
            var survey = await Survey.TakeAsync(CanonicalCsv.ReadAsync(File.OpenRead(file.Path), ct), guesses, UniqueColumns(record.Quality.Rules), ct);
            var earlier = number > 1 ? await DatasetRows.BeforeAsync(connection, name, number, ct) : null;
            rewritten = new Rewritten(
                survey, TableProfile.Of(columns, survey), new Quality(record.Quality.Rules, QualityRules.Judge(record.Quality.Rules, columns, survey, earlier?.Statistics, clock.GetUtcNow())));
        }

        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            var sha256 = rewritten is null ? null : await PutAsync(transaction, old, rewritten, file, left, ct);
            if (rewritten is null)
            {
                await connection.ExecuteAsync(new CommandDefinition("""
                    delete from ml.dataset_uses where dataset = @name and version = @number;
                    delete from ml.dataset_versions where dataset = @name and version = @number and sha256 = @Sha256;
                    """, new { name, number, old.Sha256 }, transaction, cancellationToken: ct));
            }

            await connection.ExecuteAsync(new CommandDefinition("""
                insert into ml.dataset_erasures as e (dataset, version, position, rows, left_in, sha256, at) values (@name, @number, @position, @gone, @rows, @sha256, @now)
                on conflict (dataset, version, position) do update set rows = e.rows + excluded.rows, left_in = excluded.left_in, sha256 = excluded.sha256, at = excluded.at
                """, new { name, number, position, gone, rows = old.Rows - gone, sha256, now = clock.GetUtcNow().UtcDateTime }, transaction, cancellationToken: ct));
            await transaction.CommitAsync(ct);
        }

        await blobs.DeleteAsync(old.Sha256, ct);
        await blobs.DeleteAsync(owners, ct);
        DatasetLog.Erased(logger, name, number, gone);
        return gone;
    }

    private async Task<string> PutAsync(NpgsqlTransaction transaction, DatasetVersion old, Rewritten rewritten, TemporaryFile file, RowOwners left, CancellationToken ct)
    {
        await using var content = File.OpenRead(file.Path);
        await using var lines = left.Read();
        var (sha256, owners) = ((await blobs.WriteAsync(transaction, content, ct)).Sha256, (await blobs.WriteAsync(transaction, lines, ct)).Sha256);
        var kept = await transaction.Connection!.ExecuteAsync(new CommandDefinition("""
            update ml.dataset_versions set sha256 = @sha256, owners = @owners, rows = @Rows, statistics = @statistics::jsonb, profile = @profile::jsonb, findings = @findings::jsonb
            where dataset = @Dataset and version = @Version and sha256 = @before
            """, new
        {
            old.Dataset, old.Version, before = old.Sha256, sha256, owners, rewritten.Survey.Rows, statistics = DatasetRows.Json(rewritten.Survey.Columns),
            profile = DatasetRows.Json(rewritten.Profile), findings = DatasetRows.Json(rewritten.Quality),
        }, transaction, cancellationToken: ct));
        return kept == 1 ? sha256 : throw new InvalidDataException($"Version {old.Version} of {old.Dataset} was changed by somebody else meanwhile; the next look takes it again.");
    }

    private async IAsyncEnumerable<string?[]> KeptAsync(DatasetVersion version, string owners, ErasedPerson person, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var (cells, line, hers) in RowsAsync(version, owners, person, ct))
        {
            if (!hers)
            {
                yield return [.. cells.Select(cell => cell.Length == 0 ? null : cell), line];
            }
        }
    }

    private async IAsyncEnumerable<(string[] Cells, string Line, bool Hers)> RowsAsync(DatasetVersion version, string owners, ErasedPerson person, [EnumeratorCancellation] CancellationToken ct)
    {
        using var lines = new StreamReader(await blobs.OpenAsync(owners, ct), Encoding.UTF8);
        var header = true;
        await foreach (var cells in CanonicalCsv.ReadAsync(await blobs.OpenAsync(version.Sha256, ct), ct))
        {
            if (header)
            {
                header = false;
                continue;
            }

            var line = await lines.ReadLineAsync(ct) ?? throw new InvalidDataException($"Version {version.Version} of {version.Dataset} has more rows than owners.");
            yield return (cells, line, person.IsIn(RowOwners.Read(line)) || person.IsIn(cells));
        }
    }

    /// <summary>What was found out about a version without the rows that went.</summary>
    private sealed record Rewritten(Survey Survey, TableProfile Profile, Quality Quality);
}
