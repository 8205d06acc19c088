using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Quality;

/// <summary><c>/api/admin/quality/alerts</c>: breaches, open and past, with the rows that show them.</summary>
internal static class Alerts
{
    private const string Columns = """
        id, expectation, type, field, kind, severity, since, raised_at, last_seen_at, resolved_at, observed, expected, message,
        acknowledged_at, acknowledged_by, cardinality(positions) as failing_rows
        """;

    /// <summary>A breach.</summary>
    /// <param name="Id">Its identity.</param>
    /// <param name="Expectation">Name of the expectation.</param>
    /// <param name="Type">Event type, or <c>item:{kind}</c>.</param>
    /// <param name="Field">Field; <c>*</c> for the record as a whole.</param>
    /// <param name="Kind">Kind of the expectation.</param>
    /// <param name="Severity">info, warning or error.</param>
    /// <param name="Since">When it began, in known-at time (UTC).</param>
    /// <param name="RaisedAt">When it was found (UTC).</param>
    /// <param name="LastSeenAt">When it was last found (UTC).</param>
    /// <param name="ResolvedAt">When it ended (UTC); null while it is open.</param>
    /// <param name="Observed">What was last seen.</param>
    /// <param name="Expected">What was expected.</param>
    /// <param name="Message">For admins.</param>
    /// <param name="AcknowledgedAt">When somebody took it on (UTC).</param>
    /// <param name="AcknowledgedBy">Who did.</param>
    /// <param name="FailingRows">Rows kept with it.</param>
    public sealed record Alert(
        Guid Id, string Expectation, string Type, string Field, string Kind, string Severity, DateTimeOffset Since, DateTimeOffset RaisedAt, DateTimeOffset LastSeenAt,
        DateTimeOffset? ResolvedAt, double Observed, double Expected, string Message, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy, int FailingRows);

    /// <summary>A breach with rows that show it.</summary>
    /// <param name="Alert">The breach.</param>
    /// <param name="Rows">Rows as the log holds them now: of an erased person nothing is left in them.</param>
    public sealed record Detail(Alert Alert, IReadOnlyList<Row> Rows);

    /// <summary>A row of the log.</summary>
    /// <param name="Position">Place in the log.</param>
    /// <param name="Id">Its id.</param>
    /// <param name="Type">Event type.</param>
    /// <param name="OccurredAt">When it happened (UTC).</param>
    /// <param name="KnownAt">When it became known (UTC).</param>
    /// <param name="Data">Its body.</param>
    public sealed record Row(long Position, Guid Id, string Type, DateTimeOffset OccurredAt, DateTimeOffset KnownAt, JsonElement Data);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/alerts", ListAsync).WithSummary("Breaches of what is expected of the data, newest first");
        routes.MapGet("/alerts/{id:guid}", GetAsync).WithSummary("A breach with rows that show it");
        routes.MapPost("/alerts/{id:guid}/acknowledge", AcknowledgeAsync).WithSummary("Say that somebody looks after it");
    }

    internal static async Task<Results<Ok<IReadOnlyList<Alert>>, ValidationProblem>> ListAsync(
        NpgsqlDataSource database, CancellationToken ct, string state = "open", [Range(1, 1_000)] int limit = 100)
    {
        if (state is not ("open" or "resolved" or "all"))
        {
            return Problems.Invalid("state", "open, resolved or all.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        return TypedResults.Ok<IReadOnlyList<Alert>>([.. await connection.QueryAsync<Alert>(new CommandDefinition(
            $"select {Columns} from tracking.quality_alerts where @state = 'all' or (resolved_at is null) = (@state = 'open') order by raised_at desc, id limit @limit",
            new { state, limit }, cancellationToken: ct))]);
    }

    internal static async Task<Results<Ok<Detail>, NotFound>> GetAsync(Guid id, NpgsqlDataSource database, EventLog log, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var alert = await connection.QuerySingleOrDefaultAsync<Alert>(new CommandDefinition($"select {Columns} from tracking.quality_alerts where id = @id", new { id }, cancellationToken: ct));
        if (alert is null)
        {
            return TypedResults.NotFound();
        }

        var positions = await connection.QuerySingleAsync<long[]>(new CommandDefinition("select positions from tracking.quality_alerts where id = @id", new { id }, cancellationToken: ct));
        var rows = new List<Row>();
        foreach (var position in positions)
        {
            await foreach (var e in log.ReadAsync(position - 1, limit: 1, ct: ct))
            {
                // Retention may have taken it out meanwhile.
                if (e.Position == position)
                {
                    rows.Add(new Row(e.Position, e.Id, e.Type, e.OccurredAt, e.KnownAt, e.Read<JsonElement>()));
                }
            }
        }

        return TypedResults.Ok(new Detail(alert, rows));
    }

    internal static async Task<Results<Ok<Alert>, NotFound>> AcknowledgeAsync(Guid id, CurrentUser admin, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var alert = await connection.QuerySingleOrDefaultAsync<Alert>(new CommandDefinition(
            $"""
            update tracking.quality_alerts set acknowledged_at = coalesce(acknowledged_at, @now), acknowledged_by = coalesce(acknowledged_by, @Actor)
            where id = @id returning {Columns}
            """,
            new { id, now = clock.GetUtcNow().UtcDateTime, admin.Actor }, cancellationToken: ct));
        return alert is null ? TypedResults.NotFound() : TypedResults.Ok(alert);
    }
}
