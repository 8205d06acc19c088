using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models;
using OKLA.ML.Tuning;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>Weighing quality against speed, size and fairness, where the definition asks for it.</summary>
internal sealed partial class TableTraining
{
    private const int MostAlternatives = 4;

    /// <summary>Part of the budget for looking for quicker and smaller trees.</summary>
    private const double FrontShare = 0.2;

    /// <summary>Trees from the front of quality and size, each cross-validated and measured as the best ones were.</summary>
    private IEnumerable<(TriedModel Tried, ITablePredictor Model, float[] Answers, BoostingSettings Settings)> Alternatives(
        RawColumn[] train, float[] y, IReadOnlyList<Split> folds, Func<float[], double?> gap, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        progress?.Report(new WorkProgress(0.42, "weighing quality against speed and size"));
        var started = clock.GetTimestamp();
        var few = folds.Count > 3 ? folds.TakeLast(2).ToArray() : [folds[^1]];
        var tables = Tables(train, y);
        var front = new TableFront(tables, few, threads)
            .Run(() => clock.GetElapsedTime(started).TotalSeconds >= FrontShare * definition.BudgetSeconds, MostAlternatives, ct);
        foreach (var tried in front)
        {
            ct.ThrowIfCancellationRequested();
            var found = BoostedTable.CrossValidate(tables, tried, folds, threads, ct);
            var model = BoostedTable.Fit(train, y, Classes, task.Log, found.Settings, definition.Seed, threads, ct);
            var name = string.Create(CultureInfo.InvariantCulture, $"boosted trees, {found.Settings.Leaves} leaves, {found.Settings.Rounds} rounds, step {found.Settings.LearningRate:0.###}");
            yield return (Measure(name, Loss(found.Answers, y), model, train, gap(found.Answers)), model, found.Answers, found.Settings);
        }
    }

    /// <summary>The one that the objective asks for; marked among what was tried.</summary>
    private (ITablePredictor Model, float[] Answers, BoostingSettings Settings) Chosen(
        List<(TriedModel Tried, ITablePredictor Model, float[] Answers, BoostingSettings Settings)> made, List<TriedModel> tried)
    {
        var chosen = made[definition.Objective!.Choose(Fronted([.. made.Select(one => one.Tried)]))];
        tried[tried.IndexOf(chosen.Tried)] = chosen.Tried with { Chosen = true };
        return (chosen.Model, chosen.Answers, chosen.Settings);
    }
}
