using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.ML.Serving.Batch;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Datasets;

/// <summary>
/// Takes erased persons out of what was made from the log: their rows of data sets, the answers that name them, their rows of files that were answered. One
/// erasure at a time in the cluster; one that a crash cut off is done again.
/// </summary>
internal sealed class Erasures(NpgsqlDataSource database, DatasetStore datasets, RunTables runs, TimeProvider clock, ILogger<Erasures> logger)
    : WorkLoop("erasures", TimeSpan.FromSeconds(1), clock, logger)
{
    /// <summary>Has the erasures since a time done once more, with the transaction that brings something in which was read before them.</summary>
    public static Task<int> AgainAsync(NpgsqlTransaction transaction, DateTimeOffset since, CancellationToken ct) => transaction.Connection!.ExecuteAsync(new CommandDefinition(
        "update ml.erasures set done_at = null where done_at >= @since", new { since = since.UtcDateTime }, transaction, cancellationToken: ct));

    /// <summary>Does one erasure; false when there is none.</summary>
    public override async Task<bool> StepAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(long Position, string? Salt, string[] Hashes)>(new CommandDefinition(
            "select position, salt, hashes from ml.erasures where done_at is null order by position limit 1 for update skip locked", transaction: transaction, cancellationToken: ct));
        if (row.Salt is null)
        {
            return false;
        }

        var person = new ErasedPerson(new PersonErased(row.Salt, row.Hashes));
        foreach (var (dataset, version) in await datasets.OwnedAsync(ct))
        {
            await datasets.EraseAsync(dataset, version, row.Position, person, ct);
        }

        // As the database has it, so that a crash in between forgets none.
        var changed = await connection.QueryAsync<(string, int)>(new CommandDefinition(
            "select dataset, version from ml.dataset_erasures where position = @Position", new { row.Position }, transaction, cancellationToken: ct));
        await runs.EraseAsync(person, [.. changed], ct);

        await EraseAnswersAsync(connection, row.Salt, row.Hashes, ct);
        await EraseQuestionsAsync(connection, person, ct);
        await EraseFilesAsync(connection, person, ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update ml.erasures set done_at = @now where position = @Position", new { row.Position, now = Clock.GetUtcNow().UtcDateTime }, transaction, cancellationToken: ct));
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => base.IsOutage(fault) || fault is InvalidDataException or JsonException or DatasetRefusedException;

    /// <summary>Answers whose feature vector names the person; those that are about her or were for her went with the event.</summary>
    private static Task<int> EraseAnswersAsync(NpgsqlConnection connection, string salt, string[] hashes, CancellationToken ct) => connection.ExecuteAsync(new CommandDefinition("""
        with gone as (
            delete from ml.predictions p where exists (
                select from jsonb_each_text(p.inputs) as input, regexp_split_to_table(input.value, '\|') as part where encode(sha256(convert_to(@salt || part, 'UTF8')), 'hex') = any(@hashes))
            returning request_id, row
        )
        delete from ml.outcomes o using gone where o.request_id = gone.request_id and o.row = gone.row
        """, new { salt, hashes }, commandTimeout: 600, cancellationToken: ct));

    private static async Task EraseQuestionsAsync(NpgsqlConnection connection, ErasedPerson person, CancellationToken ct)
    {
        var hers = new List<Guid>();
        foreach (var (id, body) in await connection.QueryAsync<(Guid, string)>(new CommandDefinition("select id, body::text from ml.async_predictions", cancellationToken: ct)))
        {
            using var json = JsonDocument.Parse(body);
            if (person.IsIn(json.RootElement))
            {
                hers.Add(id);
            }
        }

        await connection.ExecuteAsync(new CommandDefinition("delete from ml.async_predictions where id = any(@hers)", new { hers = hers.ToArray() }, cancellationToken: ct));
    }

    /// <summary>Rows of files that were sent or answered, a part at a time.</summary>
    private static async Task EraseFilesAsync(NpgsqlConnection connection, ErasedPerson person, CancellationToken ct)
    {
        var parts = (await connection.QueryAsync<(Guid Job, int Part, string Format)>(new CommandDefinition(
            "select p.job_id, p.part, j.format from ml.batch_parts p join ml.batch_jobs j on j.id = p.job_id", cancellationToken: ct))).AsList();
        foreach (var (job, part, format) in parts)
        {
            var (input, output) = await connection.QuerySingleAsync<(byte[], byte[]?)>(new CommandDefinition(
                "select input, output from ml.batch_parts where job_id = @job and part = @part for update", new { job, part }, cancellationToken: ct));
            var (asked, gone) = BatchRows.Without(format, input, person);
            var (answered, alsoGone) = await BatchRows.WithoutAsync(format, output, person, ct);
            if (gone + alsoGone > 0)
            {
                // An emptied line is still answered, by an error.
                var less = format == "csv" ? gone + alsoGone : 0;
                await connection.ExecuteAsync(new CommandDefinition("""
                    update ml.batch_parts set input = @asked, output = @answered, rows = rows - @less where job_id = @job and part = @part;
                    update ml.batch_jobs set rows = rows - @less where id = @job;
                    """, new { job, part, asked, answered, less }, cancellationToken: ct));
            }
        }
    }
}
