using System.ComponentModel.DataAnnotations;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Serving;
using OKLA.Shared.Web;

namespace OKLA.ML.Monitoring;

/// <summary>GET /api/ml/models/{name}/monitoring: what each version did by the minute or the hour, how far its inputs and answers have drifted, and how good it turned out to be.</summary>
internal static class ReadMonitoring
{
    /// <summary>How a model does.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Version">The version that serves.</param>
    /// <param name="From">Begin of the windows (UTC).</param>
    /// <param name="Windows">By version, oldest first.</param>
    /// <param name="Drift">Of the serving version; null when it answers no rows.</param>
    /// <param name="Quality">Of the last days, all rows first, then by segment.</param>
    /// <param name="UnwrittenPredictions">Requests that this host could not write down since it began.</param>
    public sealed record Response(
        string Model, int? Version, DateTimeOffset From, IReadOnlyList<Window> Windows, DriftReport? Drift, IReadOnlyList<QualityFigures> Quality, long UnwrittenPredictions);

    /// <summary>What a version did in a minute or an hour.</summary>
    /// <param name="At">Its begin (UTC).</param>
    /// <param name="Version">The version; 0 for answers without one.</param>
    /// <param name="Arm">Arm of a rollout; empty for none.</param>
    /// <param name="Requests">Requests.</param>
    /// <param name="Rows">Rows.</param>
    /// <param name="Errors">Requests it failed at.</param>
    /// <param name="CacheHits">Rows answered from the cache.</param>
    /// <param name="P50">Median latency in milliseconds.</param>
    /// <param name="P95">95th percentile.</param>
    /// <param name="P99">99th percentile.</param>
    public sealed record Window(DateTimeOffset At, int Version, string Arm, long Requests, long Rows, long Errors, long CacheHits, double? P50, double? P95, double? P99);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/{name}/monitoring", HandleAsync).WithName("ReadMonitoring")
        .WithSummary("Latency, errors, drift and quality of a model");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(
        [MaxLength(100)] string name, ServedModels served, Models.ModelCatalog catalog, PredictionStore store, NpgsqlDataSource database, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct,
        [OneOf("minute", "hour")] string window = "minute", [Range(1, 2_160)] int hours = 1, [Range(1, 365)] int days = 7, [MaxLength(100)] string? segment = null)
    {
        if (catalog.Find(name) is null)
        {
            return PredictRows.Missing(name, AskStatus.Unknown);
        }

        var now = clock.GetUtcNow();
        var from = now.AddHours(-hours);
        await using var connection = await database.OpenConnectionAsync(ct);
        var windows = await WindowsAsync(connection, name, window, from, ct);
        var by = await served.BestAsync(name);
        var drift = by is null ? null : await DriftWatch.ReadAsync(connection, name, by.Version, by.Answers.Signature, options.Value.Monitoring, ct);
        var quality = by is null ? [] : await Quality.ReadAsync(connection, name, by.Version, by.Answers.Signature, segment, now.AddDays(-days), now, ct);
        return TypedResults.Ok(new Response(name, served.Find(name)?.Version, from, windows, drift, quality, store.Lost));
    }

    internal static async Task<IReadOnlyList<Window>> WindowsAsync(NpgsqlConnection connection, string model, string window, DateTimeOffset from, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(DateTime At, int Version, string Arm, long Requests, long Rows, long Errors, long Hits, int[] Latency)>(new CommandDefinition("""
            select date_trunc(@window, minute, 'UTC'), version, arm, sum(requests)::bigint, sum(rows)::bigint, sum(errors)::bigint, sum(cache_hits)::bigint, ml.sum_counts(latency order by minute)
            from ml.serving_minutes where model = @model and minute >= date_trunc(@window, @from::timestamptz, 'UTC') group by 1, 2, 3 order by 1, 2, 3
            """, new { model, window, from = from.UtcDateTime }, cancellationToken: ct));
        return [.. rows.Select(row => new Window(
            new DateTimeOffset(row.At, TimeSpan.Zero), row.Version, row.Arm, row.Requests, row.Rows, row.Errors, row.Hits, Latency.Percentile(row.Latency, 0.5), Latency.Percentile(row.Latency, 0.95),
            Latency.Percentile(row.Latency, 0.99)))];
    }
}
