using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Models;
using OKLA.ML.Rollout;
using OKLA.Shared.Web;

namespace OKLA.ML.Monitoring;

/// <summary>
/// POST /api/ml/models/{name}/outcomes: what came of rows that were asked about, however late; the last word counts. PUT …/goal: which events of the log say
/// it by themselves.
/// </summary>
internal static class RecordOutcomes
{
    private const int Most = 10_000;

    /// <summary>What came of rows.</summary>
    /// <param name="Outcomes">At most 10,000.</param>
    public sealed record Request(IReadOnlyList<Told>? Outcomes);

    /// <summary>What came of a row.</summary>
    /// <param name="RequestId">Its request.</param>
    /// <param name="Outcome">A number or a class.</param>
    /// <param name="At">When it came about (UTC).</param>
    /// <param name="Row">Its place in the request, from 0.</param>
    public sealed record Told(string? RequestId, JsonElement Outcome, DateTimeOffset? At = null, int Row = 0);

    /// <summary>What was kept.</summary>
    /// <param name="Kept">Outcomes of rows that are known.</param>
    /// <param name="Unknown">Outcomes of rows that are not, or not yet; they are not kept.</param>
    public sealed record Response(int Kept, int Unknown);

    public static void Map(IEndpointRouteBuilder ask, IEndpointRouteBuilder admin)
    {
        ask.MapPost("/{name}/outcomes", PostAsync).WithName("RecordOutcomes").WithSummary("Say what came of rows that were asked about");
        admin.MapPut("/{name}/goal", PutGoalAsync).WithName("PutGoal").WithSummary("Which events of the log say that a model's positive class came true");
        admin.MapGet("/{name}/goal", GetGoalAsync).WithName("ReadGoal").WithSummary("Which events say it");
    }

    internal static async Task<Results<Ok<Response>, ValidationProblem>> PostAsync(
        [MaxLength(100)] string name, Request request, Serving.PredictionStore store, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        if (request.Outcomes is not { Count: > 0 and <= Most } told)
        {
            return Problems.Invalid("outcomes", $"1 to {Most} outcomes.");
        }

        for (var i = 0; i < told.Count; i++)
        {
            if (string.IsNullOrEmpty(told[i].RequestId) || told[i].Outcome.ValueKind is not (JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False))
            {
                return Problems.Invalid($"outcomes[{i}]", "A requestId and an outcome, which is a number, a class, true or false.");
            }
        }

        // What was answered a moment ago may still wait to be written.
        await store.FlushAsync(ct);
        var now = clock.GetUtcNow();
        var last = told.GroupBy(item => (item.RequestId, item.Row)).Select(same => same.Last()).ToArray();
        await using var connection = await database.OpenConnectionAsync(ct);
        var kept = await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.outcomes (request_id, row, value, label, at, known_at)
            select t.request_id, t.row, t.value, t.label, t.at, @now
            from unnest(@ids, @rows, @values, @labels, @times) as t (request_id, row, value, label, at)
            join ml.predictions p on p.request_id = t.request_id and p.row = t.row and p.model = @name
            on conflict (request_id, row) do update set value = excluded.value, label = excluded.label, at = excluded.at, known_at = excluded.known_at
            """,
            new
            {
                name, now = now.UtcDateTime, ids = last.Select(item => item.RequestId!).ToArray(), rows = last.Select(item => item.Row).ToArray(),
                values = last.Select(item => Number(item.Outcome)).ToArray(), labels = last.Select(item => item.Outcome.ValueKind == JsonValueKind.String ? item.Outcome.GetString() : null).ToArray(),
                times = last.Select(item => (item.At ?? now).UtcDateTime).ToArray(),
            },
            cancellationToken: ct));
        return TypedResults.Ok(new Response(kept, last.Length - kept));
    }

    internal static async Task<Results<Ok<Goal>, ValidationProblem, NotFound>> PutGoalAsync(
        [MaxLength(100)] string name, Goal goal, ModelCatalog catalog, NpgsqlDataSource database, IOptions<MLOptions> options, CancellationToken ct)
    {
        if (catalog.Find(name) is null)
        {
            return TypedResults.NotFound();
        }

        var known = options.Value.Rollout.Goals;
        if (goal.EventTypes is not { Count: > 0 } || goal.EventTypes.Any(type => !known.Contains(type)))
        {
            return Problems.Invalid("eventTypes", $"Any of {string.Join(", ", known)}.");
        }

        if (goal.WindowMinutes is < 1 or > 129_600)
        {
            return Problems.Invalid("windowMinutes", "1 to 129,600.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into ml.goals (model, event_types, window_minutes) values (@name, @types, @WindowMinutes)
            on conflict (model) do update set event_types = excluded.event_types, window_minutes = excluded.window_minutes
            """, new { name, types = goal.EventTypes.ToArray(), goal.WindowMinutes }, cancellationToken: ct));
        return TypedResults.Ok(goal);
    }

    internal static async Task<Results<Ok<Goal>, NotFound>> GetGoalAsync([MaxLength(100)] string name, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var row = await connection.QuerySingleOrDefaultAsync<(string[]? Types, int Minutes)>(new CommandDefinition("select event_types, window_minutes from ml.goals where model = @name", new { name }, cancellationToken: ct));
        return row.Types is { } types ? TypedResults.Ok(new Goal(types, row.Minutes)) : TypedResults.NotFound();
    }

    private static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => null,
    };
}
