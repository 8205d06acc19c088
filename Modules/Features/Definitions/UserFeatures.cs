using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using static OKLA.Features.Registry.Reductions;

namespace OKLA.Features.Definitions;

/// <summary>What is known of a person: how often and how lately they come, what they look at and for how long, what they can pay, what they answer to.</summary>
internal static class UserFeatures
{
    private static readonly string[] StrongTypes = [EventTypes.FavoriteAdded, EventTypes.Contacted, EventTypes.TestDriveRequested, EventTypes.OfferMade];

    public static IEnumerable<Feature> All()
    {
        var user = new FeatureList(Entity.User);
        Frequency(user);
        Attention(user);
        Taste(user);
        Money(user);
        Habits(user);
        Response(user);
        ActivityFeatures.OfUser(user);
        return user;
    }

    private static void Frequency(FeatureList user)
    {
        var events = user.Counts("events", Streams.Anything, "What the person did", Window.Hour, Window.Day, Window.Week, Window.Month, Window.Quarter, Window.All);
        var views = user.Counts("views", Streams.Views, "Items looked at", Window.Hour, Window.Day, Window.Week, Window.Month, Window.Quarter, Window.All);
        user.Counts("searches", Streams.Searches, "Searches", Window.Day, Window.Week, Window.Month, Window.All);
        var favorites = user.Counts("favorites", Streams.Favorites, "Items put among the favourites", Window.Week, Window.Month, Window.All);
        var removed = user.Number("favorites_removed_total", "events", Streams.FavoritesRemoved, Window.All, Count, "Items taken off the favourites, ever.", 0);
        var contacts = user.Counts("contacts", Streams.Contacts, "Sellers contacted", Window.Day, Window.Week, Window.Month, Window.All);
        var drives = user.Counts("test_drives", Streams.TestDrives, "Test drives asked for", Window.Month, Window.All);
        user.Counts("offers", Streams.Offers, "Prices named", Window.Month, Window.All);
        user.Counts("shares", Streams.Shares, "Items passed on", Window.Month);
        user.Counts("purchases", Streams.Deals, "Items bought", Window.Month, Window.All);
        user.Number("days_since_last_purchase", "days", Streams.Deals, Window.All, DaysSinceLast, "Days since the person last bought something.");
        user.Derived("test_drive_rate", "ratio", [drives[^1], contacts[^1]], v => v[1].Number == 0 ? Value.None : (v[0].Number + 0.5) / (v[1].Number + 2), "Test drives asked for a contact, drawn towards one in four.");
        user.Derived("favorites_now", "items", [favorites[^1], removed], v => Math.Max(0, v[0].Number - v[1].Number), "Items among the favourites.", 0);
        user.Number("days_since_last_event", "days", Streams.Anything, Window.All, DaysSinceLast, "Days since the person last did something.");
        user.Number("days_since_last_contact", "days", Streams.Contacts, Window.All, DaysSinceLast, "Days since the person last contacted a seller.");
        user.Number("days_since_previous_contact", "days", Streams.Contacts, Window.All, DaysSinceOneBeforeLast, "Days since the contact before the latest one.");
        var tenure = user.Number("tenure_days", "days", Streams.Anything, Window.All, DaysSinceFirst, "Days since the person was first seen.");
        user.Number("visits_7d", "visits", Streams.Visits, Window.Week, Distinct, "Visits within the last 7d.", 0);
        var visits = user.Number("visits_30d", "visits", Streams.Visits, Window.Month, Distinct, "Visits within the last 30d.", 0);
        user.Number("active_days_7d", "days", Streams.Days, Window.Week, Distinct, "Days with activity within the last 7d.", 0);
        user.Number("active_days_30d", "days", Streams.Days, Window.Month, Distinct, "Days with activity within the last 30d.", 0);
        user.Derived("visits_a_day_30d", "visits a day", [visits, tenure], v => v[0].Number / Math.Clamp(v[1].Number, 1, 30), "Visits a day within the last 30d, or since the person was first seen.");
        user.Derived("weekly_frequency", "visits a week", [visits], v => v[0].Number * 7 / 30, "Visits a week over the last 30d.", 0);
        user.Number("mean_gap_hours_30d", "hours", Streams.Anything, Window.Month, MeanGapHours, "Mean hours between two events within the last 30d.");
        user.Ratio("activity_trend", events[2], events[3], "Share of the last 30d's events that fell into the last 7d; a steady person has 0.23.");
        user.Ratio("contact_rate", contacts[^1], views[^1], "Contacts a view.");
        user.Ratio("favorite_rate", favorites[^1], views[^1], "Favourites a view.");
        var strong = user.Number("strong_events_7d", "events", FactStream.Of(StrongTypes), Window.Week, Count, "Favourites, contacts, test drives and offers within the last 7d.", 0);
        user.Ratio("strong_share_7d", strong, events[2], "Share of those among all events of the last 7d.");
    }

