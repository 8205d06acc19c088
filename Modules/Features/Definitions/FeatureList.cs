using System.Collections;
using OKLA.Features.Registry;

namespace OKLA.Features.Definitions;

/// <summary>Collects the features of an entity while they are declared; each declaration answers its id, for those that derive from it.</summary>
internal sealed class FeatureList(Entity entity) : IEnumerable<Feature>
{
    private readonly List<Feature> features = [];

    /// <summary>A number condensed from events.</summary>
    public FeatureId Number(string name, string unit, FactStream stream, Window window, Reduce reduce, string description, double? otherwise = null) =>
        Add(name, new Computation.Aggregate(stream, window, reduce), FeatureType.Number, unit, description, otherwise);

    /// <summary>A text condensed from events.</summary>
    public FeatureId Text(string name, string unit, FactStream stream, Window window, Reduce reduce, string description) =>
        Add(name, new Computation.Aggregate(stream, window, reduce), FeatureType.Text, unit, description, null);

    /// <summary>Shares by key of events.</summary>
    public FeatureId Shares(string name, string unit, FactStream stream, Window window, string description) =>
        Add(name, new Computation.Aggregate(stream, window, Reductions.Distribution), FeatureType.Shares, unit, description, null);

    /// <summary>The number of events, once for each window, named as <c>views_7d</c>.</summary>
    public IReadOnlyList<FeatureId> Counts(string name, FactStream stream, string what, params Window[] windows) =>
        [.. windows.Select(window => Number(
            $"{name}_{window.Name}", "events", stream, window, Reductions.Count, window == Window.All ? $"{what}, ever." : $"{what} within the last {window.Name}.", 0))];

    /// <summary>One number divided by another; nothing where that is 0.</summary>
    public FeatureId Ratio(string name, FeatureId part, FeatureId whole, string description) =>
        Derived(name, "ratio", [part, whole], values => values[1].Number == 0 ? Value.None : values[0].Number / values[1].Number, description);

    /// <summary>A number from other features.</summary>
    public FeatureId Derived(string name, string unit, FeatureId[] inputs, Func<Value[], Value> of, string description, double? otherwise = null) =>
        Add(name, new Computation.Derived(inputs, of), FeatureType.Number, unit, description, otherwise);

    /// <summary>A number read off the item or its market.</summary>
    public FeatureId OfItem(string name, string unit, Func<Facts.ItemView, Value> read, string description, params string[] reads) =>
        Add(name, new Computation.OfItem(read, reads), FeatureType.Number, unit, description, null);

    /// <summary>A text read off the item.</summary>
    public FeatureId TextOfItem(string name, string unit, Func<Facts.ItemView, Value> read, string description, params string[] reads) =>
        Add(name, new Computation.OfItem(read, reads), FeatureType.Text, unit, description, null);

    /// <summary>Any declaration.</summary>
    public FeatureId Add(string name, Computation computation, FeatureType type, string unit, string description, double? otherwise)
    {
        var feature = new Feature(new FeatureId(entity, name), computation, type, unit, description) { Default = otherwise };
        features.Add(feature);
        return feature.Id;
    }

    public IEnumerator<Feature> GetEnumerator() => features.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
