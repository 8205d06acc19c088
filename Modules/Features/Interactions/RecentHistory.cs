using System.Runtime.InteropServices;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Online;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetRecentHistory"/>.</summary>
internal static class RecentHistoryHandler
{
    public static async Task<IReadOnlyList<HistoryItem>> Handle(GetRecentHistory query, RecentHistories histories, CancellationToken ct)
    {
        var all = query.AsOf is { } past ? await histories.ReadAsync(query.PersonId, past, ct) : await histories.GetAsync(query.PersonId, ct);
        return all.Count <= query.Limit ? all : [.. all.Take(query.Limit)];
    }
}

/// <summary>
/// What people did last, from one index range each. What is asked of now is kept for <see cref="FeaturesOptions.CacheFor"/> or until an event of the person comes, as
/// the person's features are.
/// </summary>
internal sealed class RecentHistories(NpgsqlDataSource database, IOptions<FeaturesOptions> options, TimeProvider clock, HybridCache? cache = null)
{
    /// <summary>Events looked at for one answer: a heavy visitor must not make a request slow.</summary>
    private const int MaxEvents = 1_000;

    private static readonly string[] Tags = [OnlineStore.Tag];
    private readonly HybridCacheEntryOptions keep = new() { Expiration = options.Value.CacheFor, LocalCacheExpiration = options.Value.CacheFor };

    private readonly string sql = $"""
        select item_id, {options.Value.WeightSql} as weight, type, channel, position, occurred_at from features.facts
        where person_id = $1 and item_id is not null and type = any($2) and occurred_at <= $3 and known_at <= $3 order by occurred_at desc, position desc limit $4
        """;

    private readonly string[] types = [.. options.Value.WeightedTypes.Append(EventTypes.FeedbackGiven).Distinct()];

    /// <summary>Key under which a person's history is kept.</summary>
    public static string Key(string personId) => $"{OnlineStore.Tag}:history:{personId}";

    /// <summary>The history as it now is.</summary>
    public ValueTask<IReadOnlyList<HistoryItem>> GetAsync(string personId, CancellationToken ct) => cache is null
        ? ReadNowAsync(personId, ct)
        : cache.GetOrCreateAsync(Key(personId), (Own: this, personId), static (asked, ct) => asked.Own.ReadNowAsync(asked.personId, ct), keep, Tags, ct);

    /// <summary>The history as it was known at a time.</summary>
    public async Task<IReadOnlyList<HistoryItem>> ReadAsync(string personId, DateTimeOffset at, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = personId }, new() { Value = types }, new() { Value = at.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz }, new() { Value = MaxEvents } },
        };
        // The plan of a query that comes with every page costs more than the few rows.
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        var (places, items) = (new Dictionary<string, int>(StringComparer.Ordinal), new List<Deeds>());
        while (await row.ReadAsync(ct))
        {
            var id = row.GetString(0);
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, id, out var met);
            if (!met)
            {
                place = items.Count;
                items.Add(new Deeds(id));
            }

            items[place].Add(row.IsDBNull(1) ? null : row.GetFloat(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetInt64(4), row.GetDateTime(5));
        }

        return [.. items.Where(item => item.Counts).Select(item => item.Told()).OrderByDescending(item => item.LastAt).ThenBy(item => item.ItemId, StringComparer.Ordinal)];
    }

    private async ValueTask<IReadOnlyList<HistoryItem>> ReadNowAsync(string personId, CancellationToken ct) => await ReadAsync(personId, clock.GetUtcNow(), ct);

    /// <summary>What somebody did with one item, the events in any order.</summary>
    private sealed class Deeds(string item)
    {
        private float sum, strongest = float.NegativeInfinity;
        private int events;
        private long strongestAt = -1, judgedAt = -1;
        private string strongestType = "";
        private bool refused;
        private DateTime last;

        /// <summary>Whether it is part of the history: something with a weight, or a judgement.</summary>
        public bool Counts => events > 0 || judgedAt >= 0;

        public void Add(float? weight, string type, string? word, long position, DateTime at)
        {
            if (type == EventTypes.FeedbackGiven && position > judgedAt)
            {
                (judgedAt, refused) = (position, word == "dislike");
            }

            if (weight is { } counts)
            {
                (sum, events) = (sum + counts, events + 1);
                if (counts > strongest || (counts == strongest && position > strongestAt))
                {
                    (strongest, strongestAt, strongestType) = (counts, position, type);
                }
            }

            if (weight is not null || type == EventTypes.FeedbackGiven)
            {
                last = at > last ? at : last;
            }
        }

        public HistoryItem Told() => new(item, sum, events, strongestType.Length > 0 ? strongestType : EventTypes.FeedbackGiven, new DateTimeOffset(last, TimeSpan.Zero)) { Refused = refused };
    }
}
