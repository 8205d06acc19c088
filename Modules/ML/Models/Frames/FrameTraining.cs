using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Frames;

/// <summary>Trains a <see cref="FrameModel"/>: a table like any other, whose figures stand beside the ceiling where a simulation knows the truth.</summary>
internal sealed class FrameTraining : ModelTraining
{
    private readonly FrameModel model;
    private readonly TableTraining table;
    private IReadOnlyList<Moment> moments = [];

    public FrameTraining(FrameModel model, MLOptions options, TimeProvider clock)
    {
        this.model = model;
        table = new TableTraining(
            model.Definition,
            async ct =>
            {
                (var read, moments) = await model.ReadAsync(ct);
                return moments.Count > 0 ? read : throw new TooLittleDataException($"The log holds no moment that {model.Name} could learn from.");
            },
            options, clock);
    }

    public override string Model => model.Name;

    public override bool LargerIsBetter => table.LargerIsBetter;

    public override GateSettings Gates => table.Gates;

    public override ModelSignature? Signature => table.Signature;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        table.Trials = Trials;
        var heldOut = await table.EvaluateAsync(serving, progress, ct);
        Moment[] test = [.. table.TestRows.Select(row => moments[row])];
        return await model.TruthAsync(test, ct) is { } truth ? heldOut with { Metrics = Beside(heldOut.Metrics, truth, table.Signature!.Classes, test) } : heldOut;
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => table.Refit(progress, ct);

    public override TrainedModel Measured() => table.Measured();

    /// <summary>The figures with what the true probabilities would measure, over the moments whose truth is known.</summary>
    private static MetricRow[] Beside(IReadOnlyList<MetricRow> metrics, double[] truth, IReadOnlyList<string> classes, Moment[] test)
    {
        var known = Enumerable.Range(0, test.Length).Where(i => double.IsFinite(truth[i])).ToArray();
        double[] scores = [.. known.Select(i => truth[i])];
        bool[] came = [.. known.Select(i => test[i].Label == classes[^1])];
        if (classes.Count != 2 || !came.Contains(true) || !came.Contains(false))
        {
            return [.. metrics];
        }

        return [.. metrics.Select(metric => metric with
        {
            Ceiling = metric.Name switch
            {
                "AUC" => BinaryMetrics.RocAuc(scores, came),
                "log loss" => BinaryMetrics.LogLoss(scores, came),
                "F1" => BinaryMetrics.BestF1(scores, came).F1,
                "Brier" => BinaryMetrics.Brier(scores, came),
                _ => metric.Ceiling,
            },
        })];
    }
}
