using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>
/// Shapley values against one background row z at a time (Lundberg et al. 2020, interventional TreeExplainer): a leaf is reached by the
/// subsets that hold all X columns where only the explained row goes its way and none of the Z columns where only z does, which gives
/// each X column the leaf's value × (X−1)!·Z!/(X+Z)! and each Z column its negative with X!·(Z−1)!/(X+Z)!.
/// </summary>
internal sealed class InterventionalShap(int columns, int depth)
{
    private readonly sbyte[] _side = new sbyte[columns];
    private readonly List<int> _x = [], _z = [];
    private readonly double[,] _weights = Weights(depth + 1);

    public void Add(Tree tree, byte[] row, byte[][] background, Span<double> contributions)
    {
        foreach (var other in background) Recurse(tree, row, other, 0, 1.0 / background.Length, contributions);
    }

    private void Recurse(Tree tree, byte[] row, byte[] other, int node, double share, Span<double> contributions)
    {
        while (!tree.IsLeaf(node))
        {
            var feature = tree.Feature[node];
            int rowNext = tree.Left[node] + (tree.GoesLeft(node, row[feature]) ? 0 : 1), otherNext = tree.Left[node] + (tree.GoesLeft(node, other[feature]) ? 0 : 1);
            if (rowNext == otherNext || _side[feature] > 0)
            {
                node = rowNext;
            }
            else if (_side[feature] < 0)
            {
                node = otherNext;
            }
            else
            {
                Down(tree, row, other, rowNext, share, contributions, feature, 1, _x);
                Down(tree, row, other, otherNext, share, contributions, feature, -1, _z);
                return;
            }
        }
        var value = tree.Value[node] * share;
        foreach (var column in _x) contributions[column] += value * _weights[_x.Count - 1, _z.Count];
        foreach (var column in _z) contributions[column] -= value * _weights[_z.Count - 1, _x.Count];
    }

    private void Down(Tree tree, byte[] row, byte[] other, int node, double share, Span<double> contributions, int feature, sbyte side, List<int> members)
    {
        _side[feature] = side;
        members.Add(feature);
        Recurse(tree, row, other, node, share, contributions);
        members.RemoveAt(members.Count - 1);
        _side[feature] = 0;
    }

    // weights[a, b] = a! b! / (a + b + 1)!
    private static double[,] Weights(int size)
    {
        var weights = new double[size + 1, size + 1];
        for (var a = 0; a <= size; a++)
        {
            weights[a, 0] = 1.0 / (a + 1);
            for (var b = 1; b <= size; b++) weights[a, b] = weights[a, b - 1] * b / (a + b + 1);
        }
        return weights;
    }
}
