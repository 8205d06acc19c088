using System.Globalization;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>A series from one column of a file, in the order of its dates where it has any.</summary>
/// <param name="Values">The values; NaN where missing.</param>
/// <param name="UsualSeasons">Lengths that the distance of the dates suggests, in rows: 12 for months, 7 for days.</param>
internal sealed record SeriesFile(double[] Values, IReadOnlyList<int> UsualSeasons)
{
    private static readonly string[] TimeWords = ["date", "time", "timestamp", "fecha", "month", "day", "ds"];

    /// <summary>Reads the column of that name, or at that place from 0 where no column is called so.</summary>
    /// <exception cref="UnreadableFileException">No such column, or something in it that is no number.</exception>
    public static SeriesFile Read(string path, string column)
    {
        var rows = EvaluationRows.Read(path).ToList();
        var header = rows[0];
        int value;
        if (!header.Contains(column) && int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out var place))
        {
            value = place < header.Length ? place : throw new UnreadableFileException(
                string.Create(CultureInfo.InvariantCulture, $"'{path}' has {header.Length} columns, numbered from 0; there is no column {place}."));
            header = EvaluationRows.Time(header[value]) is null ? header : [];
        }
        else
        {
            value = EvaluationRows.Find(header, column, path);
        }

        var skip = header.Length > 0 ? 1 : 0;
        var values = rows.Skip(skip).Select((row, i) => value < row.Length ? EvaluationRows.Number(row[value], path, i + 1 + skip) : double.NaN).ToArray();
        var dates = Enumerable.Range(0, rows[0].Length).Where(c => c != value).Select(c => Dates(rows, skip, c, header)).FirstOrDefault(found => found is not null);
        if (dates is null)
        {
            return new SeriesFile(values, []);
        }

        Array.Sort([.. Enumerable.Range(0, values.Length).Select(i => (dates[i], i))], values);
        Array.Sort(dates);
        return new SeriesFile(values, Usual(dates));
    }

    /// <summary>The column as seconds; null unless every row has a date, or a number under a name that speaks of time.</summary>
    private static double[]? Dates(List<string[]> rows, int skip, int column, string[] header)
    {
        var named = column < header.Length && TimeWords.Any(word => header[column].Contains(word, StringComparison.OrdinalIgnoreCase));
        var dates = new double[rows.Count - skip];
        for (var i = 0; i < dates.Length; i++)
        {
            var row = rows[i + skip];
            if (column >= row.Length || EvaluationRows.Time(row[column]) is not { } time
                || (!named && double.TryParse(row[column], NumberStyles.Float, CultureInfo.InvariantCulture, out _)))
            {
                return null;
            }

            dates[i] = time;
        }

        return dates;
    }

    private static int[] Usual(double[] dates)
    {
        const double Hour = 3600, Day = 24 * Hour;
        double[] steps = [.. dates.Zip(dates.Skip(1), (a, b) => b - a).Where(step => step > 0).Order()];
        if (steps.Length == 0)
        {
            return [];
        }

        var step = steps[steps.Length / 2];
        return step switch
        {

            < 0.9 * Day => [(int)Math.Round(Day / step), (int)Math.Round(7 * Day / step)],
            < 1.5 * Day => [7, 365],
            > 6 * Day and < 8 * Day => [52],
            > 27 * Day and < 32 * Day => [12],
            > 88 * Day and < 94 * Day => [4],
            _ => [],
        };
    }
}
