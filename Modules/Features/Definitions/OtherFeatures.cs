using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using static OKLA.Features.Registry.Reductions;

namespace OKLA.Features.Definitions;

/// <summary>What is known of a visit.</summary>
internal static class SessionFeatures
{
    public static IEnumerable<Feature> All()
    {
        var session = new FeatureList(Entity.Session);
        var events = session.Counts("events", Streams.Anything, "What was done", Window.All);
        var views = session.Counts("views", Streams.Views, "Items looked at", Window.Hour, Window.All);
        session.Counts("searches", Streams.Searches, "Searches", Window.All);
        session.Counts("favorites", Streams.Favorites, "Items put among the favourites", Window.All);
        var contacts = session.Counts("contacts", Streams.Contacts, "Sellers contacted", Window.All);
        session.Counts("recommendations_followed", Streams.Followed, "Recommendations followed", Window.All);
        session.Counts("pages", FactStream.Of(EventTypes.PageViewed), "Pages opened", Window.All);
        session.Counts("filters", FactStream.Of(EventTypes.FilterApplied, EventTypes.SortApplied), "Filters and orders chosen", Window.All);
        session.Number("minutes", "minutes", Streams.Anything, Window.All, MinutesBetween, "Minutes from the first to the last event.", 0);
        session.Number("minutes_since_last", "minutes", Streams.Anything, Window.All, slice => slice.Count == 0 ? Value.None : Math.Round((slice.AskedAt - slice.At(slice.Count - 1)) / (double)TimeSpan.TicksPerMinute, 3), "Minutes since the last event.");
        session.Number("dwell_seconds", "seconds", Streams.Seconds, Window.All, Sum, "Seconds that items were in sight.", 0);
        session.Number("mean_dwell_seconds", "seconds", Streams.Seconds, Window.All, Mean, "Mean seconds a view.");
        session.Number("mean_scroll_depth", "share", Streams.Depth, Window.All, Mean, "How far down pages of items were read.");
        session.Number("distinct_items", "items", Streams.Items, Window.All, Distinct, "Different items looked at.", 0);
        session.Number("distinct_makes", "makes", Streams.Makes, Window.All, Distinct, "Different makes looked at.", 0);
        session.Number("body_entropy", "bits", Streams.Bodies, Window.All, Entropy, "Spread over body types.");
        session.Text("top_make", "make", Streams.Makes, Window.All, Top, "Make looked at most.");
        session.Text("top_body_type", "body type", Streams.Bodies, Window.All, Top, "Body type looked at most.");
        session.Number("log_price_level", "ln USD", Streams.LogPrices, Window.All, Mean, "Mean logarithm of the prices looked at.");
        session.Number("price_spread", "ln USD", Streams.LogPrices, Window.All, Deviation, "Standard deviation of the logarithm of the prices looked at.");
        session.Text("device", "device", Streams.Devices, Window.All, LastKey, "Device.");
        session.Text("entry_origin", "origin", Streams.Views.By("origin", fact => fact.Channel), Window.All, FirstKey, "How the first item was come to.");
        session.Text("start_hour", "hour", Streams.Hours, Window.All, FirstKey, "Hour of the day in Santo Domingo when it began.");
        session.Ratio("contact_rate", contacts[0], views[^1], "Contacts a view.");
        session.Ratio("view_share", views[^1], events[0], "Share of views among all events.");
        return session;
    }
}

/// <summary>What is known of a seller.</summary>
internal static class DealerFeatures
{
    /// <summary>What is taken of a seller of whom little is known: stars, deals a contact, and how many contacts that knowledge is worth.</summary>
    private const double UsualRating = 3.8, UsualDealRate = 0.15, DealPrior = 15;

