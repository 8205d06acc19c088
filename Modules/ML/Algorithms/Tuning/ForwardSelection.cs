using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>A column added by <see cref="ForwardSelection"/>.</summary>
/// <param name="Column">The column.</param>
/// <param name="Score">Mean score over the folds with it and those before.</param>
/// <param name="FoldScores">The score of each fold.</param>
public sealed record SelectionStep(string Column, double Score, IReadOnlyList<double> FoldScores);

/// <summary>Learns from rows and their targets and predicts other rows, one number a row.</summary>
public delegate double[] FitAndPredict(Dataset train, float[] targets, Dataset test);

/// <summary>
/// Greedy forward selection with cross-validation (Whitney 1971; Kohavi and John 1997): the column that helps most is added until none helps.
/// </summary>
public static class ForwardSelection
{
    /// <summary>
    /// Columns of <paramref name="x"/> in the order they were added. <paramref name="score"/> compares predictions with targets, more is better. A column
    /// must raise the mean score over <paramref name="splits"/> by more than <paramref name="least"/>; the first may be any. At most
    /// <paramref name="most"/> are added (0: all). The scores chose the columns: measure the result on rows that took no part.
    /// </summary>
    /// <exception cref="ArgumentException">Lengths differ, or there are no splits.</exception>
    public static IReadOnlyList<SelectionStep> Select(
        Dataset x, float[] y, FitAndPredict learn, Func<double[], float[], double> score, IReadOnlyList<Split> splits, double least = 0, int most = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(learn);
        ArgumentNullException.ThrowIfNull(score);
        ArgumentNullException.ThrowIfNull(splits);
        if (y.Length != x.RowCount || splits.Count == 0) throw new ArgumentException($"{x.RowCount} rows, {y.Length} targets and {splits.Count} splits.", nameof(y));
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        var steps = new List<SelectionStep>();
        var chosen = new List<string>();
        var left = x.Columns.Select(c => c.Name).ToList();
        var limit = most == 0 ? left.Count : Math.Min(most, left.Count);
        var parts = splits.Select(s => (
            Train: x.Select(s.Train), Targets: s.Train.Select(r => y[r]).ToArray(), Test: x.Select(s.Test), Truth: s.Test.Select(r => y[r]).ToArray())).ToArray();
        while (chosen.Count < limit)
        {
            SelectionStep? best = null;
            foreach (var column in left)
            {
                cancellation.ThrowIfCancellationRequested();
                string[] names = [.. chosen, column];
                double[] folds = [.. parts.Select(p => score(learn(p.Train.SelectColumns(names), p.Targets, p.Test.SelectColumns(names)), p.Truth))];
                if (best is null || folds.Average() > best.Score) best = new SelectionStep(column, folds.Average(), folds);
            }
            if (steps.Count > 0 && !(best!.Score > steps[^1].Score + least)) break;
            steps.Add(best!);
            chosen.Add(best!.Column);
            left.Remove(best.Column);
        }
        return steps;
    }
}
