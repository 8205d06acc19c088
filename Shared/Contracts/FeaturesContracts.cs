using System.Globalization;
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
    /// <summary>Place in the shown list from which an item was followed, from 0; -1 where there was none. Empty when it was not asked for.</summary>
    public int[] Position { get; init; } = [];

    /// <summary>Lengths of the lists of recommendations that were shown, one entry a list.</summary>
    public int[] ListsShown { get; init; } = [];

    /// <summary>Number of events.</summary>
    public int Count => Person.Length;

    /// <summary>Ids that events bear, where a person has several; empty where nobody has.</summary>
    public string[] Ids { get; init; } = [];

    /// <summary>Index into <see cref="Ids"/> of each event; empty where those are.</summary>
    public int[] Id { get; init; } = [];

    /// <summary>Who turned out to be whom, earliest first.</summary>
    public IReadOnlyList<PersonSpan> Links { get; init; } = [];

    /// <summary>
    /// All the events, told of the persons that were known at a time: what somebody learns from the <see cref="RowsAsOf"/> that time must not know who signed in
    /// later. People have other indices than here.
    /// </summary>
    public InteractionFrame AsOf(DateTimeOffset at)
    {
        if (Links.Count == 0)
        {
            return this;
        }

        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var link in Links.Where(link => link.From <= at.UtcTicks && at.UtcTicks < link.To))
        {
            users[link.Visitor] = link.User;
        }

        var people = new Dictionary<string, int>(StringComparer.Ordinal);
        var person = Array.ConvertAll(Ids, id =>
        {
            var owner = users.GetValueOrDefault(id, id);
            people.TryAdd(owner, people.Count);
            return people[owner];
        });
        return this with { People = [.. people.Keys], Person = Array.ConvertAll(Id, id => person[id]) };
    }

    /// <summary>
    /// The events that had happened and were known at a time, by their places in the columns: of <see cref="AsOf"/> that time, the same that a frame as of it holds.
    /// </summary>
    public IEnumerable<int> RowsAsOf(DateTimeOffset at)
    {
        var ticks = at.UtcTicks;
        return Enumerable.Range(0, Count).Where(row => OccurredAt[row] <= ticks && KnownAt[row] <= ticks);
    }
}

/// <summary>A visitor who was known to be a user for a while.</summary>
/// <param name="Visitor">The visitor's id.</param>
/// <param name="User">The user's id.</param>
/// <param name="From">From when on it was known, UTC ticks.</param>
/// <param name="To">From when on it was known to be wrong, UTC ticks; the largest number where it holds.</param>
public readonly record struct PersonSpan(string Visitor, string User, long From, long To);

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
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC); null for now, as what is kept in memory tells it.</param>
/// <param name="Limit">At most so many items.</param>
public sealed record GetRecentHistory(string PersonId, DateTimeOffset? AsOf = null, int Limit = 200) : IQuery<IReadOnlyList<HistoryItem>>;

/// <summary>An item in a person's history.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Weight">Sum of the weights of what the person did with it.</param>
/// <param name="Events">Number of events.</param>
/// <param name="StrongestType">Type of the weightiest event, see <see cref="EventTypes"/>.</param>
/// <param name="LastAt">Time of the last event (UTC).</param>
public sealed record HistoryItem(string ItemId, float Weight, int Events, string StrongestType, DateTimeOffset LastAt)
{
    /// <summary>Whether the person last said that the item is not to their liking.</summary>
    public bool Refused { get; init; }
}

/// <summary>Query to Features: how visitors came who then looked at something, and at what, in the order of their ids. Somebody who had signed in elsewhere is not new.</summary>
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC).</param>
public sealed record GetFirstVisits(DateTimeOffset AsOf) : IQuery<IReadOnlyList<FirstVisit>>;

/// <summary>A visitor's beginning.</summary>
/// <param name="PersonId">Anonymous id of the visitor.</param>
/// <param name="At">When the first item was looked at (UTC).</param>
/// <param name="Entry">What <see cref="GetEntry"/> would have answered just before.</param>
/// <param name="Items">Items looked at within an hour from then, each once, the first one first.</param>
public sealed record FirstVisit(string PersonId, DateTimeOffset At, IReadOnlyList<string> Entry, IReadOnlyList<string> Items);

/// <summary>
/// Query to Features: what is known of how somebody came before they looked at anything, as words: <c>device=mobile</c>, <c>campaign=…</c>, <c>began=searched</c>, and of the first
/// search <c>make=toyota</c>, <c>body=jeepeta</c>, <c>upto=29</c> (half-octave band of dollars of its highest price) and every other filter of one value by its own name, as
/// <c>type=deporte</c> or <c>locality=naco</c>. Empty when nothing is.
/// </summary>
/// <param name="PersonId">User id, or anonymous id of a visitor.</param>
public sealed record GetEntry(string PersonId) : IQuery<IReadOnlyList<string>>;

/// <summary>Words about how somebody came, written alike by who reads the log and who asks.</summary>
public static class EntryWords
{
    private const int LongestValue = 100;
    private static readonly string[] Own = ["began", "device", "campaign", "make", "body", "bodyType", "upto"];

