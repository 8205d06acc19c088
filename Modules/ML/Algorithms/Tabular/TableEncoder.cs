using System.Globalization;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>A column as it was read: its name and one text a row, null or a missing mark where nothing is known.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Values">One text a row.</param>
public sealed record RawColumn(string Name, IReadOnlyList<string?> Values);

/// <summary>How <see cref="TableEncoder"/> reads columns.</summary>
public sealed record TableEncoderOptions
{
    /// <summary>Most categories kept for a column, by frequency; the rest share one code.</summary>
    public int MaxCategories { get; init; } = 1000;

    /// <summary>Rows a category needs in training to have a code of its own.</summary>
    public int MinCategoryRows { get; init; } = 2;

    /// <summary>Share of a column's known values that must read as numbers for it to be numeric.</summary>
    public double NumericShare { get; init; } = 0.95;

    /// <summary>Columns that are categories whatever they look like (postcodes, codes).</summary>
    public IReadOnlySet<string> Categorical { get; init; } = new HashSet<string>();

    /// <summary>Texts that stand for nothing known, compared without case.</summary>
    public IReadOnlySet<string> MissingMarks { get; init; } =
        new HashSet<string>(["", "na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", "#n/a"], StringComparer.OrdinalIgnoreCase);
}

/// <summary>
/// Turns columns of text into a <see cref="Dataset"/>, learned on training rows only: numbers, or categories by falling frequency
/// with one last code shared by rare and unknown ones.
/// </summary>
public sealed class TableEncoder
{
    /// <summary>The text that stands for the shared code of rare and unknown categories.</summary>
    public const string Other = "(other)";

    private const string Kind = "OKTE";
    private readonly Plan[] _plans;
    private readonly HashSet<string> _missing;

    private TableEncoder(Plan[] plans, IEnumerable<string> missing)
    {
        _plans = plans;
        _missing = new HashSet<string>(missing, StringComparer.OrdinalIgnoreCase);
    }

    private sealed class Plan(string name, string[]? categories)
    {
        public string Name { get; } = name;
        public string[]? Categories { get; } = categories;
        public Dictionary<string, int>? Codes { get; } = categories?.SkipLast(1).Select((text, code) => (text, code)).ToDictionary(p => p.text, p => p.code, StringComparer.Ordinal);
    }

    /// <summary>Names of the columns read, in order.</summary>
    public IReadOnlyList<string> Columns => [.. _plans.Select(plan => plan.Name)];

    /// <summary>Learns from <paramref name="columns"/> which are numbers and which categories exist.</summary>
    public static TableEncoder Fit(IReadOnlyList<RawColumn> columns, TableEncoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var o = options ?? new TableEncoderOptions();
        var missing = new HashSet<string>(o.MissingMarks, StringComparer.OrdinalIgnoreCase);
        return new TableEncoder([.. columns.Select(column => new Plan(column.Name, Categories(column, o, missing)))], missing);
    }

    /// <summary>The same columns, found by name, as numbers and codes; a column that is absent is all missing.</summary>
    public Dataset Transform(IReadOnlyList<RawColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0) throw new ArgumentException("No columns.", nameof(columns));
        var rows = columns[0].Values.Count;
        var byName = columns.ToDictionary(column => column.Name, StringComparer.Ordinal);
        return new Dataset([.. _plans.Select(plan => Encode(plan, byName.GetValueOrDefault(plan.Name), rows))]);
    }

    /// <summary>Writes the encoder (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(_missing.Count);
        foreach (var mark in _missing.Order(StringComparer.Ordinal)) writer.Write(mark);
        writer.Write(_plans.Length);
        foreach (var plan in _plans)
        {
            writer.Write(plan.Name);
            writer.Write(plan.Categories?.Length ?? -1);
            foreach (var category in plan.Categories ?? []) writer.Write(category);
        }
    });

    /// <summary>Reads an encoder that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static TableEncoder Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var missing = new string[reader.ReadInt32()];
        for (var i = 0; i < missing.Length; i++) missing[i] = reader.ReadString();
        var plans = new Plan[reader.ReadInt32()];
        for (var i = 0; i < plans.Length; i++)
        {
            var name = reader.ReadString();
            var count = reader.ReadInt32();
            var categories = count < 0 ? null : new string[count];
            for (var c = 0; c < count; c++) categories![c] = reader.ReadString();
            plans[i] = new Plan(name, categories);
        }
        return new TableEncoder(plans, missing);
    });

    private static string[]? Categories(RawColumn column, TableEncoderOptions o, HashSet<string> missing)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        int known = 0, numbers = 0;
        foreach (var value in column.Values)
        {
            var text = value?.Trim();
            if (text is null || missing.Contains(text)) continue;
            known++;
            if (TryNumber(text, out _)) numbers++;
            counts[text] = counts.GetValueOrDefault(text) + 1;
        }
        if (!o.Categorical.Contains(column.Name) && numbers >= o.NumericShare * known) return null;
        return
        [
            .. counts.Where(c => c.Value >= o.MinCategoryRows).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal)
                .Take(o.MaxCategories).Select(c => c.Key),
            Other,
        ];
    }

    private Column Encode(Plan plan, RawColumn? column, int rows)
    {
        if (column is not null && column.Values.Count != rows) throw new ArgumentException($"Column {plan.Name} has {column.Values.Count} rows, not {rows}.");
        if (plan.Categories is null)
        {
            var numbers = new float[rows];
            for (var r = 0; r < rows; r++)
                numbers[r] = column?.Values[r]?.Trim() is { } text && !_missing.Contains(text) && TryNumber(text, out var number) ? number : float.NaN;
            return Column.Numeric(plan.Name, numbers);
        }
        var codes = new int[rows];
        for (var r = 0; r < rows; r++)
        {
            codes[r] = column?.Values[r]?.Trim() is { } text && !_missing.Contains(text)
                ? plan.Codes!.GetValueOrDefault(text, plan.Categories.Length - 1)
                : -1;
        }
        return Column.Categorical(plan.Name, codes, plan.Categories);
    }

    private static bool TryNumber(string text, out float number) =>
        float.TryParse(text, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out number) && float.IsFinite(number);
}
