using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal static class ExplanationData
{
    /// <summary>Independent uniform columns x0, x1 and so on.</summary>
    public static Dataset Uniform(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return Dataset.FromRowMajor([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle())], columns);
    }

    /// <summary>A model that is a function of a row.</summary>
    public static TableModel Model(Func<float[], double> function) => table =>
    {
        var row = new float[table.ColumnCount];
        return [.. Enumerable.Range(0, table.RowCount).Select(r =>
        {
            table.CopyRow(r, row);
            return function(row);
        })];
    };

    /// <summary>Shapley's formula over all subsets: Σ_S |S|! (M−|S|−1)! / M! (v(S ∪ i) − v(S)), v the mean over background rows.</summary>
    public static double[] BruteForce(Func<float[], double> function, Dataset background, Dataset table, int row)
    {
        var columns = table.ColumnCount;
        float[] own = new float[columns], other = new float[columns];
        table.CopyRow(row, own);
        var factorial = Enumerable.Range(0, columns + 1).Select(n => Enumerable.Range(1, n).Aggregate(1.0, (a, b) => a * b)).ToArray();
        var values = new double[1 << columns];
        for (var set = 0; set < values.Length; set++)
        {
            for (var b = 0; b < background.RowCount; b++)
            {
                background.CopyRow(b, other);
                values[set] += function([.. Enumerable.Range(0, columns).Select(c => (set >> c & 1) != 0 ? own[c] : other[c])]) / background.RowCount;
            }
        }
        var phi = new double[columns];
        for (var set = 0; set < values.Length; set++)
        {
            for (var c = 0; c < columns; c++)
            {
                var size = int.PopCount(set);
                if ((set >> c & 1) == 0) phi[c] += factorial[size] * factorial[columns - size - 1] / factorial[columns] * (values[set | 1 << c] - values[set]);
            }
        }
        return phi;
    }
}
