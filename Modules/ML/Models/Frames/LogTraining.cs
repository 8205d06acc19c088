using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Frames;

/// <summary>Trains a <see cref="LogModel"/>: a table like any other, whose figures stand beside the ceiling where a simulation knows the truth.</summary>
internal sealed class LogTraining : ModelTraining
{
    private readonly LogModel model;
    private readonly TableTraining table;
    private LogTable? read;

    public LogTraining(LogModel model, MLOptions options, TimeProvider clock)
    {
        this.model = model;
        table = new TableTraining(
            model.Definition,
            async ct =>
            {
                read = await model.ReadAsync(ct);
                return read.Data.Columns.Count() > 0 ? read.Data : throw new TooLittleDataException($"The log holds nothing yet that {model.Name} could learn from.");
            },
            options, clock)
        {
            UnitOf = model.UnitOf,
        };
    }

    public override string Model => model.Name;

    public override bool LargerIsBetter => table.LargerIsBetter;

    public override GateSettings Gates => table.Gates;

    public override ModelSignature? Signature => table.Signature;

    public override TableRecipe? Recipe => table.Recipe;

    public override HeldOutRows? HeldOutRows => table.HeldOutRows;

    public override TableData? Learned => read?.Data;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        table.Trials = Trials;
        HeldOut heldOut;
        try
        {
            heldOut = await table.EvaluateAsync(serving, progress, ct);
        }
        catch (TooLittleDataException missing) when (read is not null)
        {
            throw new TooLittleDataException($"There is too little history to train {model.Name}. {missing.Message} So far {Cases()}.");
        }

        var labels = read!.Data.Columns.First(column => column.Name == FrameSource.Label).Values;
        if (table.TestAnswers is { } answers)
        {
            heldOut = heldOut with { Metrics = [.. heldOut.Metrics, .. model.More(answers, [.. table.TestRows.Select(row => labels[row] == Outcome.Yes)])] };
        }

        if (read.Truth is not { } ask)
        {
            return heldOut;
        }

        return heldOut with { Split = model.TruthIs is { } said ? $"{heldOut.Split}; {said}" : heldOut.Split, Metrics = Beside(heldOut.Metrics, await ask(table.TestRows, ct), [.. table.TestRows.Select(row => labels[row] == Outcome.Yes)]) };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => table.Refit(progress, ct);

    public override TrainedModel Measured() => table.Measured();

    /// <summary>How many cases have an outcome by now, and which.</summary>
    private string Cases()
    {
        var labels = read!.Data.Columns.FirstOrDefault(column => column.Name == FrameSource.Label)?.Values.Where(label => label is not null).ToArray() ?? [];
        return labels.Length == 0
            ? "no case has an outcome that is known"
            : $"{labels.Length} cases have an outcome that is known: {string.Join(", ", labels.GroupBy(label => label).OrderByDescending(group => group.Count()).Take(5).Select(group => $"{group.Count()} {group.Key}"))}";
    }

    /// <summary>The figures with what the true probabilities would measure, over the moments whose truth is known.</summary>
    private static MetricRow[] Beside(IReadOnlyList<MetricRow> metrics, double[] truth, bool[] outcomes)
    {
        var known = Enumerable.Range(0, truth.Length).Where(i => double.IsFinite(truth[i])).ToArray();
        double[] scores = [.. known.Select(i => truth[i])];
        bool[] came = [.. known.Select(i => outcomes[i])];
        if (!came.Contains(true) || !came.Contains(false))
        {
            return [.. metrics];
        }

        var best = BinaryMetrics.BestF1(scores, came);
        return [.. metrics.Select(metric => metric with
        {
            Ceiling = metric.Name switch
            {
                "AUC" => BinaryMetrics.RocAuc(scores, came),
                "log loss" => BinaryMetrics.LogLoss(scores, came),
                "F1" => best.F1,
                // As is to be expected, not as it came: of some dozen that are called, chance makes more or less.
                TableMeasures.PrecisionName => scores.Where(score => score >= best.Threshold).Average(),
                TableMeasures.RecallName => BinaryMetrics.Confusion(scores, came, best.Threshold).Recall,
                "Brier" => BinaryMetrics.Brier(scores, came),
                _ => metric.Ceiling,
            },
        })];
    }
}
