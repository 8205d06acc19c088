using System.Globalization;
using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Definitions;

/// <summary>Streams that features of several entities are made of.</summary>
internal static class Streams
{
    /// <summary>What people do, as against what is done to things or recorded by servers.</summary>
    public static readonly string[] PeoplesTypes =
    [
        EventTypes.ItemViewed, EventTypes.Searched, EventTypes.FavoriteAdded, EventTypes.FavoriteRemoved, EventTypes.Contacted, EventTypes.TestDriveRequested,
        EventTypes.RecommendationClicked, EventTypes.PageViewed, EventTypes.ListViewed, EventTypes.FilterApplied, EventTypes.SortApplied, EventTypes.FeedbackGiven,
        EventTypes.Rated, EventTypes.OfferMade, EventTypes.Shared, EventTypes.CampaignClick, EventTypes.CampaignApplication,
    ];

    public static readonly FactStream Anything = FactStream.Of(PeoplesTypes);
    public static readonly FactStream Views = FactStream.Of(EventTypes.ItemViewed);
    public static readonly FactStream Searches = FactStream.Of(EventTypes.Searched);
    public static readonly FactStream Favorites = FactStream.Of(EventTypes.FavoriteAdded);
    public static readonly FactStream FavoritesRemoved = FactStream.Of(EventTypes.FavoriteRemoved);
    public static readonly FactStream Contacts = FactStream.Of(EventTypes.Contacted);
    public static readonly FactStream TestDrives = FactStream.Of(EventTypes.TestDriveRequested);
    public static readonly FactStream Offers = FactStream.Of(EventTypes.OfferMade);
    public static readonly FactStream Deals = FactStream.Of(EventTypes.Sold);
    public static readonly FactStream Shown = FactStream.Of(EventTypes.RecommendationShown);
    public static readonly FactStream Followed = FactStream.Of(EventTypes.RecommendationClicked);
    public static readonly FactStream Likes = FactStream.Of(EventTypes.FeedbackGiven).Where("feedback", fact => fact.Channel == "like");
    public static readonly FactStream Dislikes = FactStream.Of(EventTypes.FeedbackGiven).Where("feedback", fact => fact.Channel == "dislike");
    public static readonly FactStream Shares = FactStream.Of(EventTypes.Shared);

    /// <summary>Seconds that items were in sight.</summary>
    public static readonly FactStream Seconds = Views.Measured("visibleSeconds", fact => fact.Amount);

    /// <summary>How far down people read, 0 to 1.</summary>
    public static readonly FactStream Depth = Views.Measured("scrollDepth", fact => fact.Extent);

    public static readonly FactStream Visits = Anything.By("sessionId", fact => fact.SessionId);
    public static readonly FactStream Days = Anything.By("occurredAt", fact => LocalTime.Of(fact.OccurredAt).ToString("yyyyMMdd", CultureInfo.InvariantCulture));
    public static readonly FactStream Hours = Anything.By("occurredAt", fact => fact.LocalHour.ToString("00", CultureInfo.InvariantCulture));
    public static readonly FactStream Weekdays = Anything.By("occurredAt", fact => LocalTime.Weekday(fact.OccurredAt));
    public static readonly FactStream Devices = Anything.By("device", fact => fact.Device);
    public static readonly FactStream People = Anything.By("userId, anonymousId", fact => fact.PersonId);

    /// <summary>Each wish counted once a view, as the item was known when it was seen.</summary>
    public static readonly FactStream Makes = Views.By("item.make", fact => fact.Item?.Make);
    public static readonly FactStream Models = Views.By("item.make, item.model", fact => fact.Item?.Peers);
    public static readonly FactStream Bodies = Views.By("item.bodyType", fact => fact.Item?.BodyType);
    public static readonly FactStream Fuels = Views.By("item.fuel", fact => fact.Item?.Fuel);
    public static readonly FactStream Places = Views.By("item.place", fact => fact.Item?.Item.Place);
    public static readonly FactStream Sellers = Views.By("item.sellerId", fact => fact.Item?.Item.SellerId);
    public static readonly FactStream Items = Views.By("itemId", fact => fact.ItemId);
    public static readonly FactStream ItemSeconds = Seconds.By("itemId", fact => fact.ItemId);
    public static readonly FactStream ItemFavorites = Favorites.By("itemId", fact => fact.ItemId);
    public static readonly FactStream ItemContacts = Contacts.By("itemId", fact => fact.ItemId);
    public static readonly FactStream ItemTestDrives = TestDrives.By("itemId", fact => fact.ItemId);
    public static readonly FactStream Prices = Views.Measured("item.price", fact => fact.Item?.PriceUsd);
    public static readonly FactStream LogPrices = Views.Measured("item.price", fact => fact.Item?.PriceUsd is > 0 and { } usd ? Math.Log(usd) : null);
    public static readonly FactStream Years = Views.Measured("item.year", fact => fact.Item?.Year);

    /// <summary>What people looked at that takes place somewhere, at some time, for somebody.</summary>
    public static readonly FactStream ActivityTypes = Views.By("item.type", fact => fact.Item?.Item.Type);
    public static readonly FactStream Levels = Views.By("item.level", fact => fact.Item?.Item.Level);

    /// <summary>Tags of an item, one after the other between commas.</summary>
    public static readonly FactStream Tags = Views.By("item.tags", fact => fact.Item?.Item.Tags is { Count: > 0 } tags ? string.Join(',', tags) : null);

    /// <summary>Weekday and part of the day at which it begins.</summary>
    public static readonly FactStream Slots = Views.By("item.window", fact => fact.Item?.Item.StartsAt is { } starts ? LocalTime.Slot(starts.UtcTicks) : null);
    public static readonly FactStream Latitudes = Views.Measured("item.location", fact => fact.Item?.Item.Latitude);
    public static readonly FactStream Longitudes = Views.Measured("item.location", fact => fact.Item?.Item.Longitude);
    public static readonly FactStream Attendances = FactStream.Of(EventTypes.Attended).Where("attended", fact => fact.Channel == "true");
}
