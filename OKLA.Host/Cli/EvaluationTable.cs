using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Cli;

/// <summary>Reports of many models as one Markdown table: a row for each target of each model, or for its deciding metric where nothing is asked of it.</summary>
internal static class EvaluationTable
{
    private static readonly string[] Header = ["model", "rows learned / measured", "split", "metric [95 % interval]", "baseline", "ceiling", "target", "met", "read, learn, measure s", "answer p50 / p99 ms"];

    /// <summary>The table, line by line, and below it the models that could not be measured with the reason.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<EvaluationReport> reports)
    {
        yield return Line(Header);
        yield return "|" + string.Concat(Enumerable.Repeat(" --- |", Header.Length));
        foreach (var report in reports.Where(IsMeasured))
        {
            foreach (var row in Rows(report))
            {
                yield return Line(row);
            }
        }

        if (reports.All(IsMeasured))
        {
            yield break;
        }

        yield return "";
        yield return "Not measured:";
        yield return "";
        foreach (var report in reports.Where(report => !IsMeasured(report)))
        {
            yield return $"- {report.Model}: {report.Split}";
        }
    }

    /// <summary>Whether there was enough to measure it.</summary>
    public static bool IsMeasured(EvaluationReport report) => report.Metrics.Count > 0;

    private static IEnumerable<string[]> Rows(EvaluationReport report)
    {
        (ModelTarget? Target, MetricRow? Row)[] asked = report.Targets.Count == 0
            ? [(null, report.Metrics[0])] : [.. report.Targets.Select(target => ((ModelTarget?)target, target.Of(report.Metrics)))];
        var isFirst = true;
        foreach (var (target, row) in asked)
        {
            yield return
            [
                report.Model, isFirst ? $"{Terminal.Count(report.RowsLearned)} / {Terminal.Count(report.RowsMeasured)}" : "", isFirst ? ShortSplit(report.Split) : "",
                row is null ? target!.Metric : $"{row.Name} {Number(row.Model)}{(row is { Low: { } low, High: { } high } ? $" [{Number(low)}, {Number(high)}]" : "")}",
                row?.Baseline is { } baseline && double.IsFinite(baseline) ? $"{Number(baseline)} ({row.BaselineName})" : "", row?.Ceiling is { } ceiling ? Number(ceiling) : "",
                target?.Wanted() ?? "none",
                target?.Verdict(row) ?? "", isFirst ? report.Seconds.ToString("0.0", CultureInfo.InvariantCulture) : "",
                isFirst && report.Answers is { } answers ? string.Create(CultureInfo.InvariantCulture, $"{answers.MedianMs:0.00} / {answers.P99Ms:0.00}") : "",
            ];
            isFirst = false;
        }
    }

    /// <summary>How train and test were separated, without the numbers that follow.</summary>
    private static string ShortSplit(string split) => split.Split(": ", 2)[0].Split("; ", 2)[0];

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |";

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("0.####", CultureInfo.InvariantCulture) : "–";
}
