using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Text;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>
/// How training rows are parted for choosing and stopping: many folds, twice over, where rows are few and a single hold-out would be chance; one hold-out
/// where they are many and enough. Wide tables get fewer folds, since each fold learns every algorithm anew.
/// </summary>
internal static class FoldPlan
{
    private const int Few = 1_000, Some = 5_000, Many = 100_000;
    private const int LeastHeldOut = 5_000, MostHeldOut = 50_000;

    // Cells from which four folds, and from which one hold-out, are what time allows.
    private const long Wide = 1_000_000, VeryWide = 6_000_000;

    /// <summary>The folds; rows that repeat another in every column and target lie in its fold, so that none is judged by its own copy.</summary>
    public static IReadOnlyList<Split> Of(IReadOnlyList<RawColumn> columns, float[] y, int classes, int seed)
    {
        var copies = Copies(columns, y);
        var cells = (long)y.Length * columns.Count;
        if (copies.Count == y.Length) return Of(y, classes, cells, seed);
        return
        [
            .. Of([.. copies.Select(c => y[c[0]])], classes, cells, seed).Select(split =>
                new Split([.. split.Train.SelectMany(g => copies[g]).Order()], [.. split.Test.SelectMany(g => copies[g]).Order()])),
        ];
    }

    private static IReadOnlyList<Split> Of(float[] y, int classes, long cells, int seed)
    {
        var rows = y.Length;
        if (rows > Many || cells > VeryWide) return [Holdout(y, classes, Math.Clamp((double)LeastHeldOut / rows, Math.Min(0.1, (double)MostHeldOut / rows), 0.2), seed)];
        var folds = Math.Min(rows, rows < Few ? 10 : rows < Some ? 8 : 5);
        if (cells > Wide) folds = Math.Min(folds, 4);
        if (folds < 2) throw new ArgumentException("All rows are alike: there is nothing to learn.", nameof(y));
        var once = Folds(y, classes, folds, seed);
        return rows < Few && cells <= Wide ? [.. once, .. Folds(y, classes, folds, seed + 1)] : once;
    }

    // Rows by what they hold, in order of their first; equal 64-bit hashes count as equal rows.
    private static List<List<int>> Copies(IReadOnlyList<RawColumn> columns, float[] y)
    {
        var hashes = new ulong[y.Length];
        for (var r = 0; r < y.Length; r++) hashes[r] = Characters.Mix(BitConverter.SingleToUInt32Bits(y[r]));
        foreach (var column in columns)
        {
            for (var r = 0; r < y.Length; r++) hashes[r] = Characters.Mix(hashes[r] ^ Characters.Hash(column.Values[r].AsSpan()));
        }
        var groups = new Dictionary<ulong, List<int>>(y.Length);
        var copies = new List<List<int>>(y.Length);
        for (var r = 0; r < y.Length; r++)
        {
            if (!groups.TryGetValue(hashes[r], out var group))
            {
                groups.Add(hashes[r], group = new List<int>(1));
                copies.Add(group);
            }
            group.Add(r);
        }
        return copies;
    }

    private static Split Holdout(float[] y, int classes, double share, int seed) =>
        classes == 0 ? Splits.Random(y.Length, share, seed) : Splits.Stratified(Array.ConvertAll(y, c => (int)c), share, seed);

    // Numbers are spread as evenly as classes are, by tenths of their order.
    private static IReadOnlyList<Split> Folds(float[] y, int classes, int folds, int seed)
    {
        if (classes > 0) return Splits.StratifiedKFold(Array.ConvertAll(y, c => (int)c), folds, seed);
        var order = Enumerable.Range(0, y.Length).ToArray();
        Array.Sort((float[])y.Clone(), order);
        var tenth = new int[y.Length];
        for (var i = 0; i < order.Length; i++) tenth[order[i]] = (int)((long)i * 10 / order.Length);
        return Splits.StratifiedKFold(tenth, folds, seed);
    }
}
