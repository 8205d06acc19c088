using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>
/// A model as the model-agnostic explainers see it: one number for each row of a table whose columns are those of the background it is explained with, such
/// as <c>rows => boosted.PredictMargins(rows)</c> or <c>rows => classifier.PositiveProbabilities(rows)</c>.
/// </summary>
public delegate double[] TableModel(Dataset rows);

/// <summary>Tables whose cells are drawn from the rows of another, column by column.</summary>
internal static class MixedRows
{
    /// <summary>The most rows given to a model at once.</summary>
    public const int Batch = 32_768;

    public static double[] Predict(TableModel model, Dataset table)
    {
        var predictions = model(table);
        if (predictions.Length != table.RowCount)
            throw new ArgumentException($"The model gave {predictions.Length} numbers for {table.RowCount} rows: it must give one a row.", nameof(model));
        return predictions;
    }

    /// <summary>
    /// The rows of <paramref name="background"/> and then row <paramref name="row"/> of <paramref name="table"/>, which has the same columns.
    /// </summary>
    public static Dataset Append(Dataset background, Dataset table, int row)
    {
        var columns = new Column[background.ColumnCount];
        for (var c = 0; c < columns.Length; c++)
        {
            var (from, one) = (background.Columns[c], table.Columns[c]);
            columns[c] = from.IsCategorical
                ? Column.Categorical(from.Name, [.. from.Codes, one.Codes[row]], Names(from, one.Codes[row]))
                : Column.Numeric(from.Name, [.. from.Numbers, one.Numbers[row]]);
        }
        return new Dataset(columns);
    }

    /// <summary>A table with <paramref name="column"/> in place of the one at <paramref name="at"/>; the others are shared.</summary>
    public static Dataset With(Dataset table, int at, Column column)
    {
        var columns = table.Columns.ToArray();
        columns[at] = column;
        return new Dataset(columns);
    }

    /// <summary>Column <paramref name="like"/> with the same number, or code, in <paramref name="rows"/> rows.</summary>
    public static Column Constant(Column like, double value, int rows) => Filled(like, rows, _ => value);

    /// <summary>Column <paramref name="like"/> with other numbers, or codes (−1 = missing).</summary>
    public static Column Filled(Column like, int rows, Func<int, double> value)
    {
        if (like.IsCategorical)
        {
            var codes = new int[rows];
            for (var r = 0; r < rows; r++) codes[r] = (int)value(r);
            return Column.Categorical(like.Name, codes, like.Categories.Count > 0 ? like.Categories : null);
        }
        var numbers = new float[rows];
        for (var r = 0; r < rows; r++) numbers[r] = (float)value(r);
        return Column.Numeric(like.Name, numbers);
    }

    public static void CheckSameColumns(Dataset background, Dataset table)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (table.ColumnCount != background.ColumnCount)
            throw new ArgumentException($"The table has {table.ColumnCount} columns, the background {background.ColumnCount}.", nameof(table));
        for (var c = 0; c < table.ColumnCount; c++)
        {
            if (table.Columns[c].Name != background.Columns[c].Name || table.Columns[c].IsCategorical != background.Columns[c].IsCategorical)
                throw new ArgumentException(
                    $"Column {c} is {table.Columns[c].Name}; the background has {background.Columns[c].Name} there, or it is of another kind.", nameof(table));
        }
    }

    /// <summary>The position of a column by name.</summary>
    public static int Position(Dataset table, string column) =>
        table.IndexOf(column) is >= 0 and var at ? at : throw new ArgumentException($"There is no column {column}.", nameof(column));

    // The explained row may hold a category that the background's names lack.
    private static IReadOnlyList<string>? Names(Column from, int code) => from.Categories.Count > Math.Max(0, code) ? from.Categories : null;
}
