using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Schemas;

/// <summary>What people look at and look for.</summary>
internal static class BrowsingEvents
{
    private static readonly Field OutboundClick = Field.Flag("outboundClick", "Whether the visitor followed a link away from the marketplace.");
    private static readonly Field OutboundTo = Field.Id("outboundTo", "Host that the link led to.", "wa.me");
    private static readonly Field Stretch = Field.Integer("stretch", "How many times it came into sight; only the first is a view.", 1, 100_000, 1);

    /// <summary>Declares them.</summary>
    public static IEnumerable<EventSchema> All =>
    [
        new(EventTypes.PageViewed, 1, "Tracking", ValueTier.Low, "A visitor opened a page.",
        [
            Field.Text("path", "The page's path, without personal data.", 2_000, "/vehiculos").Required,
            Field.Text("title", "The page's title.", 500, "Vehículos para ti"),
            Field.Number("visibleSeconds", "Seconds that the page was in sight.", 0, 86_400, 42.5),
            Field.Number("scrollDepth", "Deepest point reached, as a share of the page.", 0, 1, 0.6),
            OutboundClick, OutboundTo, Stretch,
        ]),
        new(EventTypes.ItemViewed, 1, "Tracking", ValueTier.Normal, "A visitor looked at an item.",
        [
            Field.Number("visibleSeconds", "Seconds that the item was in sight.", 0, 86_400, 12.5),
            Field.Number("scrollDepth", "Deepest point reached, as a share of the page.", 0, 1, 0.8),
            OutboundClick, OutboundTo, Stretch,
            Field.Choice("origin", "Where the visitor came to it from.", "search", "recommendation", "favorites", "list", "campaign", "direct"),
            Field.Integer("position", "Place in the list it was chosen from, from 0.", 0, 100_000, 3),
        ]) { NeedsItem = true },
        new(EventTypes.Searched, 1, "Tracking", ValueTier.Normal, "A visitor searched.",
        [
            Field.Text("query", "What was typed.", 500, "jeepeta automática"),
            Field.Map("filters", "Filters by name.", """{"bodyType":"jeepeta","maxPriceUsd":20000}"""),
            Field.Integer("resultCount", "Items found.", 0, 100_000_000, 128),
            Field.Ids("itemIds", "Items shown, in order.", 500, "car-1042"),
            Field.Ids("clickedItemIds", "Items that were chosen, in order.", 500, "car-1042"),
        ]),
        new(EventTypes.ListViewed, 1, "Tracking", ValueTier.Low, "A list of items came into sight.",
        [
            Field.Id("list", "Name of the list.", "newest").Required,
            Field.Ids("itemIds", "Items shown, in order.", 500, "car-1042"),
            Field.Integer("positions", "Their places in the list, from 0.", 0, 100_000, 0) with { MaxItems = 500, Example = "[0]" },
            Field.Integer("page", "Page of the list, from 1.", 1, 100_000, 1),
        ]),
        new(EventTypes.FilterApplied, 1, "Tracking", ValueTier.Low, "A visitor narrowed a list.",
        [
            Field.Id("filter", "Name of the filter.", "bodyType").Required,
            Field.Text("value", "Value chosen, as text.", 500, "jeepeta"),
            Field.Integer("resultCount", "Items left.", 0, 100_000_000, 128),
        ]),
        new(EventTypes.SortApplied, 1, "Tracking", ValueTier.Low, "A visitor changed a list's order.",
        [
            Field.Id("sort", "Name of the order.", "price").Required,
            Field.Choice("direction", "Direction.", "ascending", "descending"),
        ]),
        new(EventTypes.SessionStarted, 1, "Tracking", ValueTier.Low, "A visit began.",
        [
            Field.Text("entryPath", "First page.", 2_000, "/"),
            Field.Text("referrer", "Page that led here.", 2_000, "https://www.google.com/"),
            Field.Choice("device", "Kind of device.", "mobile", "desktop", "tablet", "other"),
        ]),
        new(EventTypes.SessionEnded, 1, "Tracking", ValueTier.Low, "A visit ended.",
        [
            Field.Number("seconds", "Length of the visit.", 0, 86_400, 310),
            Field.Integer("pages", "Pages opened.", 0, 100_000, 7),
        ]),
        new(EventTypes.EventsDropped, 1, "Tracking", ValueTier.High, "A browser lost events that it could not send or keep.",
        [
            Field.Map("counts", "Number lost, by type.", """{"page_viewed":3}""").Required,
            Field.Map("reasons", "Number lost, by reason.", """{"full":3}"""),
        ]),
        new(EventTypes.RateLimited, 1, "Tracking", ValueTier.Normal, "A page sent more events than a browser may.",
        [
            Field.Id("type", "Type of the first event that was held back.", "item_viewed"),
        ]),
    ];
}
