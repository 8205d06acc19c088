using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Cli;

/// <summary>What <c>train</c> and <c>evaluate</c> have in common.</summary>
internal static class Metrics
{
    /// <summary>Takes a model's name.</summary>
    /// <exception cref="UsageException">No model of that name.</exception>
    public static string ModelOf(Invocation invocation)
    {
        var known = ModelNames.All;
        return known.Contains(invocation.Arguments[0]) ? invocation.Arguments[0]
            : throw new UsageException($"There is no model '{invocation.Arguments[0]}'. There is: {string.Join(", ", known)}.");
    }

    public static void Write(Terminal terminal, IReadOnlyList<MetricRow> metrics)
    {
        string Number(double? value) => value is { } known && !double.IsNaN(known) ? known.ToString("0.0000", CultureInfo.InvariantCulture) : "";
        terminal.Table(
            ["metric", "model", "baseline", "ceiling", "baseline is"],
            [.. metrics.Select(metric => (IReadOnlyList<string>)[metric.Name, Number(metric.Model), Number(metric.Baseline), Number(metric.Ceiling), metric.BaselineName])]);
    }
}
