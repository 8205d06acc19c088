using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Explanation;

/// <summary>Lundberg, Erion and Lee (2018), Algorithm 2: EXTEND and UNWIND keep, for every subset size, the share of subsets that flow down the path.</summary>
internal sealed class PathDependentShap(int depth)
{
    // Each recursion works on its own copy of the path, at most depth + 2 long, one behind the other.
    private readonly Element[] _paths = new Element[(depth + 2) * (depth + 3)];

    private struct Element
    {
        /// <summary>The column, -1 for the root's empty entry (d in the paper).</summary>
        public int Column;

        /// <summary>Share of training rows that flow this way when the column is absent (z).</summary>
        public double Zero;

        /// <summary>1 when the row itself flows this way, otherwise 0 (o).</summary>
        public double One;

        /// <summary>Weight of the subsets of this size (w).</summary>
        public double Weight;
    }

    public void Add(Tree tree, ReadOnlySpan<byte> row, Span<double> contributions) => Recurse(tree, row, contributions, 0, _paths, 0, 1, 1, -1);

    private static void Recurse(Tree tree, ReadOnlySpan<byte> row, Span<double> contributions, int node, Span<Element> path, int length, double zero, double one, int column)
    {
        Extend(path, length++, zero, one, column);
        if (tree.IsLeaf(node))
        {
            for (var i = 1; i < length; i++)
                contributions[path[i].Column] += UnwoundSum(path, length, i) * (path[i].One - path[i].Zero) * tree.Value[node];
            return;
        }
        var feature = tree.Feature[node];
        var (hot, cold) = tree.GoesLeft(node, row[feature]) ? (tree.Left[node], tree.Left[node] + 1) : (tree.Left[node] + 1, tree.Left[node]);
        double incomingZero = 1, incomingOne = 1;
        for (var i = 1; i < length; i++)
        {
            if (path[i].Column != feature) continue;
            incomingZero = path[i].Zero;
            incomingOne = path[i].One;
            Unwind(path, length--, i);
            break;
        }
        double rows = tree.Rows[node];
        var next = path[(length + 1)..];
        path[..length].CopyTo(next);
        Recurse(tree, row, contributions, hot, next, length, incomingZero * tree.Rows[hot] / rows, incomingOne, feature);
        path[..length].CopyTo(next);
        Recurse(tree, row, contributions, cold, next, length, incomingZero * tree.Rows[cold] / rows, 0, feature);
    }

    private static void Extend(Span<Element> path, int length, double zero, double one, int column)
    {
        path[length] = new Element { Column = column, Zero = zero, One = one, Weight = length == 0 ? 1 : 0 };
        for (var i = length - 1; i >= 0; i--)
        {
            path[i + 1].Weight += one * path[i].Weight * (i + 1) / (length + 1);
            path[i].Weight = zero * path[i].Weight * (length - i) / (length + 1);
        }
    }

    private static void Unwind(Span<Element> path, int length, int index)
    {
        double one = path[index].One, zero = path[index].Zero, next = path[length - 1].Weight;
        for (var j = length - 2; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = path[j].Weight;
                path[j].Weight = next * length / ((j + 1) * one);
                next = weight - path[j].Weight * zero * (length - 1 - j) / length;
            }
            else
            {
                path[j].Weight = path[j].Weight * length / (zero * (length - 1 - j));
            }
        }
        for (var j = index; j < length - 1; j++)
            path[j] = path[j] with { Column = path[j + 1].Column, Zero = path[j + 1].Zero, One = path[j + 1].One };
    }

    private static double UnwoundSum(ReadOnlySpan<Element> path, int length, int index)
    {
        double one = path[index].One, zero = path[index].Zero, next = path[length - 1].Weight, total = 0;
        for (var j = length - 2; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = next * length / ((j + 1) * one);
                total += weight;
                next = path[j].Weight - weight * zero * (length - 1 - j) / length;
            }
            else
            {
                total += path[j].Weight * length / (zero * (length - 1 - j));
            }
        }
        return total;
    }
}
