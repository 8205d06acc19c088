namespace OKLA.ML.Datasets;

/// <summary>A column that may say what could not be known when the target is asked for.</summary>
/// <param name="Column">The column.</param>
/// <param name="Kind">id, predicts-target, function-of-target, missing-tells-target, stands-out or after-time.</param>
/// <param name="Score">How strongly, 0 to 1.</param>
/// <param name="Reason">In words.</param>
internal sealed record LeakSuspect(string Column, string Kind, double Score, string Reason);

/// <summary>How well a column alone tells the target of rows that it was not learned from.</summary>
/// <param name="Column">The column.</param>
/// <param name="Measure">auc (of classes against the rest, by their shares) or r2.</param>
/// <param name="Value">The figure.</param>
/// <param name="MissingOnly">The same from nothing but whether the column is missing.</param>
internal sealed record AloneScore(string Column, string Measure, double Value, double MissingOnly);

/// <summary>Looks for columns that give the target away.</summary>
internal static class Leaks
{
    private const int Folds = 5;
    private const int MaxRows = 20_000;
    private const int NumberBins = 64;
    private const int MaxLevels = 500;
    private const int MaxClasses = 20;
    private const double Prior = 5;

    // What a column alone hardly ever reaches honestly.
    private const double NearlyPerfect = 0.95;

    // Well beyond what single columns honestly say, though some do: a reason to look, no proof.
    private const double Outstanding = 0.8;
    private const double StandsOut = 0.5;
    private const double TimesTheNext = 1.5;

    // An AUC of 0.6 from nothing but whether a cell is filled in, and at least half of what the column says.
    private const double FilledInLater = 0.2;

    /// <summary>How well each column alone tells the target; empty without a target that varies.</summary>
    public static IReadOnlyList<AloneScore> Alone(IReadOnlyList<DatasetColumn> columns, IReadOnlyList<SampledColumn> sample)
    {
        var at = columns.ToList().FindIndex(column => column.Role == ColumnRoles.Target);
        if (at < 0)
        {
            return [];
        }

        var target = sample[at];
        var rows = Enumerable.Range(0, target.Cells.Length).Where(row => !double.IsNaN(target.Cells[row])).Take(MaxRows).ToArray();
        var y = Array.ConvertAll(rows, row => target.Cells[row]);
        var levels = y.Distinct().Count();
        if (levels < 2 || rows.Length < 4 * Folds || (!target.IsNumeric && levels > MaxClasses))
        {
            return [];
        }

        // Few whole numbers are classes.
        var classes = target.IsNumeric && levels > 2 ? null : Associations.Levels(y);
        return
        [
            .. Enumerable.Range(0, columns.Count).Where(c => c != at && columns[c].Type != ColumnTypes.Id).Select(c =>
            {
                var x = Array.ConvertAll(rows, row => sample[c].Cells[row]);
                var missing = Array.ConvertAll(x, cell => double.IsNaN(cell) ? 1 : 0);
                var groups = sample[c].IsNumeric ? OfNumbers(x) : OfValues(x);
                return new AloneScore(columns[c].Name, classes is null ? "r2" : "auc", Score(groups, y, classes), missing.Distinct().Count() < 2 ? Chance(classes) : Score(missing, y, classes));
            }),
        ];
    }

    /// <summary>The columns to look at before training.</summary>
    public static IReadOnlyList<LeakSuspect> Suspects(IReadOnlyList<DatasetColumn> columns, IReadOnlyList<SampledColumn> sample, IReadOnlyList<AloneScore> alone)
    {
        var suspects = new List<LeakSuspect>();
        foreach (var column in columns.Where(column => column.Type == ColumnTypes.Id))
        {
            suspects.Add(new LeakSuspect(column.Name, "id", 1, "It names rows: what a model learns from it is worth nothing on others, or is their order in time."));
        }

        AddAfterTime(suspects, columns, sample);
        var target = columns.ToList().FindIndex(column => column.Role == ColumnRoles.Target);
        double Gain(AloneScore score, double value) => score.Measure == "auc" ? Math.Max(0, (2 * value) - 1) : Math.Max(0, value);
        foreach (var score in alone)
        {
            var (gain, fromMissing) = (Gain(score, score.Value), Gain(score, score.MissingOnly));
            var place = columns.ToList().FindIndex(column => column.Name == score.Column);
            if (IsFunction(sample[target], sample[place]))
            {
                suspects.Add(new LeakSuspect(score.Column, "function-of-target", 1, "It holds one value for each value of the target: the target by another name."));
            }
            else if (gain >= (2 * NearlyPerfect) - 1 || (score.Measure == "r2" && gain >= NearlyPerfect))
            {
                suspects.Add(new LeakSuspect(score.Column, "predicts-target", gain, $"Alone it tells the target nearly perfectly ({score.Measure} {score.Value:0.000} on rows not learned from)."));
            }
            else if (fromMissing >= FilledInLater && fromMissing >= 0.5 * gain)
            {
                suspects.Add(new LeakSuspect(score.Column, "missing-tells-target", fromMissing, $"Whether it is filled in tells the target ({score.Measure} {score.MissingOnly:0.000}): it may be filled in afterwards."));
            }
            else if (gain >= Outstanding || (gain >= StandsOut && gain >= TimesTheNext * alone.Where(other => other != score).Select(other => Gain(other, other.Value)).DefaultIfEmpty(1).Max()))
            {
                suspects.Add(new LeakSuspect(score.Column, "stands-out", gain, $"Alone it tells the target far better than single columns do ({score.Measure} {score.Value:0.000}): make sure that it is known in time."));
            }
        }

        return [.. suspects.OrderByDescending(suspect => suspect.Score)];
    }

