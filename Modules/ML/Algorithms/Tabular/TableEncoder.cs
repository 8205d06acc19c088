using OKLA.ML.Algorithms.Trees;

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
        new HashSet<string>(
            ["", "na", "n/a", "nan", "null", "none", "nil", "?", "??", "-", "--", "---", ".", "...", "#n/a", "#na", "<na>", "n.a.", "n.a", "(null)", "(blank)", "#null!", "#value!", "#¡valor!",
             "#ref!", "#div/0!", "nat", "n/d", "n.d.", "s/d", "\\n", "undefined", "not available", "no disponible", "sin dato", "sin datos", "missing"],
            StringComparer.OrdinalIgnoreCase);
}

/// <summary>
/// Turns columns of text into a <see cref="Dataset"/>, learned on training rows only. Numbers are read with their units, currencies and separators; categories
/// are coded by falling frequency with one last code shared by rare and unknown ones; dates become days, year, month, weekday and hour; long names give their
/// first words and inner numbers; constants and ids are left out.
/// </summary>
public sealed class TableEncoder
{
    /// <summary>The text that stands for the shared code of rare and unknown categories.</summary>
    public const string Other = "(other)";

    private const string Kind = "OKTE";
    private const int Version = 2;
    private const int MostDatePairs = 6;
    private readonly ColumnPlan[] _plans;
    private readonly HashSet<string> _missing;

    private TableEncoder(ColumnPlan[] plans, IReadOnlyList<string> texts, IEnumerable<string> missing)
    {
        _plans = plans;
        TextColumns = texts;
        _missing = new HashSet<string>(missing, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Names of the columns made, in order.</summary>
    public IReadOnlyList<string> Columns => [.. _plans.Select(plan => plan.Name)];

    /// <summary>Names of the columns read that hold free text, whose words the made columns do not carry.</summary>
    public IReadOnlyList<string> TextColumns { get; }

    /// <summary>Learns from <paramref name="columns"/>, which have different names, what each one holds.</summary>
    /// <exception cref="ArgumentException">Two columns have one name.</exception>
    public static TableEncoder Fit(IReadOnlyList<RawColumn> columns, TableEncoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var o = options ?? new TableEncoderOptions();
        var missing = new HashSet<string>(o.MissingMarks, StringComparer.OrdinalIgnoreCase);
        var names = new HashSet<string>(columns.Select(column => column.Name), StringComparer.Ordinal);
        if (names.Count != columns.Count) throw new ArgumentException("Two columns have one name.", nameof(columns));
        var made = new HashSet<string>(StringComparer.Ordinal);
        var plans = new List<ColumnPlan>();
        var texts = new List<string>();
        var dates = new List<(string Name, DateStyle Style)>();
        foreach (var column in columns)
        {
            var profile = new ColumnProfile(column, o, missing);
            plans.AddRange(profile.Plans(name => Unique(name, column.Name)));
            if (profile.IsText) texts.Add(column.Name);
            if (profile.Dates is { } style) dates.Add((column.Name, style));
        }
        var pairs = from a in Enumerable.Range(0, dates.Count) from b in Enumerable.Range(a + 1, dates.Count - a - 1) select (From: dates[a], To: dates[b]);
        foreach (var (from, to) in pairs.Take(MostDatePairs))
            plans.Add(new DifferencePlan(Unique($"{from.Name} to {to.Name}", ""), from.Name, from.Style, to.Name, to.Style));
        return new TableEncoder([.. plans], texts, missing);

        // A made column bears its source's name, or one that no other column has.
        string Unique(string name, string source)
        {
            while ((name != source && names.Contains(name)) || !made.Add(name)) name += "'";
            return name;
        }
    }

    /// <summary>The same columns, found by name, as numbers and codes; a column that is absent is all missing. Without any column worth making there is one of zeros.</summary>
    /// <exception cref="ArgumentException">There is no column, or their lengths differ.</exception>
    public Dataset Transform(IReadOnlyList<RawColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0) throw new ArgumentException("No columns.", nameof(columns));
        var rows = columns[0].Values.Count;
        if (columns.FirstOrDefault(column => column.Values.Count != rows) is { } uneven)
            throw new ArgumentException($"Column {uneven.Name} has {uneven.Values.Count} rows, not {rows}.", nameof(columns));
        var byName = columns.ToDictionary(column => column.Name, column => column.Values, StringComparer.Ordinal);
        var made = new Column[_plans.Length];
        Workers.For(Workers.ForRows(rows), made.Length, i => made[i] = _plans[i].Encode(byName.GetValueOrDefault, rows, _missing));
        return new Dataset(made.Length > 0 ? made : [Column.Numeric("nothing", new float[rows])]);
    }

    /// <summary>Writes the encoder (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, Version, writer =>
    {
        ColumnPlan.WriteTexts(writer, [.. _missing.Order(StringComparer.Ordinal)]);
        ColumnPlan.WriteTexts(writer, TextColumns);
        writer.Write(_plans.Length);
        foreach (var plan in _plans) plan.Write(writer);
    });

    /// <summary>Reads an encoder that <see cref="Save"/> wrote, of this or the first version.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static TableEncoder Load(Stream stream) => CheckedStream.Read(stream, Kind, Version, (reader, version) =>
    {
        var missing = ColumnPlan.ReadTexts(reader);
        var texts = version == 1 ? [] : ColumnPlan.ReadTexts(reader);
        var plans = new ColumnPlan[reader.ReadInt32()];
        for (var i = 0; i < plans.Length; i++) plans[i] = version == 1 ? ReadFirstVersion(reader) : ColumnPlan.Read(reader);
        return new TableEncoder(plans, texts, missing);
    });

    private static ColumnPlan ReadFirstVersion(BinaryReader reader)
    {
        var name = reader.ReadString();
        var count = reader.ReadInt32();
        if (count < 0) return new NumberPlan(name, name, false);
        var categories = new string[count];
        for (var i = 0; i < count; i++) categories[i] = reader.ReadString();
        return new CategoryPlan(name, name, CategoryOf.Whole, false, categories);
    }
}
