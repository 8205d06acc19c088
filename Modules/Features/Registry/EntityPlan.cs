using System.Collections.Concurrent;
using OKLA.Features.Facts;

namespace OKLA.Features.Registry;

/// <summary>How some features of one entity are computed together: the streams they share and the order of steps.</summary>
internal sealed class EntityPlan
{
    private readonly Dictionary<FeatureId, int> places;

    public EntityPlan(Entity entity, IReadOnlyList<Feature> steps)
    {
        (Entity, Steps) = (entity, steps);
        places = steps.Select((step, place) => (step.Id, place)).ToDictionary(pair => pair.Id, pair => pair.place);
        Streams = [.. steps.Select(step => step.Computation).OfType<Computation.Aggregate>().Select(aggregate => aggregate.Stream).Distinct(ReferenceEqualityComparer.Instance).Cast<FactStream>()];
        Types = [.. Streams.SelectMany(stream => stream.Types).Distinct()];
        var streams = Streams.Select((stream, place) => (stream, place)).ToDictionary(pair => (object)pair.stream, pair => pair.place, ReferenceEqualityComparer.Instance);
        StreamOf = [.. steps.Select(step => step.Computation is Computation.Aggregate aggregate ? streams[aggregate.Stream] : -1)];
        ByType = Types.ToDictionary(type => type, type => Streams.Where(stream => stream.Types.Contains(type)).Select(stream => streams[stream]).ToArray());
        Inputs = [.. steps.Select(step => FeatureRegistry.InputsOf(step).Select(input => places[input]).ToArray())];
    }

    public Entity Entity { get; }

    /// <summary>Features in the order in which they are computed.</summary>
    public IReadOnlyList<Feature> Steps { get; }

    public IReadOnlyList<FactStream> Streams { get; }

    /// <summary>Types of events that matter.</summary>
    public IReadOnlyList<string> Types { get; }

    /// <summary>For each step the stream that it condenses; -1 for one that condenses none.</summary>
    public IReadOnlyList<int> StreamOf { get; }

    /// <summary>For each type of event the streams that it belongs to.</summary>
    public IReadOnlyDictionary<string, int[]> ByType { get; }

    /// <summary>States that are not in use: to make one costs more than to read a person's facts.</summary>
    public ConcurrentBag<EntityState> Idle { get; } = [];

    /// <summary>For each step the steps that it reads.</summary>
    public IReadOnlyList<int[]> Inputs { get; }

    /// <summary>Place of a feature among the steps.</summary>
    public int PlaceOf(FeatureId id) => places[id];
}

/// <summary>What is known of one entity while its facts pass by; the one place where features are computed, for serving and for training.</summary>
internal sealed class EntityState
{
    private readonly EntityPlan plan;
    private readonly StreamState[] streams;
    private readonly Value[][] inputs;
    private readonly Dictionary<string, int> keys = new(StringComparer.Ordinal);
    private readonly List<string> names = [];

    public EntityState(EntityPlan plan)
    {
        this.plan = plan;
        streams = [.. plan.Streams.Select(stream => new StreamState(stream, KeyOf, NameOf))];
        inputs = [.. plan.Inputs.Select(places => new Value[places.Length])];
    }

    /// <summary>Whether anything was added.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Forgets everything, for the next entity.</summary>
    public void Clear()
    {
        IsKnown = false;
        keys.Clear();
        names.Clear();
        foreach (var stream in streams)
        {
            stream.Clear();
        }
    }

    public void Add(Fact fact)
    {
        IsKnown = true;
        if (plan.ByType.TryGetValue(fact.Type, out var concerned))
        {
            foreach (var stream in concerned)
            {
                streams[stream].Add(fact);
            }
        }
    }

    /// <summary>The value of every step at a time at or after all that was added.</summary>
    /// <param name="at">UTC ticks.</param>
    /// <param name="item">The item and its market at that time; null unless the entity is an item.</param>
    /// <param name="values">One place a step.</param>
    public void Read(long at, ItemView? item, Span<Value> values)
    {
        for (var step = 0; step < plan.Steps.Count; step++)
        {
            var feature = plan.Steps[step];
            var value = feature.Computation switch
            {
                Computation.Aggregate aggregate => aggregate.Reduce(streams[plan.StreamOf[step]].At(at, aggregate.Window)),
                Computation.OfItem read => item is null ? Value.None : read.Read(item),
                Computation.Derived derived => derived.Of(Gather(step, values)),
                _ => throw new InvalidOperationException($"{feature.Id} is computed at request only."),
            };
            values[step] = value.IsNone ? feature.Default : value;
        }
    }

    private Value[] Gather(int step, ReadOnlySpan<Value> values)
    {
        var gathered = inputs[step];
        for (var i = 0; i < gathered.Length; i++)
        {
            gathered[i] = values[plan.Inputs[step][i]];
        }

        return gathered;
    }

    private int KeyOf(string name)
    {
        if (!keys.TryGetValue(name, out var key))
        {
            keys.Add(name, key = names.Count);
            names.Add(name);
        }

        return key;
    }

    private string NameOf(int key) => names[key];
}
