using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>The knobs of <see cref="RandomForest"/>.</summary>
public sealed record RandomForestOptions
{
    /// <summary>Number of trees.</summary>
    public int Trees { get; init; } = 300;

    /// <summary>Number of classes (targets 0 to Classes − 1), or 0 for regression.</summary>
    public int Classes { get; init; }

    /// <summary>Extremely randomised trees (Geurts et al. 2006): every row in each tree, one random cut a column, instead of bootstrap and best cut.</summary>
    public bool ExtraTrees { get; init; }

    /// <summary>Most splits between root and leaf; 0 sets no limit.</summary>
    public int MaxDepth { get; init; }

    /// <summary>Least rows of a leaf.</summary>
    public int MinRowsPerLeaf { get; init; } = 2;

    /// <summary>Share of columns tried at each node; 0 takes a third for regression and the square root of their number for classes (Breiman 2001).</summary>
    public double ColumnSampleByNode { get; init; }

    /// <summary>Weight of each class; empty gives each row weight 1.</summary>
    public IReadOnlyList<double> ClassWeights { get; init; } = [];

    /// <summary>Most bins for the known values of a column, 2 to 255.</summary>
    public int MaxBins { get; init; } = 255;

    /// <summary>Seed of every draw.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Most threads; the model is the same for any number. 0 takes every core.</summary>
    public int Threads { get; init; }

    // Looked at between trees; true ends training with what is learned by then.
    internal Func<bool>? Enough { get; init; }

    internal void Validate()
    {
        if (Trees < 1 || Classes is 1 or < 0 || MaxDepth < 0 || MinRowsPerLeaf < 1 || ColumnSampleByNode is < 0 or > 1 || MaxBins is < 2 or > 255)
            throw new ArgumentException("Random forest options: a value is out of range.");
        if (ClassWeights.Count != 0 && ClassWeights.Count != Classes) throw new ArgumentException("Random forest options: one weight a class.");
    }
}

/// <summary>
/// Random forests (Breiman 2001) and extra trees (Geurts et al. 2006) on binned columns. For two classes the squared error of the
/// indicator is the Gini criterion; for more, each class has its own tree a bootstrap sample and the shares are normalised.
/// </summary>
public static class RandomForest
{
    /// <summary>Trains on <paramref name="x"/> (rows × columns) and <paramref name="y"/> (numbers, or classes from 0).</summary>
    /// <exception cref="ArgumentException">Lengths differ, a target is no class, or an option is out of range.</exception>
    public static RandomForestModel Train(Dataset x, float[] y, RandomForestOptions options, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (x.RowCount == 0 || y.Length != x.RowCount || (weights is not null && weights.Length != y.Length)) throw new ArgumentException("Rows, targets and weights differ in number.", nameof(y));
        if (y.Any(t => !float.IsFinite(t) || (options.Classes > 0 && (t < 0 || t >= options.Classes || t != MathF.Floor(t)))))
            throw new ArgumentException("A target is not finite, or not a class.", nameof(y));
        return new ForestRun(BinnedDataset.Fit(x, options.MaxBins, options.Threads), y, options, weights).Run(cancellation);
    }
}

/// <summary>One training run of a forest.</summary>
internal sealed class ForestRun
{
    private readonly BinnedDataset _data;
    private readonly float[] _targets;
    private readonly RandomForestOptions _options;
    private readonly float[] _weights;
    private readonly int _outputs;
    private readonly double[] _start;
    private readonly GrowthOptions _growth;

    public ForestRun(BinnedDataset data, float[] targets, RandomForestOptions options, float[]? weights)
    {
        _data = data;
        _targets = targets;
        _options = options;
        _weights = new float[targets.Length];
        for (var i = 0; i < targets.Length; i++)
            _weights[i] = (weights?[i] ?? 1) * (options.ClassWeights.Count > 0 ? (float)options.ClassWeights[(int)targets[i]] : 1);
        _outputs = options.Classes > 2 ? options.Classes : 1;
        var total = _weights.Sum(w => (double)w);
        _start = [.. Enumerable.Range(0, _outputs).Select(k => targets.Select((_, i) => (double)_weights[i] * Target(i, k)).Sum() / total)];
        var columns = data.ColumnCount;
        var share = options.ColumnSampleByNode > 0 ? options.ColumnSampleByNode : options.Classes > 0 ? Math.Sqrt(columns) / columns : 1 / 3.0;
        _growth = new GrowthOptions
        {
            MaxLeaves = int.MaxValue / 4, MaxDepth = options.MaxDepth == 0 ? int.MaxValue : options.MaxDepth, MinRowsPerLeaf = options.MinRowsPerLeaf,
            MinHessianPerLeaf = 0, MinSplitGain = 1e-9, Lambda = 0, Alpha = 0, ColumnSampleByTree = 1, ColumnSampleByLevel = 1,
            ColumnSampleByNode = Math.Min(1, share), CategorySmoothing = 1, CategoryLambda = 0, MaxCategoriesPerSplit = 255, OneHotCategories = 0,
            Seed = options.Seed, Threads = 1, RandomThresholds = options.ExtraTrees,
        };
    }

