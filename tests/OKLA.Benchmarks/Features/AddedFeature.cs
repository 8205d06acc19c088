using OKLA.Features.Definitions;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using static OKLA.Features.Registry.Reductions;

namespace OKLA.Benchmarks.Features;

/// <summary>A feature that the house does not have, declared as it would be; <see cref="FeatureCostBenchmark"/> counts the lines between the marks.</summary>
internal static class AddedFeature
{
    public static IEnumerable<Feature> All()
    {
        var user = new FeatureList(Entity.User);
        // begin
        user.Number("night_contacts_30d", "events", FactStream.Of(EventTypes.Contacted).Where("occurredAt", fact => fact.LocalHour is < 6 or >= 22), Window.Month, Count,
            "Sellers contacted from 22 to 6 o'clock within the last 30d.", 0);
        // end
        return user;
    }
}
