using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace OKLA.Tracking.Schemas;

/// <summary>
/// Reads the JSON Schema that an admin registers for the properties of an event type. Understood are: type, properties, required,
/// enum, minimum, maximum, maxLength, and arrays of scalars with items and maxItems; besides description, title, x-owner and
/// x-value-tier. Everything else is refused by its JSON Pointer, as a keyword that is silently not checked would promise too much.
/// </summary>
internal sealed class CustomSchemaReader
{
    private const int MaxProperties = 100;
    private const int MaxWords = 2_000;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    private readonly Dictionary<string, string[]> errors = [];

    /// <summary>Reads a schema.</summary>
    /// <param name="type">Type of event.</param>
    /// <param name="version">Its version.</param>
    /// <param name="schema">The JSON Schema of its properties.</param>
    /// <returns>The event's schema, or what is wrong by JSON Pointer.</returns>
    public static (EventSchema? Schema, Dictionary<string, string[]> Errors) Read(string type, short version, JsonElement schema)
    {
        var reader = new CustomSchemaReader();
        var read = reader.ReadRoot(type, version, schema);
        return reader.errors.Count == 0 ? (read, reader.errors) : (null, reader.errors);
    }

    /// <summary>Why events that are right by one schema could be wrong by another, by JSON Pointer; empty when they cannot.</summary>
    public static Dictionary<string, string[]> Narrowed(EventSchema before, EventSchema after)
    {
        var found = new Dictionary<string, string[]>();
        foreach (var field in after.Fields.Where(field => field.IsRequired && !before.Fields.Any(old => old.Name == field.Name && old.IsRequired)))
        {
            found["/required"] = [$"{field.Name} was not required before."];
        }

        foreach (var old in before.Fields)
        {
            var pointer = $"/properties/{old.Name}";
            if (after.Fields.FirstOrDefault(field => field.Name == old.Name) is not { } now)
            {
                found[pointer] = ["It was declared before."];
            }
            else if (now.Kind != old.Kind && (old.Kind, now.Kind) is not (FieldKind.Integer, FieldKind.Number))
            {
                found[$"{pointer}/type"] = ["It had another type before."];
            }
            else if (now.MaxItems < old.MaxItems || (old.MaxItems == 0) != (now.MaxItems == 0))
            {
                found[$"{pointer}/maxItems"] = ["More was allowed before."];
            }
            else if (now.Min is { } min && !(old.Min >= min))
            {
                found[$"{pointer}/minimum"] = ["Less was allowed before."];
            }
            else if (now.Max is { } max && !(old.Max <= max))
            {
                found[$"{pointer}/maximum"] = ["More was allowed before."];
            }
            else if (now.MaxLength < old.MaxLength)
            {
                found[$"{pointer}/maxLength"] = ["More was allowed before."];
            }
            else if (now.Values.Count > 0 && (old.Values.Count == 0 || old.Values.Except(now.Values).Any()))
            {
                found[$"{pointer}/enum"] = ["Other values were allowed before."];
            }
        }

        return found;
    }

    private EventSchema ReadRoot(string type, short version, JsonElement schema)
    {
        var (description, owner, tier) = ("", "Tracking", ValueTier.Normal);
        var fields = new List<Field>();
        string[] required = [];
        if (schema.ValueKind != JsonValueKind.Object)
        {
            Refuse("", "A JSON Schema object is required.");
            return new EventSchema(type, version, owner, tier, description, fields);
        }

        foreach (var keyword in schema.EnumerateObject())
        {
            var pointer = "/" + keyword.Name;
            switch (keyword.Name)
            {
                case "$schema" or "title":
                    Words(keyword.Value, pointer);
                    break;
                case "description":
                    description = Words(keyword.Value, pointer);
                    break;
                case "x-owner":
                    owner = Words(keyword.Value, pointer);
                    break;
                case "x-value-tier":
                    if (!Enum.TryParse(Words(keyword.Value, pointer), ignoreCase: true, out tier) || !Enum.IsDefined(tier))
                    {
                        Refuse(pointer, "Must be low, normal or high.");
                    }

                    break;
                case "type":
                    if (Words(keyword.Value, pointer) != "object")
                    {
                        Refuse(pointer, "Must be object: an event's properties are one.");
                    }

                    break;
                case "required":
                    required = Strings(keyword.Value, pointer);
                    break;
                case "properties":
                    fields = ReadProperties(keyword.Value, pointer);
                    break;
                default:
                    Refuse(pointer, "This keyword is not understood.");
                    break;
            }
        }

        if (description.Length == 0)
        {
            Refuse("/description", "Say in a sentence what happened.");
        }

        foreach (var unknown in required.Where(name => fields.TrueForAll(field => field.Name != name)))
        {
            Refuse("/required", $"{unknown} is not among the properties.");
        }

        return new EventSchema(type, version, owner, tier, description, [.. fields.Select(field => required.Contains(field.Name) ? field.Required : field)]) { IsCustom = true };
    }

