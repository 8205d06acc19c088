using OKLA.Features.Registry;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Online;

/// <summary>Answers <see cref="ListModelFeatures"/>.</summary>
internal sealed class ListModelFeaturesHandler(FeatureRegistry registry)
{
    public IReadOnlyList<string> Handle(ListModelFeatures query) =>
        [.. registry.All.Where(feature => feature.Id.Entity.Name == query.Entity && feature.Type != FeatureType.Shares).Select(feature => feature.Id.ToString())];
}

/// <summary>Answers <see cref="GetModelFeatures"/> from what is served.</summary>
internal sealed class GetModelFeaturesHandler(OnlineStore store)
{
    private static readonly Dictionary<string, string> Nothing = [];

    public async Task<IReadOnlyList<object?>> Handle(GetModelFeatures query, CancellationToken ct)
    {
        if (!FeatureRegistry.IsEntity(query.Entity, out var entity))
        {
            throw new ArgumentException($"There is no entity {query.Entity}.", nameof(query));
        }

        Feature[] wanted = [.. query.Features.Select(name => store.Registry.TryGet(new FeatureId(entity, name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]), out var feature)
            ? feature
            : throw new ArgumentException($"There is no feature {name}.", nameof(query)))];
        if (entity == Entity.Lead)
        {
            var composed = await GetFeatures.LeadAsync(store, query.Id, [.. wanted], query.Request ?? Nothing, ct);
            return [.. composed.Values.Select(value => value.Plain)];
        }

        var vector = await store.GetAsync(entity, query.Id, ct);
        var places = store.Registry.Of(entity).Select((feature, place) => (feature.Id, place)).ToDictionary();
        return [.. wanted.Select(feature => vector.Values[places[feature.Id]].Plain)];
    }
}
