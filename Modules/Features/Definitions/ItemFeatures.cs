using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using static OKLA.Features.Registry.Reductions;

namespace OKLA.Features.Definitions;

/// <summary>What is known of a thing in the catalogue: who looked, what they did, what it is, how it stands in its market.</summary>
internal static class ItemFeatures
{
    public static IEnumerable<Feature> All()
    {
        var item = new FeatureList(Entity.Item);
        Demand(item);
        Description(item);
        Market(item);
        ActivityFeatures.OfItem(item);
        return item;
    }

    private static void Demand(FeatureList item)
    {
        var views = item.Counts("views", Streams.Views, "Times it was looked at", Window.Day, Window.Week, Window.Month, Window.All);
        var people = item.Number("visitors_30d", "people", Streams.People, Window.Month, Distinct, "Different people who did something with it within the last 30d.", 0);
        item.Number("distinct_people", "people", Streams.People, Window.All, Distinct, "Different people who did something with it, ever.", 0);
        var favorites = item.Counts("favorites", Streams.Favorites, "Times it was put among the favourites", Window.Week, Window.Month, Window.All);
        item.Counts("favorites_removed", Streams.FavoritesRemoved, "Times it was taken off the favourites", Window.All);
        var contacts = item.Counts("contacts", Streams.Contacts, "Contacts about it", Window.Week, Window.Month, Window.All);
        item.Counts("test_drives", Streams.TestDrives, "Test drives asked for", Window.Month, Window.All);
        item.Counts("offers", Streams.Offers, "Prices named for it", Window.Month);
        item.Counts("shares", Streams.Shares, "Times it was passed on", Window.Month);
        item.Counts("likes", Streams.Likes, "Times it was liked", Window.Quarter);
        item.Counts("dislikes", Streams.Dislikes, "Times it was disliked", Window.Quarter);
        item.Counts("recommendations_followed", Streams.Followed, "Times it was chosen among recommendations", Window.Month);
        item.Ratio("contact_rate", contacts[^1], views[^1], "Contacts a view.");
        item.Ratio("contact_rate_30d", contacts[1], views[2], "Contacts a view within the last 30d.");
        item.Ratio("favorite_rate", favorites[^1], views[^1], "Favourites a view.");
        item.Ratio("views_a_person_30d", views[2], people, "Views for each person within the last 30d.");
        item.Ratio("view_trend", views[1], views[2], "Share of the last 30d's views that fell into the last 7d.");
        item.Number("dwell_seconds_30d", "seconds", Streams.Seconds, Window.Month, Sum, "Seconds it was in sight within the last 30d.", 0);
        item.Number("mean_dwell_seconds", "seconds", Streams.Seconds, Window.All, Mean, "Mean seconds a view, ever.");
        item.Number("mean_scroll_depth", "share", Streams.Depth, Window.All, Mean, "How far down its page is read, ever.");
        item.Number("days_since_last_event", "days", Streams.Anything, Window.All, DaysSinceLast, "Days since anybody did something with it.");
        item.Number("search_origin_share_30d", "share", Streams.Views.By("origin", fact => fact.Channel), Window.Month, ShareOf("search"), "Share of views that came from a search within the last 30d.");
        item.Number("mobile_share_30d", "share", Streams.Devices, Window.Month, ShareOf("mobile"), "Share of activity on a telephone within the last 30d.");
        var age = item.OfItem("age_days", "days", view => view.Item is { } it ? Days(view.At - it.ListedAt) : Value.None, "Days since it was first listed.", "occurredAt");
        item.Derived("views_a_day_on_offer_7d", "views a day", [views[1], age], v => v[0].Number / Math.Clamp(v[1].Number, 1, 7), "Views a day within the last 7d, or since it was listed: popularity that does not punish the new.");
        item.Number("mean_rating", "stars", FactStream.Of(EventTypes.Rated).Measured("rating", fact => fact.Amount), Window.All, Mean, "Mean stars it was given.");
        item.Number("ratings_total", "events", FactStream.Of(EventTypes.Rated), Window.All, Count, "Times it was given stars.", 0);
    }