    public static IEnumerable<Feature> All()
    {
        var dealer = new FeatureList(Entity.Dealer);
        var listed = dealer.Counts("listed", FactStream.Of(EventTypes.ItemListed), "Items listed", Window.Month, Window.Quarter, Window.All);
        var sold = dealer.Counts("sold", FactStream.Of(EventTypes.ItemSold), "Items sold", Window.Month, Window.Quarter, Window.All);
        var withdrawn = dealer.Counts("withdrawn", FactStream.Of(EventTypes.ItemWithdrawn), "Items withdrawn", Window.Quarter, Window.All);
        dealer.Counts("price_changes", FactStream.Of(EventTypes.ItemPriceChanged), "Prices changed", Window.Month);
        dealer.Derived("live_items", "items", [listed[^1], sold[^1], withdrawn[^1]], v => Math.Max(0, v[0].Number - v[1].Number - v[2].Number), "Items on offer.", 0);
        dealer.Ratio("sell_through_90d", sold[1], listed[1], "Items sold against items listed within the last 90d.");
        dealer.Ratio("sell_through", sold[^1], listed[^1], "Items sold against items listed, ever.");
        dealer.Number("mean_days_to_sale", "days", FactStream.Of(EventTypes.ItemSold).Measured("occurredAt", fact => fact.Item is { } item ? (fact.OccurredAt - item.ListedAt) / (double)TimeSpan.TicksPerDay : null), Window.Quarter, Mean, "Mean days on offer of items sold within the last 90d.");
        var views = dealer.Counts("views", Streams.Views, "Times items were looked at", Window.Week, Window.Month);
        dealer.Number("visitors_30d", "people", Streams.People, Window.Month, Distinct, "Different people within the last 30d.", 0);
        dealer.Counts("favorites", Streams.Favorites, "Items put among the favourites", Window.Month);
        var contacts = dealer.Counts("contacts", Streams.Contacts, "Contacts", Window.Week, Window.Month, Window.All);
        var deals = dealer.Counts("deals", Streams.Deals, "Contacts that came to a deal", Window.Quarter, Window.All);
        dealer.Derived("deal_rate", "ratio", [deals[^1], contacts[^1]], v => (v[0].Number + (DealPrior * UsualDealRate)) / (v[1].Number + DealPrior), "Deals a contact, drawn towards the usual one in seven.");
        dealer.Counts("test_drives", Streams.TestDrives, "Test drives asked for", Window.Month);
        dealer.Ratio("contact_rate_30d", contacts[1], views[1], "Contacts a view within the last 30d.");
        var reply = FactStream.Of(FactColumns.DealerReplied).Measured("minutes", fact => fact.Amount);
        dealer.Number("mean_reply_minutes_30d", "minutes", reply, Window.Month, Mean, "Mean minutes to the first reply within the last 30d.");
        var replies = dealer.Number("replies_30d", "events", FactStream.Of(FactColumns.DealerReplied), Window.Month, Count, "Replies within the last 30d.", 0);
        dealer.Ratio("reply_rate_30d", replies, contacts[1], "Replies a contact within the last 30d.");
        var stars = FactStream.Of(EventTypes.Rated).Measured("rating", fact => fact.Amount);
        var rating = dealer.Number("mean_rating", "stars", stars, Window.All, Mean, "Mean stars given.");
        var ratings = dealer.Number("ratings_total", "events", stars, Window.All, Count, "Times stars were given.", 0);
        dealer.Derived("rating", "stars", [rating, ratings], v => v[1].Number == 0 ? UsualRating : ((v[0].Number * v[1].Number) + UsualRating) / (v[1].Number + 1), "Mean stars given, with one more vote for the usual.");
        dealer.Number("log_price_level", "ln USD", FactStream.Of(EventTypes.ItemListed).Measured("item.price", fact => fact.Item?.PriceUsd is > 0 and { } usd ? Math.Log(usd) : null), Window.All, Mean, "Mean logarithm of the prices asked at listing.");
        dealer.Number("distinct_makes", "makes", FactStream.Of(EventTypes.ItemListed).By("item.make", fact => fact.Item?.Make), Window.All, Distinct, "Different makes listed.", 0);
        dealer.Text("top_make", "make", FactStream.Of(EventTypes.ItemListed).By("item.make", fact => fact.Item?.Make), Window.All, Top, "Make listed most.");
        dealer.Number("tenure_days", "days", FactStream.Of(EventTypes.ItemListed), Window.All, DaysSinceFirst, "Days since the first listing.");
        return dealer;
    }
}

/// <summary>What is known of an advertising campaign, by channel and hour.</summary>
internal static class CampaignFeatures
{
    // A browser tells of one person; a platform's report of an hour tells how many.
    private static readonly FactStream Impressions = FactStream.Of(EventTypes.CampaignImpression).Measured("count", fact => fact.Amount ?? 1);
    private static readonly FactStream Clicks = FactStream.Of(EventTypes.CampaignClick).Measured("count", fact => fact.Amount ?? 1);
    private static readonly FactStream Applications = FactStream.Of(EventTypes.CampaignApplication).Measured("count", fact => fact.Amount ?? 1);
    private static readonly FactStream Conversions = FactStream.Of(EventTypes.CampaignConversion).Measured("count", fact => fact.Extent ?? 1);
    private static readonly FactStream Cost = FactStream.Of(EventTypes.CampaignCostRecorded).Measured("amount, currency", fact => fact.Amount);
    private static readonly FactStream Budget = FactStream.Of(EventTypes.CampaignBudgetSet).Measured("amount, currency", fact => fact.Amount);

