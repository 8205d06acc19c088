using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Datasets;

/// <summary>What a column was taken for before all of it was seen.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">One of <see cref="ColumnTypes"/>.</param>
/// <param name="Format">How it writes numbers and dates.</param>
internal sealed record ColumnGuess(string Name, string Type, ValueFormat Format);

/// <summary>Tells from the cells of a table what its columns are.</summary>
internal static class Inference
{
    // Below this many known values nothing is called an id or free text.
    private const int FewRows = 20;

    private static readonly HashSet<string> Marks = new(new TableEncoderOptions().MissingMarks, StringComparer.OrdinalIgnoreCase);
    private static readonly int LongestMark = Marks.Max(mark => mark.Length);

    /// <summary>What tables write for yes and for no.</summary>
    internal static readonly string[][] YesNo =
        [["true", "false"], ["yes", "no"], ["si", "no"], ["sí", "no"], ["y", "n"], ["s", "n"], ["t", "f"], ["1", "0"], ["1.0", "0.0"], ["verdadero", "falso"], ["on", "off"]];

    private static readonly HashSet<string> TargetNames = new(
        ["target", "label", "y", "class", "outcome", "response", "churn", "churned", "converted", "sold", "default", "survived", "objetivo", "etiqueta", "clase", "resultado"], StringComparer.OrdinalIgnoreCase);

    private static readonly string[] TimeNames = ["time", "date", "fecha", "hora", "timestamp", "_at", "snapshot", "month", "mes", "day", "dia", "día"];

    private static readonly string[] IdNames = ["id", "uuid", "guid", "key", "number", "numero", "número", "no", "nr", "code", "codigo", "código", "folio", "phone", "telefono", "teléfono", "cedula", "cédula"];

    /// <summary>Whether a text stands for nothing known; the trainer's encoder reads the same texts so.</summary>
    public static bool IsMissing(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        if (!char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1]))
        {
            return text.Length <= LongestMark && !char.IsAsciiDigit(text[0]) && Marks.Contains(text);
        }

        return Marks.Contains(text.Trim());
    }

    /// <summary>Guesses types from rows drawn evenly from the table; ids are told when all of it was seen.</summary>
    public static IReadOnlyList<ColumnGuess> Guess(IReadOnlyList<string> names, IReadOnlyList<string?[]> sample) =>
        [.. names.Select((name, c) => Guess(name, [.. sample.Select(row => row[c]).Where(text => !IsMissing(text)).Select(text => text!.Trim())]))];

    private static ColumnGuess Guess(string name, List<string> known)
    {
        var format = ValueFormat.Learn(known);
        var distinct = new HashSet<string>(known, StringComparer.OrdinalIgnoreCase);
        var numbers = known.Count == 0 ? 0 : (double)known.Count(text => format.TryNumber(text, out _)) / known.Count;
        var type = known.Count == 0 ? ColumnTypes.Category
            : distinct.Count <= 2 && YesNo.Any(pair => distinct.IsSubsetOf(pair)) ? ColumnTypes.Boolean
            : format.HoldsDates && distinct.Count > 1 ? ColumnTypes.Date
            : numbers >= 0.95 ? IsIdNumber(name, known, distinct.Count, format) ? ColumnTypes.Id : ColumnTypes.Number
            : OfWords(known, distinct.Count);
        return new ColumnGuess(name, type, format);
    }

    private static string OfWords(List<string> known, int distinct)
    {
        var words = known.Average(text => text.Count(c => c == ' ') + 1.0);
        var text = distinct >= 50 && words >= 2 && (words >= 3 || known.Average(t => t.Length) >= 20 || distinct >= 0.05 * known.Count);
        return text ? ColumnTypes.Text : known.Count >= FewRows && distinct >= 0.9 * known.Count ? ColumnTypes.Id : ColumnTypes.Category;
    }

    // Whole numbers of which none comes twice, named as ids are, or counting up row by row.
    private static bool IsIdNumber(string name, List<string> known, int distinct, ValueFormat format)
    {
        if (known.Count < FewRows || distinct < known.Count || !known.All(text => text.All(char.IsAsciiDigit)))
        {
            return false;
        }

        var values = known.Select(text => format.TryNumber(text, out var value) ? value : 0).ToList();
        var words = Words(name);
        return words.Any(word => IdNames.Contains(word)) || values.Zip(values.Skip(1)).All(pair => pair.Second == pair.First + 1);
    }

    /// <summary>What a name is made of: <c>customerID</c> is customer and id, <c>Lead Number</c> lead and number.</summary>
    private static List<string> Words(string name)
    {
        var words = new List<string>();
        var start = 0;
        for (var i = 1; i <= name.Length; i++)
        {
            var ends = i == name.Length || !char.IsLetterOrDigit(name[i]) || (char.IsUpper(name[i]) && char.IsLower(name[i - 1]));
            if (!ends)
            {
                continue;
            }

            words.Add(name[start..i].Trim(' ', '_', '-', '.').ToLowerInvariant());
            start = i;
        }

        return words;
    }

    /// <summary>The columns with their roles, when all cells were seen.</summary>
    public static IReadOnlyList<DatasetColumn> Columns(IReadOnlyList<ColumnGuess> guesses, Survey survey)
    {
        // One column named as outcomes are; with several nobody can tell.
        var targets = guesses.Where(guess => TargetNames.Contains(guess.Name) && guess.Type is ColumnTypes.Boolean or ColumnTypes.Category or ColumnTypes.Number).ToList();
        var times = guesses.Where(guess => guess.Type == ColumnTypes.Date).ToList();
        var time = times.Count == 1 ? times[0] : times.Where(guess => TimeNames.Any(word => guess.Name.Contains(word, StringComparison.OrdinalIgnoreCase))).ToList() is [var one] ? one : null;
        return [.. guesses.Zip(survey.Columns, (guess, seen) => new DatasetColumn(guess.Name, guess.Type,
            guess.Type == ColumnTypes.Id || seen.Distinct <= 1 && (seen.Missing == 0 || seen.Distinct == 0) ? ColumnRoles.Ignored
            : targets is [var target] && target == guess ? ColumnRoles.Target
            : guess == time ? ColumnRoles.Time
            : ColumnRoles.Feature))];
    }
}