    private static void Attention(FeatureList user)
    {
        user.Number("dwell_seconds_7d", "seconds", Streams.Seconds, Window.Week, Sum, "Seconds that items were in sight within the last 7d.", 0);
        user.Number("dwell_seconds_1d", "seconds", Streams.Seconds, Window.Day, Sum, "Seconds that items were in sight within the last 1d.", 0);
        user.Number("mean_dwell_seconds_30d", "seconds", Streams.Seconds, Window.Month, Mean, "Mean seconds a view within the last 30d.");
        user.Number("longest_dwell_seconds_30d", "seconds", Streams.Seconds, Window.Month, Most, "Longest view within the last 30d.");
        user.Number("mean_scroll_depth_30d", "share", Streams.Depth, Window.Month, Mean, "How far down pages of items are read within the last 30d.");
        var results = Streams.Searches.Measured("resultCount", fact => fact.Amount);
        user.Number("mean_search_results_30d", "items", results, Window.Month, Mean, "Mean number of results a search within the last 30d.");
        user.Number("empty_searches_30d", "events", results.Where("resultCount", fact => fact.Amount == 0), Window.Month, Count, "Searches without a result within the last 30d.", 0);
    }

    private static void Taste(FeatureList user)
    {
        user.Number("distinct_items", "items", Streams.Items, Window.All, Distinct, "Different items looked at, ever.", 0);
        user.Number("top_item_share_30d", "share", Streams.Items, Window.Month, TopShare, "Share of the item looked at most within the last 30d.");
        user.Number("distinct_makes", "makes", Streams.Makes, Window.All, Distinct, "Different makes looked at, ever.", 0);
        user.Number("distinct_makes_30d", "makes", Streams.Makes, Window.Month, Distinct, "Different makes looked at within the last 30d.", 0);
        user.Number("distinct_models_30d", "models", Streams.Models, Window.Month, Distinct, "Different models looked at within the last 30d.", 0);
        user.Number("distinct_places_30d", "places", Streams.Places, Window.Month, Distinct, "Different places looked at within the last 30d.", 0);
        user.Number("distinct_sellers_30d", "sellers", Streams.Sellers, Window.Month, Distinct, "Different sellers looked at within the last 30d.", 0);
        user.Number("make_entropy_90d", "bits", Streams.Makes, Window.Quarter, Entropy, "Spread over makes within the last 90d; 0 when there is one.");
        user.Number("body_entropy_90d", "bits", Streams.Bodies, Window.Quarter, Entropy, "Spread over body types within the last 90d.");
        user.Text("top_make", "make", Streams.Makes, Window.All, Top, "Make looked at most, ever.");
        user.Text("top_make_30d", "make", Streams.Makes, Window.Month, Top, "Make looked at most within the last 30d.");
        user.Text("top_model_30d", "model", Streams.Models, Window.Month, Top, "Make and model looked at most within the last 30d.");
        user.Text("top_body_type", "body type", Streams.Bodies, Window.All, Top, "Body type looked at most, ever.");
        user.Text("top_place_30d", "place", Streams.Places, Window.Month, Top, "Place looked at most within the last 30d.");
        user.Text("top_fuel_90d", "fuel", Streams.Fuels, Window.Quarter, Top, "Fuel looked at most within the last 90d.");
        user.Number("top_make_share_30d", "share", Streams.Makes, Window.Month, TopShare, "Share of the make looked at most within the last 30d.");
        user.Number("top_body_share_30d", "share", Streams.Bodies, Window.Month, TopShare, "Share of the body type looked at most within the last 30d.");
        user.Shares("make_shares", "make", Streams.Makes, Window.Quarter, "Share of each make in the views of the last 90d.");
        user.Shares("body_shares", "body type", Streams.Bodies, Window.Quarter, "Share of each body type in the views of the last 90d.");
        user.Shares("model_shares", "model", Streams.Models, Window.Quarter, "Share of each make and model in the views of the last 90d.");
        user.Shares("item_shares", "item", Streams.Items, Window.Month, "Share of each item in the views of the last 30d.");
        user.Add("item_second_shares", new Computation.Aggregate(Streams.ItemSeconds, Window.Day, DistributionOfSums), FeatureType.Shares, "item", "Share of each item in the seconds of the last 1d.", null);
        user.Shares("item_favorite_shares", "item", Streams.ItemFavorites, Window.Quarter, "Share of each item in what was put among the favourites within the last 90d.");
        user.Shares("item_contact_shares", "item", Streams.ItemContacts, Window.Month, "Share of each item in the contacts of the last 30d.");
        user.Shares("item_test_drive_shares", "item", Streams.ItemTestDrives, Window.Month, "Share of each item in the test drives asked for within the last 30d.");
        user.Shares("place_shares", "place", Streams.Places, Window.Quarter, "Share of each place in the views of the last 90d.");
        user.Text("last_searched_make", "make", Streams.Searches.By("filters.make", fact => fact.Make), Window.Month, LastKey, "Make of the latest search that named one within the last 30d.");
        user.Text("last_searched_body_type", "body type", Streams.Searches.By("filters.bodyType", fact => fact.BodyType), Window.Month, LastKey, "Body type of the latest search that named one within the last 30d.");
        user.Number("mean_year_90d", "year", Streams.Years, Window.Quarter, Mean, "Mean model year of the vehicles looked at within the last 90d.");
    }

