using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Cli;

/// <summary>What <c>train</c> and <c>evaluate</c> have in common.</summary>
internal static class Metrics
{
    /// <summary>Takes a model's name.</summary>
    /// <exception cref="UsageException">No model of that name.</exception>
    public static string ModelOf(Invocation invocation) => ModelOf(invocation.Arguments[0]);

    /// <summary>A model's name that there is.</summary>
    /// <exception cref="UsageException">No model of that name.</exception>
    public static string ModelOf(string name)
    {
        var known = ModelNames.All;
        return known.Contains(name) ? name : throw new UsageException($"There is no model '{name}'. There is: {string.Join(", ", known)}.");
    }

    public static void Write(Terminal terminal, IReadOnlyList<MetricRow> metrics)
    {
        string Number(double? value) => value is { } known && !double.IsNaN(known) ? known.ToString("0.0000", CultureInfo.InvariantCulture) : "";
        terminal.Table(
            ["metric", "model", "from", "to", "baseline", "ceiling", "baseline is"],
            [.. metrics.Select(metric => (IReadOnlyList<string>)[metric.Name, Number(metric.Model), Number(metric.Low), Number(metric.High), Number(metric.Baseline), Number(metric.Ceiling), metric.BaselineName])]);
    }
}
