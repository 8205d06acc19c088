using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using OKLA.Shared.Contracts;

namespace OKLA.Features.Registry;

/// <summary>Every feature by its name, checked: names are unique, inputs exist, nothing depends on itself.</summary>
internal sealed class FeatureRegistry
{
    private static readonly string[] CatalogueTypes = [EventTypes.ItemListed, EventTypes.ItemUpdated, EventTypes.ItemPriceChanged, EventTypes.ItemSold, EventTypes.ItemWithdrawn];
    private const int MostPlans = 256;
    private readonly Dictionary<FeatureId, Feature> byId = [];
    private readonly ConcurrentDictionary<string, LeadPlan> plans = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">A declaration does not fit; the message names it.</exception>
    public FeatureRegistry(IEnumerable<Feature> features)
    {
        foreach (var feature in features)
        {
            if (!byId.TryAdd(feature.Id, feature))
            {
                throw new InvalidOperationException($"{feature.Id} is declared twice.");
            }

            // Declared in the order of dependence, so that a circle cannot be written.
            foreach (var input in InputsOf(feature).Where(input => !byId.ContainsKey(input) || (input.Entity != feature.Id.Entity && feature.Id.Entity != Entity.Lead)))
            {
                throw new InvalidOperationException($"{feature.Id} reads {input}, which is not declared before it or belongs to another entity.");
            }

            if (feature is { Computation: Computation.OfItem, Id.Entity: not Entity.Item } or { Computation: Computation.OnDemand, Id.Entity: not Entity.Lead }
                or { Computation: Computation.Aggregate, Id.Entity: Entity.Lead })
            {
                throw new InvalidOperationException($"{feature.Id} is computed in a way that its entity does not know.");
            }
        }

        All = [.. byId.Values];
    }

    /// <summary>In the order of their declaration, which is an order of dependence.</summary>
    public IReadOnlyList<Feature> All { get; }

    public IEnumerable<Feature> Of(Entity entity) => All.Where(feature => feature.Id.Entity == entity);

    public bool TryGet(FeatureId id, [NotNullWhen(true)] out Feature? feature) => byId.TryGetValue(id, out feature);

    /// <summary>A feature by its full name, such as <c>user.views_7d</c>.</summary>
    public bool TryGet(string fullName, [NotNullWhen(true)] out Feature? feature)
    {
        feature = null;
        return fullName.Split('.', 2) is [var entity, var name] && IsEntity(entity, out var parsed) && TryGet(new FeatureId(parsed, name), out feature);
    }

    /// <summary>An entity by its name in lower case; nothing else.</summary>
    public static bool IsEntity(string text, out Entity entity) => (entity = Enum.GetValues<Entity>().FirstOrDefault(known => known.Name == text)).Name == text;

    public static IReadOnlyList<FeatureId> InputsOf(Feature feature) => feature.Computation switch
    {
        Computation.Derived derived => derived.Inputs,
        Computation.OnDemand asked => asked.Inputs,
        _ => [],
    };

    /// <summary>The events and properties that a feature comes from, through its inputs, such as <c>item_viewed: visibleSeconds</c>.</summary>
    public IReadOnlyList<string> LineageOf(Feature feature) => [.. feature.Computation switch
    {
        Computation.Aggregate { Stream: var stream } => stream.Types.Select(type => stream.Reads.Count == 0 ? type : $"{type}: {string.Join(", ", stream.Reads.Distinct())}"),
        Computation.OfItem item => CatalogueTypes.Select(type => $"{type}: {string.Join(", ", item.Reads)}"),
        Computation.OnDemand asked => asked.Reads.Select(read => $"request: {read}").Concat(asked.Inputs.SelectMany(input => LineageOf(byId[input]))).Distinct(),
        Computation.Derived derived => derived.Inputs.SelectMany(input => LineageOf(byId[input])).Distinct(),
        _ => throw new InvalidOperationException($"{feature.Id} has no lineage."),
    }];

    /// <summary>How features of a lead are computed; the same ones are planned once, since a plan and the states that it keeps cost more than an answer.</summary>
    /// <exception cref="FrameRefusedException">There is no feature of a name.</exception>
    public LeadPlan PlanOf(IReadOnlyList<string> fullNames)
    {
        var key = string.Join('\0', fullNames);
        if (plans.TryGetValue(key, out var known))
        {
            return known;
        }

        var plan = new LeadPlan(this, [.. fullNames.Select(name => TryGet(name, out var feature) ? feature.Id : throw new FrameRefusedException($"There is no feature {name}."))]);
        return plans.Count < MostPlans ? plans.GetOrAdd(key, plan) : plan;
    }

    /// <summary>These features and all that they are computed from, in the order of dependence.</summary>
    public IReadOnlyList<Feature> WithInputs(IEnumerable<FeatureId> wanted)
    {
        var needed = new HashSet<FeatureId>();
        void Need(FeatureId id)
        {
            if (needed.Add(id))
            {
                foreach (var input in InputsOf(byId[id]))
                {
                    Need(input);
                }
            }
        }

        foreach (var id in wanted)
        {
            Need(id);
        }

        return [.. All.Where(feature => needed.Contains(feature.Id))];
    }
}
