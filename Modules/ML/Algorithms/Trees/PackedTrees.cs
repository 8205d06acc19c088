using System.Runtime.CompilerServices;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// Trees as contiguous 8-byte nodes for prediction. A step needs no branch: next = left + (bin − shift &gt; cut), where a node whose
/// missing rows go right has shift 1, so that bin 0 wraps to 255; a leaf points at itself with cut 255. Eight rows step together,
/// so that their memory latencies overlap.
/// </summary>
internal sealed class PackedTrees
{
    public const int BlockRows = 1 << BlockShift;
    private const int BlockShift = 6;
    private const int Lanes = 8;
    private readonly Packed[] _trees;
    private readonly int _outputs;

    public PackedTrees(IReadOnlyList<Tree> trees, int outputs)
    {
        _outputs = outputs;
        _trees = new Packed[trees.Count];
        for (var t = 0; t < _trees.Length; t++) _trees[t] = new Packed(trees[t]);
    }

    private struct Node
    {
        public int Left;
        public ushort Feature;
        public byte Cut;
        public byte Shift;
    }

    private sealed class Packed
    {
        public readonly Node[] Nodes;
        public readonly double[] Values;
        public readonly ulong[]? Sets;
        public readonly int Depth;

        public Packed(Tree tree)
        {
            Nodes = new Node[tree.NodeCount];
            Values = tree.Value;
            Depth = tree.MaxDepth;
            Sets = tree.HasCategories ? new ulong[tree.NodeCount * Tree.SetWords] : null;
            for (var n = 0; n < Nodes.Length; n++)
            {
                var leaf = tree.IsLeaf(n);
                Nodes[n].Left = leaf ? n : tree.Left[n];
                Nodes[n].Cut = 255;
                if (leaf) continue;
                Nodes[n].Feature = checked((ushort)tree.Feature[n]);
                Nodes[n].Shift = tree.MissingLeft[n] || tree.Set[n] >= 0 ? (byte)0 : (byte)1;
                Nodes[n].Cut = (byte)(tree.Bin[n] - Nodes[n].Shift);
            }
            if (Sets is null) return;
            // In trees with categories every node gets the set of bins that go right; a leaf's is empty.
            for (var n = 0; n < Nodes.Length; n++)
            {
                for (var bin = 0; bin < 256 && !tree.IsLeaf(n); bin++)
                {
                    if (!tree.GoesLeft(n, (byte)bin)) Sets[n * Tree.SetWords + (bin >> 6)] |= 1UL << (bin & 63);
                }
            }
        }
    }

    /// <summary>Adds all trees' answers for up to <see cref="BlockRows"/> rows to margins (row-major); a column's bins lie together, <see cref="BlockRows"/> bytes a column.</summary>
    public unsafe void AddBlock(byte* bins, int rows, double* margins)
    {
        for (var t = 0; t < _trees.Length; t++)
        {
            var tree = _trees[t];
            fixed (Node* nodes = tree.Nodes)
            fixed (double* values = tree.Values)
            fixed (ulong* sets = tree.Sets)
            {
                var output = margins + t % _outputs;
                var row = 0;
                for (; row + Lanes <= rows; row += Lanes)
                {
                    if (sets is null) Eight(nodes, values, tree.Depth, bins + row, output + (long)row * _outputs);
                    else EightWithSets(nodes, values, sets, tree.Depth, bins + row, output + (long)row * _outputs);
                }
                for (; row < rows; row++) output[(long)row * _outputs] += values[One(nodes, sets, bins + row, BlockShift)];
            }
        }
    }

    /// <summary>Adds all trees' answers for one row of bins (a byte a column) to its margins.</summary>
    public unsafe void AddRow(byte* bins, double* margins)
    {
        for (var t = 0; t < _trees.Length; t++)
        {
            var tree = _trees[t];
            fixed (Node* nodes = tree.Nodes)
            fixed (ulong* sets = tree.Sets) margins[t % _outputs] += tree.Values[One(nodes, sets, bins, 0)];
        }
    }

    private static unsafe int One(Node* nodes, ulong* sets, byte* bins, int shift)
    {
        var node = 0;
        while (nodes[node].Left != node) node = sets is null ? Step(nodes, node, bins, shift) : StepWithSets(nodes, sets, node, bins, shift);
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
        return at->Left + (int)(sets[node * Tree.SetWords + (bin >> 6)] >> (bin & 63) & 1);
    }

    private unsafe void Eight(Node* nodes, double* values, int depth, byte* bins, double* output)
    {
        int n0 = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0, n5 = 0, n6 = 0, n7 = 0;
        for (var d = 0; d < depth; d++)
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

    private unsafe void EightWithSets(Node* nodes, double* values, ulong* sets, int depth, byte* bins, double* output)
    {
        int n0 = 0, n1 = 0, n2 = 0, n3 = 0, n4 = 0, n5 = 0, n6 = 0, n7 = 0;
        for (var d = 0; d < depth; d++)
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