    public static IEnumerable<Feature> All()
    {
        var campaign = new FeatureList(Entity.Campaign);
        IReadOnlyList<FeatureId> Sums(string name, FactStream stream, string what, params Window[] windows) =>
            [.. windows.Select(window => campaign.Number($"{name}_{window.Name}", "events", stream, window, Sum, window == Window.All ? $"{what}, ever." : $"{what} within the last {window.Name}.", 0))];
        var shown = Sums("impressions", Impressions, "Times it was in sight", Window.Hour, Window.Day, Window.Week, Window.All);
        var clicks = Sums("clicks", Clicks, "Times it was followed", Window.Hour, Window.Day, Window.Week, Window.All);
        var applications = Sums("applications", Applications, "Applications", Window.Hour, Window.Day, Window.Week, Window.All);
        var conversions = Sums("conversions", Conversions, "Goals reached", Window.Week, Window.All);
        var costs = new[] { Window.Day, Window.Week, Window.All }.Select(window => campaign.Number($"cost_usd_{window.Name}", "USD", Cost, window, Sum, $"Money spent ({window.Name}).", 0)).ToList();
        var lastHour = campaign.Number("cost_usd_1h", "USD", Cost, Window.Hour, Sum, "Money spent within the last hour.", 0);
        var value = campaign.Number("value_usd_total", "USD", FactStream.Of(EventTypes.CampaignConversion).Measured("value, currency", fact => fact.Amount), Window.All, Sum, "Worth of the goals reached.", 0);
        campaign.Ratio("click_rate_7d", clicks[2], shown[2], "Clicks an impression within the last 7d.");
        campaign.Ratio("click_rate", clicks[^1], shown[^1], "Clicks an impression.");
        campaign.Ratio("application_rate", applications[^1], clicks[^1], "Applications a click.");
        campaign.Ratio("cost_per_click_usd", costs[^1], clicks[^1], "Dollars a click.");
        campaign.Ratio("cost_per_application_usd", costs[^1], applications[^1], "Dollars an application.");
        campaign.Ratio("cost_per_application_usd_7d", costs[1], applications[2], "Dollars an application within the last 7d.");
        campaign.Ratio("cost_per_application_usd_1h", lastHour, applications[0], "Dollars an application within the last hour.");
        campaign.Ratio("cost_per_application_usd_1d", costs[0], applications[1], "Dollars an application within the last day.");
        campaign.Ratio("cost_per_conversion_usd", costs[^1], conversions[^1], "Dollars a goal.");
        campaign.Ratio("return_on_spend", value, costs[^1], "Worth of the goals reached for each dollar.");
        campaign.Ratio("pace", costs[0], costs[1], "Share of the last 7d's spending that fell into the last day; an even campaign has 0.14.");
        var granted = campaign.Number("budget_usd_total", "USD", Budget, Window.All, Sum, "Money granted, ever.");
        var dailyBudget = campaign.Derived("budget_usd_a_day", "USD",
            [campaign.Number("budget_usd_last", "USD", Budget, Window.All, Last, "Money granted last."), campaign.Number("budget_days_last", "days", FactStream.Of(EventTypes.CampaignBudgetSet).Measured("days", fact => fact.Extent), Window.All, Last, "Days that it was meant for.")],
            v => v[1].Number > 0 ? v[0].Number / v[1].Number : Value.None, "Money granted last for each of its days.");
        campaign.Derived("budget_left_usd", "USD", [granted, costs[^1]], v => v[0].IsNone ? Value.None : v[0].Number - v[1].Number, "Money granted and not yet spent; below 0 when more was spent.");
        campaign.Derived("pace_against_budget", "ratio", [costs[0], dailyBudget], v => v[1].Number > 0 ? v[0].Number / v[1].Number : Value.None, "Money spent within the last day for each dollar that was granted for a day.");
        var competition = FactStream.Of(EventTypes.CampaignCostRecorded).Measured("competition", fact => fact.Extent);
        campaign.Number("competition", "share", competition, Window.Day, Last, "Share of the auctions that others won, at the latest report within the last day.");
        campaign.Number("mean_competition_7d", "share", competition, Window.Week, Mean, "Mean share of the auctions that others won within the last 7d.");
        campaign.Shares("click_hours", "hour", Clicks.By("occurredAt", fact => fact.LocalHour.ToString("00", System.Globalization.CultureInfo.InvariantCulture)), Window.Month, "Share of each hour of the day in the clicks of the last 30d.");
        campaign.Shares("click_weekdays", "weekday", Clicks.By("occurredAt", fact => LocalTime.Weekday(fact.OccurredAt)), Window.Month, "Share of each day of the week in the clicks of the last 30d.");
        campaign.Shares("click_channels", "channel", Clicks.By("channel", fact => fact.Channel), Window.Month, "Share of each channel in the clicks of the last 30d.");
        campaign.Shares("application_channels", "channel", Applications.By("channel", fact => fact.Channel), Window.Month, "Share of each channel in the applications of the last 30d.");
        campaign.Shares("application_hours", "hour", Applications.By("occurredAt", fact => fact.LocalHour.ToString("00", System.Globalization.CultureInfo.InvariantCulture)), Window.Month, "Share of each hour of the day in the applications of the last 30d.");
        campaign.Text("top_channel", "channel", Clicks.By("channel", fact => fact.Channel), Window.Month, Top, "Channel with most clicks within the last 30d.");
        campaign.Number("people_7d", "people", Impressions.By("userId, anonymousId", fact => fact.PersonId), Window.Week, Distinct, "Different people who saw it within the last 7d.", 0);
        campaign.Number("days_running", "days", Impressions, Window.All, DaysSinceFirst, "Days since it was first in sight.");
        campaign.Number("days_since_last_click", "days", Clicks, Window.All, DaysSinceLast, "Days since it was last followed.");
        return campaign;
    }
}
