using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Models;

/// <summary>Rows of columns of text.</summary>
internal static class RawRows
{
    /// <summary>Number of rows.</summary>
    public static int Count(this IReadOnlyList<RawColumn> columns) => columns.Count == 0 ? 0 : columns[0].Values.Count;

    /// <summary>These rows, in this order.</summary>
    public static RawColumn[] Rows(this IReadOnlyList<RawColumn> columns, IReadOnlyList<int> rows)
    {
        var chosen = new RawColumn[columns.Count];
        for (var c = 0; c < chosen.Length; c++)
        {
            var values = new string?[rows.Count];
            for (var r = 0; r < values.Length; r++)
            {
                values[r] = columns[c].Values[rows[r]];
            }

            chosen[c] = new RawColumn(columns[c].Name, values);
        }

        return chosen;
    }

    /// <summary>The columns of these names, in this order; one that is absent is left out.</summary>
    public static RawColumn[] Named(this IReadOnlyList<RawColumn> columns, IEnumerable<string> names)
    {
        var byName = columns.ToDictionary(column => column.Name, StringComparer.Ordinal);
        return [.. names.Where(byName.ContainsKey).Select(name => byName[name])];
    }

    /// <summary>One row, in the columns' order.</summary>
    public static string?[] Row(this IReadOnlyList<RawColumn> columns, int row) => [.. columns.Select(column => column.Values[row])];

    /// <summary>Columns of rows that were told one by one.</summary>
    public static RawColumn[] Columns(IReadOnlyList<string> names, IReadOnlyList<string?[]> rows)
    {
        var columns = new RawColumn[names.Count];
        for (var c = 0; c < columns.Length; c++)
        {
            var values = new string?[rows.Count];
            for (var r = 0; r < values.Length; r++)
            {
                values[r] = rows[r][c];
            }

            columns[c] = new RawColumn(names[c], values);
        }

        return columns;
    }
}
