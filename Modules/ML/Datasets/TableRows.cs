using System.Runtime.CompilerServices;
using System.Text;
using OKLA.Shared.Files;

namespace OKLA.ML.Datasets;

/// <summary>A table as it comes: names of its columns, and its rows one by one, each with a text or null a column.</summary>
internal sealed record TableRows(IReadOnlyList<string> Names, IAsyncEnumerable<string?[]> Rows)
{
    private const int MaxName = 200;

    /// <summary>The part of the request that answers for it.</summary>
    public string Field { get; init; } = "body";

    /// <summary>Whether each row has one text more than there are names: whose it is (<see cref="RowOwners"/>), which is no part of the table.</summary>
    public bool Owned { get; init; }

    /// <summary>Names as written, checked; one without a name is called by its place.</summary>
    /// <exception cref="DatasetRefusedException">Too many, too long, or one comes twice.</exception>
    public static string[] Checked(IReadOnlyList<string> written, DatasetLimits limits)
    {
        if (written.Count > limits.MaxColumns)
        {
            throw new DatasetRefusedException("body", $"The table has {written.Count:N0} columns; at most {limits.MaxColumns:N0}.");
        }

        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new string[written.Count];
        for (var c = 0; c < names.Length; c++)
        {
            var name = written[c].Trim().Trim('\uFEFF');
            names[c] = name.Length == 0 ? $"column {c + 1}" : name;
            if (names[c].Length > MaxName)
            {
                throw new DatasetRefusedException("body", $"The name of column {c + 1} is longer than {MaxName} characters; if the first row is data, say header=false.");
            }

            if (!places.TryAdd(names[c], c))
            {
                throw new DatasetRefusedException("body", $"Columns {places[names[c]] + 1} and {c + 1} are both named '{names[c]}'; if the first row is data, say header=false.");
            }
        }

        return names;
    }
}

/// <summary>A file of CSV as a table.</summary>
internal static class CsvTable
{
    private const string Separators = ",;\t|";

    public static async Task<TableRows> OpenAsync(string path, Wording wording, string charset, DatasetLimits limits, CancellationToken ct)
    {
        var file = await DelimitedFile.InspectAsync(path, ct);
        if (charset is "utf-8" or "utf8" && !file.Encoding.Equals(Encoding.UTF8))
        {
            throw new DatasetRefusedException("body", "Not UTF-8, although its content type says so.");
        }

        if (charset is "iso-8859-1" or "latin1" or "windows-1252")
        {
            file = file with { Encoding = Encoding.Latin1 };
        }

        var separator = wording.Delimiter ?? Separator(file);
        try
        {
            await foreach (var (first, _) in file.ReadAsync(ct, separator))
            {
                var names = TableRows.Checked(wording.Header ? first : [.. first.Select(_ => "")], limits);
                return new TableRows(names, RowsAsync(file, separator, wording.Header, names.Length, ct));
            }
        }
        catch (UnreadableFileException unreadable)
        {
            throw Refused(unreadable, path);
        }

        throw new DatasetRefusedException("body", "The file is empty.");
    }

    private static async IAsyncEnumerable<string?[]> RowsAsync(DelimitedFile file, char? separator, bool header, int width, [EnumeratorCancellation] CancellationToken ct)
    {
        var number = header ? -1L : 0L;
        await using var rows = file.ReadAsync(ct, separator).GetAsyncEnumerator(ct);
        while (await NextAsync(rows, file.Path))
        {
            var row = rows.Current.Row;
            if (++number == 0 || (row is [""] && width > 1))
            {
                continue;
            }

            if (row.Length != width)
            {
                throw new DatasetRefusedException("body", row.Length == 1
                    ? $"Row {number:N0} is one field where there are {width:N0} columns: its quotes are broken, or it is cut off."
                    : $"Row {number:N0} has {row.Length:N0} fields where there are {width:N0} columns.");
            }

            yield return row;
        }
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<(string[] Row, double Fraction)> rows, string path)
    {
        try
        {
            return await rows.MoveNextAsync();
        }
        catch (UnreadableFileException unreadable)
        {
            throw Refused(unreadable, path);
        }
    }

    private static DatasetRefusedException Refused(UnreadableFileException unreadable, string path) =>
        new("body", unreadable.Message.Replace($"'{path}'", "The file", StringComparison.Ordinal));

    // What the first line is parted by: the rows' own decimal commas would mislead. Null where it holds one name only, or says it itself (sep=;).
    private static char? Separator(DelimitedFile file)
    {
        using var reader = new StreamReader(file.Path, file.Encoding, detectEncodingFromByteOrderMarks: true);
        var start = new char[1 << 16];
        var text = start.AsSpan(0, reader.ReadBlock(start)).TrimStart();
        var counts = new int[Separators.Length];
        var quoted = false;
        foreach (var c in text)
        {
            quoted ^= c == '"';
            if (!quoted && c is '\n' or '\r')
            {
                break;
            }

            if (!quoted && Separators.IndexOf(c) is >= 0 and var at)
            {
                counts[at]++;
            }
        }

        return counts.Max() == 0 || text.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) ? null : Separators[Array.IndexOf(counts, counts.Max())];
    }
}
