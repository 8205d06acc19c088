using System.Text.Json;
using OKLA.Shared.Messaging;

namespace OKLA.Shared.Contracts;

/// <summary>An amount of money with its currency: <c>DOP</c> or <c>USD</c>.</summary>
public sealed record Money(decimal Amount, string Currency);

/// <summary>A thing in the catalogue, of any kind (vehicle, activity, job ad): neutral fields plus the kind's own attributes.</summary>
/// <param name="Id">Identity, stable over its life; at most 200 characters.</param>
/// <param name="Kind">Kind whose attribute schema applies, such as <c>vehicle</c>.</param>
/// <param name="Title">What people read first.</param>
/// <param name="Price">Asking price; null when it is not stated.</param>
/// <param name="Attributes">The kind's attributes: text, numbers or booleans by camelCase name; for vehicles make, model, year, bodyType, fuel, condition, mileageKm, transmission.</param>
public sealed record CatalogItem(string Id, string Kind, string Title, Money? Price, IReadOnlyDictionary<string, JsonElement> Attributes)
{
    /// <summary>Longer text.</summary>
    public string? Description { get; init; }

    /// <summary>Free tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Seller, such as a dealer's id.</summary>
    public string? SellerId { get; init; }

    /// <summary>Province or city.</summary>
    public string? Place { get; init; }

    /// <summary>Addresses of pictures.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>An attribute as text; null when absent or null.</summary>
    public string? Text(string attribute) =>
        Attributes.TryGetValue(attribute, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value.ToString() : null;

    /// <summary>An attribute as number; null when absent or not a number.</summary>
    public double? Number(string attribute) =>
        Attributes.TryGetValue(attribute, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}

/// <summary>Body of <see cref="EventTypes.ItemListed"/> and <see cref="EventTypes.ItemUpdated"/> (stream <c>item-{id}</c>): the whole item as it now is.</summary>
public sealed record ItemListed(CatalogItem Item);

/// <summary>Body of <see cref="EventTypes.ItemPriceChanged"/> (stream <c>item-{id}</c>).</summary>
public sealed record ItemPriceChanged(string ItemId, Money? From, Money? To);

/// <summary>Body of <see cref="EventTypes.ItemSold"/> and <see cref="EventTypes.ItemWithdrawn"/> (stream <c>item-{id}</c>).</summary>
public sealed record ItemEnded(string ItemId, string? Reason = null);

/// <summary>Command to Tracking: puts items into the catalogue; answers how many were new, changed or unchanged.</summary>
/// <param name="Items">Items as they now are.</param>
/// <param name="OccurredAt">When that became so (UTC); now when left out.</param>
/// <param name="KnownAt">Known-at time of a replayed past (UTC); now when left out.</param>
public sealed record PutCatalogItems(IReadOnlyList<CatalogItem> Items, DateTimeOffset? OccurredAt = null, DateTimeOffset? KnownAt = null) : ICommand;

/// <summary>Answer to <see cref="PutCatalogItems"/>.</summary>
public sealed record CatalogChanges(int Listed, int Updated, int Repriced, int Unchanged);

/// <summary>Query to Tracking: items by id (missing ones are left out), with their state now.</summary>
public sealed record GetCatalogItems(IReadOnlyCollection<string> Ids) : IQuery<IReadOnlyList<CatalogEntry>>;

/// <summary>Query to Tracking: a page of the live catalogue of a kind in id order, after an id; for exports, simulation and training.</summary>
public sealed record ListCatalogItems(string Kind, string? AfterId = null, int Limit = 5_000) : IQuery<IReadOnlyList<CatalogEntry>>;

/// <summary>An item, its state and when it entered and changed (UTC).</summary>
/// <param name="Item">The item.</param>
/// <param name="Status">live, sold or withdrawn.</param>
/// <param name="ListedAt">When it entered the catalogue.</param>
/// <param name="UpdatedAt">When it last changed.</param>
public sealed record CatalogEntry(CatalogItem Item, string Status, DateTimeOffset ListedAt, DateTimeOffset UpdatedAt);