    private static void Description(FeatureList item)
    {
        item.TextOfItem("status", "status", view => view.Item?.Status, "live, sold or withdrawn.", "type");
        item.TextOfItem("make", "make", view => view.Item?.Make, "Make.", "item.make");
        item.TextOfItem("model", "model", view => view.Item?.Peers, "Make and first word of the model.", "item.make", "item.model");
        item.TextOfItem("body_type", "body type", view => view.Item?.BodyType, "Body type.", "item.bodyType");
        item.TextOfItem("place", "place", view => view.Item?.Item.Place, "Province or city.", "item.place");
        item.TextOfItem("seller", "seller", view => view.Item?.Item.SellerId, "Seller's id.", "item.sellerId");
        item.OfItem("year", "year", view => view.Item?.Year, "Model year.", "item.year");
        item.OfItem("mileage_km", "km", view => view.Item?.Item.MileageKm, "Mileage.", "item.mileageKm");
        var price = item.OfItem("price_usd", "USD", view => view.Item?.PriceUsd is { } usd ? Math.Round(usd, 2) : Value.None, "Price in dollars at the rate of the day it was stated.", "item.price");
        item.Derived("log_price", "ln USD", [price], v => v[0].Number > 0 ? Math.Log(v[0].Number) : Value.None, "Logarithm of the price.");
        item.OfItem("photo_count", "pictures", view => view.Item?.Item.Images, "Pictures.", "item.images");
        item.OfItem("text_length", "characters", view => view.Item?.Item.TextLength, "Length of title and description.", "item.title", "item.description");
        item.OfItem("attributes_filled", "attributes", view => view.Item?.Item.AttributesFilled, "Attributes that the seller filled in.", "item.attributes");
        item.OfItem("price_changes", "changes", view => view.Item?.PriceChanges, "Times its price changed.", "to");
        item.OfItem("price_cuts", "changes", view => view.Item?.PriceCuts, "Times its price fell.", "to");
        item.OfItem("price_against_first", "ratio", view => view.Item is { PriceUsd: { } now, FirstPriceUsd: > 0 and { } first } ? now / first : Value.None, "Price against the first price.", "item.price", "to");
        item.OfItem("days_since_priced", "days", view => view.Item is { } it ? Days(view.At - it.PricedAt) : Value.None, "Days since its price was last stated.", "item.price", "to");
        item.OfItem("days_since_updated", "days", view => view.Item is { } it ? Days(view.At - it.UpdatedAt) : Value.None, "Days since anything about it changed.", "occurredAt");
        item.OfItem("days_until_start", "days", view => view.Item?.Item.StartsAt is { } starts ? Days(starts.UtcTicks - view.At) : Value.None, "Days until an activity begins.", "item.window");
        item.Number("updates_30d", "events", FactStream.Of(EventTypes.ItemUpdated, EventTypes.ItemPriceChanged), Window.Month, Count, "Changes by its seller within the last 30d.", 0);
    }

    private static void Market(FeatureList item)
    {
        item.OfItem("market_median_usd", "USD", view => Known(view.Market.MedianUsd), "Median price of the peers on offer: same make and first word of the model.", "item.price", "item.make", "item.model");
        item.OfItem("price_against_market", "ratio", view => view.Item?.PriceUsd is { } usd && view.Market.MedianUsd > 0 ? usd / view.Market.MedianUsd : Value.None, "Price against the median of the peers on offer.", "item.price", "item.make", "item.model");
        item.OfItem("cheaper_share", "share", view => Known(view.Market.CheaperShare), "Share of the peers on offer that ask less.", "item.price", "item.make", "item.model");
        var live = item.OfItem("market_live", "items", view => view.Item is null ? Value.None : view.Market.Live, "Peers on offer, itself included.", "item.make", "item.model");
        var sold = item.OfItem("market_sold_30d", "items", view => view.Item is null ? Value.None : view.Market.SoldMonth, "Peers sold within the last 30d.", "item.make", "item.model");
        item.Derived("market_sell_through_30d", "ratio", [sold, live], v => v[0].Number + v[1].Number > 0 ? v[0].Number / (v[0].Number + v[1].Number) : Value.None, "Peers sold within the last 30d against those and the ones on offer: demand in its segment.");
        item.OfItem("market_days_to_sale", "days", view => Known(Math.Round(view.Market.DaysToSale, 3)), "Median days on offer of the peers sold within the last 30d.", "item.make", "item.model");
    }

    private static Value Known(double number) => number;
}
