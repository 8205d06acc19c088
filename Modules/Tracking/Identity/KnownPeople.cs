using Microsoft.Extensions.Caching.Hybrid;
using Npgsql;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Identity;

/// <summary>
/// Who ids stand for, kept in memory: every page asks, and seldom does it change. What is kept goes when a sign-in, a link, a split or an erasure changes it, on every
/// node; and after <see cref="KeptFor"/>, should a node not have heard of it.
/// </summary>
internal sealed class KnownPeople(NpgsqlDataSource database, HybridCache? cache = null)
{
    private const string Tag = "people";
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(15);
    private static readonly string[] Tags = [Tag];
    private static readonly HybridCacheEntryOptions Keep = new() { Expiration = KeptFor, LocalCacheExpiration = KeptFor };

    /// <summary>Whom an id stands for.</summary>
    public ValueTask<Person> FindAsync(string id, CancellationToken ct) =>
        cache is null ? ReadAsync(id, ct) : cache.GetOrCreateAsync(Key(id), (Own: this, id), static (asked, ct) => asked.Own.ReadAsync(asked.id, ct), Keep, Tags, ct);

    /// <summary>What was known of these ids, and of every visitor of these users, holds no longer.</summary>
    public async Task ForgetAsync(IEnumerable<string> ids, IReadOnlyCollection<string> users, CancellationToken ct)
    {
        if (cache is null)
        {
            return;
        }

        var all = ids.Concat(users).ToHashSet(StringComparer.Ordinal);
        if (users.Count > 0)
        {
            await using var command = database.CreateCommand("select anonymous_id from tracking.identity_links where user_id = any($1)");
            command.Parameters.Add(new NpgsqlParameter { Value = users.ToArray() });
            await using var row = await command.ExecuteReaderAsync(ct);
            while (await row.ReadAsync(ct))
            {
                all.Add(row.GetString(0));
            }
        }

        await cache.RemoveAsync(all.Select(Key), ct);
    }

    /// <summary>Nothing that was known holds any longer.</summary>
    public ValueTask ForgetAllAsync(CancellationToken ct) => cache?.RemoveByTagAsync(Tag, ct) ?? default;

    private static string Key(string id) => $"{Tag}:{id}";

    /// <summary>One round trip, whoever it is.</summary>
    private async ValueTask<Person> ReadAsync(string id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand("""
            with person as (
                select coalesce((select user_id from tracking.identity_links where anonymous_id = $1 and split_at is null), (select user_id from tracking.users where user_id = $1)) as user_id
            )
            select p.user_id, l.anonymous_id from person p left join tracking.identity_links l on l.user_id = p.user_id and l.split_at is null where p.user_id is not null order by l.linked_at, l.id
            """, connection)
        {
            Parameters = { new() { Value = id } },
        };
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        var (user, visitors) = ((string?)null, new List<string>());
        while (await row.ReadAsync(ct))
        {
            user = row.GetString(0);
            if (!row.IsDBNull(1))
            {
                visitors.Add(row.GetString(1));
            }
        }

        return user is null ? new Person(id, false, []) : new Person(user, true, visitors);
    }
}
