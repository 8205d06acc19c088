using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using OKLA.ML.Training.Gates;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Training.Runs;

/// <summary>What a training did and measured, as it is kept.</summary>
internal sealed record TrainingRun(
    Guid Id, string Model, Guid? Job, int? Version, string Reason, object Parameters, object Data, object Environment, object? Recipe, HeldOut Evaluation, IReadOnlyList<GateResult> Gates,
    bool Published, string Decision, string Sha256, Guid? Reproduces, bool? Identical, DateTimeOffset StartedAt, DateTimeOffset FinishedAt);

/// <summary>A run as it is read.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Model">The model.</param>
/// <param name="Job">The job that made it.</param>
/// <param name="Version">The version it made; null for a run made again.</param>
/// <param name="Reason">Why.</param>
/// <param name="Parameters">Every knob.</param>
/// <param name="Data">What it learned from.</param>
/// <param name="Environment">Code version, runtime, machine and threads.</param>
/// <param name="Evaluation">All that was measured.</param>
/// <param name="Gates">What came of the gates.</param>
/// <param name="Published">Whether its version was published at once.</param>
/// <param name="Decision">Why.</param>
/// <param name="Sha256">Checksum of the artefact.</param>
/// <param name="Reproduces">The run that this one made again.</param>
/// <param name="Identical">Whether that gave the same artefact bit for bit.</param>
/// <param name="StartedAt">When it began (UTC).</param>
/// <param name="FinishedAt">When it ended (UTC).</param>
/// <param name="Metrics">Metrics by step: 0 is the test, 1 and on are folds.</param>
/// <param name="ForgottenAt">When the rows and the losses of cases that it was measured on were forgotten for their age (UTC); null while they are kept, or when there were none.</param>
internal sealed record RunRecord(
    Guid Id, string Model, Guid? Job, int? Version, string Reason, JsonElement Parameters, JsonElement Data, JsonElement Environment, JsonElement Evaluation, JsonElement Gates, bool Published,
    string Decision, string? Sha256, Guid? Reproduces, bool? Identical, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, IReadOnlyList<RunMetric> Metrics,
    DateTimeOffset? ForgottenAt = null)
{
    /// <summary>Version of the data set; null where there was none.</summary>
    internal int? DatasetVersion => Data.TryGetProperty("version", out var version) && version.TryGetInt32(out var number) ? number : null;

    /// <summary>Whether the artefact learned from all rows, not from those to learn from alone.</summary>
    internal bool Refitted => Gates.EnumerateArray().All(gate => gate.GetProperty("state").GetString() != "failed");
}

/// <summary>A metric of a run.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Step">0 for the test, the fold's number otherwise.</param>
/// <param name="Value">The model's.</param>
/// <param name="Baseline">The baseline's.</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end.</param>
internal sealed record RunMetric(string Name, int Step, double Value, double? Baseline, double? Low, double? High);

/// <summary>Runs in PostgreSQL.</summary>
internal sealed class RunStore(NpgsqlDataSource database)
{
    private const string Columns =
        "id, model, job_id, version, reason, parameters, data, environment, evaluation, gates, published, decision, sha256, reproduces, identical, started_at, finished_at, forgotten_at";

    /// <summary>Which code, runtime and machine this is.</summary>
    public static object Environment(int threads) => new
    {
        code = typeof(RunStore).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        runtime = RuntimeInformation.FrameworkDescription, system = RuntimeInformation.OSDescription, architecture = RuntimeInformation.ProcessArchitecture.ToString(),
        processors = System.Environment.ProcessorCount, vectorBits = VectorBits, threads, host = System.Environment.MachineName,
    };

