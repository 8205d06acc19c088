using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>How much worse a model's predictions become when columns are shuffled.</summary>
/// <param name="Columns">The column, or the columns shuffled together.</param>
/// <param name="Mean">Mean loss of quality over the repeats, in the metric's unit; about 0 for a column without use.</param>
/// <param name="Lower">Lower end of Student's interval of that mean over the repeats.</param>
/// <param name="Upper">Upper end.</param>
/// <param name="Repeats">The loss of each repeat.</param>
public sealed record ColumnImportance(IReadOnlyList<string> Columns, double Mean, double Lower, double Upper, IReadOnlyList<double> Repeats);

/// <summary>Permutation importance (Breiman 2001, section 10; Fisher, Rudin and Dominici 2019) of any model by any metric.</summary>
public static class PermutationImportance
{
    /// <summary>
    /// The importance of each column of <paramref name="table"/>, or of each of <paramref name="groups"/> (columns that tell the same should be shuffled
    /// together: alone, each hides behind the other), in their order. <paramref name="metric"/> scores the predictions of all rows in order. Rows should be
    /// unseen in training. The interval covers the shuffling, not the choice of rows.
    /// </summary>
    public static IReadOnlyList<ColumnImportance> Measure(
        TableModel model, Dataset table, Func<double[], double> metric, bool higherIsBetter, int repeats = 10, IReadOnlyList<IReadOnlyList<string>>? groups = null,
        double level = 0.95, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 2);
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "A level lies between 0 and 1.");
        groups ??= [.. table.Columns.Select(c => (IReadOnlyList<string>)[c.Name])];
        var whole = metric(MixedRows.Predict(model, table));
        var width = StudentT.InvCDF(0, 1, repeats - 1, 0.5 + level / 2) / Math.Sqrt(repeats);
        var results = new ColumnImportance[groups.Count];
        for (var g = 0; g < results.Length; g++)
        {
            int[] positions = [.. groups[g].Select(name => MixedRows.Position(table, name))];
            var losses = new double[repeats];
            for (var k = 0; k < repeats; k++)
            {
                var random = RandomSource.For(seed, g, k);
                var order = Enumerable.Range(0, table.RowCount).ToArray();
                for (var i = order.Length - 1; i > 0; i--)
                {
                    var other = random.NextInt(i + 1);
                    (order[i], order[other]) = (order[other], order[i]);
                }
                var shuffled = table;
                foreach (var at in positions) shuffled = MixedRows.With(shuffled, at, table.Columns[at].Select(order));
                var score = metric(MixedRows.Predict(model, shuffled));
                losses[k] = higherIsBetter ? whole - score : score - whole;
            }
            var mean = losses.Average();
            var deviation = Math.Sqrt(losses.Sum(loss => (loss - mean) * (loss - mean)) / (repeats - 1));
            results[g] = new ColumnImportance(groups[g], mean, mean - width * deviation, mean + width * deviation, losses);
        }
        return results;
    }
}
