using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Features.Online;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Items;

/// <summary>Keeps the history of every item and, from it, the catalogue as it now is; two statements a batch.</summary>
internal sealed class CatalogSubscription(IOptions<FeaturesOptions> options, HybridCache? cache = null) : Subscription
{
    public override string Name => "features.catalog";

    public override IReadOnlyCollection<string> EventTypes { get; } =
    [
        OKLA.Shared.Contracts.EventTypes.ItemListed, OKLA.Shared.Contracts.EventTypes.ItemUpdated, OKLA.Shared.Contracts.EventTypes.ItemPriceChanged,
        OKLA.Shared.Contracts.EventTypes.ItemSold, OKLA.Shared.Contracts.EventTypes.ItemWithdrawn,
    ];

    public override int BatchSize => options.Value.BatchSize;

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var changes = events.Select(Change.Of).ToArray();
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into features.item_history (position, item_id, change, occurred_at, known_at, body, price, currency)
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
            """)
        {
            Parameters =
            {
                new() { Value = Array.ConvertAll(changes, change => change.Position) },
                new() { Value = Array.ConvertAll(changes, change => change.ItemId) },
                new() { Value = Array.ConvertAll(changes, change => change.Kind) },
                new() { Value = Array.ConvertAll(changes, change => change.OccurredAt) },
                new() { Value = Array.ConvertAll(changes, change => change.KnownAt) },
                new() { Value = Array.ConvertAll(changes, change => change.Body), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
                new() { Value = Array.ConvertAll(changes, change => change.Price?.Amount) },
                new() { Value = Array.ConvertAll(changes, change => change.Price?.Currency) },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""
            insert into features.items (item_id, kind, status, body, price, currency, priced_at, listed_at, updated_at, price_changes, position)
            {ItemState.AsOf}
            on conflict (item_id) do update set kind = excluded.kind, status = excluded.status, body = excluded.body, price = excluded.price,
                currency = excluded.currency, priced_at = excluded.priced_at, listed_at = excluded.listed_at, updated_at = excluded.updated_at,
                price_changes = excluded.price_changes, position = excluded.position
            """)
        {
            Parameters =
            {
                new() { Value = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), NpgsqlDbType = NpgsqlDbType.TimestampTz },
                new() { Value = changes.Select(change => change.ItemId).Distinct().ToArray() },
            },
        });
        await batch.ExecuteNonQueryAsync(ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate features.item_history, features.items", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What was served about these items is no longer the latest.</summary>
    public override async Task CommittedAsync(IReadOnlyList<RecordedEvent> events, CancellationToken ct)
    {
        if (cache is not null)
        {
            await cache.RemoveAsync(events.Select(e => OnlineStore.Key(Registry.Entity.Item, Change.Of(e).ItemId)).Distinct(), ct);
        }
    }

    private sealed record Change(long Position, string ItemId, string Kind, DateTime OccurredAt, DateTime KnownAt, string? Body, Money? Price)
    {
        public static Change Of(RecordedEvent e)
        {
            var (id, kind, body, price) = e.Type switch
            {
                OKLA.Shared.Contracts.EventTypes.ItemListed => Whole("listed", e.Read<ItemListed>().Item),
                OKLA.Shared.Contracts.EventTypes.ItemUpdated => Whole("updated", e.Read<ItemListed>().Item),
                OKLA.Shared.Contracts.EventTypes.ItemPriceChanged when e.Read<ItemPriceChanged>() is var change => (change.ItemId, "repriced", null, change.To),
                OKLA.Shared.Contracts.EventTypes.ItemSold => (e.Read<ItemEnded>().ItemId, "sold", null, null),
                OKLA.Shared.Contracts.EventTypes.ItemWithdrawn => (e.Read<ItemEnded>().ItemId, "withdrawn", null, null),
                _ => throw new InvalidOperationException($"{e.Type} is not a change of the catalogue."),
            };
            return new Change(e.Position, id, kind, e.OccurredAt.UtcDateTime, e.KnownAt.UtcDateTime, body, price);
        }

        private static (string Id, string Kind, string? Body, Money? Price) Whole(string kind, CatalogItem item) =>
            (item.Id, kind, JsonSerializer.Serialize(item, EventJson.Options), item.Price);
    }
}
