using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OKLA.Host.Cli.Evaluate;

/// <summary>How one algorithm did on rows that it did not learn from.</summary>
/// <param name="Name">The algorithm's name.</param>
/// <param name="Metrics">Its figures by name, in the order to show them; NaN where one cannot be told.</param>
/// <param name="TrainSeconds">Seconds that learning took.</param>
/// <param name="PredictMicroseconds">Microseconds that one row (user, step) took to predict, over all of them.</param>
/// <param name="Rows">Rows (users, steps) that the figures are over.</param>
internal sealed record AlgorithmResult(string Name, IReadOnlyList<KeyValuePair<string, double>> Metrics, double TrainSeconds, double PredictMicroseconds, int Rows);

/// <summary>Writes results as a table for a person, or one JSON line an algorithm for a program.</summary>
internal static class AlgorithmResults
{
    /// <summary>The flag that asks for JSON.</summary>
    public static Option Json { get; } = new("--json", "", "one line of JSON an algorithm");

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes <paramref name="results"/>; <paramref name="about"/> says in one line what was measured and goes to the error stream beside JSON.</summary>
    public static void Write(Terminal terminal, Invocation invocation, string about, IReadOnlyList<AlgorithmResult> results)
    {
        if (invocation.Has(Json.Name))
        {
            terminal.Error.WriteLine(about);
            foreach (var result in results)
            {
                terminal.Out.WriteLine(Line(result));
            }

            return;
        }

        var metrics = results.SelectMany(result => result.Metrics).Select(metric => metric.Key).Distinct().ToList();
        terminal.Table(
            ["algorithm", .. metrics, "train s", "predict us"],
            [.. results.Select(result => (IReadOnlyList<string>)
            [
                result.Name,
                .. metrics.Select(name => Number(result.Metrics.FirstOrDefault(metric => metric.Key == name, new(name, double.NaN)).Value)),
                result.TrainSeconds.ToString("0.00", CultureInfo.InvariantCulture), result.PredictMicroseconds.ToString("0.00", CultureInfo.InvariantCulture),
            ])]);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"  {about}");
    }

    private static string Line(AlgorithmResult result) => new JsonObject
    {
        ["name"] = result.Name,
        ["metrics"] = new JsonObject(result.Metrics.Select(metric => KeyValuePair.Create(metric.Key, double.IsFinite(metric.Value) ? JsonValue.Create(Math.Round(metric.Value, 6)) : (JsonNode?)null))),
        ["trainSeconds"] = Math.Round(result.TrainSeconds, 4),
        ["predictMicroseconds"] = Math.Round(result.PredictMicroseconds, 4),
        ["rows"] = result.Rows,
    }.ToJsonString(Plain);

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString(Math.Abs(value) >= 1000 ? "0.0" : "0.0000", CultureInfo.InvariantCulture);
}
