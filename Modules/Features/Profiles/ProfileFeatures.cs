using OKLA.Features.Registry;

namespace OKLA.Features.Profiles;

/// <summary>A person's features by name, as rules and profiles read them; a number that is not known is NaN, with which no comparison holds.</summary>
internal sealed class ProfileFeatures(IReadOnlyList<Feature> features, IReadOnlyList<Value> values)
{
    private readonly Dictionary<string, Value> byName = features.Zip(values).ToDictionary(pair => pair.First.Id.Name, pair => pair.Second);

    public double this[string name] => byName[name].Number;

    public string? Text(string name) => byName[name].Text;

    public Shares? Shares(string name) => byName[name].Shares;
}
