using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Fairness;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>Figures of answers to rows that a table's model has not learned from.</summary>
internal static class TableMeasures
{
    /// <summary>Names of the figures at a threshold that was chosen for its precision.</summary>
    public const string PrecisionName = "precision at the operating threshold", RecallName = "recall at the operating threshold";

    private const string CalibrationErrorName = "calibration error", AccuracyName = "accuracy";
    private const int Resamples = 200;
    private const int LeastGroup = 30;

    /// <summary>Name of the deciding metric: smaller is better.</summary>
    public static string Deciding(TableTask task) => task.Classes.Count > 0 ? "log loss" : "MAE";

    /// <summary>Answers (rows × outputs) that ignore the columns: the classes' shares, or one number a row.</summary>
    public static float[] Shares(float[] train, int classes, int rows)
    {
        var outputs = BoostedTable.Outputs(classes);
        var shares = new float[classes];
        foreach (var c in train)
        {
            shares[(int)c] += 1f / train.Length;
        }

        var answers = new float[rows * outputs];
        for (var r = 0; r < rows; r++)
        {
            (classes == 2 ? shares.AsSpan(1, 1) : shares).CopyTo(answers.AsSpan(r * outputs));
        }

        return answers;
    }

    /// <summary>The loss of each case: log loss, or absolute error.</summary>
    public static double[] Cases(float[] answers, float[] truth, int classes)
    {
        var outputs = BoostedTable.Outputs(classes);
        return [.. truth.Select((y, r) => classes == 0 ? Math.Abs(answers[r] - (double)y) : TableLosses.Log(answers.AsSpan(r * outputs, outputs), (int)y, classes))];
    }

    /// <summary>Metrics beside a baseline's; the deciding one first.</summary>
    public static MetricRow[] Rows(float[] answers, float[] baseline, string baselineName, float[] truth, int classes, double threshold)
    {
        var (ours, theirs) = (Figures(answers, truth, classes, threshold), Figures(baseline, truth, classes, threshold));
        return
        [
            .. ours.Select((figure, i) => new MetricRow(figure.Name, figure.Value, double.IsFinite(theirs[i].Value) ? theirs[i].Value : null, baselineName))
                .Where((metric, i) => i == 0 || double.IsFinite(metric.Model)),
        ];
    }

    /// <summary>Metrics with their 95 % intervals.</summary>
    /// <param name="metrics">What <see cref="Rows"/> gave.</param>
    /// <param name="answers">Answers, rows × outputs.</param>
    /// <param name="truth">What happened.</param>
    /// <param name="classes">Number of classes; 0 for a number.</param>
    /// <param name="threshold">From which probability on the positive class is called.</param>
    /// <param name="units">What of the rows is independent.</param>
    /// <param name="calibrationError">What <see cref="CalibrationError"/> gave: a resample repeats cases, which adds to that error, so that its percentiles would lie above it.</param>
    public static MetricRow[] WithIntervals(MetricRow[] metrics, float[] answers, float[] truth, int classes, double threshold, HeldOutUnits units, Interval? calibrationError)
    {
        var outputs = BoostedTable.Outputs(classes);
        string[] names = [.. Figures(answers, truth, classes, threshold).Select(figure => figure.Name)];
        var ranges = units.OfRows(rows =>
        {
            var some = new float[rows.Length * outputs];
            for (var r = 0; r < rows.Length; r++)
            {
                answers.AsSpan(rows[r] * outputs, outputs).CopyTo(some.AsSpan(r * outputs));
            }

            return Array.ConvertAll(Figures(some, Array.ConvertAll(rows, row => truth[row]), classes, threshold), figure => figure.Value);
        });

        return [.. metrics.Select(metric => metric.Within(metric.Name switch
        {
            CalibrationErrorName => calibrationError is { } known ? MetricRange.Of(known) : null,
            AccuracyName => units.Mean([.. Right(answers, truth, classes).Select(right => right ? 1.0 : 0)]),
            var name => ranges[Array.IndexOf(names, name)],
        }))];
    }

    /// <summary>The threshold of the best F1 on answers to training rows held out; a half for other tasks.</summary>
    public static double Threshold(float[] answers, float[] truth, int classes)
    {
        if (classes != 2)
        {
            return 0.5;
        }

        var rows = Enumerable.Range(0, truth.Length).Where(r => !float.IsNaN(answers[r])).ToArray();
        return rows.Any(r => truth[r] == 1) ? BinaryMetrics.BestF1(Array.ConvertAll(rows, r => (double)answers[r]), Array.ConvertAll(rows, r => truth[r] == 1)).Threshold : 0.5;
    }

