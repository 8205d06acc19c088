using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>Which part of a text is the category.</summary>
internal enum CategoryOf : byte
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>Its first word, as a make before a model.</summary>
    FirstWord,

    /// <summary>Its first two words.</summary>
    FirstTwoWords,

    /// <summary>The unit or currency written with its number.</summary>
    Unit,

    /// <summary>The word that stands where others have a number.</summary>
    WordAmongNumbers,
}

/// <summary>Categories by falling frequency; the last code is shared by rare and unknown ones.</summary>
internal sealed class CategoryPlan : ColumnPlan
{
    public const byte Kind = 3;

    private readonly CategoryOf _part;
    private readonly bool _decimalComma;
    private readonly string[] _categories;
    private readonly Dictionary<string, int> _codes = new(StringComparer.Ordinal);

    public CategoryPlan(string name, string source, CategoryOf part, bool decimalComma, string[] categories) : base(name, source)
    {
        _part = part;
        _decimalComma = decimalComma;
        _categories = categories;
        for (var code = 0; code < categories.Length - 1; code++) _codes.TryAdd(Key(categories[code]), code);
    }

    protected override byte Tag => Kind;

    protected override void WriteBody(BinaryWriter writer)
    {
        writer.Write((byte)_part);
        writer.Write(_decimalComma);
        WriteTexts(writer, _categories);
    }

    public override Column Encode(Source source, int rows, HashSet<string> missing)
    {
        var texts = source(From);
        var codes = new int[rows];
        // Most rows repeat a text read before; a cache by the text itself saves folding it again.
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var r = 0; r < rows; r++)
        {
            codes[r] = -1;
            if (texts?[r] is not { } text) continue;
            if (!seen.TryGetValue(text, out codes[r]))
            {
                codes[r] = Known(text, missing) is { } known && Part(known, _part, _decimalComma) is { } part ? _codes.GetValueOrDefault(Key(part), _categories.Length - 1) : -1;
                seen.Add(text, codes[r]);
            }
        }
        return Column.Categorical(Name, codes, _categories);
    }

    /// <summary>The categories among <paramref name="counts"/> (text to rows), most frequent first, and the shared last one.</summary>
    public static string[] Choose(IReadOnlyDictionary<string, int> counts, int least, int most)
    {
        var merged = new Dictionary<string, (string Text, int Largest, int Rows)>(StringComparer.Ordinal);
        foreach (var (text, rows) in counts)
        {
            var key = Key(text);
            var known = merged.GetValueOrDefault(key, (Text: text, Largest: 0, Rows: 0));
            var better = rows > known.Largest || (rows == known.Largest && string.CompareOrdinal(text, known.Text) < 0);
            merged[key] = (better ? text : known.Text, Math.Max(known.Largest, rows), known.Rows + rows);
        }
        return
        [
            .. merged.Values.Where(c => c.Rows >= least).OrderByDescending(c => c.Rows).ThenBy(c => c.Text, StringComparer.Ordinal).Take(most).Select(c => c.Text),
            TableEncoder.Other,
        ];
    }

    /// <summary>The part of a known text that is the category; null when it has none.</summary>
    public static string? Part(string text, CategoryOf part, bool decimalComma)
    {
        switch (part)
        {
            case CategoryOf.FirstWord: return text[..WordEnd(text, 0)];
            case CategoryOf.FirstTwoWords:
                var first = WordEnd(text, 0);
                return text[..(first < text.Length ? WordEnd(text, first + 1) : first)];
            case CategoryOf.Unit: return LooseNumber.TryRead(text, decimalComma, out _, out var unit) ? unit : null;
            case CategoryOf.WordAmongNumbers: return LooseNumber.TryRead(text, decimalComma, out _, out _) ? null : text;
            default: return text;
        }
    }

    /// <summary>What two writings of one category have in common: case, accents and runs of blanks do not part them.</summary>
    private static string Key(string text) => string.Join(' ', Characters.Fold(text.ToLowerInvariant()).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static int WordEnd(string text, int from)
    {
        while (from < text.Length && text[from] is ' ') from++;
        while (from < text.Length && text[from] is not (' ' or ',' or '/' or '|' or '_')) from++;
        return from;
    }
}
