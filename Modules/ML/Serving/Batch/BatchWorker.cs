using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Monitoring;

namespace OKLA.ML.Serving.Batch;

/// <summary>Does the parts of batches one by one: a part is locked while it is done and kept with its result in one transaction, so that it is done once whoever dies.</summary>
internal sealed class BatchWorker(NpgsqlDataSource database, ServedModels served, ServingMeter meter, IOptions<MLOptions> options, TimeProvider clock, ILogger<BatchWorker> logger)
    : WorkLoop("batches", TimeSpan.FromSeconds(1), clock, logger)
{
    /// <summary>Does one part; false when there is none.</summary>
    public override async Task<bool> StepAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var part = await connection.QuerySingleOrDefaultAsync<(Guid Job, int Part, int Rows, byte[]? Input, string Model, int Version, string Format, string Header)>(new CommandDefinition("""
            select p.job_id, p.part, p.rows, p.input, j.model, j.version, j.format, j.header::text
            from ml.batch_parts p join ml.batch_jobs j on j.id = p.job_id
            where p.output is null and j.state = 'queued' order by p.job_id, p.part limit 1 for update of p skip locked
            """, cancellationToken: ct));
        if (part.Input is null)
        {
            return false;
        }

        try
        {
            if (await served.GetAsync(part.Model, part.Version) is not { } by)
            {
                throw new InvalidDataException($"Version {part.Version} of {part.Model} cannot be read.");
            }

            var started = Clock.GetTimestamp();
            var (output, failed) = BatchRows.Answer(
                by.Answers, part.Format, JsonSerializer.Deserialize<string[]>(part.Header)!, (long)part.Part * BatchFiles.RowsPerPart + 1, part.Input, options.Value.Threads);
            meter.Count(part.Model, part.Version, Guid.Empty, ServingMeter.Batch, part.Rows, 0, Clock.GetElapsedTime(started), failed: false);
            await connection.ExecuteAsync(new CommandDefinition("""
                update ml.batch_parts set output = @output, input = '' where job_id = @Job and part = @Part;
                update ml.batch_jobs set failed_rows = failed_rows + @failed where id = @Job;
                """, new { part.Job, part.Part, output, failed }, cancellationToken: ct));
            await transaction.CommitAsync(ct);
        }
        catch (Exception fault) when (fault is not (NpgsqlException or OperationCanceledException or OutOfMemoryException))
        {
            // The same part would fail again: the batch ends here and says why.
            meter.Count(part.Model, part.Version, Guid.Empty, ServingMeter.Batch, part.Rows, 0, TimeSpan.Zero, failed: true);
            Log.BatchPartFailed(logger, part.Job, part.Part, fault);
            await transaction.RollbackAsync(ct);
            await connection.ExecuteAsync(new CommandDefinition(
                "update ml.batch_jobs set state = 'failed', error = @Message, finished_at = @now where id = @Job and state = 'queued'",
                new { part.Job, fault.Message, now = Clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
            return true;
        }

        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.batch_jobs set state = 'done', finished_at = @now
            where id = @Job and state = 'queued' and not exists (select 1 from ml.batch_parts where job_id = @Job and output is null)
            """, new { part.Job, now = Clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        return true;
    }
}
