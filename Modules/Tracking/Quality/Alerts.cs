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
        return TypedResults.Ok<IReadOnlyList<Alert>>(await ReadAsync(
            connection, $"select {Columns} from tracking.quality_alerts where @state = 'all' or (resolved_at is null) = (@state = 'open') order by raised_at desc, id limit @limit",
            new { state, limit }, ct));
    }

    internal static async Task<Results<Ok<Detail>, NotFound>> GetAsync(Guid id, NpgsqlDataSource database, EventLog log, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        if (await ReadAsync(connection, $"select {Columns} from tracking.quality_alerts where id = @id", new { id }, ct) is not [var alert])
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
        var alerts = await ReadAsync(
            connection,
            $"""
            update tracking.quality_alerts set acknowledged_at = coalesce(acknowledged_at, @now), acknowledged_by = coalesce(acknowledged_by, @Actor)
            where id = @id returning {Columns}
            """,
            new { id, now = clock.GetUtcNow().UtcDateTime, admin.Actor }, ct);
        return alerts is [var alert] ? TypedResults.Ok(alert) : TypedResults.NotFound();
    }

    private static async Task<List<Alert>> ReadAsync(NpgsqlConnection connection, string sql, object parameters, CancellationToken ct)
    {
        await using var row = await connection.ExecuteReaderAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
        var alerts = new List<Alert>();
        while (await row.ReadAsync(ct))
        {
            DateTimeOffset? Time(int i) => row.IsDBNull(i) ? null : row.GetFieldValue<DateTimeOffset>(i);
            alerts.Add(new Alert(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5), Time(6)!.Value, Time(7)!.Value, Time(8)!.Value,
                Time(9), row.GetDouble(10), row.GetDouble(11), row.GetString(12), Time(13), row.IsDBNull(14) ? null : row.GetString(14), row.GetInt32(15)));
        }

        return alerts;
    }
}
