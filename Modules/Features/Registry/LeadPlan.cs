namespace OKLA.Features.Registry;

/// <summary>How features of several entities are computed together: a plan for each entity, and what is composed of them.</summary>
internal sealed class LeadPlan
{
    private readonly (Entity Entity, int Place)[][] inputs;
    private readonly Feature[] composed;
    private readonly (Entity Entity, int Place)[] wanted;

    public LeadPlan(FeatureRegistry registry, IReadOnlyList<FeatureId> wanted)
    {
        var all = registry.WithInputs(wanted);
        Wanted = [.. wanted.Select(id => registry.TryGet(id, out var feature) ? feature : throw new InvalidOperationException($"{id} is not declared."))];
        Parts = all.Where(feature => feature.Id.Entity != Entity.Lead).GroupBy(feature => feature.Id.Entity)
            .ToDictionary(group => group.Key, group => new EntityPlan(group.Key, [.. group]));
        composed = [.. all.Where(feature => feature.Id.Entity == Entity.Lead)];
        inputs = [.. composed.Select(feature => FeatureRegistry.InputsOf(feature).Select(PlaceOf).ToArray())];
        this.wanted = [.. wanted.Select(PlaceOf)];
    }

    /// <summary>The features asked for, in the order of asking.</summary>
    public IReadOnlyList<Feature> Wanted { get; }

    /// <summary>What has to be computed of each entity.</summary>
    public IReadOnlyDictionary<Entity, EntityPlan> Parts { get; }

    /// <summary>Puts together what was asked for.</summary>
    /// <param name="parts">The steps' values of each entity.</param>
    /// <param name="request">Time and parameters.</param>
    /// <param name="values">One place a feature asked for.</param>
    public void Compose(IReadOnlyDictionary<Entity, Value[]> parts, Request request, Span<Value> values)
    {
        var own = new Value[composed.Length];
        Value At((Entity Entity, int Place) place) => place.Entity == Entity.Lead ? own[place.Place] : parts[place.Entity][place.Place];
        for (var i = 0; i < composed.Length; i++)
        {
            var read = new Value[inputs[i].Length];
            for (var j = 0; j < read.Length; j++)
            {
                read[j] = At(inputs[i][j]);
            }

            var value = composed[i].Computation switch
            {
                Computation.Derived derived => derived.Of(read),
                Computation.OnDemand asked => asked.Of(request, read),
                _ => throw new InvalidOperationException($"{composed[i].Id} is not composed."),
            };
            own[i] = value.IsNone ? composed[i].Default : value;
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            values[i] = At(wanted[i]);
        }
    }

    private (Entity Entity, int Place) PlaceOf(FeatureId id) =>
        (id.Entity, id.Entity == Entity.Lead ? Array.FindIndex(composed, feature => feature.Id == id) : Parts[id.Entity].PlaceOf(id));
}
