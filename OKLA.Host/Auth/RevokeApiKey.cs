using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using OKLA.Shared.Web;

namespace OKLA.Host.Auth;

/// <summary>DELETE /api/admin/api-keys/{keyId}: revokes a key for good. Doing it twice changes nothing.</summary>
internal static class RevokeApiKey
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapDelete("/{keyId}", HandleAsync).WithSummary("Revokes an API key");

    internal static async Task<Results<NoContent, NotFound>> HandleAsync(
        string keyId, CurrentUser admin, ApiKeys keys, NpgsqlDataSource db, TimeProvider time, ILogger<ApiKeys> logger, CancellationToken ct)
    {
        await using var connection = await db.OpenConnectionAsync(ct);
        var changed = await connection.ExecuteAsync(new CommandDefinition(
            """
            update auth.api_keys
            set revoked_at = coalesce(revoked_at, @now), revoked_by = coalesce(revoked_by, @Actor)
            where key_id = @keyId
            """,
            new { keyId, now = time.GetUtcNow(), admin.Actor },
            cancellationToken: ct));
        if (changed == 0) return TypedResults.NotFound();
        keys.Forget(keyId);
        Log.KeyRevoked(logger, keyId, admin.Actor);
        return TypedResults.NoContent();
    }
}
