using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace OKLA.ML.Serving;

/// <summary>A request that was answered.</summary>
/// <param name="RequestId">Its id.</param>
/// <param name="At">When (UTC).</param>
/// <param name="Model">The model.</param>
/// <param name="Version">The version that answered; null for a rule or the baseline.</param>
/// <param name="Source">Who spoke.</param>
/// <param name="Rollout">The rollout it was part of.</param>
/// <param name="Arm">Its arm.</param>
/// <param name="UserKey">Whom it was for.</param>
/// <param name="Rows">Its rows.</param>
internal sealed record AnsweredRequest(
    string RequestId, DateTimeOffset At, string Model, int? Version, string Source, Guid? Rollout, string? Arm, string? UserKey, IReadOnlyList<AnsweredRow> Rows);

/// <summary>A row that was answered: its feature vector is written from the values under the names, when its turn comes.</summary>
internal sealed record AnsweredRow(string? EntityId, IReadOnlyList<string> Names, IReadOnlyList<string?> Values, Prediction? Answer);

/// <summary>Writes down which version answered which request with its feature vector.</summary>
internal sealed class PredictionStore(NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock, ILogger<PredictionStore> logger)
    : QueuedWriter<AnsweredRequest>(options.Value.Serving.LogQueue, TimeSpan.FromMilliseconds(500), clock, logger)
{
    private const string Columns = "request_id, row, at, model, version, source, rollout_id, arm, user_key, entity_id, inputs, value, low, high, label, probabilities";
    private static readonly Meter Meter = new("OKLA.ML");
    private static readonly Counter<long> Unwritten = Meter.CreateCounter<long>("okla.ml.predictions.unwritten", "{request}", "Answered requests that could not be written down.");

    protected override void Lose(int count)
    {
        base.Lose(count);
        Unwritten.Add(count);
    }

    protected override async Task WriteAsync(IReadOnlyList<AnsweredRequest> batch, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        try
        {
            await CopyAsync(connection, "ml.predictions", batch, ct);
        }
        catch (PostgresException known) when (known.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // An id came twice: what is new of the lot is written, the rest stands already.
            await CopyNewAsync(connection, batch, ct);
        }
    }

    /// <summary>The cheap way, for a lot that is all new.</summary>
    private static async Task CopyAsync(NpgsqlConnection connection, string table, IReadOnlyList<AnsweredRequest> batch, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync($"copy {table} ({Columns}) from stdin (format binary)", ct);
        var text = new ArrayBufferWriter<byte>(1_000);
        await using var json = new Utf8JsonWriter(text);
        foreach (var request in batch)
        {
            for (var i = 0; i < request.Rows.Count; i++)
            {
                var row = request.Rows[i];
                text.ResetWrittenCount();
                json.Reset();
                Write(json, row);
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(request.RequestId, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(i, NpgsqlDbType.Integer, ct);
                await copy.WriteAsync(request.At.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
                await copy.WriteAsync(request.Model, NpgsqlDbType.Text, ct);
                await WriteAsync(copy, request.Version, NpgsqlDbType.Integer, ct);
                await copy.WriteAsync(request.Source, NpgsqlDbType.Text, ct);
                await WriteAsync(copy, request.Rollout, NpgsqlDbType.Uuid, ct);
                await copy.WriteAsync(request.Arm, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(request.UserKey, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(row.EntityId, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(text.WrittenMemory, NpgsqlDbType.Jsonb, ct);
                await WriteAsync(copy, row.Answer?.Value, NpgsqlDbType.Double, ct);
                await WriteAsync(copy, row.Answer?.Low, NpgsqlDbType.Double, ct);
                await WriteAsync(copy, row.Answer?.High, NpgsqlDbType.Double, ct);
                await copy.WriteAsync(row.Answer?.Label, NpgsqlDbType.Text, ct);
                await copy.WriteAsync(row.Answer?.Probabilities is { } shares ? JsonSerializer.Serialize(shares) : null, NpgsqlDbType.Jsonb, ct);
            }
        }

        await copy.CompleteAsync(ct);
    }

    private static Task WriteAsync<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type, CancellationToken ct) where T : struct =>
        value is { } known ? copy.WriteAsync(known, type, ct) : copy.WriteNullAsync(ct);

    /// <summary>Writes the rows of a lot that do not stand yet.</summary>
    private static async Task CopyNewAsync(NpgsqlConnection connection, IReadOnlyList<AnsweredRequest> batch, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync("create temp table answered (like ml.predictions) on commit drop");
        await CopyAsync(connection, "answered", batch, ct);
        await ExecuteAsync($"insert into ml.predictions ({Columns}) select {Columns} from answered on conflict do nothing");
        await transaction.CommitAsync(ct);

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static void Write(Utf8JsonWriter json, AnsweredRow row)
    {
        json.WriteStartObject();
        for (var i = 0; i < row.Names.Count; i++)
        {
            // PostgreSQL keeps no zero character.
            json.WriteString(row.Names[i], row.Values[i]?.Replace("\0", "", StringComparison.Ordinal));
        }

        json.WriteEndObject();
        json.Flush();
    }
}