    private List<Field> ReadProperties(JsonElement properties, string pointer)
    {
        var fields = new List<Field>();
        if (properties.ValueKind != JsonValueKind.Object)
        {
            Refuse(pointer, "Must be an object.");
            return fields;
        }

        foreach (var property in properties.EnumerateObject())
        {
            var here = $"{pointer}/{property.Name}";
            if (property.Name is not { Length: >= 1 and <= 100 } || property.Name.AsSpan().ContainsAnyExcept(NameCharacters))
            {
                Refuse(pointer, "Names have 1 to 100 letters, digits and underscores.");
            }
            else if (fields.Exists(field => field.Name == property.Name))
            {
                Refuse(here, "Given twice.");
            }
            else if (fields.Count == MaxProperties)
            {
                Refuse(pointer, $"At most {MaxProperties}.");
                break;
            }
            else if (ReadField(property.Name, property.Value, here) is { } field)
            {
                fields.Add(field);
            }
        }

        return fields;
    }

    private Field? ReadField(string name, JsonElement schema, string pointer, bool inList = false)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("type", out var typeName) || typeName.ValueKind != JsonValueKind.String)
        {
            Refuse(pointer, "Must be an object with a type.");
            return null;
        }

        var isList = !inList && typeName.ValueEquals("array");
        FieldKind? kind = isList ? FieldKind.Text : typeName.GetString() switch
        {
            "string" => FieldKind.Text,
            "number" => FieldKind.Number,
            "integer" => FieldKind.Integer,
            "boolean" => FieldKind.Flag,
            _ => null,
        };
        if (kind is null)
        {
            Refuse($"{pointer}/type", inList ? "Must be string, number, integer or boolean." : "Must be string, number, integer, boolean or array.");
            return null;
        }

        var field = new Field(name, kind.Value, "");
        var description = "";
        var maxItems = isList ? 100 : 0;
        foreach (var keyword in schema.EnumerateObject())
        {
            var here = $"{pointer}/{keyword.Name}";
            switch (keyword.Name)
            {
                case "type":
                    break;
                case "title":
                    Words(keyword.Value, here);
                    break;
                case "description":
                    description = Words(keyword.Value, here);
                    break;
                case "items" when isList:
                    field = ReadField(name, keyword.Value, here, inList: true) ?? field;
                    break;
                case "maxItems" when isList:
                    maxItems = Whole(keyword.Value, here, 1_000);
                    break;
                case "minimum" when kind is FieldKind.Number or FieldKind.Integer && !isList:
                    field = field with { Min = Number(keyword.Value, here) };
                    break;
                case "maximum" when kind is FieldKind.Number or FieldKind.Integer && !isList:
                    field = field with { Max = Number(keyword.Value, here) };
                    break;
                case "maxLength" when kind == FieldKind.Text && !isList:
                    field = field with { MaxLength = Whole(keyword.Value, here, 10_000) };
                    break;
                case "enum" when kind == FieldKind.Text && !isList:
                    field = field with { Values = Strings(keyword.Value, here) };
                    break;
                default:
                    Refuse(here, "This keyword is not understood here.");
                    break;
            }
        }

        if (isList && !schema.TryGetProperty("items", out _))
        {
            Refuse(pointer, "An array needs items.");
        }

        if (field.Min > field.Max)
        {
            Refuse($"{pointer}/maximum", "Lies below the minimum.");
        }

        field = field with { MaxItems = maxItems, Description = description };
        return inList ? field : field with { Example = ExampleOf(field) };
    }

    private static string ExampleOf(Field field)
    {
        var one = field.Kind switch
        {
            FieldKind.Flag => "true",
            FieldKind.Number or FieldKind.Integer => Math.Ceiling(field.Min ?? Math.Min(1, Math.Floor(field.Max ?? 1))).ToString(CultureInfo.InvariantCulture),
            _ => JsonSerializer.Serialize(field.Values is [var first, ..] ? first : "x"),
        };
        return field.MaxItems > 0 ? $"[{one}]" : one;
    }

    private string Words(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= MaxWords && !text.Contains('\0', StringComparison.Ordinal))
        {
            return text;
        }

        Refuse(pointer, $"Must be text of at most {MaxWords} characters.");
        return "";
    }

    private string[] Strings(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is > 0 and <= 200 && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. value.EnumerateArray().Select(item => Words(item, pointer)).Distinct()];
        }

        Refuse(pointer, "Must be a list of 1 to 200 texts.");
        return [];
    }

    private double? Number(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
        {
            return number;
        }

        Refuse(pointer, "Must be a number.");
        return null;
    }

    private int Whole(JsonElement value, string pointer, int most)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= most)
        {
            return number;
        }

        Refuse(pointer, $"Must be a whole number from 1 to {most}.");
        return 1;
    }

    private void Refuse(string pointer, string reason) => errors.TryAdd(pointer, [reason]);
}
