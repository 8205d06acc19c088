using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Microsoft.Extensions.Options;
using Npgsql;

namespace OKLA.Host.Auth;

/// <summary>
/// Finds API keys. A key that exists is remembered for a short while, so that a revoked one dies here at once and on other
/// hosts when that while is over; a key that does not exist is never remembered, so strangers cannot fill the memory.
/// </summary>
internal sealed class ApiKeys(NpgsqlDataSource db, IOptions<AuthOptions> options, TimeProvider time, ILogger<ApiKeys> logger)
{
    private static readonly TimeSpan UseNoted = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Found> found = new(StringComparer.Ordinal);

    /// <summary>The key of that id, revoked or not; null when there is none.</summary>
    public async Task<ApiKey?> FindAsync(string keyId)
    {
        // Requests that arrive together share one look-up.
        var entry = found.GetOrAdd(keyId, Load);
        if (time.GetElapsedTime(entry.At) >= options.Value.ApiKeyCache)
        {
            var fresh = Load(keyId);
            entry = found.TryUpdate(keyId, fresh, entry) ? fresh : found.GetOrAdd(keyId, fresh);
        }

        try
        {
            var key = await entry.Key.Value;
            if (key is null) found.TryRemove(KeyValuePair.Create(keyId, entry));
            return key;
        }
        catch
        {
            // A failure is not worth remembering.
            found.TryRemove(KeyValuePair.Create(keyId, entry));
            throw;
        }
    }

    /// <summary>Notes that the key signed a request in: at most once a minute, and never at the request's expense.</summary>
    public async Task NoteUseAsync(ApiKey key)
    {
        if (!found.TryGetValue(key.KeyId, out var entry) || !entry.TakeTurnToNote(time.GetUtcNow(), key.LastUsedAt)) return;
        try
        {
            await using var connection = await db.OpenConnectionAsync();
            await connection.ExecuteAsync(
                "update auth.api_keys set last_used_at = greatest(last_used_at, @now) where key_id = @KeyId",
                new { now = time.GetUtcNow(), key.KeyId });
        }
        catch (DbException e)
        {
            Log.LastUseNotNoted(logger, key.KeyId, e);
        }
    }

    /// <summary>Forgets a key, so that the next request asks the database.</summary>
    public void Forget(string keyId) => found.TryRemove(keyId, out _);

    private Found Load(string keyId) => new(new Lazy<Task<ApiKey?>>(() => SelectAsync(keyId)), time.GetTimestamp());

    private async Task<ApiKey?> SelectAsync(string keyId)
    {
        await using var connection = await db.OpenConnectionAsync();
        return await connection.QuerySingleOrDefaultAsync<ApiKey>(
            """
            select key_id, kind, secret_hash, scopes, origins, last_used_at, revoked_at from auth.api_keys where key_id = @keyId
            """,
            new { keyId });
    }

    private sealed class Found(Lazy<Task<ApiKey?>> key, long at)
    {
        private long noted;

        public Lazy<Task<ApiKey?>> Key => key;

        public long At => at;

        public bool TakeTurnToNote(DateTimeOffset now, DateTime? lastUsedAt)
        {
            var before = Interlocked.Read(ref noted);
            var last = before != 0 ? before : lastUsedAt?.Ticks ?? 0;
            return now.UtcTicks - last >= UseNoted.Ticks && Interlocked.CompareExchange(ref noted, now.UtcTicks, before) == before;
        }
    }
}
