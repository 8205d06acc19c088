using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>Trains a <see cref="SentimentAnalyzer"/> as any table of texts, and sets its figures on reviews written by hand, which it never learned from, beside.</summary>
internal sealed class SentimentTraining(ModelTraining texts) : ModelTraining
{
    private IReadOnlyList<Action> questions = [];

    public override string Model => texts.Model;

    public override bool LargerIsBetter => texts.LargerIsBetter;

    public override GateSettings Gates => texts.Gates;

    public override ModelSignature? Signature => texts.Signature;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        texts.Trials = Trials;
        var heldOut = await texts.EvaluateAsync(serving, progress, ct);
        var model = TableModel.Load(texts.Measured().Artefact);
        questions = [.. WrittenReviews.Final.Select(review => (Action)(() =>
        {
            IsPraise(model, review.Text, out _);
            AspectReader.Read(review.Text);
        }))];
        var figures = AspectFigures.Of(WrittenReviews.Final);
        var units = HeldOutUnits.Rows(WrittenReviews.Final.Count);
        MetricRow Accuracy(string name, Func<string, bool> praise)
        {
            double[] right = [.. WrittenReviews.Final.Select(review => praise(review.Text) == review.IsPraise ? 1.0 : 0)];
            return new MetricRow(name, right.Average(), figures.MajorityWhole, "majority").Within(units.Mean(right));
        }

        return heldOut with
        {
            Metrics =
            [
                .. heldOut.Metrics, Accuracy("accuracy, by hand", text => IsPraise(model, text, out _)),
                Accuracy("accuracy, by hand, classifier alone", text => model.Predict([[text]])[0].Label == SentimentAnalyzer.Praise),
                new MetricRow("aspect and tone F1, by hand", figures.F1, figures.MajorityF1, "every thing named is praised").Within(figures.Range),
                new MetricRow("tone of aspects found, by hand", figures.Tone, figures.MajorityTone, "majority"),
            ],
            Split = $"{heldOut.Split}; {WrittenReviews.Final.Count} reviews with {WrittenReviews.Final.Sum(review => review.Aspects.Count)} aspects written by hand",
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => texts.Refit(progress, ct);

    public override TrainedModel Measured() => texts.Measured();

    /// <summary>
    /// Whether a text is praise: by the tone of its words, and by the classifier where they do not tell, which knows what its own reviews said and little else.
    /// </summary>
    /// <param name="model">The classifier.</param>
    /// <param name="text">The text.</param>
    /// <param name="probability">The classifier's probability of praise.</param>
    internal static bool IsPraise(IServedModel model, string text, out double probability)
    {
        probability = model.Predict([[text]])[0].Value;
        return AspectReader.Tone(text) is var tone and not 0 ? tone > 0 : probability >= 0.5;
    }
}
