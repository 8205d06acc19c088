using System.Diagnostics;
using System.Globalization;
using OKLA.ML.Algorithms.Automatic;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Fairness;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>
/// <c>evaluate fairness</c>: how boosted trees and logistic regression, learned on one file, treat the groups of another, at the threshold 0.5 and with
/// thresholds per group that give each the same true positive rate, learned on training folds.
/// </summary>
internal static class EvaluateFairness
{
    private const double Threshold = 0.5;

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate fairness",
        [
            .. TrainAndTest.Options,
            new("--positive", "VALUE", "the class that is granted"),
            new("--group", "COLUMN", "whose values are compared"),
            TrainAndTest.Drop,
            AlgorithmResults.Json,
        ],
        "measures how a decision treats groups, with and without mitigation", Run) with { Check = Look };

    private static void Look(Invocation invocation)
    {
        foreach (var option in TrainAndTest.Options.Select(o => o.Name).Concat(["--positive", "--group"]))
        {
            invocation.Required(option);
        }
    }

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var data = TrainAndTest.Read(invocation, true, invocation.Required("--positive"), invocation.Required("--group"));
        // Against all other classes, where there are several.
        var positive = data.Classes.Count - 1;
        var (trainY, testY) = (Array.ConvertAll(data.TrainY, y => y == positive ? 1f : 0f), Array.ConvertAll(data.TestY, y => y == positive));
        if (!testY.Contains(true) || !testY.Contains(false))
        {
            throw new Shared.Files.UnreadableFileException($"Every row of '{invocation.Text("--test")}' has one class: there is nothing to compare.");
        }

        if (trainY.Length < AutomaticTable.LeastRows)
        {
            throw new Shared.Files.UnreadableFileException($"{trainY.Length} rows are too few to learn from; {AutomaticTable.LeastRows} is the least.");
        }

        var groups = GroupNames.Learn(data.TrainGroups);
        string[] trainGroups = groups.Of(data.TrainGroups), testGroups = groups.Of(data.TestGroups);
        var model = AutomaticTable.Fit(data.Train, trainY, new AutomaticOptions { Classes = 2, StandingOnly = true, Clock = terminal.Clock });
        var started = Stopwatch.GetTimestamp();
        var rows = model.Encode(data.Test);
        var reading = Stopwatch.GetElapsedTime(started);
        var results = new List<AlgorithmResult>();
        FairnessReport? last = null;
        foreach (var (name, shown) in new[] { ("gradient boosting", "gradient boosting"), ("linear", "logistic regression") })
        {
            var candidate = model.Candidates.First(c => c.Name == name);
            started = Stopwatch.GetTimestamp();
            var scores = Array.ConvertAll(model.Predict(candidate, rows), v => (double)v);
            var microseconds = (Stopwatch.GetElapsedTime(started) + reading).TotalMicroseconds / testY.Length;
            var plain = last = FairnessReport.Measure(testY, scores, Threshold, testGroups);
            results.Add(Result(shown, plain, plain, scores, Array.ConvertAll(scores, s => s >= Threshold)));

            var thresholds = EqualOpportunityThresholds.Fit(
                [.. model.HeldOutRows.Select(r => trainY[r] > 0)], Array.ConvertAll(model.HeldOutAnswers(candidate), v => (double)v), [.. model.HeldOutRows.Select(r => trainGroups[r])]);
            var decisions = new bool[scores.Length];
            for (var r = 0; r < decisions.Length; r++)
            {
                // Between two thresholds the row's place decides: the fractions of multiples of the golden ratio are spread evenly.
                decisions[r] = thresholds.Decide(testGroups[r], scores[r], 0.6180339887498949 * (r + 1) % 1);
            }

            var mitigated = FairnessReport.Measure(testY, Array.ConvertAll(decisions, d => d ? 1.0 : 0), Threshold, testGroups);
            results.Add(Result($"{shown}, equal opportunity", mitigated, plain, scores, decisions));

            AlgorithmResult Result(string title, FairnessReport report, FairnessReport calibrated, double[] s, bool[] d) =>
                new(title, Metrics(report, calibrated, s, d, testY), candidate.TrainSeconds, microseconds, testY.Length);
        }

        var about = $"{data.About}; positive is '{data.Classes[positive]}' at {Threshold}; groups of {invocation.Text("--group")}: {string.Join(", ", last!.Groups.Select(g => $"{g.Group} ({g.Rows:N0})"))}"
            + (last.TooSmall.Count > 0 ? $"; too small to judge: {string.Join(", ", last.TooSmall)}" : "");
        if (invocation.Has(AlgorithmResults.Json.Name))
        {
            AlgorithmResults.Write(terminal, invocation, about, results);
            return CommandLine.Success;
        }

        WriteTable(terminal, results, about);
        return CommandLine.Success;
    }

    private static List<KeyValuePair<string, double>> Metrics(FairnessReport report, FairnessReport calibrated, double[] scores, bool[] decisions, bool[] truth)
    {
        var confusion = BinaryMetrics.Confusion(Array.ConvertAll(decisions, d => d ? 1.0 : 0), truth);
        var metrics = new List<KeyValuePair<string, double>>
        {
            new("AUC", BinaryMetrics.RocAuc(scores, truth)), new("accuracy", confusion.Accuracy), new("F1", confusion.F1),
        };
        Add("demographicParityDifference", report.DemographicParity.Size);
        Add("disparateImpactRatio", report.DisparateImpact);
        Add("equalOpportunityDifference", report.EqualOpportunity.Size);
        Add("equalisedOddsDifference", report.EqualisedOdds.Size);
        Add("calibrationGap", calibrated.Calibration.Size);
        return metrics;

        void Add(string name, Interval interval)
        {
            metrics.Add(new(name, interval.Estimate));
            metrics.Add(new(name + Low, interval.Lower));
            metrics.Add(new(name + High, interval.Upper));
        }
    }

    private const string Low = "Low";
    private const string High = "High";

    // A line a measure, with its interval, and a column an algorithm.
    private static void WriteTable(Terminal terminal, List<AlgorithmResult> results, string about)
    {
        var names = results[0].Metrics.Select(m => m.Key).ToList();
        terminal.Table(
            ["measure", .. results.Select(r => r.Name)],
            [.. names.Where(n => !names.Any(other => n == other + Low || n == other + High)).Select(n => (IReadOnlyList<string>)[n, .. results.Select(r => Cell(r, n))])]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  {about}");

        static string Cell(AlgorithmResult result, string name)
        {
            var value = Value(result, name);
            var (low, high) = (Value(result, name + Low), Value(result, name + High));
            return double.IsNaN(value) ? "" : double.IsNaN(low)
                ? value.ToString("0.0000", CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"{value:0.0000} [{low:0.0000}, {high:0.0000}]");
        }

        static double Value(AlgorithmResult result, string name) => result.Metrics.FirstOrDefault(m => m.Key == name, new(name, double.NaN)).Value;
    }
}
