using System.Text;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Ingest;

/// <summary>/api/admin/tracking/rejected: what was rejected and why; and POST …/replay, which offers it to today's schemas once more.</summary>
internal static class ReplayRejected
{
    private const int Chunk = 500;

    /// <summary>How a replay went.</summary>
    /// <param name="Accepted">Events now in the log, with the event time they would have had.</param>
    /// <param name="Repeated">Events that were in the log already.</param>
    /// <param name="StillRejected">Events that today's schemas reject too; they stay, with today's reason.</param>
    public sealed record Result(int Accepted, int Repeated, int StillRejected);

    /// <summary>A rejected event.</summary>
    /// <param name="Id">Number of the rejection.</param>
    /// <param name="ReceivedAt">When it came (UTC).</param>
    /// <param name="EventId">The event's id as sent.</param>
    /// <param name="Type">Its type, when it could be read.</param>
    /// <param name="Field">The field at fault.</param>
    /// <param name="Reason">What is wrong with it.</param>
    /// <param name="Body">Its JSON, masked; null when it was not kept.</param>
    /// <param name="Attempts">Times it was rejected.</param>
    public sealed record Item(long Id, DateTime ReceivedAt, string? EventId, string? Type, string Field, string Reason, string? Body, int Attempts);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/admin/tracking/rejected").WithTags("Events").RequireAuthorization(Policies.Admin);
        group.MapGet("/", ListAsync).WithSummary("Rejected events with their reason, newest first");
        group.MapPost("/replay", ReplayAsync).WithSummary("Offer rejected events, of one type or of all, to today's schemas once more");
    }

    internal static async Task<Results<Ok<Page<Item>>, ValidationProblem>> ListAsync(
        [AsParameters] PageRequest page, NpgsqlDataSource database, CancellationToken ct, string? type = null)
    {
        if (!page.TryKey<long?>(out var before))
        {
            return Problems.Invalid("cursor", "Not a cursor of this list.");
        }

        if (type?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return Problems.Invalid("type", "Not a type.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = (await connection.QueryAsync<Item>(new CommandDefinition(
            """
            select id, received_at, event_id, type, field, reason, body, attempts from tracking.rejected_events
            where (@before::bigint is null or id < @before) and (@type::text is null or type = @type) order by id desc limit @Rows
            """,
            new { before, type, page.Rows }, cancellationToken: ct))).AsList();
        return TypedResults.Ok(rows.ToPage(page, row => (long?)row.Id));
    }

    internal static async Task<Results<Ok<Result>, ValidationProblem, ProblemHttpResult>> ReplayAsync(
        NpgsqlDataSource database, EventWriter writer, CustomSchemas schemas, TrackingOptions options, CancellationToken ct, string? type = null)
    {
        if (type?.Contains('\0', StringComparison.Ordinal) == true)
        {
            return Problems.Invalid("type", "Not a type.");
        }

        var known = await schemas.GetAsync(ct);
        var (accepted, repeated, rejected, last) = (0, 0, 0, 0L);
        await using var connection = await database.OpenConnectionAsync(ct);
        while (true)
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var rows = (await connection.QueryAsync<(long Id, DateTime ReceivedAt, string Body, string? TrustedAs, bool Bot)>(new CommandDefinition(
                """
                select id, received_at, body, trusted_as, bot from tracking.rejected_events
                where id > @last and body is not null and (@type::text is null or type = @type) order by id limit @Chunk for update skip locked
                """,
                new { last, type, Chunk }, cancellationToken: ct))).AsList();
            if (rows.Count == 0)
            {
                return TypedResults.Ok(new Result(accepted, repeated, rejected));
            }

            last = rows[^1].Id;
            var parsed = rows.ConvertAll(row => (row.Id, Event: Parse(row.Body, Sender.Restored(row.TrustedAs, row.Bot), known, options, new DateTimeOffset(row.ReceivedAt, TimeSpan.Zero))));
            var good = parsed.Where(item => item.Event.Rejection is null).ToList();
            var receipt = good.Count == 0 ? new WriteReceipt(WriteStatus.Written, []) : await writer.WriteAsync(good.ConvertAll(item => item.Event.Event));
            if (receipt.Status != WriteStatus.Written)
            {
                // What earlier rounds wrote is out of the table; the rest waits there for the next call.
                return TypedResults.Problem("The log could not take more; call again later.", statusCode: StatusCodes.Status503ServiceUnavailable, title: "The log is not available");
            }

            await connection.ExecuteAsync(new CommandDefinition(
                "delete from tracking.rejected_events where id = any(@ids)", new { ids = good.Select(item => item.Id).ToArray() }, cancellationToken: ct));
            foreach (var (id, bad) in parsed.Where(item => item.Event.Rejection is not null))
            {
                await connection.ExecuteAsync(new CommandDefinition(
                    "update tracking.rejected_events set field = @Field, reason = @Reason, attempts = attempts + 1 where id = @id",
                    new { bad.Rejection!.Field, bad.Rejection.Reason, id }, cancellationToken: ct));
                rejected++;
            }

            await transaction.CommitAsync(ct);
            var repeats = receipt.Repeated.Count(known => known);
            (accepted, repeated) = (accepted + good.Count - repeats, repeated + repeats);
        }
    }

    private static ParsedEvent Parse(string body, Sender sender, SchemaSet schemas, TrackingOptions options, DateTimeOffset receivedAt) =>
        new EventParser(Encoding.UTF8.GetBytes(body), sender, schemas, options, receivedAt).Parse(out _)[0];
}