    /// <summary>Bits that the processor works on at once: sums of floats are rounded otherwise by another width.</summary>
    public static int VectorBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Keeps a run with its metrics.</summary>
    public async Task SaveAsync(TrainingRun run, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var insert = new NpgsqlCommand("""
            insert into ml.runs (id, model, job_id, version, reason, parameters, data, environment, recipe, evaluation, gates, published, decision, sha256, loss, case_keys, case_losses, reproduces, identical,
                started_at, finished_at)
            values ($1, $2, $3, $4, $5, $6, $7 - 'reference', $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
            """, connection, transaction))
        {
            insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = run.Id });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Model });
            insert.Parameters.Add(new NpgsqlParameter<Guid?> { TypedValue = run.Job });
            insert.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = run.Version });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Reason });
            foreach (var json in new[] { run.Parameters, run.Data, run.Environment, run.Recipe, run.Evaluation, run.Gates })
            {
                insert.Parameters.Add(new NpgsqlParameter { Value = json is null ? DBNull.Value : JsonSerializer.Serialize(json, Json), NpgsqlDbType = NpgsqlDbType.Jsonb });
            }

            insert.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = run.Published });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Decision });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Sha256 });
            insert.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = run.Evaluation.Cases?.Loss });
            insert.Parameters.Add(new NpgsqlParameter<long[]?> { TypedValue = run.Evaluation.Cases?.Keys });
            insert.Parameters.Add(new NpgsqlParameter<double[]?> { TypedValue = run.Evaluation.Cases?.Model });
            insert.Parameters.Add(new NpgsqlParameter<Guid?> { TypedValue = run.Reproduces });
            insert.Parameters.Add(new NpgsqlParameter<bool?> { TypedValue = run.Identical });
            insert.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = run.StartedAt.ToUniversalTime() });
            insert.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = run.FinishedAt.ToUniversalTime() });
            await insert.ExecuteNonQueryAsync(ct);
        }

        var deciding = run.Evaluation.Metrics[0].Name;
        var metrics = run.Evaluation.Metrics.DistinctBy(metric => metric.Name).Where(metric => double.IsFinite(metric.Model)).Select(metric => new
        {
            run = run.Id, name = metric.Name, step = 0, value = metric.Model, baseline = metric.Baseline, low = metric.Low, high = metric.High,
        }).Concat(run.Evaluation.Folds.Select(fold => new { run = run.Id, name = deciding, step = fold.Fold, value = fold.Model, baseline = (double?)fold.Baseline, low = (double?)null, high = (double?)null }));
        foreach (var metric in metrics)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "insert into ml.run_metrics (run_id, name, step, value, baseline, low, high) values (@run, @name, @step, @value, @baseline, @low, @high)", metric, transaction, cancellationToken: ct));
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>One run; null when there is none.</summary>
    public async Task<RunRecord?> FindAsync(Guid id, CancellationToken ct) => (await ReadAsync("where id = @id", new { id }, ct)).SingleOrDefault();

    /// <summary>Runs of a model or of all, newest first.</summary>
    public Task<IReadOnlyList<RunRecord>> ListAsync(string? model, int limit, CancellationToken ct) =>
        ReadAsync("where @model::text is null or model = @model order by started_at desc limit @limit", new { model, limit }, ct);

    /// <summary>The losses of single cases that a run measured; null when it kept none, or keeps them no more.</summary>
    public async Task<CaseLosses?> CasesAsync(Guid id, CancellationToken ct)
    {
        await using var command = database.CreateCommand("select loss, case_keys, case_losses from ml.runs where id = $1 and loss is not null");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new CaseLosses(row.GetString(0), row.GetFieldValue<long[]>(1), row.GetFieldValue<double[]>(2), []) : null;
    }

    /// <summary>What makes a run again, a <see cref="TableRecipe"/> or a <see cref="WorldRecipe"/>; null when it kept no recipe.</summary>
    public async Task<T?> RecipeAsync<T>(Guid id, CancellationToken ct)
        where T : class
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var json = await connection.ExecuteScalarAsync<string?>(new CommandDefinition("select recipe::text from ml.runs where id = @id", new { id }, cancellationToken: ct));
        return json is null ? null : JsonSerializer.Deserialize<T>(json, Json);
    }

    /// <summary>Whether a run kept a recipe.</summary>
    public async Task<bool> HasRecipeAsync(Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select recipe is not null from ml.runs where id = @id", new { id }, cancellationToken: ct));
    }

    // Figures that could not be measured are NaN, which JSON has no number for.
    internal static JsonSerializerOptions Json { get; } = new(EventJson.Options) { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private async Task<IReadOnlyList<RunRecord>> ReadAsync(string rest, object parameters, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var runs = new List<RunRecord>();
        await using (var row = await connection.ExecuteReaderAsync(new CommandDefinition($"select {Columns} from ml.runs {rest}", parameters, cancellationToken: ct)))
        {
            T? Value<T>(int at) => row.IsDBNull(at) ? default : row.GetFieldValue<T>(at);
            JsonElement Element(int at) => JsonSerializer.Deserialize<JsonElement>(row.GetString(at));
            while (await row.ReadAsync(ct))
            {
                runs.Add(new RunRecord(
                    row.GetGuid(0), row.GetString(1), Value<Guid?>(2), Value<int?>(3), row.GetString(4), Element(5), Element(6), Element(7), Element(8), Element(9), row.GetBoolean(10), row.GetString(11),
                    Value<string>(12), Value<Guid?>(13), Value<bool?>(14), row.GetFieldValue<DateTimeOffset>(15), row.GetFieldValue<DateTimeOffset>(16), [],
                    Value<DateTimeOffset?>(17)));
            }
        }

        var ids = runs.ConvertAll(run => run.Id).ToArray();
        var metrics = (await connection.QueryAsync<(Guid Run, string Name, int Step, double Value, double? Baseline, double? Low, double? High)>(new CommandDefinition(
            "select run_id, name, step, value, baseline, low, high from ml.run_metrics where run_id = any(@ids) order by step, name", new { ids }, cancellationToken: ct))).ToLookup(metric => metric.Run);
        return [.. runs.Select(run => run with { Metrics = [.. metrics[run.Id].Select(metric => new RunMetric(metric.Name, metric.Step, metric.Value, metric.Baseline, metric.Low, metric.High))] })];
    }
}
