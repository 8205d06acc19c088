using System.Runtime.CompilerServices;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// Trees for prediction: the nodes of all of them lie together, 12 bytes each. A step needs no branch: next = left + (bin − shift &gt; cut), where a node
/// whose missing rows go right has shift 1, so that bin 0 wraps to 255; a leaf points at itself with cut 255. A node of categories has cut 255 as well and
/// a set of the bins that go right; all others share one empty set. Eight paths are walked together, so that their memory latencies overlap: of eight rows
/// through one tree, or of one row through eight trees. Sums are taken in the order of the trees either way.
/// </summary>
internal sealed class PackedTrees
{
    public const int BlockRows = 1 << BlockShift;
    private const int BlockShift = 6;
    private const int Lanes = 8;
    private readonly Node[] _nodes;
    private readonly double[] _values;
    private readonly ulong[] _sets;
    private readonly Root[] _roots;
    private readonly int _outputs;

    public PackedTrees(IReadOnlyList<Tree> trees, int outputs)
    {
        _outputs = outputs;
        _nodes = new Node[trees.Sum(tree => tree.NodeCount)];
        _values = new double[_nodes.Length];
        _roots = new Root[trees.Count];
        _sets = new ulong[Tree.SetWords + trees.Sum(tree => tree.Sets.Count)];
        var (from, nextSet) = (0, Tree.SetWords);
        for (var t = 0; t < trees.Count; t++)
        {
            var tree = trees[t];
            _roots[t] = new Root(from, tree.MaxDepth, tree.HasCategories);
            for (var n = 0; n < tree.NodeCount; n++)
            {
                _values[from + n] = tree.Value[n];
                _nodes[from + n] = tree.IsLeaf(n) ? new Node { Left = from + n, Cut = 255 } : Inner(tree, n, from, ref nextSet);
            }
            from += tree.NodeCount;
        }
    }

    private struct Node
    {
        /// <summary>Left child; a leaf's is the leaf.</summary>
        public int Left;

        /// <summary>First word of its set in all sets; 0 is the empty one.</summary>
        public int Set;
        public ushort Feature;
        public byte Cut;
        public byte Shift;
    }

    private readonly record struct Root(int Node, int Depth, bool HasCategories);

    /// <summary>Adds all trees' answers for up to <see cref="BlockRows"/> rows to margins (row-major); a column's bins lie together, <see cref="BlockRows"/> bytes a column.</summary>
    /// <param name="bins">Bins of the rows.</param>
    /// <param name="columns">How many columns they have.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="margins">Sums so far.</param>
    public unsafe void AddBlock(byte* bins, int columns, int rows, double* margins)
    {
        var row = rows / Lanes * Lanes;
        fixed (Node* nodes = _nodes)
        fixed (double* values = _values)
        fixed (ulong* sets = _sets)
        {
            for (var t = 0; t < _roots.Length && row > 0; t++)
            {
                var tree = _roots[t];
                var output = margins + t % _outputs;
                for (var r = 0; r < row; r += Lanes)
                {
                    if (tree.HasCategories) EightWithSets(nodes, values, sets, tree, bins + r, output + (long)r * _outputs);
                    else Eight(nodes, values, tree, bins + r, output + (long)r * _outputs);
                }
            }
        }
        if (row == rows) return;
        Span<byte> alone = columns <= 1024 ? stackalloc byte[columns] : new byte[columns];
        for (; row < rows; row++)
        {
            for (var c = 0; c < columns; c++) alone[c] = bins[(c << BlockShift) + row];
            fixed (byte* own = alone) AddRow(own, margins + (long)row * _outputs);
        }
    }

    /// <summary>Adds all trees' answers for one row of bins (a byte a column) to its margins.</summary>
    public unsafe void AddRow(byte* bins, double* margins)
    {
        fixed (Node* nodes = _nodes)
        fixed (double* values = _values)
        fixed (ulong* sets = _sets)
        fixed (Root* roots = _roots)
        {
            var t = 0;
            for (; t + Lanes <= _roots.Length; t += Lanes) EightTrees(nodes, values, sets, roots + t, bins, margins, t);
            for (; t < _roots.Length; t++)
            {
                var node = roots[t].Node;
                while (nodes[node].Left != node) node = StepWithSets(nodes, sets, node, bins, 0);
                margins[t % _outputs] += values[node];
            }
        }
    }

    private Node Inner(Tree tree, int n, int from, ref int nextSet)
    {
        var node = new Node { Left = from + tree.Left[n], Feature = checked((ushort)tree.Feature[n]), Cut = 255 };
        if (tree.Set[n] < 0)
        {
            node.Shift = tree.MissingLeft[n] ? (byte)0 : (byte)1;
            node.Cut = (byte)(tree.Bin[n] - node.Shift);
            return node;
        }
        node.Set = nextSet;
        nextSet += Tree.SetWords;
        for (var bin = 0; bin < 256; bin++)
        {
            if (!tree.GoesLeft(n, (byte)bin)) _sets[node.Set + (bin >> 6)] |= 1UL << (bin & 63);
        }
        return node;
    }

