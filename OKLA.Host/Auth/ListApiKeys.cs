using Dapper;
using Npgsql;

namespace OKLA.Host.Auth;

/// <summary>GET /api/admin/api-keys: every key there is or was, newest first, without secrets.</summary>
internal static class ListApiKeys
{
    /// <summary>The answer.</summary>
    public sealed record Response(IReadOnlyList<Item> Items);

    /// <summary>A key as an admin sees it; times are UTC, the last use is to the minute.</summary>
    public sealed record Item
    {
        public required string KeyId { get; init; }
        public required string Name { get; init; }
        public required string Kind { get; init; }
        public required string[] Scopes { get; init; }
        public required string[] Origins { get; init; }
        public required DateTime CreatedAt { get; init; }
        public required string CreatedBy { get; init; }
        public DateTime? LastUsedAt { get; init; }
        public DateTime? RevokedAt { get; init; }
        public string? RevokedBy { get; init; }
    }

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/", HandleAsync).WithSummary("API keys, without their secrets");

    internal static async Task<Response> HandleAsync(NpgsqlDataSource db, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        return new Response([.. await connection.QueryAsync<Item>(new CommandDefinition(
            """
            select key_id, name, kind, scopes, origins, created_at, created_by, last_used_at, revoked_at, revoked_by
            from auth.api_keys order by created_at desc, key_id limit 1000
            """,
            cancellationToken: ct))]);
    }
}
