using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;

namespace OKLA.ML.Training;

/// <summary>How a table's rows are parted: the newest are the test where there is a time, whole groups where there is a group, else a seed draws within classes or tenths.</summary>
internal static class TableSplits
{
    /// <summary>The test, and how it was drawn.</summary>
    public static (Split Split, string How, DateTimeOffset? Until) Test(TableTask task, RawColumn? time, RawColumn? group, double share, int seed, double embargoDays = 0)
    {
        if (time is not null)
        {
            var times = Times(time);
            var split = Splits.ByTime(times, share);
            // Rows of one moment stay together, on the later side.
            var first = times[split.Test[0]];
            var train = split.Train.Where(row => times[row] < first && times[row].AddDays(embargoDays) <= first).ToArray();
            if (train.Length == 0)
            {
                throw new TooLittleDataException($"{time.Name} does not part the rows: nothing whose target was known lies before {first:u}.");
            }

            return (new Split(train, [.. split.Train.Where(row => times[row] == first), .. split.Test]), $"by {time.Name} from {first:yyyy-MM-dd HH:mm} UTC", times[train[^1]]);
        }

        if (group is not null)
        {
            return (Splits.Grouped(Names(group), share, seed), $"by whole values of {group.Name}", null);
        }

        return (Splits.Stratified(Strata(task.Y, task.Classes.Count), share, seed), "at random within " + (task.Classes.Count > 0 ? "classes" : "tenths of the target"), null);
    }

    /// <summary>Folds among training rows.</summary>
    public static IReadOnlyList<Split> Folds(TableTask task, RawColumn? time, RawColumn? group, int seed)
    {
        var rows = task.Y.Length;
        var folds = rows < 1_000 ? 8 : rows < 50_000 ? 5 : 3;
        return time is not null ? Splits.TimeFolds(Times(time), folds)
            : group is not null && Names(group).Distinct().Count() is var groups && groups >= 2 ? Splits.GroupKFold(Names(group), Math.Min(folds, groups), seed)
            : Splits.StratifiedKFold(Strata(task.Y, task.Classes.Count), folds, seed);
    }

    private static int[] Strata(float[] y, int classes)
    {
        if (classes > 0)
        {
            return Array.ConvertAll(y, c => (int)c);
        }

        var order = Enumerable.Range(0, y.Length).ToArray();
        Array.Sort((float[])y.Clone(), order);
        var tenth = new int[y.Length];
        for (var i = 0; i < order.Length; i++)
        {
            tenth[order[i]] = (int)((long)i * 10 / order.Length);
        }

        return tenth;
    }

    // A row without a time is as old as can be.
    private static DateTimeOffset[] Times(RawColumn column) => [.. column.Values.Select(text => TableTimes.Read(text) ?? DateTimeOffset.MinValue)];

    private static string[] Names(RawColumn column) => [.. column.Values.Select(text => text?.Trim() ?? "")];
}
