using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Features.Interactions;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using Types = OKLA.Shared.Contracts.EventTypes;

namespace OKLA.Features.Facts;

/// <summary>
/// Keeps one row for each behaviour event of a human being, never changed afterwards, the daily counts of items, and who turned out to be whom; one
/// statement a batch for each.
/// </summary>
internal sealed class FactSubscription(IOptions<FeaturesOptions> options, ExchangeRates rates, NpgsqlDataSource database, HybridCache? cache = null) : Subscription
{
    /// <summary>Its name, by which frames note how far it had come.</summary>
    public const string SubscriptionName = "features.facts";

    /// <summary>More events than this in one batch, and the whole cache is dropped instead of each vector by itself.</summary>
    private const int DropAllAbove = 500;

    public override string Name => SubscriptionName;

    /// <summary>2: whether the person agreed to advertising.</summary>
    public override int Version => 2;

    public override IReadOnlyCollection<string> EventTypes { get; } = [.. FactColumns.Of.Keys.Union(options.Value.WeightedTypes), Types.PersonErased, Types.PersonLinked, Types.PersonSplit];

    public override int BatchSize => options.Value.BatchSize;

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // What a person did before her erasure goes, what she does afterwards stays: so the order counts.
        var from = 0;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Type == Types.PersonErased)
            {
                await AddAsync([.. events.Skip(from).Take(i - from)], transaction, ct);
                await EraseAsync(events[i].Read<PersonErased>(), transaction, ct);
                from = i + 1;
            }
        }

        await AddAsync(from == 0 ? events : [.. events.Skip(from)], transaction, ct);
    }

    private static async Task EraseAsync(PersonErased erased, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // A frame that loses rows is another one from then on, so its hash goes too.
        await using var command = new NpgsqlCommand("""
            with gone as (
                delete from features.frame_rows where encode(sha256(convert_to($1 || user_id, 'UTF8')), 'hex') = any($2) returning frame_id
            ), changed as (
                update features.frames set sha256 = null where id in (select frame_id from gone)
            ), unlinked as (
                delete from features.person_links
                where encode(sha256(convert_to($1 || anonymous_id, 'UTF8')), 'hex') = any($2) or encode(sha256(convert_to($1 || user_id, 'UTF8')), 'hex') = any($2)
            ), segmented as (
                delete from features.person_segments where encode(sha256(convert_to($1 || person_id, 'UTF8')), 'hex') = any($2)
            )
            delete from features.facts where encode(sha256(convert_to($1 || person_id, 'UTF8')), 'hex') = any($2)
            """, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter { Value = erased.Salt });
        command.Parameters.Add(new NpgsqlParameter { Value = erased.Hashes.ToArray() });
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task AddAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await PersonLinks.AddAsync(events.Where(IsLink), transaction, ct);
        var facts = FactsOf(events).ToArray();
        if (facts.Length == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand("""
            with e as materialized (
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
                    as e (position, type, occurred_at, known_at, person_id, item_id, session_id, dealer_id, campaign_id, channel, device, make, body_type, amount, extent, marketing, sought)
            ), facts as (
                insert into features.facts (position, type, occurred_at, known_at, person_id, item_id, session_id, dealer_id, campaign_id, channel, device, make, body_type, amount, extent, marketing, sought)
                select * from e
            )
            insert into features.item_days as d (day, item_id, type, events, last_at)
            select (occurred_at at time zone 'America/Santo_Domingo')::date, item_id, type, count(*), max(occurred_at) from e where item_id is not null group by 1, 2, 3
            on conflict (day, item_id, type) do update set events = d.events + excluded.events, last_at = greatest(d.last_at, excluded.last_at)
            """, transaction.Connection, transaction);
        void Add<T>(Func<Fact, T> column) => command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(facts, fact => column(fact)) });
        Add(fact => fact.Position);
        Add(fact => fact.Type);
        Add(fact => new DateTime(fact.OccurredAt, DateTimeKind.Utc));
        Add(fact => new DateTime(fact.KnownAt, DateTimeKind.Utc));
        Add(fact => fact.PersonId);
        Add(fact => fact.ItemId);
        Add(fact => fact.SessionId);
        Add(fact => fact.DealerId);
        Add(fact => fact.CampaignId);
        Add(fact => fact.Channel);
        Add(fact => fact.Device);
        Add(fact => fact.Make);
        Add(fact => fact.BodyType);
        Add(fact => fact.Amount);
        Add(fact => fact.Extent);
        Add(fact => fact.Marketing);
        Add(fact => fact.Sought);
        await command.ExecuteNonQueryAsync(ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate features.facts, features.item_days, features.person_links", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What was served about those whom the events concern is no longer the latest.</summary>
    public override async Task CommittedAsync(IReadOnlyList<RecordedEvent> events, CancellationToken ct)
    {
        if (cache is null)
        {
            return;
        }

        if (events.Count > DropAllAbove || events.Any(e => e.Type == Types.PersonErased))
        {
            await cache.RemoveByTagAsync(OnlineStore.Tag, ct);
            return;
        }

        var facts = FactsOf(events).ToList();
        var pairs = events.Where(IsLink).Select(e => e.Read<Pair>()).ToList();
        var people = facts.Select(fact => fact.PersonId).Concat(pairs.Select(pair => pair.AnonymousId)).Concat(pairs.Select(pair => pair.UserId)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        // What one of a person's ids did changes what is told of all of them.
        people.UnionWith((await PersonLinks.ReadAsync(database, people, long.MaxValue, ct)).All);
        await cache.RemoveAsync(facts.SelectMany(OnlineStore.KeysOf).Concat(people.SelectMany(person => new[] { OnlineStore.Key(Entity.User, person), RecentHistories.Key(person), FirstVisits.Key(person) })).Distinct(), ct);
    }

    private static bool IsLink(RecordedEvent e) => e.Type is Types.PersonLinked or Types.PersonSplit;

    private IEnumerable<Fact> FactsOf(IEnumerable<RecordedEvent> events) => events.Where(e => !IsLink(e)).Select(e => FactColumns.Read(e, rates)).OfType<Fact>();

    private sealed record Pair(string? AnonymousId, string? UserId);
}
