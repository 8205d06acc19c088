namespace OKLA.ML.Algorithms.Trees;

/// <summary>One training run: margins, derivatives and the trees so far.</summary>
internal sealed class BoostingRun
{
    private readonly BinnedDataset _data;
    private readonly float[] _targets;
    private readonly float[]? _weights;
    private readonly GradientBoostingOptions _options;
    private readonly Objective _objective;
    private readonly TreeGrower[] _growers;
    private readonly int _threads;
    private readonly int _outputs;
    private readonly float[][] _margins, _gradients, _hessians;
    private readonly double[] _start;
    private readonly List<Tree> _trees = [];

    public BoostingRun(BinnedDataset data, float[] targets, GradientBoostingOptions options, float[]? weights, int[]? groups)
    {
        _data = data;
        _targets = targets;
        _weights = weights;
        _options = options;
        _objective = Objective.Create(options, targets, weights, groups);
        _threads = Workers.Count(options.Threads);
        _outputs = _objective.Outputs;
        _start = _objective.StartMargins();
        _margins = [.. _start.Select(start => Filled(data.RowCount, start))];
        _gradients = [.. _start.Select(_ => new float[data.RowCount])];
        _hessians = [.. _start.Select(_ => new float[data.RowCount])];
        // Several classes grow their trees side by side, each on one thread; a single output shares its rows among the threads.
        var side = _outputs > 1 ? Math.Min(_threads, _outputs) : 1;
        _growers = [.. Enumerable.Range(0, side).Select(_ => new TreeGrower(data, GrowthOptions.From(options, data.Features, side > 1 ? 1 : _threads)))];
    }

    public GradientBoostingModel Run(
        BinnedDataset? validX, float[]? validY, int[]? validGroups, IProgress<BoostingProgress>? progress, CancellationToken cancellation)
    {
        var validMargins = validX is null ? null : _start.Select(start => Filled(validX.RowCount, start)).ToArray();
        var watched = validX is null ? null : new ValidationScore(_options, validY!, validGroups);
        var scores = new List<double>();
        var best = -1;
        for (var iteration = 0; iteration < _options.Iterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            var grown = Round(iteration);
            if (validX is not null)
            {
                for (var k = 0; k < _outputs; k++) AddTree(_trees[^(_outputs - k)], validX, null, validMargins![k]);
                scores.Add(watched!.Of(validMargins!));
                if (best < 0 || watched.IsBetter(scores[^1], scores[best])) best = iteration;
            }
            progress?.Report(new BoostingProgress(iteration + 1, scores.Count > 0 ? scores[^1] : double.NaN, best + 1));
            if (_options.EarlyStoppingRounds > 0 && validX is not null && iteration - best >= _options.EarlyStoppingRounds) break;
            if (_options.SolvedShare > 0 && scores.Count > 1 && _options.Metric != BoostingMetric.AreaUnderCurve && scores[^1] < _options.SolvedShare * scores[0]) break;
            if (_options.Enough?.Invoke() == true) break;
            // Without sampling, a round that found no split finds none later either.
            if (!grown && _options.RowSample == 1 && _options.ColumnSampleByTree == 1 && _options.ColumnSampleByLevel == 1 && _options.ColumnSampleByNode == 1) break;
        }
        if (_options.EarlyStoppingRounds > 0 && best >= 0) _trees.RemoveRange((best + 1) * _outputs, _trees.Count - (best + 1) * _outputs);
        return new GradientBoostingModel(_options.Objective, new TreeEnsemble(_data.Features, [.. _trees], _start), scores);
    }

    private bool Round(int iteration)
    {
        _objective.Derivatives(_margins, _gradients, _hessians, _threads);
        var sample = DrawRows(iteration);
        var trees = new Tree[_outputs];
        if (_growers.Length == 1)
        {
            for (var k = 0; k < _outputs; k++) trees[k] = Grow(_growers[0], iteration, k, sample);
        }
        else
        {
            Parallel.For(0, _growers.Length, new ParallelOptions { MaxDegreeOfParallelism = _growers.Length }, g =>
            {
                for (var k = g; k < _outputs; k += _growers.Length) trees[k] = Grow(_growers[g], iteration, k, sample);
            });
        }
        _trees.AddRange(trees);
        return trees.Any(tree => tree.NodeCount > 1);
    }

    private int[]? DrawRows(int iteration) => _options.RowSample == 1 ? null
        : RandomSource.For(_options.Seed, iteration, 7).Sample(_data.RowCount, Math.Max(1, (int)Math.Round(_data.RowCount * _options.RowSample)));

    private Tree Grow(TreeGrower grower, int iteration, int output, int[]? sample)
    {
        var tree = grower.Grow(_gradients[output], _hessians[output], sample, iteration * _outputs + output);
        var margins = _margins[output];
        foreach (var leaf in grower.Leaves)
        {
            var rows = grower.Rows.AsMemory(leaf.Start, leaf.Count);
            if (_objective.RenewQuantile is { } quantile) tree.Value[leaf.Node] = Math.Clamp(Residual(rows.Span, margins, quantile), leaf.Low, leaf.High);
            tree.Value[leaf.Node] *= _options.LearningRate;
            var value = (float)tree.Value[leaf.Node];
            foreach (var row in rows.Span) margins[row] += value;
        }
        if (sample is not null) AddTree(tree, _data, sample, margins);
        return tree;
    }

    private double Residual(ReadOnlySpan<int> rows, float[] margins, double quantile)
    {
        var residuals = new float[rows.Length];
        var weights = _weights is null ? null : new float[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            residuals[i] = _targets[rows[i]] - margins[rows[i]];
            if (weights is not null) weights[i] = _weights![rows[i]];
        }
        return WeightedQuantile.Of(residuals, weights, quantile);
    }

    // Adds the tree's answers for the rows that are not in the sample, which got theirs leaf by leaf.
    private void AddTree(Tree tree, BinnedDataset data, int[]? sample, float[] margins)
    {
        const int Part = 4096;
        Workers.For(_growers.Length > 1 && sample is not null ? 1 : _threads, (data.RowCount + Part - 1) / Part, p =>
        {
            var next = sample is null ? 0 : Array.BinarySearch(sample, p * Part);
            if (next < 0) next = ~next;
            for (var row = p * Part; row < Math.Min(data.RowCount, (p + 1) * Part); row++)
            {
                if (sample is not null && next < sample.Length && sample[next] == row) next++;
                else margins[row] += (float)tree.Value[tree.Leaf(data, row)];
            }
        });
    }

    private static float[] Filled(int count, double value)
    {
        var values = new float[count];
        values.AsSpan().Fill((float)value);
        return values;
    }
}
