using System.Globalization;

namespace OKLA.Benchmarks;

/// <summary>A plain-text table of results.</summary>
internal sealed class Table(params string[] headers)
{
    private readonly List<string[]> rows = [headers];

    public void Add(params object?[] cells) => rows.Add([.. cells.Select(cell => cell switch
    {
        null => "",
        double number => number.ToString(Math.Abs(number) >= 1000 ? "N0" : "0.###", CultureInfo.InvariantCulture),
        int or long => string.Format(CultureInfo.InvariantCulture, "{0:N0}", cell),
        _ => cell.ToString()!,
    })]);

    public void Print()
    {
        var widths = Enumerable.Range(0, headers.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            Console.WriteLine(string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
        }
    }
}
