using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>A column's effect on a model's prediction, centred so that its mean over the rows is 0.</summary>
/// <param name="Column">The column.</param>
/// <param name="Values">Bin edges of a number, ascending, or category codes in the order the effect was accumulated in.</param>
/// <param name="Effects">The effect at each value, in the prediction's unit.</param>
/// <param name="Rows">Rows in the bin that ends at each value (the first is 0), or with the code.</param>
public sealed record LocalEffects(string Column, IReadOnlyList<double> Values, IReadOnlyList<double> Effects, IReadOnlyList<int> Rows);

/// <summary>What two numeric columns do together beyond the sum of their own effects, centred.</summary>
/// <param name="First">The first column's bin edges.</param>
/// <param name="Second">The second column's bin edges.</param>
/// <param name="Effects">The effect at each pair of edges (first × second).</param>
/// <param name="Rows">Rows in the cell that ends at each pair of edges; 0 where the effect is taken from the nearest cell with rows.</param>
public sealed record LocalInteraction(IReadOnlyList<double> First, IReadOnlyList<double> Second, double[,] Effects, int[,] Rows);

/// <summary>
/// Accumulated local effects (Apley and Zhu 2020): the mean change of the prediction when a column moves across the bin its row lies in, summed up along
/// the column. Rows stay near where they are, so that correlated columns are not combined into rows that do not exist.
/// </summary>
public static class AccumulatedLocalEffects
{
    /// <summary>
    /// The first-order effect (equations 15 and 16) over up to <paramref name="bins"/> quantile bins, or over the codes present, put in order of likeness
    /// in the other columns (appendix E). Rows where the column is missing are left out.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such column, or it has fewer than two known values.</exception>
    public static LocalEffects Of(TableModel model, Dataset table, string column, int bins = 30)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        var at = MixedRows.Position(table, column);
        var known = Known(table, at);
        var edges = Edges(known, at, bins);
        return known.Columns[at].IsCategorical ? Codes(model, known, at, edges) : Numbers(model, known, at, edges);
    }

    /// <summary>The second-order effect of two numeric columns (equations 17 to 20). Rows where either is missing are left out.</summary>
    /// <exception cref="ArgumentException">There is no such column, it is categorical, or it has fewer than two known values.</exception>
    public static LocalInteraction OfPair(TableModel model, Dataset table, string first, string second, int bins = 10)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        int a = MixedRows.Position(table, first), b = MixedRows.Position(table, second);
        if (a == b || table.Columns[a].IsCategorical || table.Columns[b].IsCategorical)
            throw new ArgumentException("An interaction takes two different numeric columns.", nameof(second));
        var known = Known(Known(table, a), b);
        double[] z = Edges(known, a, bins), w = Edges(known, b, bins);
        var rows = known.RowCount;
        int[] zBin = Bins(known.Columns[a], z), wBin = Bins(known.Columns[b], w);
        double[] Corner(int dz, int dw) => MixedRows.Predict(model, MixedRows.With(
            MixedRows.With(known, a, MixedRows.Filled(known.Columns[a], rows, r => z[zBin[r] - dz])), b, MixedRows.Filled(known.Columns[b], rows, r => w[wBin[r] - dw])));
        double[] high = Corner(0, 0), left = Corner(1, 0), below = Corner(0, 1), low = Corner(1, 1);
        var counts = new int[z.Length, w.Length];
        var sums = new double[z.Length, w.Length];
        for (var r = 0; r < rows; r++)
        {
            counts[zBin[r], wBin[r]]++;
            sums[zBin[r], wBin[r]] += high[r] - left[r] - below[r] + low[r];
        }
        var effects = new double[z.Length, w.Length];
        for (var k = 1; k < z.Length; k++)
        {
            for (var m = 1; m < w.Length; m++)
            {
                var (nearK, nearM) = Nearest(counts, k, m);
                effects[k, m] = effects[k - 1, m] + effects[k, m - 1] - effects[k - 1, m - 1] + sums[nearK, nearM] / counts[nearK, nearM];
            }
        }
        return new LocalInteraction(z, w, WithoutMainEffects(effects, counts, rows), counts);
    }

    private static LocalEffects Numbers(TableModel model, Dataset known, int at, double[] edges)
    {
        var column = known.Columns[at];
        var bin = Bins(column, edges);
        var upper = MixedRows.Predict(model, MixedRows.With(known, at, MixedRows.Filled(column, known.RowCount, r => edges[bin[r]])));
        var lower = MixedRows.Predict(model, MixedRows.With(known, at, MixedRows.Filled(column, known.RowCount, r => edges[bin[r] - 1])));
        var changes = new double[edges.Length];
        var rows = new int[edges.Length];
        for (var r = 0; r < bin.Length; r++)
        {
            changes[bin[r]] += upper[r] - lower[r];
            rows[bin[r]]++;
        }
        var effects = new double[edges.Length];
        for (var k = 1; k < edges.Length; k++) effects[k] = effects[k - 1] + changes[k] / rows[k];
        double mean = 0;
        for (var k = 1; k < edges.Length; k++) mean += rows[k] * (effects[k - 1] + effects[k]) / 2 / known.RowCount;
        return new LocalEffects(column.Name, edges, [.. effects.Select(effect => effect - mean)], rows);
    }

    private static LocalEffects Codes(TableModel model, Dataset known, int at, double[] present)
    {
        var column = known.Columns[at];
        var members = present.ToDictionary(code => (int)code, code => Enumerable.Range(0, known.RowCount).Where(r => column.Codes[r] == (int)code).ToArray());
        var order = LevelOrder.Of(known, at, members);
        var effects = new double[order.Length];
        for (var k = 1; k < order.Length; k++)
        {
            var near = known.Select([.. members[order[k - 1]], .. members[order[k]]]);
            double[] Set(int code) => MixedRows.Predict(model, MixedRows.With(near, at, MixedRows.Constant(column, code, near.RowCount)));
            effects[k] = effects[k - 1] + Set(order[k]).Average() - Set(order[k - 1]).Average();
        }
        int[] rows = [.. order.Select(code => members[code].Length)];
        var mean = effects.Select((effect, k) => effect * rows[k]).Sum() / known.RowCount;
        return new LocalEffects(column.Name, [.. order.Select(code => (double)code)], [.. effects.Select(effect => effect - mean)], rows);
    }

    private static Dataset Known(Dataset table, int at)
    {
        int[] rows = [.. Enumerable.Range(0, table.RowCount).Where(r => !float.IsNaN(table.Columns[at][r]))];
        return rows.Length == table.RowCount ? table : table.Select(rows);
    }

    private static double[] Edges(Dataset known, int at, int bins)
    {
        var edges = Grid.Of(known.Columns[at], bins + 1);
        return edges.Length > 1 ? edges : throw new ArgumentException($"Column {known.Columns[at].Name} has one value only.", nameof(at));
    }

    // The k with z(k − 1) < value ≤ z(k); the smallest value lies in the first bin.
    private static int[] Bins(Column column, double[] edges)
    {
        var bins = new int[column.Length];
        for (var r = 0; r < bins.Length; r++)
        {
            var found = Array.BinarySearch(edges, column.Numbers[r]);
            bins[r] = Math.Max(1, found >= 0 ? found : ~found);
        }
        return bins;
    }

    private static (int, int) Nearest(int[,] counts, int k, int m)
    {
        var best = (k, m);
        var least = counts[k, m] > 0 ? 0 : int.MaxValue;
        for (var i = 1; least > 0 && i < counts.GetLength(0); i++)
        {
            for (var j = 1; j < counts.GetLength(1); j++)
            {
                var distance = (i - k) * (i - k) + (j - m) * (j - m);
                if (counts[i, j] > 0 && distance < least) (best, least) = ((i, j), distance);
            }
        }
        return best;
    }

    private static double[,] WithoutMainEffects(double[,] g, int[,] counts, int rows)
    {
        int first = g.GetLength(0), second = g.GetLength(1);
        double[] main1 = new double[first], main2 = new double[second];
        for (var k = 1; k < first; k++)
        {
            double sum = 0;
            var count = 0;
            for (var m = 1; m < second; m++)
            {
                sum += counts[k, m] * (g[k, m - 1] + g[k, m] - g[k - 1, m - 1] - g[k - 1, m]) / 2;
                count += counts[k, m];
            }
            main1[k] = main1[k - 1] + (count > 0 ? sum / count : 0);
        }
        for (var m = 1; m < second; m++)
        {
            double sum = 0;
            var count = 0;
            for (var k = 1; k < first; k++)
            {
                sum += counts[k, m] * (g[k - 1, m] + g[k, m] - g[k - 1, m - 1] - g[k, m - 1]) / 2;
                count += counts[k, m];
            }
            main2[m] = main2[m - 1] + (count > 0 ? sum / count : 0);
        }
        var centred = new double[first, second];
        for (var k = 0; k < first; k++)
        {
            for (var m = 0; m < second; m++) centred[k, m] = g[k, m] - main1[k] - main2[m];
        }
        double mean = 0;
        for (var k = 1; k < first; k++)
        {
            for (var m = 1; m < second; m++)
                mean += counts[k, m] * (centred[k - 1, m - 1] + centred[k - 1, m] + centred[k, m - 1] + centred[k, m]) / 4 / rows;
        }
        for (var k = 0; k < first; k++)
        {
            for (var m = 0; m < second; m++) centred[k, m] -= mean;
        }
        return centred;
    }
}
