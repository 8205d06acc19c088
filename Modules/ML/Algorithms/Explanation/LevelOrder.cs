using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>
/// An order of a category's levels in which neighbours are alike (Apley and Zhu 2020, appendix E): distances are summed over the other columns
/// (Kolmogorov-Smirnov for numbers, total variation for categories) and laid on a line by classical scaling.
/// </summary>
internal static class LevelOrder
{
    private const int CutPoints = 50;

    public static int[] Of(Dataset table, int at, IReadOnlyDictionary<int, int[]> members)
    {
        int[] levels = [.. members.Keys.Order()];
        if (levels.Length < 3) return levels;
        var distances = Matrix<double>.Build.Dense(levels.Length, levels.Length);
        for (var c = 0; c < table.ColumnCount; c++)
        {
            if (c == at) continue;
            var column = table.Columns[c];
            double[][] shares = [.. levels.Select(level => column.IsCategorical ? Shares(column, members[level]) : [])];
            double[][] below = column.IsCategorical ? [] : Below(column, [.. levels.Select(level => members[level])]);
            for (var i = 0; i < levels.Length; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    var distance = column.IsCategorical
                        ? shares[i].Zip(shares[j], (p, q) => Math.Abs(p - q)).Sum() / 2
                        : below[i].Zip(below[j], (p, q) => Math.Abs(p - q)).DefaultIfEmpty(0).Max();
                    distances[i, j] = distances[j, i] += distance;
                }
            }
        }
        // B = −½ J D² J; its leading eigenvector is the line.
        var centring = Matrix<double>.Build.DenseIdentity(levels.Length) - 1.0 / levels.Length;
        var inner = -0.5 * centring * distances.PointwisePower(2) * centring;
        var evd = ((inner + inner.Transpose()) / 2).Evd(Symmetricity.Symmetric);
        if (evd.EigenValues[levels.Length - 1].Real <= 1e-12) return levels;
        var line = evd.EigenVectors.Column(levels.Length - 1);
        var sign = line[0] > line[levels.Length - 1] ? -1 : 1;
        return [.. Enumerable.Range(0, levels.Length).OrderBy(i => sign * line[i]).ThenBy(i => i).Select(i => levels[i])];
    }

    private static double[] Shares(Column column, int[] rows)
    {
        // The last share is that of missing values.
        var shares = new double[column.CategoryCount + 1];
        foreach (var row in rows) shares[column.Codes[row] < 0 ? column.CategoryCount : column.Codes[row]] += 1.0 / rows.Length;
        return shares;
    }

    private static double[][] Below(Column column, int[][] members)
    {
        var known = column.Numbers.ToArray().Where(v => !float.IsNaN(v)).Order().ToArray();
        float[] cuts = known.Length == 0 ? [] : [.. Enumerable.Range(0, CutPoints).Select(p => known[(int)((long)p * (known.Length - 1) / (CutPoints - 1))]).Distinct()];
        return [.. members.Select(rows =>
        {
            var values = rows.Select(r => column.Numbers[r]).Where(v => !float.IsNaN(v)).ToArray();
            return cuts.Select(cut => values.Length == 0 ? 0 : (double)values.Count(v => v <= cut) / values.Length).ToArray();
        })];
    }
}
