using System.Globalization;
using Microsoft.Extensions.Options;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Models;

/// <summary><see cref="PricePredictor"/> as a model of this house: asked for an ad by <c>GET /api/vehicles/{id}/price-estimate</c>, or for any vehicle by its attributes.</summary>
internal sealed class PriceModel(IMessageBus bus, IOptions<MLOptions> options, ExchangeRates rates, TimeProvider clock) : ModelDefinition
{
    public override string Name => ModelNames.PricePredictor;

    public override string Summary => "What a vehicle's asking price should be, in dollars.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("R2", 0.90)];

    public override ModelTraining NewTraining() => new PriceTraining(bus, options.Value, rates, clock);

    public override ModelTraining NewTraining(TrainingWorld world) => new PriceTraining(world, world.Options, world.Rates, world.Clock);

    public override IServedModel Load(byte[] artefact) => new Served(PricePredictor.Load(artefact), clock);

    /// <summary>What it is asked with; the day of a price is today where it is not said.</summary>
    internal static ModelSignature Asked { get; } = new(
        "regression",
        [
            new("make", "category", Required: true, Example: "Toyota"), new("model", "category", Required: true, Example: "Corolla"),
            new("year", "number", Required: true, Min: 1900, Max: 2100, Example: "2018"), new("bodyType", "category", Example: "sedan"), new("fuel", "category", Example: "gasolina"),
            new("condition", "category", Example: "usado"), new("transmission", "category", Example: "automática"), new("mileageKm", "number", Min: 0, Example: "60000"),
            new("title", "text", Example: "Toyota Corolla LE 2018"), new("pricedAt", "date", Example: "2026-05-31"),
        ],
        [], "USD");

    /// <summary>An ad as a row of <see cref="Asked"/>.</summary>
    internal static string?[] RowOf(ItemSnapshot ad) =>
    [
        ad.Item.Text("make"), ad.Item.Text("model"), Text(ad.Item.Number("year")), ad.Item.Text("bodyType"), ad.Item.Text("fuel"), ad.Item.Text("condition"), ad.Item.Text("transmission"),
        Text(ad.Item.Number("mileageKm")), ad.Item.Title, ad.PricedAt.ToString("O", CultureInfo.InvariantCulture),
    ];

    /// <summary>A row of <see cref="Asked"/> as the model knows ads.</summary>
    internal static PriceFeatures FeaturesOf(string?[] row, DateTimeOffset now) => new(
        PriceFeatures.Plain(row[0]), PriceFeatures.Plain(row[1]), PriceFeatures.Plain(row[3]), PriceFeatures.Plain(row[4]), PriceFeatures.Plain(row[5]), PriceFeatures.Plain(row[6]),
        Number(row[2]), Number(row[7]), PriceFeatures.WordsOf(row[8]),
        DateTimeOffset.TryParse(row[9], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at.ToUniversalTime() : now);

    private static string? Text(double? number) => number?.ToString("R", CultureInfo.InvariantCulture);

    private static double Number(string? text) => double.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;

    /// <summary>A version in memory.</summary>
    internal sealed class Served(PricePredictor model, TimeProvider clock) : IServedModel
    {
        public PricePredictor Model => model;

        public ModelSignature Signature => Asked;

        public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) =>
            [.. model.Predict([.. rows.Select(Features)], threads).Select(estimate => new Prediction(estimate.Usd, estimate.Low, estimate.High))];

        public Explanation[] Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default)
        {
            var explained = new Explanation[rows.Count];
            for (var r = 0; r < explained.Length; r++)
            {
                ct.ThrowIfCancellationRequested();
                var parts = model.Explain(Features(rows[r]), []);
                // What make and model add together is theirs in equal parts.
                explained[r] = new Explanation("ln USD", parts.Base, parts.Output, [.. Signature.Inputs.Select(input => input.Name switch
                {
                    "make" or "model" => Add("model") / 2,
                    var name => Add(name),
                })]);

                // The day is the same on both sides.
                double Add(string input) => PriceReasons.Inputs.ToList().IndexOf(input) is >= 0 and var place ? parts.Adds[place] : 0;
            }

            return explained;
        }

        private PriceFeatures Features(string?[] row) => FeaturesOf(row, clock.GetUtcNow());
    }
}
