using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Identity;

/// <summary>A link between an anonymous visitor and a user, now or once.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="AnonymousId">The visitor.</param>
/// <param name="UserId">The user.</param>
/// <param name="LinkedAt">When it was made (UTC).</param>
/// <param name="LinkedBy"><c>sign-in</c>, or the admin who made it.</param>
/// <param name="SplitAt">When it was split (UTC); null while it holds.</param>
/// <param name="SplitBy">Who split it.</param>
/// <param name="SplitReason">Why.</param>
internal sealed record IdentityLink(
    Guid Id, string AnonymousId, string UserId, DateTimeOffset LinkedAt, string LinkedBy, DateTimeOffset? SplitAt = null, string? SplitBy = null, string? SplitReason = null);

/// <summary>
/// The rules of who is who, and their table. A visitor belongs to the first user who signs in there; nobody else's sign-in moves it, so two
/// known users never merge. A pair that was split is never linked again by itself.
/// </summary>
internal static class IdentityLinks
{
    /// <summary>How a link made by the evidence of an event is signed.</summary>
    public const string SignIn = "sign-in";

    // "OKLAIDEN": one writer of links at a time.
    private const long WriteLock = 0x4F4B4C41_4944454E;

    private const string Columns = "id, anonymous_id, user_id, linked_at, linked_by, split_at, split_by, split_reason";

    /// <summary>The same pair has the same first link on every rebuild, so that its event is a repeat.</summary>
    public static Guid FirstLinkOf(string anonymousId, string userId) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"link\n{anonymousId}\n{userId}")).AsSpan(0, 16));

    /// <summary>Name of the stream that tells a visitor's links.</summary>
    public static string StreamOf(string anonymousId) => $"identity-{anonymousId}";

    /// <summary>The event that tells of a link.</summary>
    public static NewEvent Linked(IdentityLink link) =>
        NewEvent.Of(EventTypes.PersonLinked, new PersonLinked(link.Id, link.AnonymousId, link.UserId, link.LinkedBy), link.LinkedAt) with { Id = link.Id };

    /// <summary>Makes this transaction the only one that changes links until it ends.</summary>
    public static Task LockAsync(NpgsqlTransaction transaction, CancellationToken ct) =>
        transaction.Connection!.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(@WriteLock)", new { WriteLock }, transaction, cancellationToken: ct));

    /// <summary>Every link of these visitors, split ones too.</summary>
    public static Task<List<IdentityLink>> OfVisitorsAsync(NpgsqlConnection connection, IReadOnlyCollection<string> anonymousIds, CancellationToken ct) =>
        ReadAsync(connection, "anonymous_id", anonymousIds, ct);

    /// <summary>Every link of a user, split ones too.</summary>
    public static Task<List<IdentityLink>> OfUserAsync(NpgsqlConnection connection, string userId, CancellationToken ct) => ReadAsync(connection, "user_id", [userId], ct);

    /// <summary>Writes new links.</summary>
    public static Task AddAsync(NpgsqlConnection connection, IReadOnlyCollection<IdentityLink> links, CancellationToken ct) =>
        links.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync(new CommandDefinition("""
            insert into tracking.identity_links (id, anonymous_id, user_id, linked_at, linked_by)
            select * from unnest(@ids, @visitors, @users, @times, @by) on conflict do nothing
            """,
            new
            {
                ids = links.Select(link => link.Id).ToArray(), visitors = links.Select(link => link.AnonymousId).ToArray(), users = links.Select(link => link.UserId).ToArray(),
                times = links.Select(link => link.LinkedAt.UtcDateTime).ToArray(), by = links.Select(link => link.LinkedBy).ToArray(),
            },
            cancellationToken: ct));

    /// <summary>Ends a link; false when it does not hold.</summary>
    public static async Task<bool> EndAsync(NpgsqlConnection connection, PersonSplit split, DateTimeOffset at, CancellationToken ct) =>
        await connection.ExecuteAsync(new CommandDefinition(
            "update tracking.identity_links set split_at = @at, split_by = @By, split_reason = @Reason where id = @LinkId and split_at is null",
            new { split.LinkId, split.By, split.Reason, at }, cancellationToken: ct)) == 1;

    /// <summary>Deletes every row about these identities, their visits too.</summary>
    public static Task ForgetAsync(NpgsqlConnection connection, IReadOnlyList<string> identities, CancellationToken ct) =>
        connection.ExecuteAsync(new CommandDefinition("""
            delete from tracking.identity_links where anonymous_id = any(@ids) or user_id = any(@ids);
            delete from tracking.users where user_id = any(@ids);
            delete from tracking.sessions where actor = any(@actors);
            """,
            new
            {
                ids = identities.ToArray(),
                actors = identities.SelectMany(id => new[] { BehaviourEvent.StreamOf(null, id), BehaviourEvent.StreamOf(id, null) }).ToArray(),
            },
            cancellationToken: ct));

    private static async Task<List<IdentityLink>> ReadAsync(NpgsqlConnection connection, string column, IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from tracking.identity_links where {column} = any($1) order by linked_at, id", connection)
        {
            Parameters = { new() { Value = ids.ToArray() } },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        var links = new List<IdentityLink>();
        while (await row.ReadAsync(ct))
        {
            string? Text(int i) => row.IsDBNull(i) ? null : row.GetString(i);
            links.Add(new IdentityLink(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3), row.GetString(4),
                row.IsDBNull(5) ? null : row.GetFieldValue<DateTimeOffset>(5), Text(6), Text(7)));
        }

        return links;
    }
}
