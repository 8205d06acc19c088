using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>How a version of the test model answers: price = slope · size + 100 per floor, and whether it fails or dawdles.</summary>
internal sealed record Line(double Slope, bool Fails = false, int SlowMilliseconds = 0, bool Lies = false, bool Classifies = false)
{
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(this);
}

/// <summary>A model whose answers are known by hand.</summary>
internal sealed class LineModel : ModelDefinition
{
    public const string ModelName = "line";

    private static readonly ConcurrentDictionary<double, int> Answered = new();

    /// <summary>How many rows lines of a slope have answered.</summary>
    public static int AnsweredBy(double slope) => Answered.GetValueOrDefault(slope);

    public override string Name => ModelName;

    public override string Summary => "A line.";

    public override ModelTraining NewTraining() => throw new NotSupportedException();

    public override IServedModel Load(byte[] artefact) => new Served(JsonSerializer.Deserialize<Line>(artefact) ?? throw new InvalidDataException("No line."));

    public static async Task<int> SaveAsync(ModelRegistry registry, Line line, object? data = null, string? artefact = null) => await registry.SaveAsync(
        ModelName, new TrainedModel(artefact is null ? line.Save() : System.Text.Encoding.UTF8.GetBytes(artefact), new { }, data ?? new { }, DateTimeOffset.UnixEpoch, 10),
        [new MetricRow("MAE", 1, 2, "mean")], "candidate", "for a test", "test", 0.1, default);

    private sealed class Served(Line line) : IServedModel
    {
        public ModelSignature Signature { get; } = new(
            line.Classifies ? "binary" : "regression",
            [
                new("size", "number", Required: true, Min: 0, Max: 100, Example: "40"), new("floors", "number", Min: 1, Max: 5, Example: "1"),
                new("district", "category", Categories: ["naco", "gazcue", "bella vista"], Example: "naco"), new("furnished", "boolean"), new("built", "date"),
            ],
            line.Classifies ? ["no", "yes"] : [], line.Classifies ? null : "USD");

        public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1)
        {
            Answered.AddOrUpdate(line.Slope, rows.Count, (_, sum) => sum + rows.Count);
            if (line.Fails)
            {
                throw new InvalidOperationException("This version is bad on purpose.");
            }

            if (line.SlowMilliseconds > 0)
            {
                Thread.Sleep(line.SlowMilliseconds);
            }

            return [.. rows.Select(row =>
            {
                var value = line.Slope * Number(row[0]) + 100 * Number(row[1] ?? "1");
                if (!line.Classifies)
                {
                    return new Prediction(value, value - 10, value + 10);
                }

                var p = 1 / (1 + Math.Exp(-value / 100));
                return new Prediction(p, Label: p >= 0.5 ? "yes" : "no", Probabilities: [1 - p, p]);
            })];
        }

        public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default) =>
            [.. rows.Select(row => new Explanation(
                "answer", 100, line.Slope * Number(row[0]) + 100 * Number(row[1] ?? "1"), [line.Slope * Number(row[0]) + (line.Lies ? 1 : 0), 100 * Number(row[1] ?? "1") - 100, 0, 0, 0]))];

        private static double Number(string? text) => double.Parse(text!, CultureInfo.InvariantCulture);
    }
}