    /// <summary>Whether a filter of a search may be a word by its own name: letters, digits and <c>_ - .</c>, at most 50, and none of the names that mean something else.</summary>
    public static bool IsFilter(string name) =>
        name.Length is > 0 and <= 50 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.') && !Own.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>A word.</summary>
    /// <param name="name">device, campaign, began, make, body or the name of a filter.</param>
    /// <param name="value">Its value, of any case; what is too long is cut.</param>
    public static string Of(string name, string value) => $"{name}={(value.Length > LongestValue ? value[..LongestValue] : value).ToLowerInvariant()}";

    /// <summary>The words of filters that are written <c>name=value</c>, by commas; those that have a word of another kind are left out.</summary>
    /// <param name="filters">The filters.</param>
    public static IEnumerable<string> OfFilters(string filters) =>
        filters.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(filter => filter.Split('=', 2))
            .Where(filter => filter is [var name, { Length: > 0 }] && IsFilter(name)).Select(filter => Of(filter[0], filter[1]));

    /// <summary>The word of the highest price that was searched for, in half-octave bands of dollars; null where it says nothing.</summary>
    /// <param name="usd">Dollars.</param>
    public static string? UpTo(double usd) => usd is >= 1 and <= 1e12 ? string.Create(CultureInfo.InvariantCulture, $"upto={(int)Math.Floor(2 * Math.Log2(usd))}") : null;
}

/// <summary>A moment of somebody's past that a training frame tells about, and what came of it.</summary>
/// <param name="At">The moment (UTC), not in the future. Features know what had happened by then and was known by then, and nothing else.</param>
/// <param name="Label">What is to be learned; null where it is not known.</param>
/// <param name="UserId">The person; for an anonymous visitor its id.</param>
/// <param name="ItemId">The item.</param>
/// <param name="SessionId">The visit.</param>
/// <param name="DealerId">The seller; found from the item when left out.</param>
/// <param name="CampaignId">The campaign.</param>
/// <param name="Request">Parameters of on-demand features by name: place, device, channel.</param>
public sealed record SpineRow(
    DateTimeOffset At, double? Label, string? UserId = null, string? ItemId = null, string? SessionId = null, string? DealerId = null, string? CampaignId = null,
    IReadOnlyDictionary<string, string>? Request = null);

/// <summary>Query to Features: fixes a training frame, so that it can be read at any time with the same bytes.</summary>
/// <param name="Spine">Its rows, in any order.</param>
/// <param name="Features">Full names such as <c>user.views_7d</c>, see GET /api/features.</param>
/// <param name="By">Who wants it.</param>
/// <exception cref="FrameRefusedException">A feature does not exist, or a row is about the future.</exception>
public sealed record BuildFrame(IReadOnlyList<SpineRow> Spine, IReadOnlyList<string> Features, string By) : IQuery<FrameInfo>;

/// <summary>Query to Features: <see cref="BuildFrame"/> and <see cref="ReadFrame"/> in one, so that the values are worked out once.</summary>
/// <param name="Frame">What is wanted.</param>
/// <param name="Take">Takes each row as it is worked out, so that only some are in memory at once, and the answer holds none; null for all of them in the answer.</param>
/// <exception cref="FrameRefusedException">A feature does not exist, or a row is about the future.</exception>
public sealed record BuildFrameTable(BuildFrame Frame, Action<FrameLine>? Take = null) : IQuery<FrameTable>;

/// <summary>A training frame that was fixed.</summary>
/// <param name="Id">Identity.</param>
/// <param name="Features">Full names, in the order of the columns.</param>
/// <param name="LogPosition">Last place in the log that counts.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Sha256">SHA-256 of the frame as CSV, in hexadecimal; null once an erased person's rows are gone from it.</param>
/// <param name="CreatedAt">When (UTC).</param>
public sealed record FrameInfo(Guid Id, IReadOnlyList<string> Features, long LogPosition, long Rows, string? Sha256, DateTimeOffset CreatedAt);

/// <summary>Query to Features: a training frame's values in memory; for one that does not fit there is GET /api/features/frames/{id}.csv.</summary>
/// <param name="Id">Identity.</param>
public sealed record ReadFrame(Guid Id) : IQuery<FrameTable>;

/// <summary>A training frame as rows of values.</summary>
/// <param name="Info">What it is.</param>
/// <param name="Rows">Its rows, in the order of the frame.</param>
public sealed record FrameTable(FrameInfo Info, IReadOnlyList<FrameLine> Rows);

/// <summary>A row of a training frame.</summary>
/// <param name="Row">Place of its row in the spine, from 0.</param>
/// <param name="Label">What is to be learned.</param>
/// <param name="Values">One value a feature: a double, a text, a dictionary of shares, or null.</param>
/// <param name="UserId">The person, so that her rows can be found when she is erased; null where it is about nobody.</param>
public sealed record FrameLine(long Row, double? Label, object?[] Values, string? UserId = null);

