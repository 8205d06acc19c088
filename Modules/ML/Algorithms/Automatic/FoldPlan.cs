using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Automatic;

/// <summary>
/// How training rows are parted for choosing and stopping: many folds, twice over, where rows are few and a single hold-out would be chance; one hold-out
/// where they are many and enough.
/// </summary>
internal static class FoldPlan
{
    private const int Few = 1_000, Some = 20_000, Many = 100_000;
    private const int MostHeldOut = 50_000;

    public static IReadOnlyList<Split> Of(float[] y, int classes, int seed)
    {
        var rows = y.Length;
        if (rows > Many) return [Holdout(y, classes, Math.Min(0.1, (double)MostHeldOut / rows), seed)];
        var folds = Math.Min(rows, rows < Few ? 10 : rows < Some ? 8 : 5);
        var once = Folds(y, classes, folds, seed);
        return rows < Few ? [.. once, .. Folds(y, classes, folds, seed + 1)] : once;
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
