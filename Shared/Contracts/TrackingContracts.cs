using System.Text.Json;
using OKLA.Shared.Messaging;

namespace OKLA.Shared.Contracts;

/// <summary>An amount of money with its currency: <c>DOP</c> or <c>USD</c>.</summary>
public sealed record Money(decimal Amount, string Currency);

/// <summary>A place on the map, in degrees (WGS 84).</summary>
public sealed record GeoPoint(double Latitude, double Longitude);

/// <summary>A time from and until (UTC), each open when null.</summary>
public sealed record TimeWindow(DateTimeOffset? From, DateTimeOffset? Until);

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

    /// <summary>Where it is; null when only <see cref="Place"/> is known.</summary>
    public GeoPoint? Location { get; init; }

    /// <summary>When it takes place or can be had; null for always.</summary>
    public TimeWindow? Window { get; init; }

    /// <summary>Degrees north, of the location or the attribute; null when neither states it.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double? Latitude => Location?.Latitude ?? Number("latitude");

    /// <summary>Degrees east, of the location or the attribute; null when neither states it.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double? Longitude => Location?.Longitude ?? Number("longitude");

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
public sealed record ItemEnded(string ItemId, string? Reason = null)
{
    /// <summary>Reason of a listing that moderators took off as a swindle.</summary>
    public const string Fraud = "fraud";
}

/// <summary>Command to Tracking: puts items into the catalogue; answers how many were new, changed or unchanged.</summary>
/// <param name="Items">Items as they now are.</param>
/// <param name="OccurredAt">When that became so (UTC); now when left out.</param>
/// <param name="KnownAt">Known-at time of a replayed past (UTC); now when left out.</param>
public sealed record PutCatalogItems(IReadOnlyList<CatalogItem> Items, DateTimeOffset? OccurredAt = null, DateTimeOffset? KnownAt = null) : ICommand;

/// <summary>Answer to <see cref="PutCatalogItems"/> and <see cref="WithdrawCatalogItems"/>; an item whose price and attributes both changed counts as updated and as repriced.</summary>
public sealed record CatalogChanges(int Listed, int Updated, int Repriced, int Unchanged, int Ended = 0);

/// <summary>Command to Tracking: takes items off the catalogue, sold or not; those that are not live stay as they are. Answers <see cref="CatalogChanges"/>.</summary>
/// <param name="Ids">Items.</param>
/// <param name="Sold">Whether they were sold.</param>
/// <param name="Reason">Why, when it is known.</param>
/// <param name="OccurredAt">When that became so (UTC); now when left out.</param>
/// <param name="KnownAt">Known-at time of a replayed past (UTC); now when left out.</param>
public sealed record WithdrawCatalogItems(
    IReadOnlyCollection<string> Ids, bool Sold = false, string? Reason = null, DateTimeOffset? OccurredAt = null, DateTimeOffset? KnownAt = null) : ICommand;

/// <summary>
/// Command to Tracking: imports a CSV file of listings, one snapshot after the other. Answers <see cref="ImportReport"/>.
/// A file that was imported before changes nothing.
/// </summary>
/// <param name="File">Path of the file; UTF-8 or Latin-1, comma or semicolon, first line the header.</param>
/// <param name="Columns">Pairs <c>target=column</c> separated by commas, such as <c>make=brand,mileageKm=km</c>; null guesses by the names in the header.</param>
/// <param name="Source">Name of where the listings come from; ads are followed from snapshot to snapshot within a source. The file's name when left out.</param>
/// <param name="Kind">Kind of the items.</param>
/// <param name="Progress">Hears how far it is.</param>
public sealed record ImportListings(
    string File, string? Columns = null, string? Source = null, string Kind = "vehicle", IProgress<WorkProgress>? Progress = null) : ICommand;

/// <summary>Answer to <see cref="ImportListings"/>. Rows = Kept + the sum of <paramref name="SetAside"/>.</summary>
/// <param name="ImportId">Identity of the import; key of its set-aside rows.</param>
/// <param name="Repeated">Whether this file had been imported before, so that nothing changed now.</param>
/// <param name="Encoding">Text encoding that the file was read with.</param>
/// <param name="Columns">Columns used, as <c>target=column</c>.</param>
/// <param name="Rows">Rows read, the header apart.</param>
/// <param name="Kept">Rows that became part of the catalogue.</param>
/// <param name="SetAside">Rows set aside, by reason.</param>
/// <param name="Snapshots">Snapshots, oldest first.</param>
public sealed record ImportReport(
    Guid ImportId, bool Repeated, string Encoding, string Columns, long Rows, long Kept, IReadOnlyDictionary<string, long> SetAside, IReadOnlyList<ImportedSnapshot> Snapshots);

/// <summary>What one snapshot of an import did to the catalogue.</summary>
/// <param name="TakenAt">Its time (UTC).</param>
/// <param name="Rows">Rows of it that were read.</param>
/// <param name="Kept">Rows that became part of the catalogue.</param>
/// <param name="Changes">Ads that were new, changed, the same as before, or gone.</param>
public sealed record ImportedSnapshot(DateTimeOffset TakenAt, int Rows, int Kept, CatalogChanges Changes);

/// <summary>An import cannot be done as asked: file or column missing, or a mapping that cannot be read. The message is for the person who asked.</summary>
public sealed class ImportRefusedException(string message) : Exception(message);

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

/// <summary>
/// Body of <see cref="EventTypes.PersonLinked"/> (stream <c>identity-{anonymousId}</c>): from now on what the visitor did, before and after, is the
/// user's, until the link is split. Events that name a user are that user's whatever the link says.
/// </summary>
/// <param name="LinkId">Identity of the link.</param>
/// <param name="AnonymousId">The visitor.</param>
/// <param name="UserId">The user.</param>
/// <param name="By"><c>sign-in</c>, or the admin who linked them.</param>
public sealed record PersonLinked(Guid LinkId, string AnonymousId, string UserId, string By);

/// <summary>Body of <see cref="EventTypes.PersonSplit"/> (stream <c>identity-{anonymousId}</c>): the visitor's own history is the visitor's again.</summary>
/// <param name="LinkId">The link that ended.</param>
/// <param name="AnonymousId">The visitor.</param>
/// <param name="UserId">The user.</param>
/// <param name="By">Who split them.</param>
/// <param name="Reason">Why.</param>
public sealed record PersonSplit(Guid LinkId, string AnonymousId, string UserId, string By, string? Reason);

/// <summary>Query to Tracking: who an id stands for.</summary>
/// <param name="Id">A user's or an anonymous visitor's id.</param>
public sealed record FindPerson(string Id) : IQuery<Person>;

/// <summary>A person: a user with the anonymous visitors that turned out to be them, or an anonymous visitor.</summary>
/// <param name="Id">The user's id, or the visitor's when no user is known.</param>
/// <param name="IsUser">Whether the person ever signed in.</param>
/// <param name="AnonymousIds">Anonymous visitors that are this person now, oldest link first.</param>
public sealed record Person(string Id, bool IsUser, IReadOnlyList<string> AnonymousIds);
