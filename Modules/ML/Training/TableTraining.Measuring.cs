using System.Globalization;
using OKLA.ML.Algorithms.Decisions;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Texts;

namespace OKLA.ML.Training;

/// <summary>Measuring what was trained on the test, beside the baseline and the serving version.</summary>
internal sealed partial class TableTraining
{
    private HeldOut Evaluate(
        (byte[] Artefact, DateTimeOffset Until)? serving, RawColumn target, RawColumn? time, RawColumn[] rows, TableTask trainTask, IReadOnlyList<Split> folds, List<TriedModel> tried, CancellationToken ct)
    {
        var (test, truth) = (columns.Rows(split.Test), Array.ConvertAll(split.Test, row => task.Y[row]));
        var answers = measured.Answers(test, threads);
        var calibrated = (float[])judged.Clone();
        measured.Calibration.Apply(calibrated, Classes);
        var threshold = TableMeasures.Threshold(calibrated, trainTask.Y, Classes);
        var (baseline, baselineName) = Baseline(trainTask.Y, truth, time is not null);
        var losses = new CaseLosses(
            Classes > 0 ? "log loss" : "absolute error", Keys(rows.Rows(split.Test)), TableMeasures.Cases(answers, truth, Classes), TableMeasures.Cases(baseline, truth, Classes), Serving(serving, rows, truth));
        heldOut = new HeldOutRows(rows.Rows(split.Test), truth, answers, threshold);
        var artefact = measured.Save();
        var micros = RowMicroseconds(row => measured.Answers(row, 1), test);
        var coverage = measured.Interval is { } interval ? TableMeasures.Coverage(answers, truth, interval) : null;
        Interval? calibrationError = Classes > 0 ? TableMeasures.CalibrationError(answers, truth, Classes, definition.Seed) : null;
        var units = Units(rows.FirstOrDefault(column => column.Name == definition.Group));
        MetricRow[] metrics =
        [
            .. TableMeasures.WithIntervals(TableMeasures.Rows(answers, baseline, baselineName, truth, Classes, threshold), answers, truth, Classes, threshold, units, calibrationError),
            .. AtPrecision(trainTask.Y, answers, truth, units),
        ];
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"{how}: {split.Train.Length} rows to learn from, {split.Test.Length} to measure on"),
            coverage is null ? metrics : [.. metrics, new MetricRow("interval coverage", coverage.Held.Estimate, coverage.Wanted, "wanted").Within(MetricRange.Of(coverage.Held))], losses.Serving?.Average())
        {
            Cases = losses,
            RowsLearned = split.Train.Length,
            RowsMeasured = split.Test.Length,
            Folds = [.. folds.Select((fold, f) => Figure(fold, f + 1, calibrated, trainTask.Y)).OfType<FoldFigure>()],
            CalibrationError = calibrationError,
            Coverage = coverage,
            RowMicroseconds = micros,
            Bytes = artefact.Length,
            Groups = [.. rows.Named(definition.Fairness).SelectMany(column => TableMeasures.Gaps(new[] { column }.Rows(split.Test)[0], answers, truth, Classes, threshold, definition.Seed))],
            GroupFigures = [.. rows.Named(definition.Fairness).SelectMany(column => TableMeasures.Groups(new[] { column }.Rows(split.Test)[0], answers, truth, Classes, threshold))],
            Behaviours = [.. TableChecks.Behaviours(definition, measured, test)],
            Leaks = TableChecks.Leaks(columns, target, time, task, split, Gates.SingleColumn, definition.Seed, ct),
            Importance = TableChecks.Importance(measured, test, truth, definition.Seed),
            Tried = Fronted(tried),
        };
    }

    /// <summary>The lowest threshold that reached the wanted precision on training rows held out, else that of the best F1; null where no precision is wanted.</summary>
    private (double Threshold, bool Reached)? OperatingThreshold(float[] raw, float[] y, TableCalibration calibration)
    {
        if (Classes != 2 || definition.Precision is not { } wanted)
        {
            return null;
        }

        var folds = (float[])raw.Clone();
        calibration.Apply(folds, Classes);
        var reached = TableMeasures.ThresholdOf(wanted, folds, y);
        return (reached ?? TableMeasures.Threshold(folds, y, Classes), reached is not null);
    }

    /// <summary>What of the test is independent: rows, or what the table groups them by.</summary>
    private HeldOutUnits Units(RawColumn? group) => group is null ? HeldOutUnits.Rows(split.Test.Length, definition.Seed)
        : HeldOutUnits.By([.. new[] { group }.Rows(split.Test)[0].Values.Select(key => key is null ? null : UnitOf(key))], definition.Seed);

    /// <summary>Precision and recall on the test at the threshold that the model serves by, beside the share of positives and none found.</summary>
    private IEnumerable<MetricRow> AtPrecision(float[] learned, float[] answers, float[] truth, HeldOutUnits units)
    {
        if (OperatingThreshold(judged, learned, measured.Calibration) is not var (threshold, reached))
        {
            yield break;
        }

        var at = BinaryMetrics.Confusion(Array.ConvertAll(answers, answer => (double)answer), Array.ConvertAll(truth, y => y == 1), threshold);
        yield return new MetricRow("operating threshold", threshold, null, reached ? "chosen on folds" : $"of the best F1: none reached precision {definition.Precision?.ToString("0.##", CultureInfo.InvariantCulture)} on the folds");
        double[] called = Array.ConvertAll(answers, answer => answer >= threshold ? 1.0 : 0), were = Array.ConvertAll(truth, y => (double)y), right = [.. called.Zip(were, (a, b) => a * b)];
        yield return new MetricRow(TableMeasures.PrecisionName, at.TruePositives + at.FalsePositives == 0 ? double.NaN : at.Precision, truth.Average(), "call all positive").Within(units.Ratio(right, called));
        yield return new MetricRow(TableMeasures.RecallName, at.Recall, 0, "call none positive").Within(units.Ratio(right, were));
    }

    /// <summary>What is known without the columns: the classes' shares, the median, or in a series the value before, whichever errs less.</summary>
    private (float[] Answers, string Name) Baseline(float[] train, float[] truth, bool series)
    {
        if (Classes > 0)
        {
            return (TableMeasures.Shares(train, Classes, truth.Length), "the classes' shares");
        }

        var median = train.Order().ElementAt(train.Length / 2);
        float[] constant = [.. Enumerable.Repeat(median, truth.Length)], before = [train[^1], .. truth[..^1]];
        return series && RegressionMetrics.Mae([.. truth.Select(v => (double)v)], [.. before.Select(v => (double)v)]) < RegressionMetrics.Mae([.. truth.Select(v => (double)v)], [.. constant.Select(v => (double)v)])
            ? (before, "the value before")
            : (constant, "the median");
    }

    /// <summary>The serving version's losses on the test, when it has not learned from it and answers the same question.</summary>
    private double[]? Serving((byte[] Artefact, DateTimeOffset Until)? serving, RawColumn[] rows, float[] truth)
    {
        if (serving is not { } old || trainedUntil is not { } until || old.Until > until)
        {
            return null;
        }

        var model = TableModel.Load(old.Artefact);
        return model.Signature.Task == task.Name && model.Signature.Classes.SequenceEqual(task.Classes)
            ? TableMeasures.Cases(model.Answers(rows.Rows(split.Test), threads), truth, Classes)
            : null;
    }

    private FoldFigure? Figure(Split fold, int number, float[] answers, float[] y)
    {
        var held = fold.Test.Where(row => !float.IsNaN(answers[row * Outputs])).ToArray();
        if (held.Length == 0)
        {
            return null;
        }

        float[] learned = Array.ConvertAll(fold.Train, row => y[row]), truth = Array.ConvertAll(held, row => y[row]);
        if (Classes > 0 && (learned.Distinct().Count() < 2 || truth.Distinct().Count() < 2))
        {
            // Where all are of one class there is nothing to tell apart, and who says so is always right.
            return null;
        }

        float[] ours = [.. held.SelectMany(row => answers.AsSpan(row * Outputs, Outputs).ToArray())];
        var baseline = Classes > 0 ? TableMeasures.Shares(learned, Classes, truth.Length) : [.. Enumerable.Repeat(learned.Order().ElementAt(learned.Length / 2), truth.Length)];
        return new FoldFigure(number, TableMeasures.Cases(ours, truth, Classes).Average(), TableMeasures.Cases(baseline, truth, Classes).Average());
    }

    /// <summary>A hash of a row's texts, so that the same case is known again in another training.</summary>
    private static long[] Keys(RawColumn[] test)
    {
        var keys = new long[test.Count()];
        for (var r = 0; r < keys.Length; r++)
        {
            var hash = StableHash.Basis;
            foreach (var text in test.Select(column => column.Values[r]))
            {
                hash = StableHash.Of("\uFFFF", StableHash.Of(text ?? "\0", hash));
            }

            keys[r] = (long)hash;
        }

        return keys;
    }

    private static TriedModel[] Fronted(List<TriedModel> tried)
    {
        var whole = tried.Where(one => one.RowMicroseconds is not null).ToArray();
        var front = ParetoFront.Of([.. whole.Select(one => new[] { -one.Loss, -one.RowMicroseconds!.Value, -(double)one.Bytes!.Value, -(one.GroupGap ?? 0) })]).Select(i => whole[i]).ToHashSet();
        return [.. tried.Select(one => one with { OnFront = front.Contains(one) })];
    }
}
