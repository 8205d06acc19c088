using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Models.Frames;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// How many days an ad takes to sell.
/// Entity: an ad. Label: days from its listing to its sale; ads that have not sold, or that were taken off, are censored then.
/// Features: what it says at its listing, its price against what it is worth. Trainer: accelerated failure times (<see cref="DaysToSale"/>).
/// Gate: concordance above that of the group's median. Answer: median, interval of 80 %, probability of a sale within days.
/// </summary>
internal sealed class DaysToSalePredictor(FrameSource source, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.DaysToSalePredictor;

    public override string Summary => "How many days an ad takes to sell, and what its price does to that.";

    /// <summary>Of days up to the longest time that the test leaves to sell: of ads that have not sold, nobody knows more.</summary>
    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("R2 of days up to", 0.85)];

    public override ModelTraining NewTraining() => new DaysToSaleTraining(source, options.Value, rates);

    public override ModelTraining NewTraining(TrainingWorld world) => new DaysToSaleTraining(source.In(world), world.Options, world.Rates);

    public override IServedModel Load(byte[] artefact) => new Served(DaysToSale.Load(artefact), clock);

    /// <summary>What it is asked with.</summary>
    internal static ModelSignature Asked { get; } = new(
        "regression",
        [
            new("make", "category", Required: true, Example: "Toyota"), new("model", "category", Required: true, Example: "Corolla"),
            new("year", "number", Required: true, Min: 1900, Max: 2100, Example: "2018"), new("priceUsd", "number", Min: 0, Example: "15000"), new("bodyType", "category", Example: "sedan"),
            new("fuel", "category", Example: "gasolina"), new("condition", "category", Example: "usado"), new("transmission", "category", Example: "automática"),
            new("mileageKm", "number", Min: 0, Example: "60000"), new("title", "text", Example: "Toyota Corolla LE 2018"),
        ],
        [], "days");

    /// <summary>An ad as a row of <see cref="Asked"/>.</summary>
    internal static string?[] RowOf(DaysToSale.Ad ad)
    {
        var says = ad.Features;
        return [says.Make, says.Model, Text(says.Year), Text(ad.Usd), says.Body, says.Fuel, says.Condition, says.Transmission, Text(says.MileageKm), says.Words.Length == 0 ? null : string.Join(' ', says.Words)];
    }

    /// <summary>A row of <see cref="Asked"/> as the model knows ads, listed at a time.</summary>
    internal static DaysToSale.Ad AdOf(string?[] row, DateTimeOffset at) => new(
        new PriceFeatures(
            PriceFeatures.Plain(row[0]), PriceFeatures.Plain(row[1]), PriceFeatures.Plain(row[4]), PriceFeatures.Plain(row[5]), PriceFeatures.Plain(row[6]), PriceFeatures.Plain(row[7]),
            Number(row[2]), Number(row[8]), PriceFeatures.WordsOf(row[9]), at),
        Number(row[3]));

    private static string? Text(double number) => double.IsNaN(number) ? null : number.ToString("R", CultureInfo.InvariantCulture);

    private static double Number(string? text) => double.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;

    /// <summary>A version in memory.</summary>
    internal sealed class Served(DaysToSale model, TimeProvider clock) : IServedModel
    {
        private const double Low = 0.1, Middle = 0.5, High = 0.9;

        public DaysToSale Model => model;

        public ModelSignature Signature => Asked;

        public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) =>
        [
            .. rows.Select(row => model.Remaining(AdOf(row), 0, Low, Middle, High)).Select(days => new Prediction(days[1], days[0], days[2])),
        ];

        public Explanation[] Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default)
        {
            var explained = new Explanation[rows.Count];
            for (var r = 0; r < explained.Length; r++)
            {
                ct.ThrowIfCancellationRequested();
                explained[r] = Explain(AdOf(rows[r]));
            }

            return explained;
        }

        /// <summary>Two parts that add up: what the vehicle does, and what its price does, each the mean of what it adds before and after the other (Shapley 1953).</summary>
        private Explanation Explain(DaysToSale.Ad ad)
        {
            double Mean(Func<DaysToSale.Ad, DaysToSale.Ad> mix) => model.Medians([.. model.Background.Select(mix)]).Average(days => Math.Log(days));
            var (none, both) = (Mean(other => other), Mean(_ => ad));
            var (vehicle, price) = (Mean(other => ad with { Usd = other.Usd }), Mean(other => other with { Usd = ad.Usd }));
            var (byVehicle, byPrice) = ((vehicle - none + both - price) / 2, (price - none + both - vehicle) / 2);

            // What the vehicle does is the part of make and model, which stand first.
            return new Explanation("ln days", none, both, [.. Signature.Inputs.Select(input => input.Name switch { "make" or "model" => byVehicle / 2, "priceUsd" => byPrice, _ => 0 })]);
        }

        private DaysToSale.Ad AdOf(string?[] row) => DaysToSalePredictor.AdOf(row, clock.GetUtcNow());
    }
}
