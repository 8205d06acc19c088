namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Row numbers to learn from and row numbers to measure on; disjoint.</summary>
/// <param name="Train">Rows to learn from.</param>
/// <param name="Test">Rows to measure on.</param>
public sealed record Split(int[] Train, int[] Test);

/// <summary>One round of a nested cross-validation: choose settings on the inner splits (rows of the outer training part), measure on the outer test part.</summary>
/// <param name="Outer">The split to measure on.</param>
/// <param name="Inner">Splits of the outer training rows; row numbers are those of the whole data.</param>
public sealed record NestedSplit(Split Outer, IReadOnlyList<Split> Inner);

/// <summary>Ways to part rows into training and test. Seeded; the same seed gives the same parts. Random parts come back in ascending order of rows.</summary>
public static class Splits
{
    /// <summary>A random part of round-up(rows · share) rows is the test.</summary>
    public static Split Random(int rows, double testShare = 0.2, int seed = 42)
    {
        CheckShare(testShare);
        var order = Shuffled(rows, seed);
        return Cut(order, rows - (int)Math.Ceiling(rows * testShare - 1e-9));
    }

    /// <summary>
    /// The latest rows are the test: the first ⌊rows · (1 − share)⌋ rows in order of time learn (rows of equal time keep their order). Both parts in order of time.
    /// </summary>
    public static Split ByTime<T>(IReadOnlyList<T> times, double testShare = 0.2)
    {
        CheckShare(testShare);
        ArgumentNullException.ThrowIfNull(times);
        var order = Enumerable.Range(0, times.Count).OrderBy(i => times[i]).ToArray();
        int cut = (int)(times.Count * (1 - testShare) + 1e-9);
        return new Split(order[..cut], order[cut..]);
    }

    /// <summary>Whole groups are drawn at random into the test until it has round-up(groups · share) groups: no group is on both sides.</summary>
    public static Split Grouped<T>(IReadOnlyList<T> groups, double testShare = 0.2, int seed = 42) where T : notnull
    {
        CheckShare(testShare);
        ArgumentNullException.ThrowIfNull(groups);
        var names = groups.Distinct().ToArray();
        var order = Shuffled(names.Length, seed);
        var test = order.Take((int)Math.Ceiling(names.Length * testShare - 1e-9)).Select(i => names[i]).ToHashSet();
        return Where(groups.Count, i => test.Contains(groups[i]));
    }

    /// <summary>A random part with each class in (nearly) the share it has overall; the sizes are rounded by largest remainder.</summary>
    public static Split Stratified<T>(IReadOnlyList<T> classes, double testShare = 0.2, int seed = 42) where T : notnull
    {
        CheckShare(testShare);
        ArgumentNullException.ThrowIfNull(classes);
        var members = Members(classes, seed);
        int total = (int)Math.Ceiling(classes.Count * testShare - 1e-9);
        var sizes = members.Select(m => (int)(m.Length * testShare)).ToArray();
        int rest = total - sizes.Sum();
        foreach (int c in Enumerable.Range(0, members.Length).OrderByDescending(c => members[c].Length * testShare - sizes[c]).Take(rest)) sizes[c]++;
        var test = members.SelectMany((m, c) => m.Take(sizes[c])).ToHashSet();
        return Where(classes.Count, test.Contains);
    }

    /// <summary>k random folds of nearly equal size; each is the test once.</summary>
    public static IReadOnlyList<Split> KFold(int rows, int folds, int seed = 42)
    {
        CheckFolds(folds, rows);
        var fold = new int[rows];
        var order = Shuffled(rows, seed);
        for (int i = 0; i < rows; i++) fold[order[i]] = (int)((long)i * folds / rows);
        return ByFold(fold, folds);
    }

