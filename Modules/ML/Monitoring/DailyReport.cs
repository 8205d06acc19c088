using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Monitoring;

/// <summary>GET /api/ml/report?day=2026-05-31: what the models did on a day of Santo Domingo, in figures and in sentences.</summary>
internal static class DailyReport
{
    /// <summary>A day.</summary>
    /// <param name="Day">The day.</param>
    /// <param name="Title">Its heading, in Spanish.</param>
    /// <param name="Lines">What happened, in Spanish sentences.</param>
    /// <param name="Models">Figures by model and version.</param>
    public sealed record Response(DateOnly Day, string Title, IReadOnlyList<string> Lines, IReadOnlyList<Figures> Models);

    /// <summary>What a version did.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version; 0 for answers without one.</param>
    /// <param name="Requests">Requests.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Errors">Requests it failed at.</param>
    /// <param name="CacheHits">Rows answered from the cache.</param>
    /// <param name="P95">95th percentile of latency in milliseconds.</param>
    /// <param name="Outcomes">Outcomes that became known.</param>
    public sealed record Figures(string Model, int Version, long Requests, long Rows, long Errors, long CacheHits, double? P95, long Outcomes);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/ml/report", HandleAsync).WithName("ReadModelReport").WithSummary("What the models did on a day");

    internal static async Task<Ok<Response>> HandleAsync(NpgsqlDataSource database, TimeProvider clock, CancellationToken ct, DateOnly? day = null)
    {
        var zone = JobSchedule.SantoDomingo;
        var wanted = day ?? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(clock.GetUtcNow(), zone).DateTime);
        var from = TimeZoneInfo.ConvertTimeToUtc(wanted.ToDateTime(TimeOnly.MinValue), zone);
        var span = new { from, until = TimeZoneInfo.ConvertTimeToUtc(wanted.AddDays(1).ToDateTime(TimeOnly.MinValue), zone) };
        await using var connection = await database.OpenConnectionAsync(ct);
        var served = (await connection.QueryAsync<(string Model, int Version, long Requests, long Rows, long Errors, long Hits, int[] Latency, long Outcomes)>(new CommandDefinition("""
            select m.model, m.version, sum(requests)::bigint, sum(rows)::bigint, sum(errors)::bigint, sum(cache_hits)::bigint, coalesce(ml.sum_counts(latency order by minute) filter (where arm <> 'batch'), '{}'),
                (select count(*) from ml.outcomes o join ml.predictions p using (request_id, row) where p.model = m.model and p.version = m.version and o.known_at >= @from and o.known_at < @until)
            from ml.serving_minutes m where minute >= @from and minute < @until group by m.model, m.version order by m.model, m.version
            """, span, cancellationToken: ct))).Select(row => new Figures(row.Model, row.Version, row.Requests, row.Rows, row.Errors, row.Hits, Latency.Percentile(row.Latency, 0.95), row.Outcomes)).ToList();
        var steps = (await connection.QueryAsync<(string Model, string Step, int? Version, string Reason)>(new CommandDefinition(
            "select model, step, version, reason from ml.rollout_steps where at >= @from and at < @until order by at, id", span, cancellationToken: ct))).AsList();
        var alerts = (await connection.QueryAsync<(string Message, bool Open)>(new CommandDefinition(
            "select message, resolved_at is null from ml.alerts where raised_at >= @from and raised_at < @until order by raised_at", span, cancellationToken: ct))).AsList();

        var texts = Texts.Spanish;
        var lines = new List<string>();
        foreach (var model in served.GroupBy(row => row.Model))
        {
            var (requests, errors, rows, hits) = (model.Sum(row => row.Requests), model.Sum(row => row.Errors), model.Sum(row => row.Rows), model.Sum(row => row.CacheHits));
            lines.Add(texts["report.served", model.Key, requests, rows, (double)errors / Math.Max(1, requests), (double)hits / Math.Max(1, rows), model.Max(row => row.P95) ?? 0]);
        }

        lines.AddRange(steps.Select(step => texts[step.Step == "served" ? "report.served_version" : texts.Has($"report.{step.Step}") ? $"report.{step.Step}" : "report.step", step.Model, step.Version ?? 0, step.Step, step.Reason]));
        lines.AddRange(alerts.Select(alert => texts[alert.Open ? "report.alert_open" : "report.alert_over", alert.Message]));
        if (lines.Count == 0)
        {
            lines.Add(texts["report.nothing"]);
        }

        return TypedResults.Ok(new Response(wanted, texts["report.title", wanted.ToDateTime(TimeOnly.MinValue)], lines, served));
    }
}
