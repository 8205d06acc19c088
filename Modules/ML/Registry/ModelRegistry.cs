using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using OKLA.ML.Serving;
using OKLA.ML.Training.Gates;
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
    DateTimeOffset DataUntil, string Decision, string Reason, int Rows, double Seconds, DateTimeOffset TrainedAt)
{
    /// <summary>What came of every gate.</summary>
    public IReadOnlyList<GateResult> Gates { get; init; } = [];

    /// <summary>What it must be told and what it answers; null when it is asked through an endpoint of its own.</summary>
    public ModelSignature? Signature { get; init; }

    /// <summary>The version that served when it was trained.</summary>
    public int? Parent { get; init; }

    /// <summary>The run that made it.</summary>
    public Guid? Run { get; init; }

    /// <summary>Tags that people gave it.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What people noted.</summary>
    public string Notes { get; init; } = "";
}

/// <summary>What a version is kept with beside what it measured.</summary>
internal sealed record VersionFacts(IReadOnlyList<GateResult> Gates, ModelSignature? Signature, int? Parent, Guid? Run)
{
    /// <summary>When it was trained (UTC); null for now.</summary>
    public DateTimeOffset? TrainedAt { get; init; }
}

/// <summary>A time during which a version served.</summary>
/// <param name="Version">The version.</param>
/// <param name="From">From when (UTC).</param>
/// <param name="Until">Until when; null while it serves.</param>
/// <param name="By">Who let it serve.</param>
/// <param name="Reason">Why.</param>
internal sealed record ServedTime(int Version, DateTimeOffset From, DateTimeOffset? Until, string By, string Reason);

/// <summary>Somebody's consent to a version.</summary>
internal sealed record Approval(string By, DateTimeOffset At, string Note);

/// <summary>Versions of models in PostgreSQL, their artefacts in the <see cref="BlobStore"/>, and the one row a model that says which of them serves.</summary>
internal sealed class ModelRegistry(NpgsqlDataSource database, BlobStore blobs, TimeProvider clock)
{
    // The rows kept for comparison are many; who compares reads them by themselves.
    private const string VersionColumns =
        "model, version, stage, sha256, bytes, metrics, parameters, data - 'reference', data_until, decision, reason, rows, seconds, trained_at, gates, signature, parent_version, run_id, tags, notes";

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
    public Task<int> SaveAsync(
        string model, TrainedModel trained, IReadOnlyList<MetricRow> metrics, string stage, string decision, string reason, double seconds, CancellationToken ct) =>
        SaveAsync(model, trained, metrics, stage, decision, reason, seconds, new VersionFacts([], null, null, null), ct);

    /// <summary>Keeps a version with its facts; it does not serve yet. Numbers are never given twice, so a deleted version's stays free.</summary>
    public async Task<int> SaveAsync(
        string model, TrainedModel trained, IReadOnlyList<MetricRow> metrics, string stage, string decision, string reason, double seconds, VersionFacts facts, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var version = await SaveAsync(transaction, model, trained, metrics, stage, decision, reason, seconds, facts, ct);
        await transaction.CommitAsync(ct);
        return version;
    }

