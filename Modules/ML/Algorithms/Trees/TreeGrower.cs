namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// Grows trees leaf-wise (largest gain first) on binned rows: rows of a node are one range of an index array, the smaller child's
/// histogram is summed and the other's is the parent's minus it (Ke et al. 2017).
/// </summary>
internal sealed class TreeGrower
{
    private const int ParallelRows = 16384;
    private const int ParallelColumns = 48;
    private readonly BinnedDataset _data;
    private readonly GrowthOptions _options;
    private readonly GradientPacking _packing;
    private readonly HistogramBuilder _histograms;
    private readonly SplitFinder[] _splits;
    private readonly int[] _moved;
    private readonly List<GrowingLeaf> _leaves = [];
    private readonly PriorityQueue<GrowingLeaf, (double, int)> _open = new();
    private readonly bool[] _groups;
    private int[] _columns = [];
    private bool _byGain;

    public TreeGrower(BinnedDataset data, GrowthOptions options)
    {
        _data = data;
        _options = options;
        _packing = new GradientPacking(data.RowCount);
        _histograms = new HistogramBuilder(data, options.Threads);
        _splits = [.. Enumerable.Range(0, options.Threads).Select(_ => new SplitFinder(data, _histograms.Offsets, options, _packing))];
        Rows = new int[data.RowCount];
        _moved = new int[data.RowCount];
        _groups = new bool[(data.ColumnCount + BinnedDataset.GroupWidth - 1) / BinnedDataset.GroupWidth];
    }

    /// <summary>The rows of the last tree, leaf by leaf.</summary>
    public int[] Rows { get; }

    /// <summary>The last tree's leaves, each a range of <see cref="Rows"/>.</summary>
    public IReadOnlyList<GrowingLeaf> Leaves => _leaves;

    internal sealed class GrowingLeaf
    {
        public int Node;
        public int Position;
        public int Start;
        public int Count;
        public long Total;
        public double Low = double.NegativeInfinity;
        public double High = double.PositiveInfinity;
        public long[]? Histogram;
        public Split Split;
    }

    /// <summary>
    /// Grows one tree on the rows <paramref name="sample"/> (rising; null = all). Leaves' answers are −T(G)/(H+λ) from unrounded sums,
    /// before any learning rate. <paramref name="treeIndex"/> numbers the draws.
    /// </summary>
    public Tree Grow(float[] gradients, float[] hessians, int[]? sample, int treeIndex)
    {
        var count = sample?.Length ?? _data.RowCount;
        var tree = new Tree(127);
        if (sample is null)
        {
            for (var i = 0; i < count; i++) Rows[i] = i;
        }
        else
        {
            sample.CopyTo(Rows, 0);
        }
        var total = _packing.Pack(gradients, hessians, sample, _options.Threads);
        DrawColumns(treeIndex);
        _leaves.Clear();
        _open.Clear();
        _byGain = !EveryLeafMaySplit(count);
        var root = new GrowingLeaf { Count = count, Total = total };
        AddNode(tree, root, 0);
        _leaves.Add(root);
        if (MaySplit(tree, root))
        {
            root.Histogram = _histograms.Rent();
            _histograms.Build(_packing.Packed, Rows, 0, count, _groups, root.Histogram);
            FindSplit(tree, root, treeIndex);
        }
        while (_leaves.Count < _options.MaxLeaves && _open.TryDequeue(out var leaf, out _)) SplitLeaf(tree, leaf, treeIndex);
        foreach (var leaf in _leaves) Release(leaf);
        SetAnswers(tree, gradients, hessians);
        tree.Trim();
        return tree;
    }

    private void DrawColumns(int treeIndex)
    {
        var all = _data.ColumnCount;
        _columns = _options.ColumnSampleByTree < 1
            ? RandomSource.For(_options.Seed, treeIndex, 1).Sample(all, Math.Max(1, (int)Math.Round(all * _options.ColumnSampleByTree)))
            : [.. Enumerable.Range(0, all)];
        Array.Clear(_groups);
        foreach (var column in _columns) _groups[column / BinnedDataset.GroupWidth] = true;
    }

