using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OKLA.ML.Algorithms.Anomalies;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary><c>evaluate anomalies</c>: streaming detectors on labelled series in the layout of the Numenta Anomaly Benchmark, by its score.</summary>
internal static class EvaluateAnomalies
{
    private static readonly NabProfile[] Profiles = [NabProfile.Standard, NabProfile.LowFalsePositives, NabProfile.LowFalseNegatives];

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate anomalies",
        [
            new("--data", "DIR", "the series: CSV files with timestamp and value, in folders"), new("--windows", "FILE", "JSON: each file's path in DIR and its windows of anomaly"), AlgorithmResults.Json,
        ],
        "measures detectors of anomalies by the NAB score",
        Run) with { Check = invocation => _ = (invocation.Required("--data"), invocation.Required("--windows")) };

    private sealed record Stream(double[] Values, double[] Seconds, IReadOnlyList<AnomalyWindow> Windows);

    private static int Run(Invocation invocation, Terminal terminal)
    {
        string folder = invocation.Required("--data"), labels = invocation.Required("--windows");
        var windows = ReadWindows(labels);
        var known = windows.Where(file => File.Exists(Path.Combine(folder, file.Key))).OrderBy(file => file.Key, StringComparer.Ordinal).ToList();
        if (known.Count == 0)
        {
            throw new UnreadableFileException(!Directory.Exists(folder) ? $"There is no folder '{folder}'." : $"'{folder}' holds none of the {windows.Count} files that '{labels}' names, such as {windows.Keys.FirstOrDefault("none")}.");
        }

        var streams = known.Select(file => ReadStream(Path.Combine(folder, file.Key), file.Value)).ToList();
        var total = streams.Sum(stream => stream.Windows.Count);
        if (total == 0)
        {
            throw new UnreadableFileException($"'{labels}' has no window for the files in '{folder}'.");
        }

        var results = StreamDetectors.All.Select(detector => Measure(detector.Name, detector.Make, streams)).ToList();
        AlgorithmResults.Write(terminal, invocation, string.Create(
            CultureInfo.InvariantCulture,
            $"{known.Count} of {windows.Count} labelled files found, {streams.Sum(stream => stream.Values.Length):N0} values, {total} windows. NAB's score with one threshold for all files, the best one for each detector and profile as the benchmark does; precision and recall of windows at the standard profile's."), results);
        return CommandLine.Success;
    }

    private static AlgorithmResult Measure(string name, Func<IStreamDetector> make, List<Stream> streams)
    {
        var clock = Stopwatch.StartNew();
        var scored = new ScoredSeries[streams.Count];
        var busy = new double[streams.Count];
        Parallel.For(0, streams.Count, i =>
        {
            var started = Stopwatch.GetTimestamp();
            var detector = make();
            var (values, seconds) = (streams[i].Values, streams[i].Seconds);
            scored[i] = new ScoredSeries([.. values.Select((value, t) => detector.Next(value, seconds[t]))], streams[i].Windows);
            busy[i] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        });
        var best = Profiles.Select(profile => NabScore.Best(scored, profile)).ToArray();
        var counts = NabScore.Count(scored, best[0].Threshold);
        var rows = streams.Sum(stream => stream.Values.Length);
        return new AlgorithmResult(
            name,
            [
                new("NAB", best[0].Score), new("NAB low-FP", best[1].Score), new("NAB low-FN", best[2].Score), new("precision", counts.Precision), new("recall", counts.Recall),
                new("falseAlarms", counts.FalseAlarms), new("threshold", best[0].Threshold),
            ],
            // They learn as they go: there is no training apart from the scoring.
            0, busy.Sum() / rows, rows);
    }

    private static Dictionary<string, List<(double First, double Last)>> ReadWindows(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            return json.RootElement.EnumerateObject().ToDictionary(
                file => file.Name,
                file => file.Value.EnumerateArray().Select(window => (Time(window[0].GetString() ?? ""), Time(window[1].GetString() ?? ""))).Order().ToList());
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            throw new UnreadableFileException($"'{path}' cannot be read as windows of anomaly, {{\"folder/file.csv\": [[\"from\", \"to\"], …]}}: {wrong.Message}");
        }

        double Time(string text) => EvaluationRows.Time(text) ?? throw new UnreadableFileException($"'{path}': '{EvaluationRows.Short(text)}' is no time.");
    }

    private static Stream ReadStream(string path, List<(double First, double Last)> windows)
    {
        var rows = EvaluationRows.Read(path).ToList();
        int time = EvaluationRows.Find(rows[0], "timestamp", path), value = EvaluationRows.Find(rows[0], "value", path);
        var (values, seconds) = (new double[rows.Count - 1], new double[rows.Count - 1]);
        for (var i = 0; i < values.Length; i++)
        {
            var row = rows[i + 1];
            seconds[i] = time < row.Length && EvaluationRows.Time(row[time]) is { } at ? at
                : throw new UnreadableFileException(string.Create(CultureInfo.InvariantCulture, $"'{path}', row {i + 2:N0} has no time."));
            values[i] = value < row.Length ? EvaluationRows.Number(row[value], path, i + 2) : double.NaN;
        }

        var places = windows.Select(window => new AnomalyWindow(Array.FindIndex(seconds, s => s >= window.First), Array.FindLastIndex(seconds, s => s <= window.Last)))
            .Where(window => window.First >= 0 && window.Last >= window.First).ToList();
        return new Stream(values, seconds, places);
    }
}
