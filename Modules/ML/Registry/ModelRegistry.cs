using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Registry;

/// <summary>A trained model on its way into the registry.</summary>
/// <param name="Artefact">The model as bytes.</param>
/// <param name="Parameters">Every knob it was trained with.</param>
/// <param name="Data">What it learned from: rows, sizes, split.</param>
/// <param name="DataUntil">Event and known-at time up to which it has seen the world (UTC).</param>
/// <param name="Rows">Rows learned from.</param>
internal sealed record TrainedModel(byte[] Artefact, object Parameters, object Data, DateTimeOffset DataUntil, int Rows);

/// <summary>A version as the registry holds it, without its artefact.</summary>
internal sealed record ModelVersion(
    string Model, int Version, string Stage, string Sha256, int Bytes, IReadOnlyList<MetricRow> Metrics, JsonElement Parameters, JsonElement Data,
    DateTimeOffset DataUntil, string Decision, string Reason, int Rows, double Seconds, DateTimeOffset TrainedAt);

/// <summary>Versions of models in PostgreSQL, and the one row a model that says which of them serves.</summary>
internal sealed class ModelRegistry(NpgsqlDataSource database, TimeProvider clock)
{
    private const string VersionColumns =
        "model, version, stage, sha256, length(artefact), metrics, parameters, data, data_until, decision, reason, rows, seconds, trained_at";

    /// <summary>Takes the model's turn to train, across all hosts; null when somebody else has it. Disposing gives it back.</summary>
    public async Task<IAsyncDisposable?> TryTakeTurnAsync(string model, CancellationToken ct)
    {
        var connection = await database.OpenConnectionAsync(ct);
        var taken = await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition("select pg_try_advisory_lock(hashtextextended('ml.train.' || @model, 0))", new { model }, cancellationToken: ct));
        if (taken)
        {
            return new Turn(connection, model);
        }

        await connection.DisposeAsync();
        return null;
    }

    /// <summary>Keeps a version; it does not serve yet.</summary>
    public async Task<int> SaveAsync(
        string model, TrainedModel trained, IReadOnlyList<MetricRow> metrics, string stage, string decision, string reason, double seconds, CancellationToken ct)
    {
        await using var command = database.CreateCommand("""
            insert into ml.model_versions (model, version, stage, artefact, sha256, metrics, parameters, data, data_until, decision, reason, rows, seconds, trained_at)
            values ($1, (select coalesce(max(version), 0) + 1 from ml.model_versions where model = $1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            returning version
            """);
        foreach (var value in new object[] { model, stage, trained.Artefact, Convert.ToHexStringLower(SHA256.HashData(trained.Artefact)) })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        foreach (var json in new[] { metrics, trained.Parameters, trained.Data })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = JsonSerializer.Serialize(json, EventJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb });
        }

        foreach (var value in new object[] { trained.DataUntil.UtcDateTime, decision, reason, trained.Rows, seconds, clock.GetUtcNow().UtcDateTime })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Lets a version serve. One transaction whose last row is the one that says so: a crash before its commit leaves the old version serving.</summary>
    public async Task PublishAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.model_versions set stage = case when version = @version then 'serving' else 'retired' end
            where model = @model and (version = @version or stage = 'serving');
            insert into ml.serving as s (model, version, previous_version, published_at) values (@model, @version, null, @now)
            on conflict (model) do update set version = excluded.version, previous_version = s.version, published_at = excluded.published_at;
            """, new { model, version, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
        await transaction.CommitAsync(ct);
    }

    /// <summary>Records that a training was carried through.</summary>
    public async Task RecordRunAsync(TrainingOutcome outcome, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.training_runs (model, finished_at, version, published, decision) values (@Model, @now, @Version, @Published, @Decision)
            on conflict (model, finished_at) do update set version = excluded.version, published = excluded.published, decision = excluded.decision
            """, new { outcome.Model, outcome.Version, outcome.Published, outcome.Decision, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
    }

    /// <summary>When a training of the model was last carried through; null when never.</summary>
    public async Task<DateTimeOffset?> LastRunAsync(string model, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var last = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition(
            "select max(finished_at) from ml.training_runs where model = @model and version > 0", new { model }, cancellationToken: ct));
        return last is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
    }

    /// <summary>Which version serves and which one did before it, for every model that has one.</summary>
    public async Task<IReadOnlyDictionary<string, (int Version, int? Previous)>> ServingAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(string Model, int Version, int? Previous)>(
            new CommandDefinition("select model, version, previous_version from ml.serving", cancellationToken: ct));
        return rows.ToDictionary(row => row.Model, row => (row.Version, row.Previous));
    }

    /// <summary>The artefact of a version.</summary>
    /// <exception cref="InvalidDataException">There is none, or its bytes do not have the checksum they were stored with.</exception>
    public async Task<byte[]> ArtefactAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(byte[] Artefact, string Sha256)>(new CommandDefinition(
            "select artefact, sha256 from ml.model_versions where model = @model and version = @version", new { model, version }, cancellationToken: ct));
        if (row.Artefact is null)
        {
            throw new InvalidDataException($"There is no version {version} of {model}.");
        }

        return Convert.ToHexStringLower(SHA256.HashData(row.Artefact)) == row.Sha256
            ? row.Artefact
            : throw new InvalidDataException($"Version {version} of {model} is damaged: its checksum does not match.");
    }

    /// <summary>Versions of one model or of all, newest first.</summary>
    public async Task<IReadOnlyList<ModelVersion>> VersionsAsync(string? model, int limit, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"select {VersionColumns} from ml.model_versions where $1::text is null or model = $1 order by model, version desc limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)model ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        await using var row = await command.ExecuteReaderAsync(ct);
        var versions = new List<ModelVersion>();
        while (await row.ReadAsync(ct))
        {
            versions.Add(new ModelVersion(
                row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetInt32(4),
                JsonSerializer.Deserialize<MetricRow[]>(row.GetString(5), EventJson.Options)!, JsonSerializer.Deserialize<JsonElement>(row.GetString(6)),
                JsonSerializer.Deserialize<JsonElement>(row.GetString(7)), row.GetFieldValue<DateTimeOffset>(8), row.GetString(9), row.GetString(10),
                row.GetInt32(11), row.GetDouble(12), row.GetFieldValue<DateTimeOffset>(13)));
        }

        return versions;
    }

    private sealed class Turn(NpgsqlConnection connection, string model) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(hashtextextended('ml.train.' || @model, 0))", new { model });
            await connection.DisposeAsync();
        }
    }
}