    // When the number of leaves cannot run out, their order does not matter and depth first keeps few histograms open.
    private bool EveryLeafMaySplit(int rows) => _options.MaxLeaves >= rows || (_options.MaxDepth < 30 && _options.MaxLeaves >= 1 << _options.MaxDepth);

    private bool MaySplit(Tree tree, GrowingLeaf leaf) => tree.Depth[leaf.Node] < _options.MaxDepth && leaf.Count >= 2 * _options.MinRowsPerLeaf;

    private void FindSplit(Tree tree, GrowingLeaf leaf, int treeIndex)
    {
        var columns = _columns.AsSpan();
        if (_options.ColumnSampleByLevel < 1)
            columns = Draw(columns, _options.ColumnSampleByLevel, RandomSource.For(_options.Seed, treeIndex, 1000 + tree.Depth[leaf.Node]));
        var random = RandomSource.For(_options.Seed, treeIndex, 100_000 + leaf.Node);
        if (_options.ColumnSampleByNode < 1) columns = Draw(columns, _options.ColumnSampleByNode, random);
        leaf.Split = BestSplit(new SplitNode(leaf.Histogram!, leaf.Total, leaf.Count, leaf.Low, leaf.High), columns, random);
        if (leaf.Split.Feature < 0) Release(leaf);
        else _open.Enqueue(leaf, (_byGain ? -leaf.Split.Gain : -leaf.Node, leaf.Node));
    }

    private Split BestSplit(SplitNode node, ReadOnlySpan<int> columns, RandomSource random)
    {
        // One stream of random cuts runs through all columns, so those stay on one thread.
        if (_splits.Length == 1 || columns.Length < ParallelColumns || _options.RandomThresholds) return _splits[0].Best(node, columns, random);
        var shared = columns.ToArray();
        var found = new Split[_splits.Length];
        Workers.Ranges(found.Length, shared.Length, (lane, from, to) => found[lane] = _splits[lane].Best(node, shared.AsSpan(from, to - from), random));
        var best = found[0];
        foreach (var split in found)
        {
            if (split.Gain > best.Gain) best = split;
        }
        return best;
    }

    private static Span<int> Draw(Span<int> from, double share, RandomSource random)
    {
        var drawn = random.Sample(from.Length, Math.Max(1, (int)Math.Round(from.Length * share)));
        for (var i = 0; i < drawn.Length; i++) drawn[i] = from[drawn[i]];
        return drawn;
    }

    private void SplitLeaf(Tree tree, GrowingLeaf leaf, int treeIndex)
    {
        var split = leaf.Split;
        var node = leaf.Node;
        var leftCount = Partition(leaf.Start, leaf.Count, split);
        var right = new GrowingLeaf
        {
            Start = leaf.Start + leftCount, Count = leaf.Count - leftCount, Total = leaf.Total - split.Left, Low = leaf.Low, High = leaf.High,
        };
        var left = new GrowingLeaf { Start = leaf.Start, Count = leftCount, Total = split.Left, Low = leaf.Low, High = leaf.High };
        LimitAnswers(split, left, right);
        tree.Feature[node] = split.Feature;
        tree.Bin[node] = split.Bin;
        tree.MissingLeft[node] = split.Categorical ? split.Set.Contains(0) : split.MissingLeft;
        tree.Gain[node] = split.Gain;
        if (split.Categorical) tree.Set[node] = tree.AddSet([split.Set[0], split.Set[1], split.Set[2], split.Set[3]]);
        tree.Left[node] = tree.NodeCount;
        AddNode(tree, left, tree.Depth[node] + 1);
        AddNode(tree, right, tree.Depth[node] + 1);
        left.Position = leaf.Position;
        right.Position = _leaves.Count;
        _leaves[left.Position] = left;
        _leaves.Add(right);
        var parent = leaf.Histogram!;
        leaf.Histogram = null;
        var (small, large) = left.Count <= right.Count ? (left, right) : (right, left);
        if (_leaves.Count == _options.MaxLeaves || !MaySplit(tree, large))
        {
            _histograms.Return(parent);
            return;
        }
        small.Histogram = _histograms.Rent();
        _histograms.Build(_packing.Packed, Rows, small.Start, small.Count, _groups, small.Histogram);
        HistogramBuilder.Subtract(parent, small.Histogram);
        large.Histogram = parent;
        FindSplit(tree, large, treeIndex);
        if (MaySplit(tree, small)) FindSplit(tree, small, treeIndex);
        else Release(small);
    }

