using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Serving;

namespace OKLA.ML.Models;

/// <summary>What a table's model must be told, from the rows it learned from.</summary>
internal static class TableSignature
{
    private const int MostCategories = 50;
    private static readonly HashSet<string> Missing = new(new TableEncoderOptions().MissingMarks, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a text says nothing.</summary>
    public static bool IsMissing(string? text) => text is null || Missing.Contains(text.Trim());

    /// <summary>The signature.</summary>
    public static ModelSignature Of(string task, IReadOnlyList<RawColumn> inputs, IReadOnlyList<string> classes, string? unit, string? entity) =>
        new(task, [.. inputs.Select(Input)], classes, unit, entity);

    /// <summary>A column as an input: its type, range and values.</summary>
    public static ModelInput Input(RawColumn column)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in column.Values)
        {
            if (!IsMissing(text))
            {
                counts[text!.Trim()] = counts.GetValueOrDefault(text.Trim()) + 1;
            }
        }

        // Of what few rows have there is no example and no list: it might be somebody's name or number.
        var shared = counts.Where(pair => pair.Value >= Anonymous.Least).ToDictionary(StringComparer.Ordinal);
        var example = shared.Count == 0 ? null : shared.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).First().Key;
        var encoder = TableEncoder.Fit([column]);
        if (encoder.TextColumns.Count > 0)
        {
            return new ModelInput(column.Name, "text", Example: example);
        }

        var made = encoder.Columns.Count == 0 ? [] : encoder.Transform([column]).Columns;
        if (made.Count == 1 && !made[0].IsCategorical && made[0].Name == column.Name)
        {
            var known = made[0].Numbers.ToArray().Where(float.IsFinite).ToArray();
            var words = counts.Keys.Any(text => !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _));
            if (words && known.All(value => value is 0 or 1))
            {
                return new ModelInput(column.Name, "boolean", Categories: Frequent(counts), Example: example);
            }

            return new ModelInput(column.Name, "number", Min: known.Length == 0 ? null : Plain(known.Min()), Max: known.Length == 0 ? null : Plain(known.Max()), Example: example ?? Middle(known));
        }

        if (made.Count > 1 && counts.Count > 0 && DateTimeOffset.TryParse(counts.Keys.Min(StringComparer.Ordinal), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
        {
            return new ModelInput(column.Name, "date", Example: example);
        }

        return new ModelInput(column.Name, "category", Categories: counts.Count <= MostCategories && shared.Count > 0 ? Frequent(shared) : null, Example: example);
    }

    /// <summary>The mean of the five in the middle; null where there are fewer.</summary>
    private static string? Middle(float[] known) => known.Length < Anonymous.Least ? null
        : Plain((float)known.Order().Skip((known.Length - Anonymous.Least) / 2).Take(Anonymous.Least).Average(value => (double)value)).ToString("R", CultureInfo.InvariantCulture);

    private static string[] Frequent(Dictionary<string, int> counts) =>
        [.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(MostCategories).Select(pair => pair.Key)];

    // A float's shortest text, so that 0.1 does not become 0.10000000149.
    private static double Plain(float value) => double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
