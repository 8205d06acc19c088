namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>Isolation forest (Liu, Ting, Zhou 2008): rows that few random splits set apart are anomalous. Seeded; the same for any number of threads.</summary>
public sealed class IsolationForest
{
    private readonly record struct Node(int Feature, double Threshold, int Left, int Right, double Length);

    private readonly Node[][] _trees;
    private readonly double _usual;

    private IsolationForest(Node[][] trees, double usual, int features) => (_trees, _usual, Features) = (trees, usual, features);

    /// <summary>Number of features of a row.</summary>
    public int Features { get; }

    /// <summary>Grows <paramref name="trees"/> trees, each on <paramref name="sample"/> rows drawn without replacement. Rows are equally long and finite.</summary>
    public static IsolationForest Fit(IReadOnlyList<double[]> rows, int trees = 100, int sample = 256, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Count, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(trees, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sample, 2);
        int features = rows[0].Length;
        foreach (double[] row in rows)
            if (row.Length != features || row.Any(v => !double.IsFinite(v))) throw new ArgumentException("Rows must be equally long and finite.", nameof(rows));
        sample = Math.Min(sample, rows.Count);
        int limit = (int)Math.Ceiling(Math.Log2(sample));
        var grown = new Node[trees][];
        Parallel.For(0, trees, t =>
        {
            var random = new Random(unchecked(seed * 486187739 + t));
            var draw = new HashSet<int>(sample);
            // Floyd's sampling: a uniform subset in as many draws as it has members.
            for (int j = rows.Count - sample; j < rows.Count; j++)
                if (!draw.Add(random.Next(j + 1))) draw.Add(j);
            int[] at = [.. draw];
            Array.Sort(at);
            var nodes = new List<Node>(2 * sample);
            Grow(rows, at, 0, at.Length, 0, limit, random, nodes);
            grown[t] = [.. nodes];
        });
        return new IsolationForest(grown, AverageLength(sample), features);
    }

    /// <summary>The score s = 2^(−E[h]/c(ψ)) in (0, 1) (equation 2): towards 1 anomalous, below 0.5 usual.</summary>
    public double Score(ReadOnlySpan<double> row)
    {
        if (row.Length != Features) throw new ArgumentException($"A row has {Features} features, not {row.Length}.", nameof(row));
        double total = 0;
        foreach (Node[] tree in _trees)
        {
            int at = 0;
            while (tree[at].Feature >= 0) at = row[tree[at].Feature] < tree[at].Threshold ? tree[at].Left : tree[at].Right;
            total += tree[at].Length;
        }

        return Math.Pow(2, -total / _trees.Length / _usual);
    }

    /// <summary>c(n), the average path of an unsuccessful search in a binary tree of n (equation 1).</summary>
    internal static double AverageLength(int n)
    {
        if (n <= 1) return 0;
        double harmonic = 0;
        if (n <= 1000) for (int i = 1; i < n; i++) harmonic += 1.0 / i;
        else harmonic = Math.Log(n - 1) + 0.5772156649015329 + 0.5 / (n - 1);
        return 2 * harmonic - 2.0 * (n - 1) / n;
    }

    private static int Grow(IReadOnlyList<double[]> rows, int[] at, int from, int to, int depth, int limit, Random random, List<Node> nodes)
    {
        int me = nodes.Count;
        nodes.Add(new Node(-1, 0, 0, 0, depth + AverageLength(to - from)));
        if (depth >= limit || to - from <= 1) return me;
        int features = rows[0].Length, first = random.Next(features);
        for (int tried = 0; tried < features; tried++)
        {
            int feature = (first + tried) % features;
            double low = double.PositiveInfinity, high = double.NegativeInfinity;
            for (int i = from; i < to; i++)
            {
                low = Math.Min(low, rows[at[i]][feature]);
                high = Math.Max(high, rows[at[i]][feature]);
            }

            if (!(low < high)) continue;
            double threshold = low + (1 - random.NextDouble()) * (high - low);
            int middle = from;
            for (int i = from; i < to; i++)
                if (rows[at[i]][feature] < threshold) (at[i], at[middle++]) = (at[middle], at[i]);
            if (middle == from || middle == to) continue;
            int left = Grow(rows, at, from, middle, depth + 1, limit, random, nodes);
            int right = Grow(rows, at, middle, to, depth + 1, limit, random, nodes);
            nodes[me] = new Node(feature, threshold, left, right, 0);
            return me;
        }

        return me;
    }
}