    // The time column is the moment of asking: dates behind it in many rows were not known then.
    private static void AddAfterTime(List<LeakSuspect> suspects, IReadOnlyList<DatasetColumn> columns, IReadOnlyList<SampledColumn> sample)
    {
        var time = columns.ToList().FindIndex(column => column.Role == ColumnRoles.Time && column.Type == ColumnTypes.Date);
        for (var c = 0; time >= 0 && c < columns.Count; c++)
        {
            if (c == time || columns[c].Type != ColumnTypes.Date || columns[c].Role == ColumnRoles.Target)
            {
                continue;
            }

            var both = sample[c].Cells.Zip(sample[time].Cells).Where(pair => !double.IsNaN(pair.First) && !double.IsNaN(pair.Second)).ToList();
            var later = both.Count == 0 ? 0 : (double)both.Count(pair => pair.First > pair.Second) / both.Count;
            if (later >= 0.01)
            {
                suspects.Add(new LeakSuspect(columns[c].Name, "after-time", later, $"In {later:P1} of the rows it lies after '{columns[time].Name}': it was not known then."));
            }
        }
    }

    // One value (or nothing) for every class that is seen often enough, and not the same for all.
    private static bool IsFunction(SampledColumn target, SampledColumn column)
    {
        if (target.IsNumeric && target.Cells.Distinct().Skip(MaxClasses).Any())
        {
            return false;
        }

        var classes = target.Cells.Zip(column.Cells).Where(pair => !double.IsNaN(pair.First)).GroupBy(pair => pair.First, pair => pair.Second).Where(group => group.Count() >= 5).ToList();
        return classes.Count > 1 && classes.All(group => group.Distinct().Count() == 1) && classes.Select(group => group.First()).Distinct().Count() > 1;
    }

    private static double Chance(int[]? classes) => classes is null ? 0 : 0.5;

    private static int[] OfNumbers(double[] x)
    {
        double[] sorted = [.. x.Where(cell => !double.IsNaN(cell)).Order()];
        double[] edges = sorted.Length == 0 ? [] : [.. Enumerable.Range(1, NumberBins - 1).Select(i => sorted[(int)((long)sorted.Length * i / NumberBins)]).Distinct()];
        return Array.ConvertAll(x, cell => double.IsNaN(cell) ? 0 : Array.BinarySearch(edges, cell) is var place && place >= 0 ? place + 2 : ~place + 1);
    }

    private static int[] OfValues(double[] x)
    {
        var places = x.Where(code => !double.IsNaN(code)).GroupBy(code => code).OrderByDescending(group => group.Count()).Take(MaxLevels).Select((group, place) => (group.Key, place))
            .ToDictionary(entry => entry.Key, entry => entry.place + 2);
        return Array.ConvertAll(x, code => double.IsNaN(code) ? 0 : places.GetValueOrDefault(code, 1));
    }

    // Means of groups learned from the other folds, drawn to the mean of all.
    private static double Score(int[] groups, double[] y, int[]? classes)
    {
        if (classes is null)
        {
            var told = OutOfFold(groups, y);
            var mean = y.Average();
            var total = y.Sum(value => (value - mean) * (value - mean));
            return total == 0 ? 0 : 1 - (y.Zip(told).Sum(pair => (pair.First - pair.Second) * (pair.First - pair.Second)) / total);
        }

        // The rarer one of two, or each of many by its share.
        var all = classes.Max() + 1;
        return Enumerable.Range(all == 2 ? 1 : 0, all == 2 ? 1 : all).Sum(own =>
        {
            var is1 = Array.ConvertAll(classes, code => code == own ? 1.0 : 0.0);
            return (all == 2 ? 1 : is1.Average()) * Auc(is1, OutOfFold(groups, is1));
        });
    }

    private static double[] OutOfFold(int[] groups, double[] y)
    {
        var (sums, counts) = (new double[Folds, groups.Max() + 1], new double[Folds, groups.Max() + 1]);
        for (var i = 0; i < y.Length; i++)
        {
            sums[i % Folds, groups[i]] += y[i];
            counts[i % Folds, groups[i]]++;
        }

        var told = new double[y.Length];
        var totals = Enumerable.Range(0, Folds).Select(fold => (Sum: y.Where((_, i) => i % Folds != fold).Sum(), Count: (double)y.Where((_, i) => i % Folds != fold).Count())).ToArray();
        for (var i = 0; i < y.Length; i++)
        {
            var (sum, count) = (0.0, 0.0);
            for (var fold = 0; fold < Folds; fold++)
            {
                (sum, count) = fold == i % Folds ? (sum, count) : (sum + sums[fold, groups[i]], count + counts[fold, groups[i]]);
            }

            var (all, of) = totals[i % Folds];
            told[i] = (sum + (Prior * all / of)) / (count + Prior);
        }

        return told;
    }

    // The probability that a row of the class is told higher than another one (Mann and Whitney 1947).
    private static double Auc(double[] is1, double[] told)
    {
        var ranks = Associations.Ranks(told);
        double ones = is1.Sum(), zeros = is1.Length - ones;
        return ones == 0 || zeros == 0 ? 0.5 : (is1.Zip(ranks).Sum(pair => pair.First * (pair.Second + 1)) - (ones * (ones + 1) / 2)) / (ones * zeros);
    }
}
