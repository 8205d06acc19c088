using OKLA.Shared.Contracts;

namespace OKLA.Features;

/// <summary>What Features makes of the log.</summary>
internal static class FeaturesLineage
{
    private const string Room = "Features";
    private const string Folder = "Modules/Features/";

    /// <summary>Declares the steps.</summary>
    public static IEnumerable<Transformation> All(FeaturesOptions options) =>
    [
        new("features.behaviour", Room,
            [
                .. options.EventWeights.Keys.Append(EventTypes.Searched).Distinct().SelectMany(type => new[] { $"event:{type}.itemId", $"event:{type}.userId", $"event:{type}.anonymousId" }),
                "event:person_erased",
            ],
            ["table:features.interactions", "table:features.person_types", "table:features.person_items", "table:features.item_days"],
            "Turns behaviour events into weighted interactions and their sums.", Folder + "Interactions/BehaviourSubscription.cs"),
        new("features.catalog", Room,
            ["event:item_listed", "event:item_updated", "event:item_price_changed", "event:item_sold", "event:item_withdrawn"],
            ["table:features.item_history", "table:features.items"],
            "Keeps the history of every item and the catalogue as it now is.", Folder + "Items/CatalogSubscription.cs"),
        new("features.interaction-frame", Room, ["table:features.interactions"], ["frame:interactions"],
            "What people did with items, as it was known at a time.", Folder + "Interactions/InteractionFrames.cs"),
        new("features.item-frame", Room, ["table:features.item_history"], ["frame:items"],
            "The catalogue as it was known at a time.", Folder + "Items/ItemFrames.cs"),
        new("features.popularity", Room, ["table:features.item_days"], ["feature:item.popularity"],
            "Items by the weight of their events in the last days.", Folder + "Interactions/PopularItems.cs"),
        new("features.history", Room, ["table:features.interactions"], ["feature:person.history"],
            "What a person did last, by item.", Folder + "Interactions/RecentHistory.cs"),
    ];
}
