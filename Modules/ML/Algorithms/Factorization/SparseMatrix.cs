namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// A sparse matrix of float values in compressed rows: users × items with the weight of what happened between them.
/// Within a row the columns ascend and none repeats. Not copied on reading: the spans are views of the matrix.
/// </summary>
public sealed class SparseMatrix
{
    private readonly int[] starts;
    private readonly int[] columns;
    private readonly float[] values;

    private SparseMatrix(int rows, int columnCount, int[] starts, int[] columns, float[] values)
    {
        Rows = rows;
        Columns = columnCount;
        this.starts = starts;
        this.columns = columns;
        this.values = values;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>Number of stored entries.</summary>
    public int Count => columns.Length;

    /// <summary>Column of every entry, row after row.</summary>
    public ReadOnlySpan<int> Indices => columns;

    /// <summary>Value of every entry, in the order of <see cref="Indices"/>.</summary>
    public ReadOnlySpan<float> Values => values;

    /// <summary>Position of each row's first entry; <see cref="Rows"/> + 1 long.</summary>
    public ReadOnlySpan<int> RowStarts => starts;

    /// <summary>Ascending columns of one row.</summary>
    public ReadOnlySpan<int> RowIndices(int row) => columns.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>Values of one row, in the order of <see cref="RowIndices"/>.</summary>
    public ReadOnlySpan<float> RowValues(int row) => values.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>Number of entries in one row.</summary>
    public int RowCount(int row) => starts[row + 1] - starts[row];

    /// <summary>The value at a row and column, 0 where nothing is stored.</summary>
    public float this[int row, int column]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(column);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, Columns);
            int at = RowIndices(row).BinarySearch(column);
            return at < 0 ? 0 : RowValues(row)[at];
        }
    }

    /// <summary>Whether something is stored at a row and column.</summary>
    public bool Contains(int row, int column) => RowIndices(row).BinarySearch(column) >= 0;

    /// <summary>
    /// Builds from parallel lists of row, column and value; the values of a repeated (row, column) are summed. Any order is accepted.
    /// Throws when the lists differ in length, an index is outside the matrix or a value is not finite.
    /// </summary>
    public static SparseMatrix FromTriples(int rows, int columns, ReadOnlySpan<int> rowIndices, ReadOnlySpan<int> columnIndices, ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (rowIndices.Length != columnIndices.Length || rowIndices.Length != values.Length)
            throw new ArgumentException("Rows, columns and values must be equally many.", nameof(values));
        for (int i = 0; i < rowIndices.Length; i++)
        {
            if ((uint)rowIndices[i] >= (uint)rows) throw new ArgumentOutOfRangeException(nameof(rowIndices), $"Entry {i}: row {rowIndices[i]} is not below {rows}.");
            if ((uint)columnIndices[i] >= (uint)columns) throw new ArgumentOutOfRangeException(nameof(columnIndices), $"Entry {i}: column {columnIndices[i]} is not below {columns}.");
            if (!float.IsFinite(values[i])) throw new ArgumentException($"Entry {i}: the value {values[i]} is not finite.", nameof(values));
        }

        // Two stable counting sorts (by column, then by row) order the entries in linear time.
        var byColumn = CountingOrder(columnIndices, columns, null, out _);
        var order = CountingOrder(rowIndices, rows, byColumn, out var starts);
        var newStarts = new int[rows + 1];
        var newColumns = new int[order.Length];
        var newValues = new float[order.Length];
        int count = 0;
        for (int row = 0; row < rows; row++)
        {
            for (int at = starts[row]; at < starts[row + 1]; at++)
            {
                int entry = order[at];
                if (count > newStarts[row] && newColumns[count - 1] == columnIndices[entry]) newValues[count - 1] += values[entry];
                else (newColumns[count], newValues[count++]) = (columnIndices[entry], values[entry]);
            }

            newStarts[row + 1] = count;
        }

        Array.Resize(ref newColumns, count);
        Array.Resize(ref newValues, count);
        return new SparseMatrix(rows, columns, newStarts, newColumns, newValues);
    }

    /// <summary>Builds from (row, column, value) triples; see the overload with three lists.</summary>
    public static SparseMatrix FromTriples(int rows, int columns, IReadOnlyCollection<(int Row, int Column, float Value)> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var (r, c, v) = (new int[entries.Count], new int[entries.Count], new float[entries.Count]);
        int i = 0;
        foreach (var entry in entries) (r[i], c[i], v[i++]) = entry;
        return FromTriples(rows, columns, r, c, v);
    }

    /// <summary>The transposed matrix, items × users, as a new matrix.</summary>
    public SparseMatrix Transpose()
    {
        var newStarts = new int[Columns + 1];
        foreach (int column in columns) newStarts[column + 1]++;
        for (int i = 0; i < Columns; i++) newStarts[i + 1] += newStarts[i];
        var next = newStarts.AsSpan(0, Columns).ToArray();
        var newColumns = new int[Count];
        var newValues = new float[Count];
        for (int row = 0; row < Rows; row++)
            for (int at = starts[row]; at < starts[row + 1]; at++)
            {
                int to = next[columns[at]]++;
                (newColumns[to], newValues[to]) = (row, values[at]);
            }

        return new SparseMatrix(Columns, Rows, newStarts, newColumns, newValues);
    }

    /// <summary>The same entries with each value replaced by <paramref name="map"/>(row, column, value).</summary>
    public SparseMatrix Map(Func<int, int, float, float> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        var mapped = new float[Count];
        for (int row = 0; row < Rows; row++)
            for (int at = starts[row]; at < starts[row + 1]; at++) mapped[at] = map(row, columns[at], values[at]);
        return new SparseMatrix(Rows, Columns, starts, columns, mapped);
    }

    /// <summary>These rows, in this order, as a new matrix.</summary>
    public SparseMatrix Select(ReadOnlySpan<int> rows)
    {
        var newStarts = new int[rows.Length + 1];
        for (int i = 0; i < rows.Length; i++) newStarts[i + 1] = newStarts[i] + RowCount(rows[i]);
        var (newColumns, newValues) = (new int[newStarts[^1]], new float[newStarts[^1]]);
        for (int i = 0; i < rows.Length; i++)
        {
            RowIndices(rows[i]).CopyTo(newColumns.AsSpan(newStarts[i]));
            RowValues(rows[i]).CopyTo(newValues.AsSpan(newStarts[i]));
        }

        return new SparseMatrix(rows.Length, Columns, newStarts, newColumns, newValues);
    }

    /// <summary>Number of entries in every column.</summary>
    public int[] ColumnCounts()
    {
        var counts = new int[Columns];
        foreach (int column in columns) counts[column]++;
        return counts;
    }

    private static int[] CountingOrder(ReadOnlySpan<int> keys, int limit, int[]? previous, out int[] starts)
    {
        starts = new int[limit + 1];
        foreach (int key in keys) starts[key + 1]++;
        for (int i = 0; i < limit; i++) starts[i + 1] += starts[i];
        var next = starts.AsSpan(0, limit).ToArray();
        var order = new int[keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            int entry = previous is null ? i : previous[i];
            order[next[keys[entry]]++] = entry;
        }

        return order;
    }
}
