using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Web;

namespace OKLA.ML.Monitoring;

/// <summary><c>/api/ml/alerts</c>: alerts open and past, the rules that raise them, and silences.</summary>
internal static class AlertEndpoints
{
    private const string Columns = "id, rule, model, metric, since, raised_at, last_seen_at, resolved_at, observed, threshold, message, silenced, acknowledged_at, acknowledged_by, deliveries::text";

    /// <summary>An alert.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Rule">The rule that raised it.</param>
    /// <param name="Model">The model.</param>
    /// <param name="Metric">What is bad.</param>
    /// <param name="Since">When it was first bad (UTC).</param>
    /// <param name="RaisedAt">When it had lasted long enough (UTC); null while it has not.</param>
    /// <param name="LastSeenAt">When it was last bad (UTC).</param>
    /// <param name="ResolvedAt">When it was over (UTC).</param>
    /// <param name="Observed">Last value.</param>
    /// <param name="Threshold">Limit.</param>
    /// <param name="Message">For admins, in Spanish.</param>
    /// <param name="Silenced">Whether nobody was told.</param>
    /// <param name="AcknowledgedAt">When somebody took it on (UTC).</param>
    /// <param name="AcknowledgedBy">Who did.</param>
    /// <param name="Deliveries">Who was told.</param>
    public sealed record Alert(
        Guid Id, string Rule, string Model, string Metric, DateTimeOffset Since, DateTimeOffset? RaisedAt, DateTimeOffset LastSeenAt, DateTimeOffset? ResolvedAt, double Observed, double Threshold,
        string Message, bool Silenced, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy, JsonElement Deliveries);

    /// <summary>A rule to put.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Metric">error_rate, p95_ms, requests, cache_hit_rate, input_drift, prediction_drift, or quality.{figure}.</param>
    /// <param name="Threshold">Limit.</param>
    /// <param name="Model">The model; every one when left out.</param>
    /// <param name="Above">Whether values above it are bad.</param>
    /// <param name="ForSeconds">How long it must last.</param>
    /// <param name="Channels">Any of page, log, webhook and email; all when left out.</param>
    public sealed record RuleRequest(
        [property: Required, MaxLength(100)] string Name, [property: Required, MaxLength(100)] string Metric, double Threshold, [property: MaxLength(100)] string? Model = null, bool Above = true,
        [property: Range(0, 86_400)] int ForSeconds = 0, IReadOnlyList<string>? Channels = null);

    /// <summary>A silence: nobody is told meanwhile; alerts are kept all the same.</summary>
    /// <param name="Minutes">How long.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Rule">Of this rule; of all when left out.</param>
    /// <param name="Model">Of this model; of all when left out.</param>
    public sealed record SilenceRequest([property: Range(1, 43_200)] int Minutes, [property: Required, MaxLength(500)] string Reason, [property: MaxLength(200)] string? Rule = null, [property: MaxLength(100)] string? Model = null);

    /// <summary>A silence that was set.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Until">Its end (UTC).</param>
    public sealed record Silence(Guid Id, DateTimeOffset Until);

    public static void Map(IEndpointRouteBuilder alerts)
    {
        alerts.MapGet("/", ListAsync).WithName("ListModelAlerts").WithSummary("Alerts of models, newest first");
        alerts.MapPost("/{id:guid}/acknowledge", AcknowledgeAsync).WithName("AcknowledgeModelAlert").WithSummary("Say that somebody looks after it");
        alerts.MapGet("/rules", RulesAsync).WithName("ListAlertRules").WithSummary("Rules of the house and those that admins put");
        alerts.MapPost("/rules", PostRuleAsync).WithName("PutAlertRule").WithSummary("Put a rule");
        alerts.MapDelete("/rules/{id:guid}", DeleteRuleAsync).WithName("DeleteAlertRule").WithSummary("Take a rule away");
        alerts.MapPost("/silences", SilenceAsync).WithName("SilenceAlerts").WithSummary("Tell nobody for some time");
        alerts.MapDelete("/silences/{id:guid}", EndSilenceAsync).WithName("EndSilence").WithSummary("Tell again");
    }