    private static unsafe int Step(Node* nodes, int node, byte* bins, int shift)
    {
        var at = nodes + node;
        return at->Left + Unsafe.BitCast<bool, byte>((byte)(bins[at->Feature << shift] - at->Shift) > at->Cut);
    }

    private static unsafe int StepWithSets(Node* nodes, ulong* sets, int node, byte* bins, int shift)
    {
        var at = nodes + node;
        int bin = bins[at->Feature << shift];
        return at->Left + Unsafe.BitCast<bool, byte>((byte)(bin - at->Shift) > at->Cut) + (int)(sets[at->Set + (bin >> 6)] >> (bin & 63) & 1);
    }

    /// <summary>One row through eight trees at once, until all are at a leaf.</summary>
    private unsafe void EightTrees(Node* nodes, double* values, ulong* sets, Root* roots, byte* bins, double* margins, int tree)
    {
        int n0 = roots[0].Node, n1 = roots[1].Node, n2 = roots[2].Node, n3 = roots[3].Node, n4 = roots[4].Node, n5 = roots[5].Node, n6 = roots[6].Node, n7 = roots[7].Node;
        while (true)
        {
            var (b0, b1, b2, b3, b4, b5, b6, b7) = (n0, n1, n2, n3, n4, n5, n6, n7);
            n0 = StepWithSets(nodes, sets, n0, bins, 0);
            n1 = StepWithSets(nodes, sets, n1, bins, 0);
            n2 = StepWithSets(nodes, sets, n2, bins, 0);
            n3 = StepWithSets(nodes, sets, n3, bins, 0);
            n4 = StepWithSets(nodes, sets, n4, bins, 0);
            n5 = StepWithSets(nodes, sets, n5, bins, 0);
            n6 = StepWithSets(nodes, sets, n6, bins, 0);
            n7 = StepWithSets(nodes, sets, n7, bins, 0);
            if (((n0 ^ b0) | (n1 ^ b1) | (n2 ^ b2) | (n3 ^ b3) | (n4 ^ b4) | (n5 ^ b5) | (n6 ^ b6) | (n7 ^ b7)) == 0) break;
        }
        margins[tree % _outputs] += values[n0];
        margins[(tree + 1) % _outputs] += values[n1];
        margins[(tree + 2) % _outputs] += values[n2];
        margins[(tree + 3) % _outputs] += values[n3];
        margins[(tree + 4) % _outputs] += values[n4];
        margins[(tree + 5) % _outputs] += values[n5];
        margins[(tree + 6) % _outputs] += values[n6];
        margins[(tree + 7) % _outputs] += values[n7];
    }

    private unsafe void Eight(Node* nodes, double* values, Root tree, byte* bins, double* output)
    {
        int n0 = tree.Node, n1 = n0, n2 = n0, n3 = n0, n4 = n0, n5 = n0, n6 = n0, n7 = n0;
        for (var d = 0; d < tree.Depth; d++)
        {
            n0 = Step(nodes, n0, bins, BlockShift);
            n1 = Step(nodes, n1, bins + 1, BlockShift);
            n2 = Step(nodes, n2, bins + 2, BlockShift);
            n3 = Step(nodes, n3, bins + 3, BlockShift);
            n4 = Step(nodes, n4, bins + 4, BlockShift);
            n5 = Step(nodes, n5, bins + 5, BlockShift);
            n6 = Step(nodes, n6, bins + 6, BlockShift);
            n7 = Step(nodes, n7, bins + 7, BlockShift);
        }
        Add(values, output, n0, n1, n2, n3, n4, n5, n6, n7);
    }

    private unsafe void EightWithSets(Node* nodes, double* values, ulong* sets, Root tree, byte* bins, double* output)
    {
        int n0 = tree.Node, n1 = n0, n2 = n0, n3 = n0, n4 = n0, n5 = n0, n6 = n0, n7 = n0;
        for (var d = 0; d < tree.Depth; d++)
        {
            n0 = StepWithSets(nodes, sets, n0, bins, BlockShift);
            n1 = StepWithSets(nodes, sets, n1, bins + 1, BlockShift);
            n2 = StepWithSets(nodes, sets, n2, bins + 2, BlockShift);
            n3 = StepWithSets(nodes, sets, n3, bins + 3, BlockShift);
            n4 = StepWithSets(nodes, sets, n4, bins + 4, BlockShift);
            n5 = StepWithSets(nodes, sets, n5, bins + 5, BlockShift);
            n6 = StepWithSets(nodes, sets, n6, bins + 6, BlockShift);
            n7 = StepWithSets(nodes, sets, n7, bins + 7, BlockShift);
        }
        Add(values, output, n0, n1, n2, n3, n4, n5, n6, n7);
    }

    private unsafe void Add(double* values, double* output, int n0, int n1, int n2, int n3, int n4, int n5, int n6, int n7)
    {
        output[0] += values[n0];
        output[_outputs] += values[n1];
        output[2 * _outputs] += values[n2];
        output[3 * _outputs] += values[n3];
        output[4 * _outputs] += values[n4];
        output[5 * _outputs] += values[n5];
        output[6 * _outputs] += values[n6];
        output[7 * _outputs] += values[n7];
    }
}
