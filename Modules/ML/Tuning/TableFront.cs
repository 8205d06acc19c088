using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Models;

namespace OKLA.ML.Tuning;

/// <summary>
/// Settings of <see cref="BoostedTable"/> between which quality is to be weighed against speed and size: NSGA-II (Deb et al. 2002) over loss and leaves × rounds, which time
/// and bytes follow, in hasty steps on a few folds.
/// </summary>
internal sealed class TableFront(FoldTables tables, IReadOnlyList<Split> folds, int threads)
{
    private const double HastyRate = 0.12;
    private const int Population = 8;
    private const int MostTrials = 40;

    private static readonly SearchSpace Space = new(
        Parameter.LogWhole("leaves", 3, 64), Parameter.LogReal("rate", 0.04, 0.4), Parameter.LogWhole("leastRows", 2, 60), Parameter.Real("columns", 0.3, 1), Parameter.LogReal("lambda", 0.1, 20));

    /// <summary>Searches until the time is over, at least a generation; answers some of the front, spread over it, the least loss first.</summary>
    /// <param name="enough">Whether the time is over.</param>
    /// <param name="most">How many to answer at most.</param>
    /// <param name="ct">Stops it.</param>
    public IReadOnlyList<BoostingSettings> Run(Func<bool> enough, int most, CancellationToken ct)
    {
        var study = new Study(Space, new Nsga2Sampler(Population), new StudyOptions { Seed = tables.Seed, Maximize = [false, false] });
        while (study.Trials.Count < MostTrials && (study.Trials.Count < Population || !enough()))
        {
            ct.ThrowIfCancellationRequested();
            var trial = study.Ask();
            var settings = Of(trial);
            var found = BoostedTable.CrossValidate(tables, settings with { LearningRate = Math.Max(HastyRate, settings.LearningRate) }, folds, threads, ct);
            study.Tell(trial.Number, found.Loss, (double)found.Settings.Leaves * found.Settings.Rounds);
        }

        var front = study.Front().Where(trial => double.IsFinite(trial.Values[0])).OrderBy(trial => trial.Values[0]).ToArray();
        return [.. Enumerable.Range(0, Math.Min(most, front.Length)).Select(i => Of(front[most >= front.Length ? i : i * (front.Length - 1) / (most - 1)]))];
    }

    private static BoostingSettings Of(Trial trial) => new(
        (int)trial.Parameters["leaves"], (int)trial.Parameters["leastRows"], trial.Parameters["columns"], LearningRate: trial.Parameters["rate"], Lambda: trial.Parameters["lambda"]);
}
