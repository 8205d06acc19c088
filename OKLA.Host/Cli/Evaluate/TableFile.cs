using OKLA.ML.Algorithms.Tabular;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>A delimited file with a header, read whole as columns of text.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Columns">Its columns, each with a name of its own and one text a row (null where the row ends early).</param>
/// <param name="Rows">The number of rows.</param>
/// <param name="Unreadable">Rows left out because their quotes leave open where fields end.</param>
internal sealed record TableFile(string Path, IReadOnlyList<RawColumn> Columns, int Rows, int Unreadable)
{
    // Repeated texts share one string; beyond this many a column hardly repeats.
    private const int MostShared = 50_000;
    private const string Separators = ",;\t|";

    /// <summary>Reads the file.</summary>
    /// <exception cref="UnreadableFileException">It is not there, empty, or holds a header only.</exception>
    public static TableFile Read(string path) => ReadAsync(path).GetAwaiter().GetResult();

    /// <summary>The column of that name; case and blanks around it do not matter where no other column differs in them alone.</summary>
    /// <exception cref="UnreadableFileException">There is none; the message names near ones.</exception>
    public RawColumn Column(string name) => Find(name) ?? throw new UnreadableFileException(
        $"'{Path}' has no column '{name}'. {(Columns.Count <= 12 ? "It has" : "Nearest are")}: {string.Join(", ", Columns.Select(c => c.Name).OrderByDescending(c => Likeness(c, name)).Take(12 / Math.Max(1, Columns.Count / 12)))}.");

    /// <summary>The column of that name, as <see cref="Column"/> finds it; null when there is none.</summary>
    public RawColumn? Find(string name)
    {
        name = name.Trim();
        return Columns.FirstOrDefault(c => c.Name == name) ?? Columns.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<TableFile> ReadAsync(string path)
    {
        var file = await DelimitedFile.InspectAsync(path, CancellationToken.None);
        string[]? header = null;
        List<string?>[] columns = [];
        Dictionary<string, string>[] shared = [];
        var (rows, unreadable) = (0, 0);
        var separator = Separator(ref file);
        await foreach (var (row, _) in file.ReadAsync(CancellationToken.None, separator))
        {
            if (row.All(string.IsNullOrWhiteSpace))
            {
                continue;
            }

            if (header is null)
            {
                header = Names(row);
                columns = [.. header.Select(_ => new List<string?>())];
                shared = [.. header.Select(_ => new Dictionary<string, string>())];
                continue;
            }

            // A whole row in one field of many is one with broken quotes.
            if (row.Length == 1 && header.Length > 1 && row[0].AsSpan().ContainsAny(",;\t|"))
            {
                unreadable++;
                continue;
            }

            for (var c = 0; c < header.Length; c++)
            {
                columns[c].Add(c < row.Length ? Share(shared[c], row[c]) : null);
            }

            rows++;
        }

        if (header is null)
        {
            throw new UnreadableFileException($"'{path}' is empty.");
        }

        return rows == 0
            ? throw new UnreadableFileException($"'{path}' has a header but no rows.")
            : new TableFile(path, [.. header.Zip(columns, (name, values) => new RawColumn(name, values))], rows, unreadable);
    }

    // What the header is parted by: the rows' own decimal commas would mislead. Null where it has one name only.
    private static char? Separator(ref DelimitedFile file)
    {
        using var reader = new StreamReader(file.Path, file.Encoding, detectEncodingFromByteOrderMarks: true);
        string? header;
        do
        {
            header = reader.ReadLine();
        }
        while (header is not null && string.IsNullOrWhiteSpace(header));
        if (reader.CurrentEncoding.CodePage is 1200 or 1201)
        {
            // Its byte order mark says UTF-16, whose bytes look like Latin-1 otherwise.
            file = file with { Encoding = reader.CurrentEncoding };
        }

        var counts = new int[Separators.Length];
        var quoted = false;
        foreach (var c in header ?? "")
        {
            quoted ^= c == '"';
            if (!quoted && Separators.IndexOf(c) is >= 0 and var at)
            {
                counts[at]++;
            }
        }

        return counts.Max() == 0 || header!.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) ? null : Separators[Array.IndexOf(counts, counts.Max())];
    }

    // A column without a name is called by its place, and a repeated name gets a number.
    private static string[] Names(string[] header)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        return
        [
            .. header.Select((written, at) =>
            {
                var name = written.Trim().Trim('\uFEFF');
                name = name.Length == 0 ? $"column {at + 1}" : name;
                var free = name;
                for (var n = 2; !used.Add(free); n++)
                {
                    free = $"{name} ({n})";
                }

                return free;
            }),
        ];
    }

    private static string Share(Dictionary<string, string> shared, string text)
    {
        if (shared.TryGetValue(text, out var known))
        {
            return known;
        }

        if (shared.Count < MostShared)
        {
            shared.Add(text, text);
        }

        return text;
    }

    // Share of pairs of letters that two names have in common (Dice 1945).
    private static double Likeness(string a, string b)
    {
        static HashSet<string> Pairs(string s) => [.. Enumerable.Range(0, Math.Max(0, s.Length - 1)).Select(i => s.Substring(i, 2).ToLowerInvariant())];
        var (x, y) = (Pairs(a), Pairs(b));
        return x.Count + y.Count == 0 ? 0 : 2.0 * x.Count(y.Contains) / (x.Count + y.Count);
    }
}