    /// <summary>k folds with each class spread evenly over them.</summary>
    public static IReadOnlyList<Split> StratifiedKFold<T>(IReadOnlyList<T> classes, int folds, int seed = 42) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(classes);
        CheckFolds(folds, classes.Count);
        var fold = new int[classes.Count];
        int next = 0;
        foreach (var members in Members(classes, seed))
            foreach (int row in members) fold[row] = next++ % folds;
        return ByFold(fold, folds);
    }

    /// <summary>k folds of whole groups, balanced by rows: the largest group first, each into the smallest fold. Needs at least k groups.</summary>
    public static IReadOnlyList<Split> GroupKFold<T>(IReadOnlyList<T> groups, int folds, int seed = 42) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(groups);
        var members = Members(groups, seed);
        CheckFolds(folds, members.Length);
        var shuffled = Shuffled(members.Length, seed);
        var sizes = new int[folds];
        var fold = new int[groups.Count];
        foreach (int g in shuffled.OrderByDescending(g => members[g].Length))
        {
            int smallest = Array.IndexOf(sizes, sizes.Min());
            sizes[smallest] += members[g].Length;
            foreach (int row in members[g]) fold[row] = smallest;
        }

        return ByFold(fold, folds);
    }

    /// <summary>
    /// k tests one after the other in time, each learned from all rows before it less <paramref name="gap"/> rows (so that labels that ripen late do not leak).
    /// Rows are cut into k + 1 nearly equal runs; the first only learns.
    /// </summary>
    public static IReadOnlyList<Split> TimeFolds<T>(IReadOnlyList<T> times, int folds, int gap = 0)
    {
        ArgumentNullException.ThrowIfNull(times);
        CheckFolds(folds, times.Count - 1);
        ArgumentOutOfRangeException.ThrowIfNegative(gap);
        var order = Enumerable.Range(0, times.Count).OrderBy(i => times[i]).ToArray();
        var splits = new List<Split>();
        for (int f = 1; f <= folds; f++)
        {
            int from = (int)((long)order.Length * f / (folds + 1)), to = (int)((long)order.Length * (f + 1) / (folds + 1));
            if (from <= gap) throw new ArgumentException($"A gap of {gap} rows leaves nothing to learn from in fold {f}.", nameof(gap));
            splits.Add(new Split(order[..(from - gap)], order[from..to]));
        }

        return splits;
    }

    /// <summary>Nested cross-validation: for each outer split, <paramref name="inner"/> parts the outer training rows (it is given their row numbers).</summary>
    public static IReadOnlyList<NestedSplit> Nested(IReadOnlyList<Split> outer, Func<int[], IReadOnlyList<Split>> inner)
    {
        ArgumentNullException.ThrowIfNull(outer);
        ArgumentNullException.ThrowIfNull(inner);
        return outer.Select(o => new NestedSplit(o, inner(o.Train).Select(i =>
            new Split(Array.ConvertAll(i.Train, at => o.Train[at]), Array.ConvertAll(i.Test, at => o.Train[at]))).ToArray())).ToArray();
    }

    internal static int[] Shuffled(int count, int seed)
    {
        var order = Enumerable.Range(0, count).ToArray();
        new Random(seed).Shuffle(order);
        return order;
    }

    private static int[][] Members<T>(IReadOnlyList<T> keys, int seed) where T : notnull
    {
        var random = new Random(seed);
        return Enumerable.Range(0, keys.Count).GroupBy(i => keys[i]).Select(g =>
        {
            var rows = g.ToArray();
            random.Shuffle(rows);
            return rows;
        }).ToArray();
    }

    private static Split Cut(int[] order, int train)
    {
        var split = new Split(order[..train], order[train..]);
        Array.Sort(split.Train);
        Array.Sort(split.Test);
        return split;
    }

    private static Split Where(int rows, Func<int, bool> isTest) =>
        new(Enumerable.Range(0, rows).Where(i => !isTest(i)).ToArray(), Enumerable.Range(0, rows).Where(isTest).ToArray());

    private static Split[] ByFold(int[] fold, int folds) => Enumerable.Range(0, folds).Select(f => Where(fold.Length, i => fold[i] == f)).ToArray();

    private static void CheckShare(double share)
    {
        if (!(share is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "The test's share lies between 0 and 1.");
    }

    private static void CheckFolds(int folds, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(folds, most);
    }
}
