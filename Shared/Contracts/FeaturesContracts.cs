using OKLA.Shared.Messaging;

namespace OKLA.Shared.Contracts;

/// <summary>Query to Features: what people did with items, exactly as it was known at a time. Nothing that happened or became known later is in it.</summary>
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC).</param>
public sealed record GetInteractionFrame(DateTimeOffset AsOf) : IQuery<InteractionFrame>;

/// <summary>Interactions as columns, one entry an event in log order; people and items are indices into their lists of ids.</summary>
/// <param name="People">Ids of people.</param>
/// <param name="Items">Ids of items.</param>
/// <param name="Person">Index into <paramref name="People"/> of each event.</param>
/// <param name="Item">Index into <paramref name="Items"/> of each event.</param>
/// <param name="Weight">Weight of each event's type; 0 for mere exposure, negative for a withdrawn favourite.</param>
/// <param name="OccurredAt">Event time, UTC ticks.</param>
/// <param name="KnownAt">Known-at time, UTC ticks.</param>
public sealed record InteractionFrame(string[] People, string[] Items, int[] Person, int[] Item, float[] Weight, long[] OccurredAt, long[] KnownAt)
{
    /// <summary>Number of events.</summary>
    public int Count => Person.Length;

    /// <summary>The events that had happened and were known at a time, by their places in the columns: the same that a frame as of that time holds.</summary>
    public IEnumerable<int> RowsAsOf(DateTimeOffset at)
    {
        var ticks = at.UtcTicks;
        return Enumerable.Range(0, Count).Where(row => OccurredAt[row] <= ticks && KnownAt[row] <= ticks);
    }
}

/// <summary>Query to Features: the catalogue of a kind exactly as it was known at a time, price included, in id order.</summary>
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC).</param>
/// <param name="Kind">Kind of item.</param>
public sealed record GetItemFrame(DateTimeOffset AsOf, string Kind = "vehicle") : IQuery<IReadOnlyList<ItemSnapshot>>;

/// <summary>Query to Features: items as they now are; unknown ids are left out.</summary>
/// <param name="Ids">Ids wanted.</param>
public sealed record GetItems(IReadOnlyCollection<string> Ids) : IQuery<IReadOnlyList<ItemSnapshot>>;

/// <summary>Query to Features: items that changed after a position, in the order of their changes, as they now are. Position 0 asks for all.</summary>
/// <param name="AfterPosition">Position of the last change already seen.</param>
/// <param name="Kind">Kind of item.</param>
/// <param name="Limit">At most so many.</param>
public sealed record GetChangedItems(long AfterPosition, string Kind = "vehicle", int Limit = 10_000) : IQuery<IReadOnlyList<ItemSnapshot>>;

/// <summary>An item at a time.</summary>
/// <param name="Item">The item, with the price of that time.</param>
/// <param name="Status">live, sold or withdrawn.</param>
/// <param name="ListedAt">When it was first listed (UTC).</param>
/// <param name="PricedAt">When its price was last stated (UTC).</param>
/// <param name="UpdatedAt">When it last changed (UTC).</param>
/// <param name="Position">Place in the log of the last event that says something about it.</param>
public sealed record ItemSnapshot(CatalogItem Item, string Status, DateTimeOffset ListedAt, DateTimeOffset PricedAt, DateTimeOffset UpdatedAt, long Position);

/// <summary>Query to Features: what a person did last, by item, newest first.</summary>
/// <param name="PersonId">User id, or anonymous id of a visitor.</param>
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC).</param>
/// <param name="Limit">At most so many items.</param>
public sealed record GetRecentHistory(string PersonId, DateTimeOffset AsOf, int Limit = 200) : IQuery<IReadOnlyList<HistoryItem>>;

/// <summary>An item in a person's history.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Weight">Sum of the weights of what the person did with it.</param>
/// <param name="Events">Number of events.</param>
/// <param name="StrongestType">Type of the weightiest event, see <see cref="EventTypes"/>.</param>
/// <param name="LastAt">Time of the last event (UTC).</param>
public sealed record HistoryItem(string ItemId, float Weight, int Events, string StrongestType, DateTimeOffset LastAt);

/// <summary>Query to Features: the items with the most weight of events in the last days, best first.</summary>
/// <param name="Days">Calendar days of Santo Domingo up to today, 1 to 3,650.</param>
/// <param name="Limit">At most so many.</param>
public sealed record GetPopularItems(int Days, int Limit) : IQuery<IReadOnlyList<PopularItem>>;

/// <summary>An item and its popularity.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Score">Sum of the weights of its events.</param>
public sealed record PopularItem(string ItemId, double Score);