    internal static async Task<Ok<IReadOnlyList<Alert>>> ListAsync(
        NpgsqlDataSource database, CancellationToken ct, [OneOf("open", "resolved", "all")] string state = "open", [MaxLength(100)] string? model = null, [Range(1, 1_000)] int limit = 100)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return TypedResults.Ok<IReadOnlyList<Alert>>(await ReadAsync(connection, $"""
            select {Columns} from ml.alerts
            where raised_at is not null and (@state = 'all' or (resolved_at is null) = (@state = 'open')) and (@model::text is null or model = @model) order by since desc, id limit @limit
            """, new { state, model, limit }, ct));
    }

    internal static async Task<Results<Ok<Alert>, NotFound>> AcknowledgeAsync(Guid id, CurrentUser admin, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await ReadAsync(connection, $"""
            update ml.alerts set acknowledged_at = coalesce(acknowledged_at, @now), acknowledged_by = coalesce(acknowledged_by, @Actor) where id = @id returning {Columns}
            """, new { id, now = clock.GetUtcNow().UtcDateTime, admin.Actor }, ct) is [var alert] ? TypedResults.Ok(alert) : TypedResults.NotFound();
    }

    internal static async Task<Ok<IReadOnlyList<AlertRule>>> RulesAsync(NpgsqlDataSource database, IOptions<MLOptions> options, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return TypedResults.Ok<IReadOnlyList<AlertRule>>([.. AlertRule.House(options.Value.Monitoring), .. await AlertRule.OwnAsync(connection, ct)]);
    }

    internal static async Task<Results<Created<AlertRule>, ValidationProblem>> PostRuleAsync(RuleRequest request, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (!AlertRule.Knows(request.Metric))
        {
            return Problems.Invalid("metric", "error_rate, p95_ms, requests, cache_hit_rate, input_drift, prediction_drift, or quality. and a figure.");
        }

        if (request.Channels is { } some && (some.Count == 0 || some.Any(channel => !AlertRule.AllChannels.Contains(channel))))
        {
            return Problems.Invalid("channels", $"Any of {string.Join(", ", AlertRule.AllChannels)}.");
        }

        var rule = new AlertRule(
            Guid.CreateVersion7(clock.GetUtcNow()), request.Name, request.Model, request.Metric, request.Threshold, request.Above, request.ForSeconds, request.Channels ?? AlertRule.AllChannels);
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.alert_rules (id, name, model, metric, threshold, above, for_seconds, channels, enabled) values (@Id, @Name, @Model, @Metric, @Threshold, @Above, @ForSeconds, @channels, true)
            """, new { rule.Id, rule.Name, rule.Model, rule.Metric, rule.Threshold, rule.Above, rule.ForSeconds, channels = rule.Channels.ToArray() }, cancellationToken: ct));
        return TypedResults.Created($"/api/ml/alerts/rules/{rule.Id}", rule);
    }

    internal static async Task<Results<NoContent, NotFound>> DeleteRuleAsync(Guid id, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition("""
            with gone as (delete from ml.alert_rules where id = @id returning name || '-' || replace(id::text, '-', '') as rule), closed as (
                update ml.alerts a set resolved_at = @now from gone where a.rule = gone.rule and a.resolved_at is null)
            select 1 from gone
            """, new { id, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct)) == 0 ? TypedResults.NotFound() : TypedResults.NoContent();
    }

    internal static async Task<Created<Silence>> SilenceAsync(SilenceRequest request, CurrentUser admin, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var silence = new Silence(Guid.CreateVersion7(now), now.AddMinutes(request.Minutes));
        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "insert into ml.alert_silences (id, rule, model, until, by, reason) values (@Id, @Rule, @Model, @until, @Actor, @Reason)",
            new { silence.Id, request.Rule, request.Model, until = silence.Until.UtcDateTime, admin.Actor, request.Reason }, cancellationToken: ct));
        return TypedResults.Created($"/api/ml/alerts/silences/{silence.Id}", silence);
    }

    internal static async Task<Results<NoContent, NotFound>> EndSilenceAsync(Guid id, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return await connection.ExecuteAsync(new CommandDefinition(
            "update ml.alert_silences set until = least(until, @now) where id = @id", new { id, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: ct)) == 0 ? TypedResults.NotFound() : TypedResults.NoContent();
    }

    internal static async Task<List<Alert>> ReadAsync(NpgsqlConnection connection, string sql, object parameters, CancellationToken ct)
    {
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
        var alerts = new List<Alert>();
        while (await row.ReadAsync(ct))
        {
            DateTimeOffset? Time(int i) => row.IsDBNull(i) ? null : row.GetFieldValue<DateTimeOffset>(i);
            alerts.Add(new Alert(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), Time(4)!.Value, Time(5), Time(6)!.Value, Time(7), row.GetDouble(8), row.GetDouble(9), row.GetString(10),
                row.GetBoolean(11), Time(12), row.IsDBNull(13) ? null : row.GetString(13), JsonSerializer.Deserialize<JsonElement>(row.GetString(14))));
        }

        return alerts;
    }
}