    /// <summary>The lowest threshold at which the wanted share of those called positive are, on answers to rows not learned from; null where none reaches it and finds a fifth of all.</summary>
    public static double? ThresholdOf(double precision, float[] answers, float[] truth)
    {
        const double LeastFound = 0.2;
        var order = Enumerable.Range(0, truth.Length).Where(r => !float.IsNaN(answers[r])).OrderByDescending(r => answers[r]).ToArray();
        var (right, best) = (0, (double?)null);
        var all = order.Count(r => truth[r] == 1);
        for (var i = 0; i < order.Length; i++)
        {
            right += truth[order[i]] == 1 ? 1 : 0;
            var tied = i + 1 < order.Length && answers[order[i + 1]] >= answers[order[i]];
            if (!tied && right >= LeastFound * all && right >= precision * (i + 1))
            {
                best = answers[order[i]];
            }
        }

        return best;
    }

    /// <summary>Expected calibration error of two classes, or of the class chosen, with its interval.</summary>
    public static Interval CalibrationError(float[] answers, float[] truth, int classes, int seed)
    {
        var (chance, right) = Confidence(answers, truth, classes);
        var estimate = BinaryMetrics.ExpectedCalibrationError(chance, right, equalMass: true);
        var random = new Random(seed);
        var (p, y) = (new double[chance.Length], new bool[chance.Length]);
        var draws = new double[Resamples];
        for (var b = 0; b < Resamples; b++)
        {
            for (var r = 0; r < p.Length; r++)
            {
                var row = random.Next(p.Length);
                (p[r], y[r]) = (chance[row], right[row]);
            }

            draws[b] = BinaryMetrics.ExpectedCalibrationError(p, y, equalMass: true);
        }

        // A resample repeats cases, which adds to the error: the basic interval takes that off again.
        Array.Sort(draws);
        return new Interval(estimate, Math.Clamp(2 * estimate - draws[(int)(0.975 * (Resamples - 1))], 0, estimate), Math.Max(estimate, 2 * estimate - draws[(int)(0.025 * (Resamples - 1))]));
    }

    /// <summary>How many cases intervals hold.</summary>
    public static CoverageFigure Coverage(float[] answers, float[] truth, TableInterval interval)
    {
        var held = Enumerable.Range(0, truth.Length).Count(r => interval.Around(answers[r]) is var (low, high) && truth[r] >= low && truth[r] <= high);
        var (lower, upper) = Hypothesis.Wilson(held, truth.Length);
        return new CoverageFigure(new Interval((double)held / truth.Length, lower, upper), interval.Coverage);
    }