/// <summary>A frame cannot be built or read as asked; the message is for the person who asked.</summary>
public sealed class FrameRefusedException(string message) : Exception(message);

/// <summary>Query to Features: people by their last activity, newest first, with what they did since a time.</summary>
/// <param name="Since">Only what happened after it (UTC).</param>
/// <param name="AsOf">Event time and known-at time are both at or before this (UTC).</param>
/// <param name="Limit">People at most.</param>
/// <param name="ItemsEach">Items of a person at most, newest first.</param>
public sealed record GetActivePeople(DateTimeOffset Since, DateTimeOffset AsOf, int Limit, int ItemsEach = 200) : IQuery<IReadOnlyList<ActivePerson>>;

/// <summary>Somebody who was active.</summary>
/// <param name="PersonId">User id, or anonymous id of a visitor.</param>
/// <param name="MayBeTold">Whether the person's last word on advertising was yes; silence is no.</param>
/// <param name="History">What the person did, newest first.</param>
public sealed record ActivePerson(string PersonId, bool MayBeTold, IReadOnlyList<HistoryItem> History);

/// <summary>Query to Features: ids of people who were active since a time, in the order of their ids; a visitor who turned out to be a user counts as that user, once.</summary>
/// <param name="Since">Only what happened after it (UTC).</param>
/// <param name="AfterId">Only ids behind this one.</param>
/// <param name="Limit">At most so many.</param>
public sealed record ListPeople(DateTimeOffset Since, string? AfterId, int Limit) : IQuery<IReadOnlyList<string>>;

/// <summary>Query to Features: ids of people of a segment whose last word on advertising was yes, in the order of their ids; null where there is no such segment.</summary>
/// <param name="Segment">Its name, such as ready_to_buy.</param>
/// <param name="AfterId">Only ids behind this one.</param>
/// <param name="Limit">At most so many.</param>
public sealed record GetSegmentPeople(string Segment, string? AfterId, int Limit) : IQuery<IReadOnlyList<string>?>;

/// <summary>Query to Features: the items with the most weight of events in the last days, best first.</summary>
/// <param name="Days">Calendar days of Santo Domingo up to today, 1 to 3,650.</param>
/// <param name="Limit">At most so many.</param>
public sealed record GetPopularItems(int Days, int Limit) : IQuery<IReadOnlyList<PopularItem>>;

/// <summary>An item and its popularity.</summary>
/// <param name="ItemId">The item.</param>
/// <param name="Score">Sum of the weights of its events.</param>
public sealed record PopularItem(string ItemId, double Score);

/// <summary>Query to Features: the features that a model can learn from: numbers and short texts of an entity. Answers their full names in the order of declaration.</summary>
/// <param name="Entity">user, item, session, dealer, campaign or lead.</param>
public sealed record ListModelFeatures(string Entity) : IQuery<IReadOnlyList<string>>;

/// <summary>Query to Features: what is known now, as a training frame would have it. Answers one value a name: a double, a text, or null.</summary>
/// <param name="Entity">user, item, session, dealer, campaign or lead.</param>
/// <param name="Id">Its id; a lead's is <c>user|item</c> or <c>user|item|session</c>.</param>
/// <param name="Features">Full names.</param>
/// <param name="Request">Parameters of on-demand features by name: place, device, channel.</param>
public sealed record GetModelFeatures(
    string Entity, string Id, IReadOnlyList<string> Features, IReadOnlyDictionary<string, string>? Request = null) : IQuery<IReadOnlyList<object?>>;

/// <summary>Query to Features: who asked sellers about items, the newest contact of each person about each item, newest first.</summary>
/// <param name="DealerId">Whose items; null where an item is named.</param>
/// <param name="ItemId">The item; null for all of the dealer's.</param>
/// <param name="PersonId">The person, by the id that the contact bears; null for all.</param>
/// <param name="Since">Later contacts only (UTC).</param>
/// <param name="Limit">At most so many.</param>
public sealed record FindContacts(string? DealerId, string? ItemId, string? PersonId, DateTimeOffset Since, int Limit) : IQuery<IReadOnlyList<LeadContact>>;

/// <summary>A contact with a seller.</summary>
/// <param name="PersonId">The person: user id, or anonymous id of a visitor.</param>
/// <param name="ItemId">The item.</param>
/// <param name="SessionId">The visit.</param>
/// <param name="Channel">The way taken.</param>
/// <param name="At">When (UTC).</param>
/// <param name="SellerId">Whose item it is now.</param>
public sealed record LeadContact(string PersonId, string ItemId, string? SessionId, string? Channel, DateTimeOffset At, string? SellerId);

/// <summary>Query to Features: what was known at some moments, as a training frame would have it, without keeping a frame. Answers one list a row, one value a name: a double, a text, or null.</summary>
/// <param name="Rows">The moments; one in the future is taken as now.</param>
/// <param name="Features">Full names.</param>
public sealed record ReadFeatures(IReadOnlyList<SpineRow> Rows, IReadOnlyList<string> Features) : IQuery<IReadOnlyList<object?[]>>;
