using System.Text.Json;

namespace OKLA.Tracking.Quality;

/// <summary>What is expected.</summary>
internal enum ExpectationKind
{
    /// <summary>The value is there: always when it is required, else as often as usual.</summary>
    Completeness,

    /// <summary>The value has the declared type.</summary>
    Type,

    /// <summary>Numbers lie within bounds.</summary>
    Range,

    /// <summary>Texts are of a list.</summary>
    Set,

    /// <summary>Ids differ from each other as much as usual.</summary>
    Uniqueness,

    /// <summary>Something came lately.</summary>
    Freshness,

    /// <summary>As many came as on the same weekday at the same hour.</summary>
    Volume,

    /// <summary>Properties have the names and types that they had.</summary>
    Schema,

    /// <summary>Values are distributed as in the weeks before.</summary>
    Drift,
}

/// <summary>How bad a breach is.</summary>
internal enum Severity
{
    /// <summary>Worth knowing.</summary>
    Info,

    /// <summary>Worth a look today.</summary>
    Warning,

    /// <summary>Data are wrong now.</summary>
    Error,
}

/// <summary>One expectation of one field of one kind of record.</summary>
/// <param name="Name">Its name; of one that follows from a schema <c>{type}.{field}.{kind}</c>.</param>
/// <param name="Type">Event type, or <c>item:{kind}</c> for items of the catalogue.</param>
/// <param name="Field">Property, <c>anonymousId</c> and its like, <c>context.…</c>, an item's <c>attributes.…</c>; <c>*</c> for the record as a whole.</param>
/// <param name="Kind">What is expected.</param>
/// <param name="Severity">How bad a breach is.</param>
internal sealed record Expectation(string Name, string Type, string Field, ExpectationKind Kind, Severity Severity)
{
    /// <summary>
    /// Share of bad rows allowed; rise of the missing share; least share of different values; minutes of silence; least part of the usual
    /// volume; PSI. The setting of its kind when left out.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>Least number of a range.</summary>
    public double? Min { get; init; }

    /// <summary>Greatest number of a range.</summary>
    public double? Max { get; init; }

    /// <summary>Texts of a set.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Whether the value must be there always.</summary>
    public bool Required { get; init; }

    /// <summary>Whether it is judged.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whether an admin put it.</summary>
    public bool Custom { get; init; }

    /// <summary>Name of the kind, as the API and the tables write it.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>Name of an expectation that follows from a schema.</summary>
    public static string NameOf(string type, string field, ExpectationKind kind) => $"{type}.{field}.{Word(kind)}";
}
