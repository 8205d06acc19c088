using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>Trains a <see cref="SentimentAnalyzer"/> as any table of texts, and sets its figures on reviews written by hand, which it never learned from, beside.</summary>
internal sealed class SentimentTraining(ModelTraining texts) : ModelTraining
{
    public override string Model => texts.Model;

    public override bool LargerIsBetter => texts.LargerIsBetter;

    public override GateSettings Gates => texts.Gates;

    public override ModelSignature? Signature => texts.Signature is { } table ? SentimentModel.Asked(table) : null;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        texts.Trials = Trials;
        var heldOut = await texts.EvaluateAsync(serving, progress, ct);
        var model = new SentimentModel(TableModel.Load(texts.Measured().Artefact));
        var figures = AspectFigures.Of(WrittenReviews.Final);
        var accuracy = WrittenReviews.Final.Count(review => IsPraise(model, review.Text) == review.IsPraise) / (double)WrittenReviews.Final.Count;
        return heldOut with
        {
            Metrics =
            [
                .. heldOut.Metrics, new MetricRow("accuracy, by hand", accuracy, figures.MajorityWhole, "majority"), new MetricRow("aspect and tone F1, by hand", figures.F1, figures.MajorityF1, "every thing named is praised"),
                new MetricRow("tone of aspects found, by hand", figures.Tone, figures.MajorityTone, "majority"),
            ],
            Split = $"{heldOut.Split}; {WrittenReviews.Final.Count} reviews with {WrittenReviews.Final.Sum(review => review.Aspects.Count)} aspects written by hand",
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => texts.Refit(progress, ct);

    public override TrainedModel Measured() => texts.Measured();

    /// <summary>Whether a model takes a text for praise.</summary>
    internal static bool IsPraise(IServedModel model, string text) => model.Predict([[text]])[0].Label == SentimentAnalyzer.Praise;
}

/// <summary>A classifier of texts that is told the text alone: the tone of its words is worked out here.</summary>
internal sealed class SentimentModel(TableModel table) : IServedModel
{
    /// <summary>The column of the tone.</summary>
    public const string Tone = "tone";

    private readonly int[] places = [.. table.Signature.Inputs.Select((input, at) => input.Name == Tone ? -1 : at)];

    public ModelSignature Signature { get; } = Asked(table.Signature);

    /// <summary>What an asker must tell.</summary>
    public static ModelSignature Asked(ModelSignature table) => table with { Inputs = [.. table.Inputs.Where(input => input.Name != Tone).Select(input => input with { Required = true })] };

    /// <summary>The tone as a column holds it.</summary>
    public static string? ToneOf(string? text) => text is null ? null : AspectReader.Tone(text).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) => table.Predict([.. rows.Select(Whole)], threads);

    public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default) =>
        [.. table.Explain([.. rows.Select(Whole)], ct).Select(one => one with { Contributions = [one.Contributions.Sum()] })];

    private string?[] Whole(string?[] row) => [.. places.Select(place => place < 0 ? ToneOf(row[0]) : row[0])];
}
