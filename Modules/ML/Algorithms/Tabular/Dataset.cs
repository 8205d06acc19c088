namespace OKLA.ML.Algorithms.Tabular;

/// <summary>A column-major table for learners: named columns of equal length, numeric (NaN = missing) or categorical (-1 = missing).</summary>
public sealed class Dataset
{
    private readonly Dictionary<string, int> _byName;

    /// <summary>A table of <paramref name="columns"/>, which share one length and have different names.</summary>
    /// <exception cref="ArgumentException">No column, unequal lengths or a repeated name.</exception>
    public Dataset(IReadOnlyList<Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count == 0) throw new ArgumentException("A table needs a column.", nameof(columns));
        _byName = new Dictionary<string, int>(columns.Count, StringComparer.Ordinal);
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Length != columns[0].Length)
                throw new ArgumentException($"Column {columns[i].Name} has {columns[i].Length} rows, {columns[0].Name} has {columns[0].Length}.", nameof(columns));
            if (!_byName.TryAdd(columns[i].Name, i))
                throw new ArgumentException($"Two columns are named {columns[i].Name}.", nameof(columns));
        }
        Columns = columns;
    }

    /// <summary>The columns in order.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The number of rows.</summary>
    public int RowCount => Columns[0].Length;

    /// <summary>The number of columns.</summary>
    public int ColumnCount => Columns.Count;

    /// <summary>The column called <paramref name="name"/>.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Column this[string name] => Columns[_byName[name]];

    /// <summary>The position of the column called <paramref name="name"/>, or -1.</summary>
    public int IndexOf(string name) => _byName.GetValueOrDefault(name, -1);

    /// <summary>A table of numbers from row-major <paramref name="rows"/> (rows × <paramref name="columns"/>), columns named x0, x1 and so on unless named.</summary>
    public static Dataset FromRowMajor(ReadOnlySpan<float> rows, int columns, IReadOnlyList<string>? names = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (rows.Length % columns != 0) throw new ArgumentException($"{rows.Length} values do not fill rows of {columns}.", nameof(rows));
        var count = rows.Length / columns;
        var made = new Column[columns];
        for (var c = 0; c < columns; c++)
        {
            var values = new float[count];
            for (var r = 0; r < count; r++) values[r] = rows[r * columns + c];
            made[c] = Column.Numeric(names?[c] ?? $"x{c}", values);
        }
        return new Dataset(made);
    }

    /// <summary>The rows <paramref name="rows"/> in that order, as a new table.</summary>
    public Dataset Select(ReadOnlySpan<int> rows)
    {
        var made = new Column[ColumnCount];
        for (var c = 0; c < made.Length; c++) made[c] = Columns[c].Select(rows);
        return new Dataset(made);
    }

    /// <summary>The columns named, in that order, sharing this table's storage.</summary>
    public Dataset SelectColumns(IReadOnlyList<string> names) => new([.. names.Select(name => this[name])]);

    /// <summary>Writes row <paramref name="row"/> into <paramref name="values"/> (one number a column; codes as numbers; NaN = missing).</summary>
    public void CopyRow(int row, Span<float> values)
    {
        for (var c = 0; c < Columns.Count; c++) values[c] = Columns[c][row];
    }
}
