using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Models;

namespace OKLA.ML.Tuning;

/// <summary>Settings of boosted trees that were tried on a few folds.</summary>
internal sealed record TriedSettings(BoostingSettings Settings, double Loss);

/// <summary>
/// Looks for the settings of <see cref="BoostedTable"/> that do best on a few folds, in hasty steps: standing sizes of trees first, then what the tree-structured
/// Parzen estimator (Bergstra et al. 2011) suggests, until the time is over. Trials that a cut-off run finished are not made again.
/// </summary>
internal sealed class TableSearch(FoldTables tables, IReadOnlyList<Split> folds, int threads)
{
    private const double HastyRate = 0.12;
    private const int MostTrials = 60;

    private static readonly SearchSpace Space = new(
        Parameter.LogWhole("leaves", 4, 128), Parameter.LogWhole("leastRows", 2, 60), Parameter.Real("columns", 0.3, 1), Parameter.Real("rows", 0.5, 1), Parameter.LogReal("lambda", 0.1, 20));

    /// <summary>Searches; the best one first.</summary>
    /// <param name="enough">Whether the time is over; the standing sizes are tried all the same.</param>
    /// <param name="book">Keeps the trials.</param>
    /// <param name="ct">Stops it.</param>
    public IReadOnlyList<TriedSettings> Run(Func<bool> enough, ITrialBook? book, CancellationToken ct)
    {
        var tried = BoostingSettings.Shapes.Select(shape => Try(shape, ct)).ToList();
        var study = new Study(Space, new TpeSampler(), new StudyOptions { Seed = tables.Seed }, book?.Kept);
        tried.AddRange(study.Trials.Where(trial => trial.State == TrialState.Completed).Select(trial => new TriedSettings(Of(trial), trial.Values[0])));
        while (!enough() && study.Trials.Count < MostTrials)
        {
            ct.ThrowIfCancellationRequested();
            var trial = study.Ask();
            var found = Try(Of(trial), ct);
            study.Tell(trial.Number, found.Loss);
            book?.Keep(study.Trials);
            tried.Add(found);
        }

        return [.. tried.Where(one => double.IsFinite(one.Loss)).OrderBy(one => one.Loss)];
    }

    private TriedSettings Try(BoostingSettings settings, CancellationToken ct) =>
        new(settings, BoostedTable.CrossValidate(tables, settings with { LearningRate = HastyRate }, folds, threads, ct).Loss);

    private static BoostingSettings Of(Trial trial) => new(
        (int)trial.Parameters["leaves"], (int)trial.Parameters["leastRows"], trial.Parameters["columns"], trial.Parameters["rows"], Lambda: trial.Parameters["lambda"]);
}