    private void Release(GrowingLeaf leaf)
    {
        if (leaf.Histogram is null) return;
        _histograms.Return(leaf.Histogram);
        leaf.Histogram = null;
    }

    private void AddNode(Tree tree, GrowingLeaf leaf, int depth)
    {
        leaf.Node = tree.AddNode();
        tree.Depth[leaf.Node] = depth;
        tree.Set[leaf.Node] = -1;
        tree.Rows[leaf.Node] = leaf.Count;
        tree.Hessian[leaf.Node] = GradientPacking.Hessian(leaf.Total) * _packing.HessianUnit;
    }

    // A constrained split parts the answers at the middle of its two sides, for all that grows below it.
    private void LimitAnswers(in Split split, GrowingLeaf left, GrowingLeaf right)
    {
        if (_options.Monotone is null || split.Categorical || _options.Monotone[split.Feature] == 0) return;
        var middle = (Answer(left) + Answer(right)) / 2;
        if (_options.Monotone[split.Feature] > 0) (left.High, right.Low) = (middle, middle);
        else (left.Low, right.High) = (middle, middle);
    }

    private double Answer(GrowingLeaf leaf) => _splits[0].Output(
        GradientPacking.Gradient(leaf.Total) * _packing.GradientUnit, GradientPacking.Hessian(leaf.Total) * _packing.HessianUnit, leaf.Low, leaf.High);

    private int Partition(int start, int count, in Split split)
    {
        Span<byte> goesLeft = stackalloc byte[256];
        for (var bin = 0; bin < 256; bin++) goesLeft[bin] = split.GoesLeft(bin) ? (byte)1 : (byte)0;
        if (count < ParallelRows || _options.Threads == 1) return PartRange(start, count, split.Feature, goesLeft);
        var threads = _options.Threads;
        var table = goesLeft.ToArray();
        var feature = split.Feature;
        var ranges = new (int Start, int Count, int Left)[threads];
        Workers.Ranges(threads, count, (chunk, from, to) =>
            ranges[chunk] = (start + from, to - from, PartRange(start + from, to - from, feature, table)));
        // Each range is parted in itself: its right rows wait in _moved, at the range's own place.
        var left = 0;
        foreach (var range in ranges)
        {
            Array.Copy(Rows, range.Start, Rows, start + left, range.Left);
            left += range.Left;
        }
        var next = start + left;
        foreach (var range in ranges)
        {
            Array.Copy(_moved, range.Start, Rows, next, range.Count - range.Left);
            next += range.Count - range.Left;
        }
        return left;
    }

    private unsafe int PartRange(int start, int count, int feature, ReadOnlySpan<byte> goesLeft)
    {
        var left = 0;
        long stride = _data.Strides[feature / BinnedDataset.BlockWidth];
        fixed (byte* bins = _data.Blocks[feature / BinnedDataset.BlockWidth], table = goesLeft)
        fixed (int* rows = &Rows[start], moved = &_moved[start])
        {
            var column = bins + feature % BinnedDataset.BlockWidth;
            var right = 0;
            for (var i = 0; i < count; i++)
            {
                var row = rows[i];
                int goes = table[column[row * stride]];
                rows[left] = row;
                moved[right] = row;
                left += goes;
                right += 1 - goes;
            }
            new ReadOnlySpan<int>(moved, right).CopyTo(new Span<int>(rows + left, right));
        }
        return left;
    }

    private void SetAnswers(Tree tree, float[] gradients, float[] hessians) => Workers.For(_options.Threads, _leaves.Count, l =>
    {
        var leaf = _leaves[l];
        double gradient = 0, hessian = 0;
        foreach (var row in Rows.AsSpan(leaf.Start, leaf.Count))
        {
            gradient += gradients[row];
            hessian += hessians[row];
        }
        tree.Hessian[leaf.Node] = hessian;
        tree.Value[leaf.Node] = _splits[0].Output(gradient, hessian, leaf.Low, leaf.High);
    });
}
