using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Catalog;

/// <summary>Handles <see cref="PutCatalogItems"/>: items and their events in one transaction; three round trips whatever the number of items.</summary>
internal static class PutCatalogItemsHandler
{
    public static async Task<CatalogChanges> HandleAsync(
        PutCatalogItems command, NpgsqlDataSource database, EventLog log, TimeProvider clock, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await CatalogTable.LockAsync(transaction, ct);
        var known = await CatalogTable.ReadAsync(connection, [.. command.Items.Select(item => item.Id)], ct);
        var changes = await ApplyAsync(transaction, log, known, command.Items, command.OccurredAt ?? command.KnownAt ?? clock.GetUtcNow(), command.KnownAt, ct);
        await transaction.CommitAsync(ct);
        return changes;
    }

    /// <summary>Puts items within the caller's transaction, which holds the catalogue's lock and has read <paramref name="known"/> under it.</summary>
    internal static async Task<CatalogChanges> ApplyAsync(
        NpgsqlTransaction transaction, EventLog log, IEnumerable<CatalogEntry> known, IReadOnlyList<CatalogItem> items,
        DateTimeOffset occurredAt, DateTimeOffset? knownAt, CancellationToken ct)
    {
        var state = known.ToDictionary(entry => entry.Item.Id);
        var changed = new Dictionary<string, CatalogEntry>();
        var events = new List<StreamEvent>();
        var (listed, updated, repriced, unchanged) = (0, 0, 0, 0);
        foreach (var item in items)
        {
            var before = state.GetValueOrDefault(item.Id);
            var happened = CatalogDecisions.Put(before, item);
            if (happened.Count == 0)
            {
                unchanged++;
                continue;
            }

            listed += happened.Count(e => e.Type == EventTypes.ItemListed);
            updated += happened.Count(e => e.Type == EventTypes.ItemUpdated);
            repriced += happened.Count(e => e.Type == EventTypes.ItemPriceChanged);
            state[item.Id] = changed[item.Id] = CatalogDecisions.After(before, item, occurredAt);
            events.AddRange(happened.Select(e => new StreamEvent(StreamOf(item.Id), e with { OccurredAt = occurredAt, KnownAt = knownAt })));
        }

        await CatalogTable.WriteAsync(transaction, changed.Values, ct);
        if (events.Count > 0)
        {
            await log.AppendAsync(transaction, events, ct);
        }

        return new CatalogChanges(listed, updated, repriced, unchanged);
    }

    internal static string StreamOf(string itemId) => $"item-{itemId}";
}