    public RandomForestModel Run(CancellationToken cancellation)
    {
        var trees = new Tree[_options.Trees * _outputs];
        var threads = Math.Min(Workers.Count(_options.Threads), _options.Trees);
        // Answers add up to one tree's worth; out-of-bag sums are kept a tree apart so that their order does not depend on threads.
        var bags = new int[_options.Trees][];
        Workers.Ranges(threads, threads, (lane, _, _) =>
        {
            var grower = new TreeGrower(_data, _growth);
            var gradients = new float[_targets.Length];
            var hessians = new float[_targets.Length];
            for (var t = lane; t < _options.Trees; t += threads)
            {
                if (t >= threads && _options.Enough?.Invoke() == true) break;
                cancellation.ThrowIfCancellationRequested();
                var bag = Draw(t, hessians);
                bags[t] = bag;
                for (var k = 0; k < _outputs; k++)
                {
                    foreach (var row in bag) gradients[row] = (float)((_start[k] - Target(row, k)) * hessians[row]);
                    trees[t * _outputs + k] = grower.Grow(gradients, hessians, bag, t * _outputs + k);
                }
            }
        });
        // All trees, but when training was told to end before.
        bags = [.. bags.Where(bag => bag is not null)];
        trees = [.. trees.Where(tree => tree is not null)];
        foreach (var tree in trees)
        {
            for (var n = 0; n < tree.NodeCount; n++) tree.Value[n] /= bags.Length;
        }
        var score = _options.ExtraTrees ? double.NaN : OutOfBag(trees, bags, threads);
        return new RandomForestModel(_options.Classes, new TreeEnsemble(_data.Features, trees, _start), score);
    }

    private double Target(int row, int output) => _outputs > 1 ? (_targets[row] == output ? 1 : 0) : _targets[row];

    // Rows drawn (rising) with their weights in hessians: as often as drawn with replacement, or all of them once.
    private int[] Draw(int tree, float[] hessians)
    {
        var count = _targets.Length;
        if (_options.ExtraTrees)
        {
            _weights.CopyTo(hessians, 0);
            return [.. Enumerable.Range(0, count).Where(i => _weights[i] > 0)];
        }
        var random = RandomSource.For(_options.Seed, tree, 11);
        Array.Clear(hessians);
        for (var i = 0; i < count; i++) hessians[random.NextInt(count)]++;
        for (var i = 0; i < count; i++) hessians[i] *= _weights[i];
        return [.. Enumerable.Range(0, count).Where(i => hessians[i] > 0)];
    }

    private double OutOfBag(Tree[] trees, int[][] bags, int threads)
    {
        var rows = _targets.Length;
        var predicted = new double[rows * _outputs];
        var votes = new int[rows];
        Workers.Ranges(threads, rows, (_, from, to) =>
        {
            for (var t = 0; t < bags.Length; t++)
            {
                var next = Array.BinarySearch(bags[t], from);
                if (next < 0) next = ~next;
                for (var row = from; row < to; row++)
                {
                    if (next < bags[t].Length && bags[t][next] == row)
                    {
                        next++;
                        continue;
                    }
                    votes[row]++;
                    for (var k = 0; k < _outputs; k++)
                    {
                        var tree = trees[t * _outputs + k];
                        predicted[row * _outputs + k] += tree.Value[tree.Leaf(_data, row)] * bags.Length;
                    }
                }
            }
        });
        double weight = 0, right = 0, residual = 0, spread = 0;
        for (var row = 0; row < rows; row++)
        {
            if (votes[row] == 0) continue;
            var answers = predicted.AsSpan(row * _outputs, _outputs);
            for (var k = 0; k < _outputs; k++) answers[k] = _start[k] + answers[k] / votes[row];
            weight += _weights[row];
            if (_options.Classes > 0) right += RandomForestModel.ClassOf(answers) == (int)_targets[row] ? _weights[row] : 0;
            residual += _weights[row] * Math.Pow(_targets[row] - answers[0], 2);
            spread += _weights[row] * Math.Pow(_targets[row] - _start[0], 2);
        }
        return weight == 0 ? double.NaN : _options.Classes > 0 ? right / weight : 1 - residual / spread;
    }
}
