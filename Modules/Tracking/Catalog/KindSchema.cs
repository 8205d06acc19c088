using System.Text.Json;

namespace OKLA.Tracking.Catalog;

/// <summary>What an attribute of a kind may hold.</summary>
/// <param name="Type"><c>text</c>, <c>number</c> or <c>boolean</c>.</param>
/// <param name="Required">Whether every item of the kind must state it.</param>
/// <param name="Values">The only texts it may hold; null for any.</param>
/// <param name="Min">Smallest number.</param>
/// <param name="Max">Largest number.</param>
/// <param name="Unit">Unit of a number, such as <c>km</c>.</param>
/// <param name="Description">What it says, in one sentence.</param>
internal sealed record AttributeSchema(
    string Type, bool Required = false, IReadOnlyList<string>? Values = null, double? Min = null, double? Max = null, string? Unit = null, string? Description = null);

/// <summary>The attributes that items of a kind have.</summary>
/// <param name="Kind">Kind, such as <c>vehicle</c>.</param>
/// <param name="Version">Grows by one with each change; 0 for a schema that comes with the house.</param>
/// <param name="Description">What an item of the kind is, in one sentence.</param>
/// <param name="Attributes">Attributes by camelCase name.</param>
/// <param name="Closed">Whether attributes that are not named here are refused.</param>
internal sealed record KindSchema(string Kind, int Version, string Description, IReadOnlyDictionary<string, AttributeSchema> Attributes, bool Closed = false)
{
    /// <summary>Kinds that come with the house; each holds until a server puts its own schema.</summary>
    internal static IReadOnlyList<KindSchema> BuiltIn { get; } =
    [
        new("vehicle", 0, "A vehicle, boat or machine on offer.", new Dictionary<string, AttributeSchema>
        {
            ["make"] = new("text", Description: "Make, such as Toyota."),
            ["model"] = new("text", Description: "Model with its trim, such as Corolla LE."),
            ["year"] = new("number", Min: 1886, Max: 2100, Description: "Model year."),
            ["bodyType"] = new("text", Description: "Body, such as sedan, jeepeta or camioneta."),
            ["fuel"] = new("text", Description: "Fuel, such as gasolina, diesel or electrico."),
            ["transmission"] = new("text", Description: "Transmission, such as automatica or mecanica."),
            ["condition"] = new("text", Description: "Condition, such as nuevo or usado."),
            ["mileageKm"] = new("number", Min: 0, Max: 10_000_000, Unit: "km", Description: "Distance driven."),
        }),
        new("activity", 0, "Something to do in a city; its time stands in window, its place in place and location, and all of them may be stated as attributes too.", new Dictionary<string, AttributeSchema>
        {
            ["type"] = new("text", Description: "Type, such as deporte or música."),
            ["tags"] = new("text", Description: "Tags, separated by commas."),
            ["locality"] = new("text", Description: "Part of the city, or town."),
            ["latitude"] = new("number", Min: -90, Max: 90, Unit: "°", Description: "Degrees north."),
            ["longitude"] = new("number", Min: -180, Max: 180, Unit: "°", Description: "Degrees east."),
            ["startsAt"] = new("text", Description: "When it begins, in ISO 8601."),
            ["endsAt"] = new("text", Description: "When it ends, in ISO 8601."),
            ["category"] = new("text", Description: "Category, such as sports or music."),
            ["level"] = new("text", Description: "For whom: beginner, intermediate or advanced."),
            ["capacity"] = new("number", Min: 0, Max: 10_000_000, Unit: "people", Description: "How many can take part."),
            ["durationMinutes"] = new("number", Min: 0, Max: 1_000_000, Unit: "min", Description: "How long it lasts."),
        }),
        new("job_ad", 0, "A vacancy that campaigns bring applications for.", new Dictionary<string, AttributeSchema>
        {
            ["category"] = new("text", Description: "Field of work."),
            ["employment"] = new("text", Description: "Such as full_time or part_time."),
            ["remote"] = new("boolean", Description: "Whether it can be done from anywhere."),
        }),
    ];

    /// <summary>What is wrong with an item's attributes, by field as the client writes it.</summary>
    internal IEnumerable<(string Field, string Message)> Check(IReadOnlyDictionary<string, JsonElement> attributes)
    {
        foreach (var (name, schema) in Attributes)
        {
            var field = $"attributes.{name}";
            if (!attributes.TryGetValue(name, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                if (schema.Required)
                {
                    yield return (field, $"The value is required for a {Kind}.");
                }

                continue;
            }

            if (Problem(schema, value) is { } problem)
            {
                yield return (field, problem);
            }
        }

        if (Closed)
        {
            foreach (var name in attributes.Keys.Where(name => !Attributes.ContainsKey(name)))
            {
                yield return ($"attributes.{name}", $"The schema of {Kind} has no such attribute.");
            }
        }
    }

    private static string? Problem(AttributeSchema schema, JsonElement value) => (schema.Type, value.ValueKind) switch
    {
        ("text", JsonValueKind.String) => schema.Values is { } values && !values.Contains(value.GetString()) ? $"One of {string.Join(", ", values)}." : null,
        ("number", JsonValueKind.Number) => value.TryGetDouble(out var number) && !(number < schema.Min) && !(number > schema.Max) ? null : Range(schema),
        ("boolean", JsonValueKind.True or JsonValueKind.False) => null,
        ("text", _) => "A text.",
        ("number", _) => "A number.",
        _ => "true or false.",
    };

    private static string Range(AttributeSchema schema) => FormattableString.Invariant((schema.Min, schema.Max) switch
    {
        ({ } min, { } max) => $"From {min} to {max}.",
        ({ } min, null) => $"At least {min}.",
        _ => $"At most {schema.Max}.",
    });
}
