using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>A model's mean prediction along one column.</summary>
/// <param name="Column">The column.</param>
/// <param name="Values">The numbers, or category codes, it was set to.</param>
/// <param name="Mean">The mean prediction at each.</param>
/// <param name="Rows">Rows that have a curve of their own.</param>
/// <param name="Individual">Their predictions, one array of values a row (individual conditional expectation).</param>
public sealed record DependenceCurve(string Column, IReadOnlyList<double> Values, IReadOnlyList<double> Mean, IReadOnlyList<int> Rows, IReadOnlyList<double[]> Individual);

/// <summary>
/// Partial dependence (Friedman 2001, section 8.2): a column is set to one value in every row and the predictions are averaged; individual conditional
/// expectation (Goldstein et al. 2015) keeps the rows apart. Where columns are correlated it asks the model about rows that do not exist:
/// <see cref="AccumulatedLocalEffects"/> does not.
/// </summary>
public static class PartialDependence
{
    /// <summary>
    /// The curve of <paramref name="column"/> over the rows of <paramref name="table"/> at up to <paramref name="points"/> quantiles, or every code
    /// present, with the individual curves of <paramref name="individuals"/> rows drawn by <paramref name="seed"/>.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such column, or it has no known value.</exception>
    public static DependenceCurve Of(TableModel model, Dataset table, string column, int points = 30, int individuals = 50, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(individuals);
        var at = MixedRows.Position(table, column);
        var values = Grid.Of(table.Columns[at], points);
        var rows = new RandomSource((ulong)(uint)seed).Sample(table.RowCount, Math.Min(individuals, table.RowCount));
        double[][] own = [.. rows.Select(_ => new double[values.Length])];
        var mean = new double[values.Length];
        for (var v = 0; v < values.Length; v++)
        {
            var predictions = MixedRows.Predict(model, MixedRows.With(table, at, MixedRows.Constant(table.Columns[at], values[v], table.RowCount)));
            mean[v] = predictions.Average();
            for (var i = 0; i < rows.Length; i++) own[i][v] = predictions[rows[i]];
        }
        return new DependenceCurve(column, values, mean, rows, own);
    }
}

/// <summary>Values of a column to ask a model about.</summary>
internal static class Grid
{
    /// <summary>Different quantiles of the known numbers, evenly spaced with both ends, or the codes present, ascending.</summary>
    public static double[] Of(Column column, int points)
    {
        var known = Enumerable.Range(0, column.Length).Select(i => (double)column[i]).Where(v => !double.IsNaN(v)).Order().ToArray();
        if (known.Length == 0) throw new ArgumentException($"Column {column.Name} has no known value.", nameof(column));
        if (column.IsCategorical) return [.. known.Distinct()];
        return [.. Enumerable.Range(0, points).Select(p => known[(int)Math.Round((double)p * (known.Length - 1) / (points - 1))]).Distinct()];
    }
}
