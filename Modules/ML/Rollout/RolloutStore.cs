using System.Text.Json;
using Dapper;
using Npgsql;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Rollout;

/// <summary>A rollout as it is kept.</summary>
internal sealed record KeptRollout(ActiveRollout Rollout, string Status, string StartedBy, DateTimeOffset? EndedAt, string? Reason);

/// <summary>A step of a rollout, or of a change of the serving version.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="RolloutId">The rollout; null for a change without one.</param>
/// <param name="Step">started, a stage's name, promoted, rolled_back, stopped, served, sample_ratio or significant.</param>
/// <param name="Version">The version that it brought or took back.</param>
/// <param name="By">Who or what took it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Evidence">The figures it was taken on.</param>
internal sealed record RolloutStep(DateTimeOffset At, Guid? RolloutId, string Step, int? Version, string By, string Reason, JsonElement Evidence);

/// <summary>Rollouts and their steps in PostgreSQL.</summary>
internal static class RolloutStore
{
    private const string Columns = "id, model, kind, stage, spec, started_at, stage_since, p_value, status, started_by, ended_at, reason";

    /// <summary>Every rollout under way.</summary>
    public static async Task<List<ActiveRollout>> RunningAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await ReadAsync(connection, $"select {Columns} from ml.rollouts where status = 'running'", null, ct)).ConvertAll(kept => kept.Rollout);

    /// <summary>Rollouts of a model, newest first.</summary>
    public static Task<List<KeptRollout>> OfModelAsync(NpgsqlConnection connection, string model, int limit, CancellationToken ct) =>
        ReadAsync(connection, $"select {Columns} from ml.rollouts where model = @model order by started_at desc limit @limit", new { model, limit }, ct);

    /// <summary>One rollout; null when there is none.</summary>
    public static async Task<KeptRollout?> FindAsync(NpgsqlConnection connection, string model, Guid id, CancellationToken ct) =>
        (await ReadAsync(connection, $"select {Columns} from ml.rollouts where model = @model and id = @id", new { model, id }, ct)).SingleOrDefault();

    /// <summary>Puts a rollout under way; false when another one of the model is.</summary>
    public static async Task<bool> StartAsync(NpgsqlConnection connection, ActiveRollout rollout, string by, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.rollouts (id, model, kind, stage, status, spec, started_by, started_at, stage_since)
            values (@Id, @Model, @Kind, @Stage, 'running', @spec::jsonb, @by, @at, @at) on conflict (model) where status = 'running' do nothing
            """,
            new { rollout.Id, rollout.Model, rollout.Kind, rollout.Stage, by, at = rollout.StartedAt.UtcDateTime, spec = JsonSerializer.Serialize(rollout.Spec, EventJson.Options) },
            cancellationToken: ct)) == 1;

    /// <summary>Takes a rollout from one stage to another, or ends it; false when it is no longer where it was thought to be, so that two hosts never take one step twice.</summary>
    public static async Task<bool> MoveAsync(NpgsqlConnection connection, ActiveRollout from, string stage, string status, string reason, DateTimeOffset now, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition("""
            update ml.rollouts set stage = @stage, status = @status, reason = @reason, stage_since = @now, ended_at = case when @status <> 'running' then @now::timestamptz end
            where id = @Id and status = 'running' and stage = @was
            """, new { from.Id, stage, status, reason, now = now.UtcDateTime, was = from.Stage }, cancellationToken: ct)) == 1;

    /// <summary>Writes a step down.</summary>
    public static Task RecordAsync(
        NpgsqlConnection connection, string model, Guid? rollout, string step, int? version, string by, string reason, object evidence, DateTimeOffset now, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.rollout_steps (model, rollout_id, at, step, version, by, reason, evidence) values (@model, @rollout, @now, @step, @version, @by, @reason, @json::jsonb)
            """, new { model, rollout, now = now.UtcDateTime, step, version, by, reason, json = JsonSerializer.Serialize(evidence, EventJson.Options) }, cancellationToken: ct));

    /// <summary>Steps of a model, or of one rollout of it, newest first.</summary>
    public static async Task<List<RolloutStep>> StepsAsync(NpgsqlConnection connection, string model, Guid? rollout, int limit, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(DateTime At, Guid? Rollout, string Step, int? Version, string By, string Reason, string Evidence)>(new CommandDefinition("""
            select at, rollout_id, step, version, by, reason, evidence::text from ml.rollout_steps
            where model = @model and (@rollout::uuid is null or rollout_id = @rollout) order by at desc, id desc limit @limit
            """, new { model, rollout, limit }, cancellationToken: ct));
        return [.. rows.Select(row => new RolloutStep(new DateTimeOffset(row.At, TimeSpan.Zero), row.Rollout, row.Step, row.Version, row.By, row.Reason, JsonSerializer.Deserialize<JsonElement>(row.Evidence)))];
    }

    private static async Task<List<KeptRollout>> ReadAsync(NpgsqlConnection connection, string sql, object? parameters, CancellationToken ct)
    {
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
        var found = new List<KeptRollout>();
        while (await row.ReadAsync(ct))
        {
            found.Add(new KeptRollout(
                new ActiveRollout(
                    row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), JsonSerializer.Deserialize<RolloutSpec>(row.GetString(4), EventJson.Options)!,
                    row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6), row.GetDouble(7)),
                row.GetString(8), row.GetString(9), row.IsDBNull(10) ? null : row.GetFieldValue<DateTimeOffset>(10), row.IsDBNull(11) ? null : row.GetString(11)));
        }

        return found;
    }
}
