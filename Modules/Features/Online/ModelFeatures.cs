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

        FeatureId IdOf(string name) => new(entity, name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]);
        if (query.Features.FirstOrDefault(name => !store.Registry.TryGet(IdOf(name), out _)) is { } unknown)
        {
            throw new ArgumentException($"There is no feature {unknown}.", nameof(query));
        }

        if (entity == Entity.Lead)
        {
            var composed = await store.ComposeAsync(store.Registry.PlanOf(query.Features), GetFeatures.PartsOf(query.Id), query.Request ?? Nothing, ct);
            return Array.ConvertAll(composed.Values, value => value.Plain);
        }

        int[] places = [.. query.Features.Select(name => store.PlaceOf(IdOf(name)))];
        var vector = await store.GetAsync(entity, query.Id, ct);
        return Array.ConvertAll(places, place => vector.Values[place].Plain);
    }
}
