using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Interactions;

/// <summary>Turns behaviour events into interactions and their sums; one statement a batch.</summary>
internal sealed class BehaviourSubscription(IOptions<FeaturesOptions> options) : Subscription
{
    public override string Name => "features.behaviour";

    public override IReadOnlyCollection<string> EventTypes { get; } =
        [.. options.Value.EventWeights.Keys.Append(OKLA.Shared.Contracts.EventTypes.Searched).Append(OKLA.Shared.Contracts.EventTypes.PersonErased).Distinct()];

    public override int BatchSize => options.Value.BatchSize;

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // What a person did before her erasure goes, what she does afterwards stays: so the order counts.
        var from = 0;
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].Type == OKLA.Shared.Contracts.EventTypes.PersonErased)
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
        foreach (var table in new[] { "features.interactions", "features.person_types", "features.person_items" })
        {
            await using var command = new NpgsqlCommand(
                $"delete from {table} where encode(sha256(convert_to($1 || person_id, 'UTF8')), 'hex') = any($2)", transaction.Connection, transaction);
            command.Parameters.Add(new NpgsqlParameter { Value = erased.Salt });
            command.Parameters.Add(new NpgsqlParameter { Value = erased.Hashes.ToArray() });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private async Task AddAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var n = events.Count;
        var (positions, people, items, types) = (new long[n], new string[n], new string?[n], new string[n]);
        var (weights, occurred, known) = (new float[n], new DateTime[n], new DateTime[n]);
        for (var i = 0; i < n; i++)
        {
            var body = events[i].Read<Body>();
            positions[i] = events[i].Position;
            people[i] = body.UserId ?? body.AnonymousId ?? "";
            items[i] = string.IsNullOrEmpty(body.ItemId) ? null : body.ItemId;
            types[i] = events[i].Type;
            weights[i] = options.Value.EventWeights.TryGetValue(events[i].Type, out var weight) ? weight : 0;
            occurred[i] = events[i].OccurredAt.UtcDateTime;
            known[i] = events[i].KnownAt.UtcDateTime;
        }

        await using var command = new NpgsqlCommand("""
            with e as materialized (
                select * from unnest($1, $2, $3, $4, $5, $6, $7) as e (position, person_id, item_id, type, weight, occurred_at, known_at)
            ), interactions as (
                insert into features.interactions (position, person_id, item_id, type, weight, occurred_at, known_at)
                select position, person_id, item_id, type, weight, occurred_at, known_at from e where item_id is not null and person_id <> ''
            ), person_types as (
                insert into features.person_types as p (person_id, type, events, first_at, last_at)
                select person_id, type, count(*), min(occurred_at), max(occurred_at) from e where person_id <> '' group by 1, 2
                on conflict (person_id, type) do update set events = p.events + excluded.events,
                    first_at = least(p.first_at, excluded.first_at), last_at = greatest(p.last_at, excluded.last_at)
            ), person_items as (
                insert into features.person_items as p (person_id, item_id, events, first_at, last_at)
                select person_id, item_id, count(*), min(occurred_at), max(occurred_at) from e where item_id is not null and person_id <> '' group by 1, 2
                on conflict (person_id, item_id) do update set events = p.events + excluded.events,
                    first_at = least(p.first_at, excluded.first_at), last_at = greatest(p.last_at, excluded.last_at)
            )
            insert into features.item_days as d (day, item_id, type, events, last_at)
            select (occurred_at at time zone 'America/Santo_Domingo')::date, item_id, type, count(*), max(occurred_at) from e where item_id is not null group by 1, 2, 3
            on conflict (day, item_id, type) do update set events = d.events + excluded.events, last_at = greatest(d.last_at, excluded.last_at)
            """, transaction.Connection, transaction);
        foreach (var column in new object[] { positions, people, items, types, weights, occurred, known })
        {
            command.Parameters.Add(new NpgsqlParameter { Value = column });
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "truncate features.interactions, features.person_types, features.person_items, features.item_days", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The part of <see cref="BehaviourEvent"/> that this projection reads.</summary>
    private sealed record Body(string? AnonymousId, string? UserId, string? ItemId);
}
