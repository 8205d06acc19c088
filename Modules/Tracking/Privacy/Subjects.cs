using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;
using OKLA.Tracking.Identity;

namespace OKLA.Tracking.Privacy;

/// <summary>/api/privacy/subjects/{id}: everything that is known of a person, and its erasure. For an admin, or the person herself.</summary>
internal static class Subjects
{
    /// <summary>What is known of a person.</summary>
    /// <param name="Id">The id asked for.</param>
    /// <param name="Events">Her events in the order in which they became known, those of anonymous ids that were hers alone among them.</param>
    public sealed record Export(string Id, IReadOnlyList<ExportedEvent> Events);

    /// <summary>An event of hers.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Type">What happened.</param>
    /// <param name="OccurredAt">When it happened (UTC).</param>
    /// <param name="KnownAt">When it became known (UTC).</param>
    /// <param name="Data">All that is stored of it.</param>
    public sealed record ExportedEvent(Guid Id, string Type, DateTimeOffset OccurredAt, DateTimeOffset KnownAt, JsonElement Data);

    /// <summary>Proof of an erasure. Whoever knows the id can compute the hash again; it names nobody to others.</summary>
    /// <param name="ReceiptId">The receipt.</param>
    /// <param name="ErasedAt">When (UTC).</param>
    /// <param name="Salt">Text that was put before the id.</param>
    /// <param name="Hash">SHA-256 of salt and id, in hexadecimal digits.</param>
    /// <param name="OwnEvents">Events of hers of which only type, time and item are left.</param>
    /// <param name="Mentions">Events of others in which she is no longer named.</param>
    /// <param name="Rejected">Rejected events deleted.</param>
    public sealed record Receipt(Guid ReceiptId, DateTimeOffset ErasedAt, string Salt, string Hash, int OwnEvents, int Mentions, int Rejected);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/privacy/subjects").WithTags("Privacy").RequireAuthorization();
        group.MapGet("/{id}", ExportAsync).WithSummary("Everything that is known of a person");
        group.MapDelete("/{id}", EraseAsync).WithSummary("Take a person out of the log and everything that was derived from it");
    }

    internal static async Task<Results<Ok<Export>, ForbidHttpResult, ValidationProblem>> ExportAsync(string id, CurrentUser caller, PersonEvents people, CancellationToken ct)
    {
        if (!caller.MayActAs(id))
        {
            return TypedResults.Forbid();
        }

        if (!IsId(id))
        {
            return Problems.Invalid("id", "Must have 1 to 200 characters, none of them a control character.");
        }

        var events = new List<ExportedEvent>();
        await foreach (var recorded in people.ReadAsync(id, ct))
        {
            events.Add(new ExportedEvent(recorded.Id, recorded.Type, recorded.OccurredAt, recorded.KnownAt, recorded.Read<JsonElement>()));
        }

        return TypedResults.Ok(new Export(id, events));
    }

    internal static async Task<Results<Ok<Receipt>, ForbidHttpResult, ValidationProblem>> EraseAsync(
        string id, CurrentUser caller, NpgsqlDataSource database, PersonEvents people, KnownPeople known, Archive archive, EventLog log, TimeProvider clock, CancellationToken ct)
    {
        if (!caller.MayActAs(id))
        {
            return TypedResults.Forbid();
        }

        if (!IsId(id))
        {
            return Problems.Invalid("id", "Must have 1 to 200 characters, none of them a control character.");
        }

        var salt = RandomNumberGenerator.GetHexString(32, lowercase: true);
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var erased = await people.EraseAsync(transaction, id, ct);
        var rejected = await connection.ExecuteAsync(new CommandDefinition(
            """
            delete from tracking.rejected_events r where exists (
                select 1 from unnest(@ids) as i (id)
                where position(i.id in coalesce(r.body, '')) > 0 or position(trim(both '"' from to_json(i.id)::text) in coalesce(r.body, '')) > 0
                    or r.trusted_as = 'user:' || i.id or position(i.id in coalesce(r.event_id, '') || r.field) > 0)
            """,
            new { ids = erased.Identities.ToArray() }, cancellationToken: ct));
        await IdentityLinks.ForgetAsync(connection, erased.Identities, ct);
        var receipt = new Receipt(Guid.CreateVersion7(), clock.GetUtcNow(), salt, HashOf(salt, id), erased.Own, erased.Mentions, rejected);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            insert into tracking.erasures (id, erased_at, requested_by, salt, hash, own_events, mentions, rejected)
            values (@ReceiptId, @ErasedAt, @by, @Salt, @Hash, @OwnEvents, @Mentions, @Rejected)
            """,
            new { receipt.ReceiptId, receipt.ErasedAt, by = caller.Id == id ? "herself" : caller.Actor, receipt.Salt, receipt.Hash, receipt.OwnEvents, receipt.Mentions, receipt.Rejected },
            cancellationToken: ct));
        var told = NewEvent.Of(EventTypes.PersonErased, new PersonErased(salt, [.. erased.Identities.Select(identity => HashOf(salt, identity))]), receipt.ErasedAt);
        await log.AppendAsync(transaction, [new StreamEvent("erasures", told)], ct);
        await transaction.CommitAsync(ct);
        await known.ForgetAllAsync(ct);
        await archive.SweepAsync(ct);
        return TypedResults.Ok(receipt);
    }

    private static string HashOf(string salt, string id) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(salt + id)));

    private static bool IsId(string id) => id.Length is > 0 and <= 200 && !id.AsSpan().ContainsAnyInRange('\0', '\x1f');
}
