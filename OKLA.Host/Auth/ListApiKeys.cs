using Dapper;
using Npgsql;

namespace OKLA.Host.Auth;

/// <summary>GET /api/admin/api-keys: every key there is or was, newest first, without secrets.</summary>
internal static class ListApiKeys
{
    /// <summary>The answer.</summary>
    public sealed record Response(IReadOnlyList<Item> Items);

    /// <summary>A key as an admin sees it; times are UTC, the last use is to the minute.</summary>
    public sealed record Item(
        string KeyId, string Name, string Kind, string[] Scopes, string[] Origins,
        DateTime CreatedAt, string CreatedBy, DateTime? LastUsedAt, DateTime? RevokedAt, string? RevokedBy);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", HandleAsync).WithSummary("API keys, without their secrets");

    internal static async Task<Response> HandleAsync(NpgsqlDataSource db, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        return new Response([.. await connection.QueryAsync<Item>(new CommandDefinition(
            """
            select key_id as KeyId, name as Name, kind as Kind, scopes as Scopes, origins as Origins, created_at as CreatedAt,
                   created_by as CreatedBy, last_used_at as LastUsedAt, revoked_at as RevokedAt, revoked_by as RevokedBy
            from auth.api_keys order by created_at desc, key_id limit 1000
            """,
            cancellationToken: ct))]);
    }
}
