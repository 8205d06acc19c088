using System.Text.Json;
using OKLA.Tracking.Schemas;

namespace OKLA.Tracking.Quality;

/// <summary>What was found at a field's place in a row.</summary>
internal enum Finding
{
    /// <summary>A right value.</summary>
    Right,

    /// <summary>None, or null.</summary>
    Missing,

    /// <summary>A value of another type.</summary>
    Mistyped,

    /// <summary>A number out of bounds.</summary>
    OutOfRange,

    /// <summary>A text that is not of the list.</summary>
    OutOfSet,
}

/// <summary>One value as the profiles count it.</summary>
/// <param name="Finding">What was found.</param>
/// <param name="Number">The number, when it is one.</param>
/// <param name="Key">Its key in the shape; null when its shape is not followed.</param>
/// <param name="Identity">What tells it from others, where different values are counted.</param>
internal readonly record struct Observation(Finding Finding, double? Number = null, string? Key = null, string? Identity = null);

/// <summary>How one field of a record is looked at. Words of people and ids never enter a shape, so that profiles name nobody.</summary>
/// <param name="Field">Its name.</param>
/// <param name="Path">The way to it through the body.</param>
/// <param name="Kind">What its value is.</param>
internal sealed record FieldRule(string Field, string[] Path, FieldKind Kind)
{
    /// <summary>Whether it is a list.</summary>
    public bool IsList { get; init; }

    /// <summary>Whether a type was declared; otherwise any is right.</summary>
    public bool IsTyped { get; init; } = true;

    /// <summary>Whether a value is demanded.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Least number.</summary>
    public double? Min { get; init; }

    /// <summary>Greatest number.</summary>
    public double? Max { get; init; }

    /// <summary>The texts it may be; empty for any.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>Whether its texts are few and name nobody, so that they may be counted one by one.</summary>
    public bool HasCategories { get; init; }

    /// <summary>Whether different values are counted.</summary>
    public bool IsIdentity { get; init; }

    /// <summary>Whether its distribution is followed.</summary>
    public bool HasShape => !IsList && (Kind is FieldKind.Number or FieldKind.Integer or FieldKind.Flag || HasCategories || Values.Count > 0);

    /// <summary>Looks at the field in a row's body.</summary>
    public Observation Look(JsonElement body)
    {
        var value = body;
        foreach (var name in Path)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return new Observation(Finding.Missing);
            }
        }

        if (value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return new Observation(Finding.Missing);
        }

        if (IsTyped && !(IsList ? value.ValueKind == JsonValueKind.Array : HasType(value)))
        {
            return new Observation(Finding.Mistyped);
        }

        var finding = Finding.Right;
        string? key = null;
        double? number = null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var read))
        {
            number = read;
            finding = read < Min || read > Max ? Finding.OutOfRange : finding;
            key = FieldProfile.Bucket(read);
        }
        else if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            key = value.ValueKind == JsonValueKind.True ? "true" : "false";
        }
        else if (value.ValueKind == JsonValueKind.String && (Values.Count > 0 || HasCategories))
        {
            var text = value.GetString()!;
            finding = Values.Count > 0 && !Values.Contains(text) ? Finding.OutOfSet : finding;
            key = finding == Finding.OutOfSet || text.Length > 60 ? FieldProfile.Others : text;
        }

        return new Observation(finding, number, key, IsIdentity && value.ValueKind == JsonValueKind.String ? value.GetString() : null);
    }

    private bool HasType(JsonElement value) => Kind switch
    {
        FieldKind.Number => value.ValueKind == JsonValueKind.Number,
        FieldKind.Integer => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Floor(number) == number,
        FieldKind.Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        FieldKind.Map => value.ValueKind == JsonValueKind.Object,
        _ => value.ValueKind == JsonValueKind.String,
    };
}
