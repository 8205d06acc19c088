using OKLA.Features.Facts;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.Features;

/// <summary>What Features makes of the log: the projections, the queries, and every registered feature.</summary>
internal sealed class FeaturesLineage(FeatureRegistry registry) : ILineageSource
{
    private const string Room = "Features";
    private const string Folder = "Modules/Features/";

    /// <summary>The steps that are there whatever features are declared.</summary>
    public static IEnumerable<Transformation> Steps(FeaturesOptions options) =>
    [
        new(FactSubscription.SubscriptionName, Room,
            [
                .. FactColumns.Of.Keys.Union(options.WeightedTypes).SelectMany(type => new[] { $"event:{type}.itemId", $"event:{type}.userId", $"event:{type}.anonymousId" }),
                .. FactColumns.Of.SelectMany(type => new[] { type.Value.Amount, type.Value.Extent, type.Value.Channel }.OfType<string>().Select(property => $"event:{type.Key}.{property.Split('.')[0]}")),
                "event:person_erased", "event:person_linked", "event:person_split",
            ],
            ["table:features.facts", "table:features.item_days", "table:features.person_links"],
            "Keeps one row of columns for each behaviour event, the daily counts of items, and who turned out to be whom.", Folder + "Facts/FactSubscription.cs"),
        new("features.catalog", Room,
            ["event:item_listed", "event:item_updated", "event:item_price_changed", "event:item_sold", "event:item_withdrawn"],
            ["table:features.item_history", "table:features.items"],
            "Keeps the history of every item and the catalogue as it now is.", Folder + "Items/CatalogSubscription.cs"),
        new("features.interaction-frame", Room, ["table:features.facts", "table:features.person_links"], ["frame:interactions"],
            "What people did with items, as it was known at a time.", Folder + "Interactions/InteractionFrames.cs"),
        new("features.item-frame", Room, ["table:features.item_history"], ["frame:items"],
            "The catalogue as it was known at a time.", Folder + "Items/ItemFrames.cs"),
        new("features.popularity", Room, ["table:features.item_days"], ["feature:item.popularity"],
            "Items by the weight of their events in the last days.", Folder + "Interactions/PopularItems.cs"),
        new("features.history", Room, ["table:features.facts"], ["feature:person.history"],
            "What a person did last, by item.", Folder + "Interactions/RecentHistory.cs"),
    ];

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<Transformation>> ReadAsync(CancellationToken ct) => new(
        [.. registry.All.Select(feature => new Transformation(
            $"feature/{feature.Id}", feature.Owner, Inputs(feature), [$"feature:{feature.Id}"], feature.Description, Folder + "Definitions/" + FileOf(feature.Id.Entity)))]);

    private string[] Inputs(Feature feature) => feature.Computation switch
    {
        Computation.Aggregate when feature.Id.Entity == Entity.User => [.. Events(feature), "table:features.facts", "table:features.person_links"],
        Computation.Aggregate => [.. Events(feature), "table:features.facts"],
        Computation.OfItem => [.. Events(feature), "table:features.item_history"],
        Computation.OnDemand asked => [.. asked.Reads.Select(read => $"request:{read}"), .. asked.Inputs.Select(input => $"feature:{input}")],
        _ => [.. FeatureRegistry.InputsOf(feature).Select(input => $"feature:{input}")],
    };

    /// <summary>The registry's <c>type: property, property</c> as ends of edges.</summary>
    private IEnumerable<string> Events(Feature feature) => registry.LineageOf(feature).SelectMany(line => line.Split(": ", 2) is [var type, var properties]
        ? properties.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(property => $"event:{type}.{property}") : [$"event:{line}"]);

    private static string FileOf(Entity entity) => entity switch
    {
        Entity.User => "UserFeatures.cs",
        Entity.Item => "ItemFeatures.cs",
        Entity.Lead => "LeadFeatures.cs",
        _ => "OtherFeatures.cs",
    };
}
