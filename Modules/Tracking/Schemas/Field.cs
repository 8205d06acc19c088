using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OKLA.Tracking.Schemas;

/// <summary>What a property's value is; in a list, what each of its entries is.</summary>
internal enum FieldKind
{
    /// <summary>Words of people: personal data in them is masked.</summary>
    Text,

    /// <summary>Name or number of a thing in a system: kept as it is.</summary>
    Id,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>True or false.</summary>
    Flag,

    /// <summary>An object whose names are free.</summary>
    Map,
}

/// <summary>
/// One property of an event type. The declaration checks values, writes JSON Schema and prints the docs, so the three cannot differ.
/// Absent and null are the same.
/// </summary>
/// <param name="Name">camelCase name.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Description">One sentence for producers.</param>
internal sealed record Field(string Name, FieldKind Kind, string Description)
{
    private readonly byte[] utf8Name = Encoding.UTF8.GetBytes(Name);
    private readonly byte[][] utf8Values = [];

    /// <summary>Whether an event must have it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether only a server with an API key, or an admin, may state it.</summary>
    public bool ServerOnly { get; init; }

    /// <summary>Least number.</summary>
    public double? Min { get; init; }

    /// <summary>Greatest number.</summary>
    public double? Max { get; init; }

    /// <summary>Greatest number of characters (code points) of a text.</summary>
    public int MaxLength { get; init; } = 200;

    /// <summary>The texts it may be; empty for any.</summary>
    public IReadOnlyList<string> Values
    {
        get => [.. utf8Values.Select(Encoding.UTF8.GetString)];
        init => utf8Values = [.. value.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Greatest number of entries of a list; 0 when it is no list.</summary>
    public int MaxItems { get; init; }

    /// <summary>A right value, as JSON.</summary>
    public string Example { get; init; } = "null";

    /// <summary>The same field, demanded of every event.</summary>
    public Field Required => this with { IsRequired = true };

    /// <summary>Whether its strings are the words of people.</summary>
    public bool IsFreeText => Kind is FieldKind.Text or FieldKind.Map && utf8Values.Length == 0;

    /// <summary>Words of people.</summary>
    public static Field Text(string name, string description, int maxLength, string example) =>
        new(name, FieldKind.Text, description) { MaxLength = maxLength, Example = Quote(example) };

    /// <summary>Name or number of a thing in a system.</summary>
    public static Field Id(string name, string description, string example) => new(name, FieldKind.Id, description) { Example = Quote(example) };

    /// <summary>One of a few words; the first is the example.</summary>
    public static Field Choice(string name, string description, params string[] values) =>
        new(name, FieldKind.Id, description) { Values = values, Example = Quote(values[0]) };

    /// <summary>A number within bounds.</summary>
    public static Field Number(string name, string description, double min, double max, double example) =>
        new(name, FieldKind.Number, description) { Min = min, Max = max, Example = example.ToString(CultureInfo.InvariantCulture) };

    /// <summary>A whole number within bounds.</summary>
    public static Field Integer(string name, string description, long min, long max, long example) =>
        new(name, FieldKind.Integer, description) { Min = min, Max = max, Example = example.ToString(CultureInfo.InvariantCulture) };

    /// <summary>True or false.</summary>
    public static Field Flag(string name, string description) => new(name, FieldKind.Flag, description) { Example = "true" };

    /// <summary>A list of names of things.</summary>
    public static Field Ids(string name, string description, int maxItems, string example) => Id(name, description, example) with { MaxItems = maxItems, Example = $"[{Quote(example)}]" };

    /// <summary>An object whose names are free.</summary>
    public static Field Map(string name, string description, string example) => new(name, FieldKind.Map, description) { Example = example };

    /// <summary>Whether this is the field of that name.</summary>
    public bool Is(ReadOnlySpan<byte> name) => name.SequenceEqual(utf8Name);

    /// <summary>What is wrong with one scalar, or null; a list asks for each entry.</summary>
    /// <param name="reader">Stands on the scalar.</param>
    /// <param name="text">The scalar's text when it had to be decoded, else null.</param>
    public string? Check(ref Utf8JsonReader reader, string? text) => IsRight(ref reader, text) ? null : $"Must be {Say(inList: MaxItems > 0)}.";

    /// <summary>What the value must be, in words.</summary>
    public string Say(bool inList = false)
    {
        var one = Kind switch
        {
            _ when utf8Values.Length > 0 => $"one of {string.Join(", ", Values)}",
            FieldKind.Number or FieldKind.Integer => (Kind == FieldKind.Number ? "a number" : "a whole number") + Range(),
            FieldKind.Flag => "true or false",
            FieldKind.Map => "an object",
            _ => $"text of 1 to {MaxLength} characters",
        };
        return MaxItems == 0 ? one : inList ? $"a list with in each place {one}" : $"a list of at most {MaxItems}, in each place {one}";
    }

    /// <summary>The field's JSON Schema.</summary>
    public JsonObject ToJsonSchema()
    {
        var one = new JsonObject
        {
            ["type"] = Kind switch
            {
                FieldKind.Number => "number",
                FieldKind.Integer => "integer",
                FieldKind.Flag => "boolean",
                FieldKind.Map => "object",
                _ => "string",
            },
        };
        if (utf8Values.Length > 0)
        {
            one["enum"] = new JsonArray([.. Values.Select(value => JsonValue.Create(value))]);
        }
        else if (Kind is FieldKind.Text or FieldKind.Id)
        {
            one["minLength"] = 1;
            one["maxLength"] = MaxLength;
        }

        if (Min is { } min)
        {
            one["minimum"] = min;
        }

        if (Max is { } max)
        {
            one["maximum"] = max;
        }

        var whole = MaxItems == 0 ? one : new JsonObject { ["type"] = "array", ["items"] = one, ["maxItems"] = MaxItems };
        whole["description"] = Description;
        return whole;
    }

    private string Range() => (Min, Max) switch
    {
        ({ } min, { } max) => string.Create(CultureInfo.InvariantCulture, $" from {min} to {max}"),
        ({ } min, null) => string.Create(CultureInfo.InvariantCulture, $" from {min}"),
        (null, { } max) => string.Create(CultureInfo.InvariantCulture, $" up to {max}"),
        _ => "",
    };

    private bool IsRight(ref Utf8JsonReader reader, string? text)
    {
        switch (Kind)
        {
            case FieldKind.Flag:
                return reader.TokenType is JsonTokenType.True or JsonTokenType.False;
            case FieldKind.Number or FieldKind.Integer:
                return reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var number)
                    && !(number < Min) && !(number > Max) && (Kind == FieldKind.Number || (Math.Floor(number) == number && Math.Abs(number) <= 1L << 53));
            case FieldKind.Map:
                return false;
            default:
                return reader.TokenType == JsonTokenType.String && IsRightText(ref reader, text);
        }
    }

    private bool IsRightText(ref Utf8JsonReader reader, string? text)
    {
        if (utf8Values.Length > 0)
        {
            var value = text is null ? reader.ValueSpan : Encoding.UTF8.GetBytes(text);
            foreach (var allowed in utf8Values)
            {
                if (value.SequenceEqual(allowed))
                {
                    return true;
                }
            }

            return false;
        }

        if (text is null && reader.ValueSpan.Length <= MaxLength)
        {
            return reader.ValueSpan.Length > 0;
        }

        var length = text is null ? Encoding.UTF8.GetString(reader.ValueSpan).EnumerateRunes().Count() : text.EnumerateRunes().Count();
        return length > 0 && length <= MaxLength;
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text, Readable);

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