    private static void Money(FeatureList user)
    {
        var level = user.Number("log_price_level_90d", "ln USD", Streams.LogPrices, Window.Quarter, Mean, "Mean logarithm of the prices looked at within the last 90d.");
        user.Derived("price_level_usd", "USD", [level], v => Math.Round(Math.Exp(v[0].Number), 2), "Geometric mean of the prices looked at within the last 90d.");
        user.Number("price_spread_90d", "ln USD", Streams.LogPrices, Window.Quarter, Deviation, "Standard deviation of the logarithm of the prices looked at within the last 90d.");
        user.Number("lowest_price_usd_90d", "USD", Streams.Prices, Window.Quarter, Least, "Lowest price looked at within the last 90d.");
        user.Number("highest_price_usd_90d", "USD", Streams.Prices, Window.Quarter, Most, "Highest price looked at within the last 90d.");
        user.Number("last_price_usd", "USD", Streams.Prices, Window.Quarter, Last, "Price of the item looked at last within the last 90d.");
        user.Number("searched_price_limit_usd", "USD", Streams.Searches.Measured("filters.maxPriceUsd", fact => fact.Extent), Window.Quarter, Last, "Highest price that the latest search allowed within the last 90d.");
        user.Number("cut_views_30d", "events", Streams.Views.Where("item.price", fact => fact.Item is { PriceCuts: > 0 }), Window.Month, Count, "Views of items with a price cut within the last 30d.", 0);
    }

    private static void Habits(FeatureList user)
    {
        user.Text("top_hour_90d", "hour", Streams.Hours, Window.Quarter, Top, "Hour of the day in Santo Domingo with most activity within the last 90d.");
        user.Text("top_weekday_90d", "weekday", Streams.Weekdays, Window.Quarter, Top, "Day of the week with most activity within the last 90d.");
        user.Number("night_share_90d", "share", Streams.Anything.By("occurredAt", fact => fact.LocalHour is < 6 or >= 22 ? "night" : "day"), Window.Quarter, ShareOf("night"), "Share of activity from 22 to 6 o'clock within the last 90d.");
        user.Number("weekend_share_90d", "share", Streams.Anything.By("occurredAt", fact => LocalTime.Weekday(fact.OccurredAt) is "sat" or "sun" ? "weekend" : "week"), Window.Quarter, ShareOf("weekend"), "Share of activity on Saturdays and Sundays within the last 90d.");
        user.Number("hour_entropy_90d", "bits", Streams.Hours, Window.Quarter, Entropy, "Spread over the hours of the day within the last 90d.");
        user.Text("top_device_30d", "device", Streams.Devices, Window.Month, Top, "Device used most within the last 30d.");
        user.Number("devices_90d", "devices", Streams.Devices, Window.Quarter, Distinct, "Kinds of devices used within the last 90d.", 0);
        user.Number("mobile_share_30d", "share", Streams.Devices, Window.Month, ShareOf("mobile"), "Share of activity on a telephone within the last 30d.");
    }

    private static void Response(FeatureList user)
    {
        var shown = user.Counts("recommendations_shown", Streams.Shown, "Times recommendations were shown", Window.Month);
        var followed = user.Counts("recommendations_followed", Streams.Followed, "Recommendations followed", Window.Month);
        user.Ratio("recommendation_response_30d", followed[0], shown[0], "Recommendations followed for each time they were shown within the last 30d.");
        user.Number("mean_followed_position_30d", "place", Streams.Followed.Measured("position", fact => fact.Amount), Window.Month, Mean, "Mean place, from 0, of the recommendations followed within the last 30d.");
        user.Number("search_origin_share_30d", "share", Streams.Views.By("origin", fact => fact.Channel), Window.Month, ShareOf("search"), "Share of views that came from a search within the last 30d.");
        user.Counts("likes", Streams.Likes, "Items liked", Window.Quarter);
        user.Counts("dislikes", Streams.Dislikes, "Items disliked", Window.Quarter);
        user.Text("top_contact_channel", "channel", Streams.Contacts.By("channel", fact => fact.Channel), Window.All, Top, "Way of contact taken most.");
        var chat = FactStream.Of(FactColumns.ChatMessage).Where("role", fact => fact.Channel is null or "user");
        user.Counts("chat_messages", chat, "Messages written in the chat", Window.Day, Window.Week, Window.Month);
        user.Counts("chat_handovers", FactStream.Of(FactColumns.ChatHandedOver), "Chats handed over to a person", Window.Month);
        user.Number("days_since_last_chat", "days", chat, Window.All, DaysSinceLast, "Days since the person last wrote in the chat.");
        user.Counts("campaign_clicks", FactStream.Of(EventTypes.CampaignClick), "Campaigns followed", Window.Month);
    }
}
