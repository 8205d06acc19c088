using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// Gradient boosting of regression trees (Friedman 2001) by second-order leaf values (Chen and Guestrin 2016) on histograms of binned
/// columns, grown leaf-wise (Ke et al. 2017). A seed gives the same model for any number of threads.
/// </summary>
public static class GradientBoosting
{
    /// <summary>Trains on <paramref name="x"/> (rows × columns) and <paramref name="y"/> (one target a row).</summary>
    /// <param name="x">The training rows.</param>
    /// <param name="y">Targets: numbers, 0 / 1, classes from 0, or relevance grades from 0.</param>
    /// <param name="options">The knobs.</param>
    /// <param name="validX">Rows for the validation metric and early stopping.</param>
    /// <param name="validY">Their targets.</param>
    /// <param name="weights">A weight a training row; null counts each as 1.</param>
    /// <param name="groups">Ranking only: sizes of the queries, whose rows lie together.</param>
    /// <param name="validGroups">Ranking only: the same for the validation rows.</param>
    /// <param name="progress">Told after each round.</param>
    /// <param name="cancellation">Looked at before each round.</param>
    /// <exception cref="ArgumentException">Lengths differ, a target does not suit the objective, or an option is out of range.</exception>
    public static GradientBoostingModel Train(
        Dataset x, float[] y, GradientBoostingOptions options, Dataset? validX = null, float[]? validY = null, float[]? weights = null,
        int[]? groups = null, int[]? validGroups = null, IProgress<BoostingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var binned = BinnedDataset.Fit(x, options.MaxBins, options.Threads);
        return Train(binned, y, options, validX is null ? null : binned.Apply(validX, options.Threads), validY, weights, groups, validGroups, progress, cancellation);
    }

    /// <summary>Trains on rows that were binned before, as tuning does many times; see the other overload.</summary>
    public static GradientBoostingModel Train(
        BinnedDataset x, float[] y, GradientBoostingOptions options, BinnedDataset? validX = null, float[]? validY = null, float[]? weights = null,
        int[]? groups = null, int[]? validGroups = null, IProgress<BoostingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (x.RowCount == 0 || y.Length != x.RowCount) throw new ArgumentException($"{x.RowCount} rows and {y.Length} targets.", nameof(y));
        if (weights is not null && (weights.Length != y.Length || weights.Any(w => !(w >= 0) || float.IsInfinity(w))))
            throw new ArgumentException("Weights must be finite, at least 0 and one a row.", nameof(weights));
        if ((validX is null) != (validY is null) || validX?.RowCount != validY?.Length) throw new ArgumentException("Validation rows and targets differ in number.", nameof(validY));
        return new BoostingRun(x, y, options, weights, groups).Run(validX, validY, validGroups, progress, cancellation);
    }
}