    /// <summary>What answers do to every group of a column, the largest first.</summary>
    public static IEnumerable<GroupFigure> Groups(RawColumn column, float[] answers, float[] truth, int classes, double threshold)
    {
        var losses = Cases(answers, truth, classes);
        foreach (var group in Enumerable.Range(0, truth.Length).GroupBy(row => GroupOf(column.Values[row]), StringComparer.Ordinal).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal))
        {
            int[] rows = [.. group];
            double? Share(IEnumerable<int> of) => classes == 2 && of.Any() ? of.Average(row => answers[row] >= threshold ? 1.0 : 0) : null;
            yield return new GroupFigure(
                column.Name, group.Key, rows.Length, rows.Average(row => losses[row]), classes > 2 ? null : rows.Average(row => (double)truth[row]), classes > 2 ? null : rows.Average(row => (double)answers[row]),
                Share(rows), Share(rows.Where(row => truth[row] == 1)), Share(rows.Where(row => truth[row] == 0)));
        }
    }

    /// <summary>The largest gaps between groups of a column.</summary>
    public static IEnumerable<GroupGap> Gaps(RawColumn column, float[] answers, float[] truth, int classes, double threshold, int seed)
    {
        string[] groups = [.. column.Values.Select(GroupOf)];
        if (classes == 2)
        {
            var large = groups.CountBy(group => group).Where(pair => pair.Value >= LeastGroup).Select(pair => pair.Key).ToHashSet();
            var rows = Enumerable.Range(0, groups.Length).Where(r => large.Contains(groups[r])).ToArray();
            if (large.Count < 2)
            {
                yield break;
            }

            var report = FairnessReport.Measure(
                Array.ConvertAll(rows, r => truth[r] == 1), Array.ConvertAll(rows, r => (double)answers[r]), threshold, Array.ConvertAll(rows, r => groups[r]),
                new FairnessOptions { MinRows = LeastGroup, MinOutcomes = 10, Resamples = 300, Seed = seed, Threads = 1 });
            yield return new GroupGap(column.Name, "true positive rate", report.EqualOpportunity.Size, report.EqualOpportunity.Highest, report.EqualOpportunity.Lowest);
            yield break;
        }

        var losses = Cases(answers, truth, classes);
        var measured = groups.Select((group, r) => (group, r)).GroupBy(pair => pair.group, pair => losses[pair.r], StringComparer.Ordinal).Where(group => group.Count() >= LeastGroup)
            .Select(group => (Name: group.Key, Loss: Bootstrap.Mean([.. group], resamples: 200, seed: seed))).OrderBy(group => group.Loss.Estimate).ToArray();
        if (measured.Length >= 2)
        {
            var (least, most) = (measured[0], measured[^1]);
            double Ratio(double high, double low) => low > 0 ? high / low - 1 : double.NaN;
            yield return new GroupGap(
                column.Name, classes == 0 ? "absolute error" : "log loss",
                new Interval(Ratio(most.Loss.Estimate, least.Loss.Estimate), Math.Max(0, Ratio(most.Loss.Lower, least.Loss.Upper)), Ratio(most.Loss.Upper, least.Loss.Lower)), most.Name, least.Name);
        }
    }

    private static (string Name, double Value)[] Figures(float[] answers, float[] truth, int classes, double threshold)
    {
        if (classes == 0)
        {
            var (y, p) = (Array.ConvertAll(truth, v => (double)v), Array.ConvertAll(answers, v => (double)v));
            return
            [
                ("MAE", RegressionMetrics.Mae(y, p)), ("R2", RegressionMetrics.R2(y, p)), ("RMSE", RegressionMetrics.Rmse(y, p)),
                ("median APE", y.Any(v => v == 0) ? double.NaN : RegressionMetrics.MedianApe(y, p)),
            ];
        }

        var logLoss = Cases(answers, truth, classes).Average();
        if (classes == 2)
        {
            var (p, y) = (Array.ConvertAll(answers, v => (double)v), Array.ConvertAll(truth, v => v == 1));
            var both = y.Contains(true) && y.Contains(false);
            var confusion = BinaryMetrics.Confusion(p, y, threshold);
            return
            [
                ("log loss", logLoss), ("AUC", both ? BinaryMetrics.RocAuc(p, y) : double.NaN), ("average precision", both ? BinaryMetrics.PrAuc(p, y) : double.NaN),
                ("Brier", BinaryMetrics.Brier(p, y)), (CalibrationErrorName, BinaryMetrics.ExpectedCalibrationError(p, y, equalMass: true)), ("F1", confusion.F1), (AccuracyName, BinaryMetrics.Confusion(p, y).Accuracy),
            ];
        }

        var chosen = Chosen(answers, classes);
        var metrics = new MulticlassMetrics(Array.ConvertAll(truth, v => (int)v), chosen, classes);
        var (chance, right) = Confidence(answers, truth, classes);
        return [("log loss", logLoss), ("macro F1", metrics.MacroF1), (AccuracyName, metrics.Accuracy), (CalibrationErrorName, BinaryMetrics.ExpectedCalibrationError(chance, right, equalMass: true))];
    }

    private static string GroupOf(string? text) => TableSignature.IsMissing(text) ? "(missing)" : text!.Trim();

    private static int[] Chosen(float[] answers, int classes) =>
        [.. Enumerable.Range(0, answers.Length / classes).Select(r => Enumerable.Range(0, classes).MaxBy(k => answers[r * classes + k]))];

    /// <summary>Whether the class chosen, of two by a half, is what happened.</summary>
    private static bool[] Right(float[] answers, float[] truth, int classes) =>
        classes == 2 ? [.. answers.Select((answer, r) => answer >= 0.5 == (truth[r] == 1))] : Confidence(answers, truth, classes).Right;

    private static (double[] Chance, bool[] Right) Confidence(float[] answers, float[] truth, int classes)
    {
        if (classes == 2)
        {
            return (Array.ConvertAll(answers, v => (double)v), Array.ConvertAll(truth, v => v == 1));
        }

        var chosen = Chosen(answers, classes);
        return ([.. chosen.Select((c, r) => (double)answers[r * classes + c])], [.. chosen.Select((c, r) => truth[r] == c)]);
    }
}
