using System.Globalization;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>Rows of a delimited file for the verbs that measure on files; what is wrong with a file or a column is said in one line.</summary>
internal static class EvaluationRows
{
    private static readonly string[] Missing = ["", "na", "n/a", "nan", "null", "none", "-", "?", "."];

    /// <summary>Every row, the header too if there is one; blank lines are left out.</summary>
    /// <exception cref="UnreadableFileException">No such file, or it is empty.</exception>
    public static IEnumerable<string[]> Read(string path)
    {
        var file = DelimitedFile.InspectAsync(path, CancellationToken.None).GetAwaiter().GetResult();
        var any = false;
        foreach (var (row, _) in file.ReadAsync(CancellationToken.None).ToBlockingEnumerable())
        {
            if (row.Length == 1 && row[0].Length == 0)
            {
                continue;
            }

            any = true;
            yield return row;
        }

        if (!any)
        {
            throw new UnreadableFileException($"'{path}' is empty.");
        }
    }

    /// <summary>The place of a column in the header, the case of its letters aside.</summary>
    /// <exception cref="UnreadableFileException">There is none of that name; the message gives the nearest.</exception>
    public static int Find(string[] header, string name, string path)
    {
        var at = Array.FindIndex(header, column => column == name);
        at = at >= 0 ? at : Array.FindIndex(header, column => column.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (at >= 0)
        {
            return at;
        }

        var near = header.Where(column => column.Length > 0)
            .OrderByDescending(column => column.Contains(name, StringComparison.OrdinalIgnoreCase)).ThenBy(column => ML.Algorithms.Text.EditDistance.Damerau(column.ToUpperInvariant(), name.ToUpperInvariant())).Take(3);
        throw new UnreadableFileException($"'{path}' has no column '{name}'. Nearest: {string.Join(", ", near)}.");
    }

    /// <summary>A number with a point, or with a comma where that cannot mean thousands; NaN for a missing mark.</summary>
    /// <exception cref="UnreadableFileException">Neither a number nor a missing mark.</exception>
    public static double Number(string text, string path, int row)
    {
        var trimmed = text.Trim();
        if (Missing.Contains(trimmed, StringComparer.OrdinalIgnoreCase))
        {
            return double.NaN;
        }

        // "1,234" has its comma before three digits; "12,5" is a decimal comma.
        if (trimmed.Count(c => c == ',') == 1 && !trimmed.Contains('.', StringComparison.Ordinal) && trimmed.Length - trimmed.IndexOf(',', StringComparison.Ordinal) != 4)
        {
            trimmed = trimmed.Replace(',', '.');
        }

        return double.TryParse(trimmed, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value
            : throw new UnreadableFileException(string.Create(CultureInfo.InvariantCulture, $"'{path}', row {row:N0}: '{Short(text)}' is not a number."));
    }

    /// <summary>A time as seconds: a number as it stands, or a date; null for neither.</summary>
    public static double? Time(string text)
    {
        var trimmed = text.Trim();
        if (double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            return number;
        }

        return DateTime.TryParse(trimmed, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date)
            ? (date - DateTime.UnixEpoch).TotalSeconds : null;
    }

    /// <summary>The start of a text, for a message.</summary>
    public static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
