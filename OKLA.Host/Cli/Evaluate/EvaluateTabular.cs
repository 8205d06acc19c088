using System.Diagnostics;
using OKLA.ML.Algorithms.Automatic;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>
/// <c>evaluate tabular</c>: learns a column of one file from its other columns, whatever they hold, and measures the algorithms, and their automatic ensemble,
/// on another file. Everything is fitted on the training file alone.
/// </summary>
internal static class EvaluateTabular
{
    private const string Regression = "regression";
    private const string Classification = "classification";

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate tabular",
        [
            .. TrainAndTest.Options,
            new("--task", "TASK", "regression or classification"),
            new("--positive", "VALUE", "of two classes, the one that is looked for (the last in order)"),
            TrainAndTest.Drop,
            new("--log", "", "learns the logarithm of a number, answers the number"),
            new("--budget", "SECONDS", "after which automatic tries nothing more (60)"),
            AlgorithmResults.Json,
        ],
        "learns a column of one file and measures it on another", Run) with { Check = Look };

    private static void Look(Invocation invocation)
    {
        foreach (var option in TrainAndTest.Options)
        {
            invocation.Required(option.Name);
        }

        if (invocation.Required("--task") is not (Regression or Classification))
        {
            throw new UsageException($"--task is {Regression} or {Classification}, not '{invocation.Text("--task")}'.");
        }

        if (invocation.Text("--task") == Regression && invocation.Text("--positive") is not null)
        {
            throw new UsageException("--positive is for --task classification.");
        }

        if (invocation.Text("--task") == Classification && invocation.Has("--log"))
        {
            throw new UsageException("--log is for --task regression.");
        }

        invocation.Number("--budget", 60, 1, 1_000_000);
    }

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var data = TrainAndTest.Read(invocation, invocation.Text("--task") == Classification, invocation.Text("--positive"));
        var log = invocation.Has("--log");
        if (log && data.TrainY.Any(v => v <= -1))
        {
            throw new UsageException("--log needs targets above -1.");
        }

        if (data.TrainY.Length < AutomaticTable.LeastRows)
        {
            throw new Shared.Files.UnreadableFileException($"{data.TrainY.Length} rows are too few to learn from; {AutomaticTable.LeastRows} is the least.");
        }

        var model = AutomaticTable.Fit(
            data.Train, data.TrainY, new AutomaticOptions { Classes = data.Classes.Count, Log = log, BudgetSeconds = invocation.Number("--budget", 60, 1, 1_000_000), Clock = terminal.Clock });
        var started = Stopwatch.GetTimestamp();
        var rows = model.Encode(data.Test);
        var reading = Stopwatch.GetElapsedTime(started);
        var results = model.Candidates.Select(c => Measure(c, c.TrainSeconds)).ToList();
        // The ensemble comes last and stands for the whole: reading, every algorithm, weighing.
        results.Add(Measure(null, model.TrainSeconds));
        AlgorithmResults.Write(terminal, invocation, $"{data.About}{Reading(data)}; automatic is {Weights(model)}", results);
        return CommandLine.Success;

        AlgorithmResult Measure(TableCandidate? candidate, double trainSeconds)
        {
            var from = Stopwatch.GetTimestamp();
            var predicted = candidate is null ? model.Predict(rows) : model.Predict(candidate, rows);
            var seconds = (Stopwatch.GetElapsedTime(from) + reading).TotalSeconds;
            return new AlgorithmResult(candidate?.Name ?? "automatic", Metrics(model, candidate, predicted, data), trainSeconds, 1e6 * seconds / data.TestY.Length, data.TestY.Length);
        }
    }

    private static IReadOnlyList<KeyValuePair<string, double>> Metrics(AutomaticTableModel model, TableCandidate? candidate, float[] predicted, TrainAndTest data) => data.Classes.Count switch
    {
        0 => TabularMetrics.OfNumbers(predicted, data.TestY),
        2 => TabularMetrics.OfTwoClasses(predicted, data.TestY, TabularMetrics.Threshold(model.HeldOutAnswers(candidate), model.HeldOutRows.Select(r => data.TrainY[r]))),
        _ => TabularMetrics.OfClasses(predicted, data.TestY, data.Classes.Count),
    };

    private static string Reading(TrainAndTest data) => data.Classes.Count switch
    {
        0 => "",
        2 => $"; positive is '{data.Classes[1]}', F1 and accuracy at 0.5, F1chosen at the threshold chosen on training folds",
        _ => $"; {data.Classes.Count} classes",
    };

    private static string Weights(AutomaticTableModel model) =>
        string.Join(" + ", model.Weights.Where(w => w.Weight > 0).OrderByDescending(w => w.Weight).Select(w => $"{w.Weight:0.00} {w.Name}"));
}