    /// <summary>Keeps a version that came from elsewhere, unless the same artefact is a version of the model already; answers which one, and whether it is new.</summary>
    public async Task<(int Version, bool IsNew)> ImportAsync(
        string model, TrainedModel trained, IReadOnlyList<MetricRow> metrics, string decision, double seconds, VersionFacts facts, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await TakeNumbersAsync(transaction, model, ct);
        var known = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "select min(version) from ml.model_versions where model = @model and sha256 = @sha256", new { model, sha256 = Checksum(trained) }, transaction, cancellationToken: ct));
        if (known is { } same)
        {
            return (same, false);
        }

        var version = await SaveAsync(transaction, model, trained, metrics, "candidate", decision, "import", seconds, facts, ct);
        await transaction.CommitAsync(ct);
        return (version, true);
    }

    /// <summary>Lets a version serve. One transaction whose last row is the one that says so: a crash before its commit leaves the old version serving.</summary>
    public Task PublishAsync(string model, int version, CancellationToken ct) => PublishAsync(model, version, "house", "", ct);

    /// <summary>The same, noting who lets it serve and why.</summary>
    public async Task PublishAsync(string model, int version, string by, string reason, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.model_versions set stage = case when version = @version then 'serving' else 'retired' end
            where model = @model and (version = @version or stage = 'serving');
            update ml.serving_history set served_until = @now where model = @model and served_until is null and version <> @version;
            insert into ml.serving_history (model, version, served_from, by, reason) values (@model, @version, @now, @by, @reason)
            on conflict (model) where served_until is null do nothing;
            insert into ml.serving as s (model, version, previous_version, published_at) values (@model, @version, null, @now)
            on conflict (model) do update set version = excluded.version, previous_version = case when s.version = excluded.version then s.previous_version else s.version end, published_at = excluded.published_at;
            """, new { model, version, by, reason, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
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
        return last is { } at ? Utc(at) : null;
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
        var row = await connection.QuerySingleOrDefaultAsync<(byte[]? Artefact, string? Sha256, int Bytes)>(new CommandDefinition(
            "select artefact, sha256, bytes from ml.model_versions where model = @model and version = @version", new { model, version }, cancellationToken: ct));
        if (row.Sha256 is null)
        {
            throw new InvalidDataException($"There is no version {version} of {model}.");
        }

        if (row.Artefact is null)
        {
            var bytes = new byte[row.Bytes];
            await using var stored = await blobs.OpenAsync(row.Sha256, ct);
            await stored.ReadExactlyAsync(bytes, ct);
            // The end of the stream is where it is held against its checksum.
            return await stored.ReadAsync(new byte[1], ct) == 0 ? bytes : throw new InvalidDataException($"Version {version} of {model} is damaged: it is longer than it was.");
        }

        return Convert.ToHexStringLower(SHA256.HashData(row.Artefact)) == row.Sha256
            ? row.Artefact
            : throw new InvalidDataException($"Version {version} of {model} is damaged: its checksum does not match.");
    }

    /// <summary>Versions of one model or of all, newest first.</summary>
    public Task<IReadOnlyList<ModelVersion>> VersionsAsync(string? model, int limit, CancellationToken ct) => VersionsAsync(model, limit, null, ct);

    /// <summary>One version; null when there is none.</summary>
    public async Task<ModelVersion?> VersionAsync(string model, int version, CancellationToken ct) => (await VersionsAsync(model, 1, version, ct)).SingleOrDefault();

    private async Task<IReadOnlyList<ModelVersion>> VersionsAsync(string? model, int limit, int? only, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            $"select {VersionColumns} from ml.model_versions where ($1::text is null or model = $1) and ($3::integer is null or version = $3) order by model, version desc limit $2");
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)model ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = only });
        await using var row = await command.ExecuteReaderAsync(ct);
        var versions = new List<ModelVersion>();
        while (await row.ReadAsync(ct))
        {
            versions.Add(new ModelVersion(
                row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetInt32(4),
                JsonSerializer.Deserialize<MetricRow[]>(row.GetString(5), EventJson.Options)!, JsonSerializer.Deserialize<JsonElement>(row.GetString(6)),
                JsonSerializer.Deserialize<JsonElement>(row.GetString(7)), row.GetFieldValue<DateTimeOffset>(8), row.GetString(9), row.GetString(10),
                row.GetInt32(11), row.GetDouble(12), row.GetFieldValue<DateTimeOffset>(13))
            {
                Gates = JsonSerializer.Deserialize<GateResult[]>(row.GetString(14), EventJson.Options)!,
                Signature = row.IsDBNull(15) ? null : JsonSerializer.Deserialize<ModelSignature>(row.GetString(15), EventJson.Options),
                Parent = row.IsDBNull(16) ? null : row.GetInt32(16),
                Run = row.IsDBNull(17) ? null : row.GetGuid(17),
                Tags = row.GetFieldValue<string[]>(18),
                Notes = row.GetString(19),
            });
        }

        return versions;
    }

    /// <summary>What a version learned from, with the rows that are kept for comparison.</summary>
    public async Task<JsonElement> DataAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select data::text from ml.model_versions where model = @model and version = @version", new { model, version }, cancellationToken: ct));
        return JsonSerializer.Deserialize<JsonElement>(json ?? "{}");
    }

    /// <summary>When which version served, newest first.</summary>
    public async Task<IReadOnlyList<ServedTime>> HistoryAsync(string model, int limit, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(int Version, DateTime From, DateTime? Until, string By, string Reason)>(new CommandDefinition(
            "select version, served_from, served_until, by, reason from ml.serving_history where model = @model order by id desc limit @limit", new { model, limit }, cancellationToken: ct));
        return [.. rows.Select(row => new ServedTime(row.Version, Utc(row.From), row.Until is { } until ? Utc(until) : null, row.By, row.Reason))];
    }

    /// <summary>Who approved a version.</summary>
    public async Task<IReadOnlyList<Approval>> ApprovalsAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = await connection.QueryAsync<(string By, DateTime At, string Note)>(new CommandDefinition(
            "select by, at, note from ml.version_approvals where model = @model and version = @version order by at", new { model, version }, cancellationToken: ct));
        return [.. rows.Select(row => new Approval(row.By, Utc(row.At), row.Note))];
    }

    /// <summary>Notes somebody's consent; the same person's second one replaces the first.</summary>
    public async Task ApproveAsync(string model, int version, string by, string note, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.version_approvals (model, version, by, at, note) values (@model, @version, @by, @now, @note)
            on conflict (model, version, by) do update set at = excluded.at, note = excluded.note
            """, new { model, version, by, note, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct));
    }

    /// <summary>Changes what people say about a version; what is null stays.</summary>
    public async Task DescribeAsync(string model, int version, IReadOnlyList<string>? tags, string? notes, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update ml.model_versions set tags = coalesce(@tags, tags), notes = coalesce(@notes, notes) where model = @model and version = @version",
            new { model, version, tags = tags?.ToArray(), notes }, cancellationToken: ct));
    }

    /// <summary>Deletes a version that neither serves nor is what a rollback would bring back, that no rollout tries and no batch waits for; false when it is or is referred to.</summary>
    public async Task<bool> DeleteAsync(string model, int version, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        string? sha256;
        try
        {
            sha256 = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("""
                with gone as (
                    delete from ml.model_versions v where model = @model and version = @version
                    and not exists (select from ml.serving s where s.model = v.model and v.version in (s.version, s.previous_version))
                    and not exists (
                        select from ml.rollouts r where r.model = v.model and r.status = 'running'
                        and jsonb_path_exists(r.spec, '$.arms[*].**.version ? (@ == $v)', jsonb_build_object('v', v.version)))
                    and not exists (select from ml.batch_jobs b where b.model = v.model and b.version = v.version and b.state in ('receiving', 'queued'))
                    returning model, version, sha256
                ), unused as (
                    delete from ml.dataset_uses u using gone where u.model = gone.model and u.model_version = gone.version
                )
                select sha256 from gone
                """, new { model, version }, cancellationToken: ct));
        }
        catch (PostgresException inUse) when (inUse.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return false;
        }

        if (sha256 is null)
        {
            return false;
        }

        // Another version, of this model or of another one, may be the same bytes; those stay.
        await blobs.DeleteAsync(sha256, ct);
        return true;
    }

    private static string Checksum(TrainedModel trained) => Convert.ToHexStringLower(SHA256.HashData(trained.Artefact));

    /// <summary>Waits for the turn to give a version its number; held until the transaction ends.</summary>
    private static Task<int> TakeNumbersAsync(NpgsqlTransaction transaction, string model, CancellationToken ct) => transaction.Connection!.ExecuteAsync(
        new CommandDefinition("select pg_advisory_xact_lock(hashtextextended('ml.version.' || @model, 0))", new { model }, transaction, cancellationToken: ct));

    /// <summary>Artefact first, then the row that refers to it, in one transaction.</summary>
    private async Task<int> SaveAsync(
        NpgsqlTransaction transaction, string model, TrainedModel trained, IReadOnlyList<MetricRow> metrics, string stage, string decision, string reason, double seconds, VersionFacts facts, CancellationToken ct)
    {
        await TakeNumbersAsync(transaction, model, ct);
        var blob = await blobs.WriteAsync(transaction, new MemoryStream(trained.Artefact, writable: false), ct);
        await using var command = new NpgsqlCommand("""
            insert into ml.model_versions (model, version, stage, blob, sha256, bytes, metrics, parameters, data, data_until, decision, reason, rows, seconds, trained_at, gates, signature, parent_version, run_id)
            values ($1, 1 + greatest((select coalesce(max(version), 0) from ml.model_versions where model = $1), (select coalesce(max(version), 0) from ml.training_runs where model = $1)),
                $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            returning version
            """, transaction.Connection, transaction);
        foreach (var value in new object[] { model, stage, blob.Sha256, trained.Artefact.Length })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        foreach (var json in new[] { metrics, trained.Parameters, trained.Data })
        {
            command.Parameters.Add(Json(json));
        }

        foreach (var value in new object[] { trained.DataUntil.UtcDateTime, decision, reason, trained.Rows, seconds, (facts.TrainedAt ?? clock.GetUtcNow()).UtcDateTime })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        command.Parameters.Add(Json(facts.Gates));
        command.Parameters.Add(facts.Signature is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb } : Json(facts.Signature));
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = facts.Parent });
        command.Parameters.Add(new NpgsqlParameter<Guid?> { TypedValue = facts.Run });
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static DateTimeOffset Utc(DateTime at) => new(at, TimeSpan.Zero);

    private static NpgsqlParameter Json(object value) => new() { Value = JsonSerializer.Serialize(value, EventJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private sealed class Turn(NpgsqlConnection connection, string model) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(hashtextextended('ml.train.' || @model, 0))", new { model });
            await connection.DisposeAsync();
        }
    }
}
