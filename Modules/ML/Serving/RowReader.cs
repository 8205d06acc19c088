using System.Globalization;
using System.Text.Json;
using OKLA.ML.Datasets;

namespace OKLA.ML.Serving;

/// <summary>Rows as a model takes them, and what is wrong or odd about them, by path: <c>rows[3].year</c>.</summary>
/// <param name="Rows">One text a row for every input of the signature.</param>
/// <param name="Errors">Why they cannot be asked; empty when they can.</param>
/// <param name="Warnings">What the model has not learned from.</param>
internal sealed record ReadRows(string?[][] Rows, Dictionary<string, string[]> Errors, List<string> Warnings);

/// <summary>Holds values against a signature.</summary>
internal static class RowReader
{
    private const int MostErrors = 100;
    private const int MostWarnings = 20;
    private static readonly HashSet<string> Yes = new(Inference.YesNo.Select(pair => pair[0]), StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> No = new(Inference.YesNo.Select(pair => pair[1]), StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads JSON objects.</summary>
    public static ReadRows Read(ServedVersion version, JsonElement rows)
    {
        var (signature, places) = (version.Answers.Signature, version.Places);
        var read = new ReadRows(new string?[rows.GetArrayLength()][], [], []);
        var i = 0;
        foreach (var row in rows.EnumerateArray())
        {
            read.Rows[i] = Read(signature, places, row, $"rows[{i}]", read);
            i++;
        }

        return read;
    }

    /// <summary>Reads one JSON object that stands at <paramref name="path"/>.</summary>
    public static string?[] Read(ModelSignature signature, Dictionary<string, int> places, JsonElement row, string path, ReadRows into)
    {
        var values = new string?[signature.Inputs.Count];
        if (row.ValueKind != JsonValueKind.Object)
        {
            Fail(into, path, "An object of inputs by name.");
            return values;
        }

        foreach (var property in row.EnumerateObject())
        {
            if (!places.TryGetValue(property.Name, out var place))
            {
                Fail(into, $"{path}.{property.Name}", $"The model has no such input; it has {string.Join(", ", signature.Inputs.Select(input => input.Name))}.");
                continue;
            }

            values[place] = Text(signature.Inputs[place], property.Value, $"{path}.{property.Name}", into);
        }

        Check(signature, values, path, into);
        return values;
    }

    /// <summary>Places of the inputs by name.</summary>
    public static Dictionary<string, int> Places(ModelSignature signature)
    {
        var places = new Dictionary<string, int>(signature.Inputs.Count, StringComparer.Ordinal);
        for (var i = 0; i < signature.Inputs.Count; i++)
        {
            places[signature.Inputs[i].Name] = i;
        }

        return places;
    }

    /// <summary>Looks at values that came as texts, such as the cells of a file: an empty one is missing.</summary>
    public static void Check(ModelSignature signature, string?[] values, string path, ReadRows into)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var input = signature.Inputs[i];
            if (string.IsNullOrWhiteSpace(values[i]))
            {
                values[i] = null;
                if (input.Required && !into.Errors.ContainsKey($"{path}.{input.Name}"))
                {
                    Fail(into, $"{path}.{input.Name}", "The value is required.");
                }

                continue;
            }

            if (input.Type == "boolean")
            {
                values[i] = Flag(input, values[i]!.Trim());
                if (values[i] is null)
                {
                    Fail(into, $"{path}.{input.Name}", input.Categories is { Count: > 0 } words ? $"{string.Join(" or ", words)}, or true or false." : "true or false.");
                }

                continue;
            }

            CheckValue(input, values[i]!, $"{path}.{input.Name}", into);
        }
    }

    /// <summary>A yes or no in the words that the model learned from; null when it is neither.</summary>
    public static string? Flag(ModelInput input, string value)
    {
        var words = input.Categories ?? [];
        if (words.FirstOrDefault(word => string.Equals(word, value, StringComparison.OrdinalIgnoreCase)) is { } own)
        {
            return own;
        }

        var yes = Yes.Contains(value);
        return !yes && !No.Contains(value) ? null : words.FirstOrDefault((yes ? Yes : No).Contains) ?? (words.Count == 0 ? yes ? "true" : "false" : null);
    }

    private static void CheckValue(ModelInput input, string value, string path, ReadRows into)
    {
        switch (input.Type)
        {
            case "number":
                if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
                {
                    Fail(into, path, "A number, with a point before its decimals.");
                }
                else if (number < input.Min || number > input.Max)
                {
                    Warn(into, path, string.Create(CultureInfo.InvariantCulture, $"{number} lies outside {input.Min} to {input.Max}, which the model learned from."));
                }

                break;
            case "date":
                if (!DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
                {
                    Fail(into, path, "A date such as 2026-05-31.");
                }

                break;
            case "category" when input.Categories is { Count: > 0 } known && !Contains(known, value):
                Warn(into, path, $"'{value}' is a category that the model has not seen.");
                break;
        }
    }

    private static string? Text(ModelInput input, JsonElement value, string path, ReadRows into)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return value.GetString();
            case JsonValueKind.Number:
                if (input.Type is not "date")
                {
                    return value.GetRawText();
                }

                break;
            case JsonValueKind.True or JsonValueKind.False:
                if (input.Type is "boolean" or "category")
                {
                    return value.ValueKind == JsonValueKind.True ? "true" : "false";
                }

                break;
        }

        Fail(into, path, $"The value has the wrong type: the input is a {input.Type}.");
        return null;
    }

    private static bool Contains(IReadOnlyList<string> known, string value)
    {
        foreach (var category in known)
        {
            if (string.Equals(category, value, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static void Fail(ReadRows into, string path, string message)
    {
        if (into.Errors.Count < MostErrors)
        {
            into.Errors.TryAdd(path, [message]);
        }
    }

    private static void Warn(ReadRows into, string path, string message)
    {
        if (into.Warnings.Count < MostWarnings)
        {
            into.Warnings.Add($"{path}: {message}");
        }
    }
}
