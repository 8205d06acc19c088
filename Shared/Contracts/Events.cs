using System.Text.Json;

namespace OKLA.Shared.Contracts;

/// <summary>Types of events in the log that more than one module reads; the text is what the log stores.</summary>
public static class EventTypes
{
    /// <summary>A visitor looked at an item.</summary>
    public const string ItemViewed = "item_viewed";

    /// <summary>A visitor searched.</summary>
    public const string Searched = "searched";

    /// <summary>A visitor put an item among the favourites.</summary>
    public const string FavoriteAdded = "favorite_added";

    /// <summary>A visitor took an item off the favourites.</summary>
    public const string FavoriteRemoved = "favorite_removed";

    /// <summary>A visitor contacted the seller of an item.</summary>
    public const string Contacted = "contacted";

    /// <summary>A visitor asked for a test drive.</summary>
    public const string TestDriveRequested = "test_drive_requested";

    /// <summary>Recommendations were shown to a visitor.</summary>
    public const string RecommendationShown = "recommendation_shown";

    /// <summary>A visitor followed a recommendation.</summary>
    public const string RecommendationClicked = "recommendation_clicked";

    /// <summary>An anonymous visitor turned out to be a user (body: <see cref="PersonLinked"/>).</summary>
    public const string PersonLinked = "person_linked";

    /// <summary>An anonymous visitor turned out not to be that user after all (body: <see cref="PersonSplit"/>).</summary>
    public const string PersonSplit = "person_split";

    /// <summary>A visitor opened a page.</summary>
    public const string PageViewed = "page_viewed";

    /// <summary>A list of items came into a visitor's sight.</summary>
    public const string ListViewed = "list_viewed";

    /// <summary>A visitor narrowed a list.</summary>
    public const string FilterApplied = "filter_applied";

    /// <summary>A visitor changed a list's order.</summary>
    public const string SortApplied = "sort_applied";

    /// <summary>A visitor said that an item is to their liking, or not, or perhaps.</summary>
    public const string FeedbackGiven = "feedback_given";

    /// <summary>A visitor gave an item or a seller 1 to 5 stars.</summary>
    public const string Rated = "rated";

    /// <summary>A visitor named a price.</summary>
    public const string OfferMade = "offer_made";

    /// <summary>A deal about an item was closed.</summary>
    public const string Sold = "sold";

    /// <summary>A person went to an activity, or did not.</summary>
    public const string Attended = "attended";

    /// <summary>A visitor passed an item on to others.</summary>
    public const string Shared = "shared";

    /// <summary>A campaign's message was in a visitor's sight.</summary>
    public const string CampaignImpression = "campaign_impression";

    /// <summary>A visitor followed a campaign's message.</summary>
    public const string CampaignClick = "campaign_click";

    /// <summary>A visitor applied for what a campaign offers.</summary>
    public const string CampaignApplication = "campaign_application";

    /// <summary>A campaign reached what it was for.</summary>
    public const string CampaignConversion = "campaign_conversion";

    /// <summary>Money was spent on a campaign.</summary>
    public const string CampaignCostRecorded = "campaign_cost_recorded";

    /// <summary>Money was granted to a campaign.</summary>
    public const string CampaignBudgetSet = "campaign_budget_set";

    /// <summary>A browser lost events that it could not send or keep.</summary>
    public const string EventsDropped = "events_dropped";

    /// <summary>A page sends more events than a browser may.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>A visit began.</summary>
    public const string SessionStarted = "session_started";

    /// <summary>A visit ended.</summary>
    public const string SessionEnded = "session_ended";

    /// <summary>A person was taken out of the log; whoever keeps rows by person deletes hers (body: <see cref="PersonErased"/>).</summary>
    public const string PersonErased = "person_erased";

    /// <summary>Data turned out not to be as expected (body: <see cref="QualityAlertRaised"/>).</summary>
    public const string QualityAlertRaised = "quality_alert_raised";

    /// <summary>An item entered the catalogue (body: <see cref="ItemListed"/>).</summary>
    public const string ItemListed = "item_listed";

    /// <summary>An item's attributes changed (body: <see cref="ItemListed"/>).</summary>
    public const string ItemUpdated = "item_updated";

    /// <summary>An item's price changed (body: <see cref="ItemPriceChanged"/>).</summary>
    public const string ItemPriceChanged = "item_price_changed";

    /// <summary>An item was sold (body: <see cref="ItemEnded"/>).</summary>
    public const string ItemSold = "item_sold";

    /// <summary>An item was taken off without a sale (body: <see cref="ItemEnded"/>).</summary>
    public const string ItemWithdrawn = "item_withdrawn";
}

/// <summary>Body of a behaviour event (stream <c>visitor-{anonymousId}</c>, or <c>user-{userId}</c> when a server sends it without one).</summary>
/// <param name="AnonymousId">Browser-side identity; null only for server-side events of a known user.</param>
/// <param name="UserId">Signed-in identity, when known.</param>
/// <param name="SessionId">Session the producer put it in.</param>
/// <param name="ItemId">Catalogue item it is about.</param>
/// <param name="Context">Where it happened: page, referrer, device, campaign.</param>
/// <param name="Properties">What the type says about it.</param>
public sealed record BehaviourEvent(string? AnonymousId, string? UserId, string? SessionId, string? ItemId, JsonElement? Context, JsonElement? Properties)
{
    /// <summary>The person as far as this event knows: the user, else the anonymous visitor.</summary>
    public string PersonId => UserId ?? AnonymousId ?? "";

    /// <summary>The event's time by the producer's own clock, when a time of sending came with it and the log's event time was corrected by that.</summary>
    public DateTimeOffset? ClaimedAt { get; init; }

    /// <summary>Name of the stream that an event of these identities belongs to.</summary>
    public static string StreamOf(string? anonymousId, string? userId) => anonymousId is null ? $"user-{userId}" : $"visitor-{anonymousId}";
}

/// <summary>Body of <see cref="EventTypes.PersonErased"/> (stream <c>erasures</c>). It names nobody: a row is meant when the hash of its person's id is here.</summary>
/// <param name="Salt">Random text, another one each time.</param>
/// <param name="Hashes">SHA-256 of salt and id (UTF-8, one after the other) in lower-case hexadecimal digits, for each id of the person.</param>
public sealed record PersonErased(string Salt, IReadOnlyList<string> Hashes);
