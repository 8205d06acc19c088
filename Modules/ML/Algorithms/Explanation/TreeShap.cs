using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>
/// Exact Shapley values of boosted trees and forests in margin units, so that base value + contributions = margin (before any link).
/// Without background rows they are path-dependent: an absent column is averaged by the training rows on either side (Lundberg, Erion
/// and Lee 2018, Algorithm 2). With them they are interventional: an absent column takes each background row's value in turn
/// (Lundberg et al. 2020).
/// </summary>
public sealed class TreeShap
{
    private readonly TreeEnsemble _ensemble;
    private readonly byte[][]? _background;
    private readonly double[] _base;
    private readonly int _depth;

    /// <summary>Explains <paramref name="model"/>, interventionally when <paramref name="background"/> rows are given.</summary>
    public TreeShap(GradientBoostingModel model, Dataset? background = null)
        : this((model ?? throw new ArgumentNullException(nameof(model))).Ensemble, background)
    {
    }

    /// <summary>Explains <paramref name="model"/>, interventionally when <paramref name="background"/> rows are given.</summary>
    public TreeShap(RandomForestModel model, Dataset? background = null)
        : this((model ?? throw new ArgumentNullException(nameof(model))).Ensemble, background)
    {
    }

    private TreeShap(TreeEnsemble ensemble, Dataset? background)
    {
        _ensemble = ensemble;
        _depth = ensemble.Trees.Select(tree => tree.MaxDepth).DefaultIfEmpty(0).Max();
        _background = background is null ? null : Bins(background);
        _base = (double[])ensemble.Start.Clone();
        for (var t = 0; t < ensemble.Trees.Count; t++)
        {
            var tree = ensemble.Trees[t];
            _base[t % _base.Length] += _background?.Average(row => tree.Value[tree.Leaf(row)]) ?? Expected(tree, 0);
        }
    }

    /// <summary>The mean margin that contributions start from, one an output.</summary>
    public IReadOnlyList<double> BaseValues => _base;

    /// <summary>Contributions of one row's values (outputs × columns).</summary>
    /// <exception cref="ArithmeticException">They do not add up to the margin within rounding.</exception>
    public double[] Explain(ReadOnlySpan<float> row)
    {
        var bins = new byte[_ensemble.Features.Length];
        _ensemble.Bins(row, bins);
        var contributions = new double[_base.Length * bins.Length];
        Explain(bins, contributions);
        return contributions;
    }

    /// <summary>Contributions row by row (rows × outputs × columns); <paramref name="threads"/> 0 takes every core.</summary>
    public double[] Explain(Dataset table, int threads = 0)
    {
        var bins = Bins(table);
        var size = _base.Length * _ensemble.Features.Length;
        var contributions = new double[bins.Length * size];
        Workers.For(threads, bins.Length, r => Explain(bins[r], contributions.AsSpan(r * size, size)));
        return contributions;
    }

    /// <summary>Mean absolute contribution of each column over <paramref name="table"/>, summed over outputs.</summary>
    public double[] MeanAbsolute(Dataset table, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(table);
        var contributions = Explain(table, threads);
        var means = new double[_ensemble.Features.Length];
        for (var i = 0; i < contributions.Length; i++) means[i % means.Length] += Math.Abs(contributions[i]) / table.RowCount;
        return means;
    }

    private byte[][] Bins(Dataset table)
    {
        BinnedDataset.CheckColumns(_ensemble.Features, table);
        if (table.RowCount == 0) throw new ArgumentException("No rows.", nameof(table));
        var rows = new byte[table.RowCount][];
        var values = new float[table.ColumnCount];
        for (var r = 0; r < rows.Length; r++)
        {
            table.CopyRow(r, values);
            _ensemble.Bins(values, rows[r] = new byte[values.Length]);
        }
        return rows;
    }

    private void Explain(byte[] bins, Span<double> contributions)
    {
        var columns = bins.Length;
        var margins = (double[])_ensemble.Start.Clone();
        var path = _background is null ? new PathDependentShap(_depth) : null;
        var interventional = _background is null ? null : new InterventionalShap(columns, _depth);
        for (var t = 0; t < _ensemble.Trees.Count; t++)
        {
            var tree = _ensemble.Trees[t];
            var output = t % _base.Length;
            margins[output] += tree.Value[tree.Leaf(bins)];
            var to = contributions.Slice(output * columns, columns);
            if (path is not null) path.Add(tree, bins, to);
            else interventional!.Add(tree, bins, _background!, to);
        }
        for (var k = 0; k < margins.Length; k++)
        {
            var sum = _base[k];
            foreach (var contribution in contributions.Slice(k * columns, columns)) sum += contribution;
            if (!(Math.Abs(sum - margins[k]) <= 1e-6 * (1 + Math.Abs(margins[k]))))
                throw new ArithmeticException($"Contributions add up to {sum}, the margin is {margins[k]}.");
        }
    }

    private static double Expected(Tree tree, int node)
    {
        if (tree.IsLeaf(node)) return tree.Value[node];
        var left = tree.Left[node];
        return (tree.Rows[left] * Expected(tree, left) + tree.Rows[left + 1] * Expected(tree, left + 1)) / tree.Rows[node];
    }
}
