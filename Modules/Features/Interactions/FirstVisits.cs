using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Online;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Interactions;

/// <summary>Answers <see cref="GetFirstVisits"/> and <see cref="GetEntry"/>.</summary>
internal static class FirstVisitsHandler
{
    public static Task<IReadOnlyList<FirstVisit>> Handle(GetFirstVisits query, FirstVisits visits, CancellationToken ct) => visits.ReadAsync(query.AsOf, ct);

    public static ValueTask<IReadOnlyList<string>> Handle(GetEntry query, FirstVisits visits, CancellationToken ct) => visits.EntryAsync(query.PersonId, ct);
}

/// <summary>
/// How people began: what the first <see cref="FirstFacts"/> facts before the first look at an item tell, whenever they were, for who is learned from as for who is asked about.
/// How somebody began is kept for a short while or until an event of theirs comes.
/// </summary>
internal sealed class FirstVisits(NpgsqlDataSource database, IOptions<FeaturesOptions> options, TimeProvider clock, HybridCache? cache = null)
{
    private const string Columns = "f.type, f.occurred_at, f.device, f.campaign_id, f.make, f.body_type, f.extent, f.item_id, f.sought";

    /// <summary>Facts within which somebody begins.</summary>
    private const int FirstFacts = 20;

    private static readonly string[] Tags = [OnlineStore.Tag];
    private readonly HybridCacheEntryOptions keep = new() { Expiration = options.Value.CacheFor, LocalCacheExpiration = options.Value.CacheFor };

    /// <summary>Key under which it is kept how somebody began.</summary>
    public static string Key(string personId) => $"{OnlineStore.Tag}:entry:{personId}";

    /// <summary>How somebody began.</summary>
    public ValueTask<IReadOnlyList<string>> EntryAsync(string personId, CancellationToken ct) => cache is null
        ? ReadEntryAsync(personId, ct)
        : cache.GetOrCreateAsync(Key(personId), (Own: this, personId), static (asked, ct) => asked.Own.ReadEntryAsync(asked.personId, ct), keep, Tags, ct);

    /// <summary>How everybody began who had looked at something, and at what within an hour, as it was known at a time.</summary>
    public async Task<IReadOnlyList<FirstVisit>> ReadAsync(DateTimeOffset asOf, CancellationToken ct)
    {
        await using var command = database.CreateCommand($"""
            with firsts as (
                select distinct on (person_id) person_id, occurred_at as looked from features.facts
                where type = $2 and item_id is not null and person_id is not null and occurred_at <= $1 and known_at <= $1
                    and not exists (select 1 from features.person_links l where l.user_id = person_id)
                order by person_id, occurred_at
            )
            select {Columns}, f.person_id from firsts join features.facts f using (person_id)
            where f.occurred_at <= looked + interval '1 hour' and f.occurred_at <= $1 and f.known_at <= $1
            order by f.person_id collate "C", f.occurred_at, f.position
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = asOf.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter { Value = EventTypes.ItemViewed });
        await using var row = await command.ExecuteReaderAsync(ct);
        var (visits, person, first) = (new List<FirstVisit>(), (string?)null, new Beginning());
        while (await row.ReadAsync(ct))
        {
            var id = row.GetString(9);
            if (id != person)
            {
                Close();
                (person, first) = (id, new Beginning());
            }

            first.Add(row);
        }

        Close();
        return visits;

        void Close()
        {
            if (person is not null)
            {
                visits.Add(new FirstVisit(person, new DateTimeOffset(first.At, TimeSpan.Zero), first.Entry, first.Items));
            }
        }
    }

    private async ValueTask<IReadOnlyList<string>> ReadEntryAsync(string personId, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"select {Columns} from features.facts f where f.person_id = $1 and f.occurred_at <= $2 and f.known_at <= $2 order by f.occurred_at, f.position limit {FirstFacts}", connection)
        {
            Parameters = { new() { Value = personId }, new() { Value = clock.GetUtcNow().UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz } },
        };
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        var first = new Beginning();
        while (await row.ReadAsync(ct))
        {
            first.Add(row);
        }

        return first.Entry;
    }

    /// <summary>A beginning, fact after fact.</summary>
    private sealed class Beginning
    {
        private readonly List<string> entry = [];
        private readonly List<string> items = [];
        private bool searched;
        private int facts;

        /// <summary>When the first item was looked at (UTC).</summary>
        public DateTime At { get; private set; }

        public IReadOnlyList<string> Entry => entry;

        public IReadOnlyList<string> Items => items;

        public void Add(NpgsqlDataReader row)
        {
            string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
            var type = row.GetString(0);
            facts++;
            if (facts == 1)
            {
                Say("began", type);
            }

            if (type == EventTypes.ItemViewed)
            {
                if (Text(7) is { } item && !items.Contains(item))
                {
                    At = items.Count == 0 ? row.GetDateTime(1) : At;
                    items.Add(item);
                }

                return;
            }

            // What comes after the first look is history and no longer a beginning.
            if (items.Count > 0 || facts > FirstFacts)
            {
                return;
            }

            Say("device", Text(2));
            Say("campaign", Text(3));
            if (type == EventTypes.Searched && !searched)
            {
                searched = true;
                Say("make", Text(4));
                Say("body", Text(5));
                if (!row.IsDBNull(6) && EntryWords.UpTo(row.GetDouble(6)) is { } most)
                {
                    entry.Add(most);
                }

                entry.AddRange(Text(8)?.Split('\n') ?? []);
            }
        }

        private void Say(string name, string? value)
        {
            if (value is { Length: > 0 } && !entry.Exists(word => word.StartsWith(name + "=", StringComparison.Ordinal)))
            {
                entry.Add(EntryWords.Of(name, value));
            }
        }
    }
}
