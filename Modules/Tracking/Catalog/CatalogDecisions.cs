using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Catalog;

/// <summary>What a new description of an item means for the log and the catalogue; pure.</summary>
internal static class CatalogDecisions
{
    public const string Live = "live";
    public const string Sold = "sold";
    public const string Withdrawn = "withdrawn";

    /// <summary>
    /// The events that lead from what is known to <paramref name="item"/>: an unknown or ended item is listed, otherwise its price
    /// and the rest are compared apart; none when nothing changed.
    /// </summary>
    public static IReadOnlyList<NewEvent> Put(CatalogEntry? known, CatalogItem item)
    {
        if (known is null || known.Status != Live)
        {
            return [NewEvent.Of(EventTypes.ItemListed, new ItemListed(item))];
        }

        var repriced = known.Item.Price != item.Price;
        var updated = !SameApartFromPrice(known.Item, item);
        return (updated, repriced) switch
        {
            (false, false) => [],
            (false, true) => [PriceChange(known.Item, item)],
            (true, false) => [NewEvent.Of(EventTypes.ItemUpdated, new ItemListed(item))],
            (true, true) => [PriceChange(known.Item, item), NewEvent.Of(EventTypes.ItemUpdated, new ItemListed(item))],
        };
    }

    /// <summary>The entry after <see cref="Put"/>'s events: a listing starts a new life, a change keeps when it was listed.</summary>
    public static CatalogEntry After(CatalogEntry? known, CatalogItem item, DateTimeOffset at) =>
        new(item, Live, known is { Status: Live } ? known.ListedAt : at, at);

    /// <summary>The event that ends a live item.</summary>
    public static NewEvent End(string itemId, bool sold, string? reason) =>
        NewEvent.Of(sold ? EventTypes.ItemSold : EventTypes.ItemWithdrawn, new ItemEnded(itemId, reason));

    private static NewEvent PriceChange(CatalogItem before, CatalogItem now) =>
        NewEvent.Of(EventTypes.ItemPriceChanged, new ItemPriceChanged(now.Id, before.Price, now.Price));

    private static bool SameApartFromPrice(CatalogItem a, CatalogItem b) =>
        a.Kind == b.Kind && a.Title == b.Title && a.Description == b.Description && a.SellerId == b.SellerId && a.Place == b.Place
        && a.Location == b.Location && a.Window == b.Window
        && a.Tags.SequenceEqual(b.Tags) && a.Images.SequenceEqual(b.Images)
        && a.Attributes.Count == b.Attributes.Count
        && a.Attributes.All(pair => b.Attributes.TryGetValue(pair.Key, out var other) && JsonElement.DeepEquals(pair.Value, other));
}
