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

    public override ModelSignature? Signature => texts.Signature;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        texts.Trials = Trials;
        var heldOut = await texts.EvaluateAsync(serving, progress, ct);
        var model = TableModel.Load(texts.Measured().Artefact);
        var (whole, words) = (AspectFigures.Of(WrittenReviews.Final, text => IsPraise(model, text)), AspectFigures.Of(WrittenReviews.Final, null));
        var alone = WrittenReviews.Final.Count(review => IsPraise(model, review.Text) == review.IsPraise) / (double)WrittenReviews.Final.Count;
        return heldOut with
        {
            Metrics =
            [
                .. heldOut.Metrics, new MetricRow("accuracy, by hand, words first", whole.Whole, whole.MajorityWhole, "majority"), new MetricRow("accuracy, by hand, classifier alone", alone, whole.MajorityWhole, "majority"),
                new MetricRow("aspect and tone F1, by hand", whole.F1, words.F1, "words alone"), new MetricRow("tone of aspects found, by hand", whole.Tone, whole.MajorityTone, "majority"),
            ],
            Split = $"{heldOut.Split}; {WrittenReviews.Final.Count} reviews with {WrittenReviews.Final.Sum(review => review.Aspects.Count)} aspects written by hand",
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => texts.Refit(progress, ct);

    public override TrainedModel Measured() => texts.Measured();

    /// <summary>Whether a model takes a text for praise.</summary>
    internal static bool IsPraise(IServedModel model, string text) => model.Predict([[text]])[0].Label == SentimentAnalyzer.Praise;
}
