namespace OKLA.ML.Algorithms.Tuning;

/// <summary>What values a <see cref="Parameter"/> takes.</summary>
public enum ParameterKind
{
    /// <summary>A number, evenly between its bounds.</summary>
    Real,

    /// <summary>A number, evenly in its logarithm.</summary>
    LogReal,

    /// <summary>A whole number, both bounds included.</summary>
    Whole,

    /// <summary>A whole number, evenly in its logarithm, both bounds included.</summary>
    LogWhole,

    /// <summary>One of several names; its value is the name's place, from 0.</summary>
    Categorical,
}

/// <summary>One thing to tune. Plain data.</summary>
public sealed record Parameter
{
    /// <summary>Its name, unique in its space.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public required ParameterKind Kind { get; init; }

    /// <summary>Least value; 0 for categories.</summary>
    public double Low { get; init; }

    /// <summary>Largest value; the last place for categories.</summary>
    public double High { get; init; }

    /// <summary>Names of the categories, otherwise empty.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The categorical parameter on which this one depends, or null.</summary>
    public string? Parent { get; init; }

    /// <summary>The parent's names for which this one is in use.</summary>
    public IReadOnlyList<string> ParentChoices { get; init; } = [];

    /// <summary>A number between bounds.</summary>
    public static Parameter Real(string name, double low, double high) => new() { Name = name, Kind = ParameterKind.Real, Low = low, High = high };

    /// <summary>A positive number, searched in its logarithm.</summary>
    public static Parameter LogReal(string name, double low, double high) => new() { Name = name, Kind = ParameterKind.LogReal, Low = low, High = high };

    /// <summary>A whole number between bounds.</summary>
    public static Parameter Whole(string name, int low, int high) => new() { Name = name, Kind = ParameterKind.Whole, Low = low, High = high };

    /// <summary>A positive whole number, searched in its logarithm.</summary>
    public static Parameter LogWhole(string name, int low, int high) => new() { Name = name, Kind = ParameterKind.LogWhole, Low = low, High = high };

    /// <summary>One of several names.</summary>
    public static Parameter Categorical(string name, params string[] choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return new() { Name = name, Kind = ParameterKind.Categorical, High = choices.Length - 1, Choices = choices };
    }

    /// <summary>This parameter, in use only when <paramref name="parent"/> is one of <paramref name="choices"/>.</summary>
    public Parameter When(string parent, params string[] choices) => this with { Parent = parent, ParentChoices = choices };

    internal bool IsLog => Kind is ParameterKind.LogReal or ParameterKind.LogWhole;

    internal bool IsInteger => Kind is ParameterKind.Whole or ParameterKind.LogWhole;

    internal bool IsCategorical => Kind == ParameterKind.Categorical;

    // Whole numbers own half a unit on either side, so that the ends are as likely as the rest.
    private double From => Scale(IsInteger ? Low - 0.5 : Low);

    private double To => Scale(IsInteger ? High + 0.5 : High);

    /// <summary>The value at a place from 0 to 1 of the searched scale (a category: of its places).</summary>
    internal double FromUnit(double unit)
    {
        if (IsCategorical) return Math.Clamp(Math.Floor(unit * Choices.Count), 0, High);
        var value = From + unit * (To - From);
        if (IsLog) value = Math.Exp(value);
        return Math.Clamp(IsInteger ? Math.Round(value) : value, Low, High);
    }

    /// <summary>The place from 0 to 1 of a number on the searched scale; whole numbers may be asked half a unit away.</summary>
    internal double ToUnit(double value) => To > From ? Math.Clamp((Scale(value) - From) / (To - From), 0, 1) : 0.5;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Name);
        if (IsCategorical ? Choices.Count == 0 : !double.IsFinite(Low) || !double.IsFinite(High) || Low > High || (IsLog && Low <= 0))
            throw new ArgumentException($"Parameter {Name} has no values, or bounds out of order, or a logarithm of none.");
    }

    private double Scale(double value) => IsLog ? Math.Log(value) : value;
}

/// <summary>The parameters to tune, parents before the parameters that depend on them.</summary>
public sealed class SearchSpace
{
    private readonly int[] _parents;

    /// <summary>A space of <paramref name="parameters"/>.</summary>
    /// <exception cref="ArgumentException">No parameter, a repeated name, bad bounds, or a parent that is not a categorical parameter before its
    /// child.</exception>
    public SearchSpace(params Parameter[] parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (parameters.Length == 0) throw new ArgumentException("A space needs a parameter.", nameof(parameters));
        Parameters = parameters;
        _parents = new int[parameters.Length];
        for (var p = 0; p < parameters.Length; p++)
        {
            parameters[p].Validate();
            if (Array.FindIndex(parameters, other => other.Name == parameters[p].Name) != p)
                throw new ArgumentException($"Two parameters are named {parameters[p].Name}.", nameof(parameters));
            _parents[p] = parameters[p].Parent is { } parent ? Array.FindIndex(parameters, 0, p, other => other.Name == parent && other.IsCategorical) : -1;
            if (parameters[p].Parent is not null && (_parents[p] < 0 || parameters[p].ParentChoices.Except(parameters[_parents[p]].Choices).Any()))
                throw new ArgumentException($"Parameter {parameters[p].Name} depends on something that is not a choice before it.", nameof(parameters));
        }
    }

    /// <summary>The parameters in order.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The name that categorical <paramref name="parameter"/> has in a trial, or null where it is not in use.</summary>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    public string? Choice(Trial trial, string parameter)
    {
        ArgumentNullException.ThrowIfNull(trial);
        var found = Parameters.FirstOrDefault(p => p.Name == parameter && p.IsCategorical)
            ?? throw new ArgumentException($"There is no choice {parameter}.", nameof(parameter));
        return trial.Parameters.TryGetValue(parameter, out var place) ? found.Choices[(int)place] : null;
    }

    /// <summary>True when parameter <paramref name="p"/> is in use given the values before it.</summary>
    internal bool IsActive(int p, ReadOnlySpan<double> values) => _parents[p] < 0
        || (!double.IsNaN(values[_parents[p]]) && Parameters[p].ParentChoices.Contains(Parameters[_parents[p]].Choices[(int)values[_parents[p]]]));

    /// <summary>Values by parameter, NaN where not in use.</summary>
    internal double[] Vector(Trial trial) => [.. Parameters.Select(p => trial.Parameters.TryGetValue(p.Name, out var value) ? value : double.NaN)];

    /// <summary>Parameters that are in use under the same condition, each set with its condition's parents before it.</summary>
    internal int[][] Groups() => [.. Enumerable.Range(0, Parameters.Count)
        .GroupBy(p => Parameters[p].Parent is null ? "" : $"{Parameters[p].Parent}\n{string.Join('\n', Parameters[p].ParentChoices.Order(StringComparer.Ordinal))}")
        .Select(g => g.ToArray()).OrderBy(g => g[0])];

    /// <summary>One value a parameter from places drawn by <paramref name="unit"/>; NaN where not in use.</summary>
    internal double[] FromUnits(Func<int, double> unit)
    {
        var values = new double[Parameters.Count];
        for (var p = 0; p < values.Length; p++)
        {
            var place = unit(p);
            values[p] = IsActive(p, values) ? Parameters[p].FromUnit(place) : double.NaN;
        }
        return values;
    }
}
