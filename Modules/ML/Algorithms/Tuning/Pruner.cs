namespace OKLA.ML.Algorithms.Tuning;

/// <summary>Says from reports on the way which trials are not worth finishing: <see cref="MedianPruner"/> or <see cref="SuccessiveHalvingPruner"/>.</summary>
public abstract class Pruner
{
    private protected Pruner()
    {
    }

    /// <summary>True when <paramref name="trial"/>, which has just reported, should stop. Reports times <paramref name="sign"/> are losses.</summary>
    internal abstract bool ShouldStop(IReadOnlyList<Trial> trials, Trial trial, double sign);

    private protected static double Loss(TrialReport report, double sign) => double.IsNaN(report.Value) ? double.PositiveInfinity : sign * report.Value;
}

/// <summary>
/// The median stopping rule (Golovin et al. 2017, section 3.2.2): a trial stops when its best report so far is worse than the median of the others' running
/// averages up to the same step.
/// </summary>
public sealed class MedianPruner : Pruner
{
    private readonly int _startup;
    private readonly int _warmUp;

    /// <summary>Stops nothing before <paramref name="startupTrials"/> other trials are completed, nor at steps before <paramref name="warmUpSteps"/>.</summary>
    public MedianPruner(int startupTrials = 5, int warmUpSteps = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(startupTrials, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(warmUpSteps);
        (_startup, _warmUp) = (startupTrials, warmUpSteps);
    }

    internal override bool ShouldStop(IReadOnlyList<Trial> trials, Trial trial, double sign)
    {
        var step = trial.Reports[^1].Step;
        if (step < _warmUp) return false;
        var averages = trials.Where(t => t.State == TrialState.Completed)
            .Select(t => t.Reports.Where(r => r.Step <= step).Select(r => Loss(r, sign)).DefaultIfEmpty(double.NaN).Average())
            .Where(average => !double.IsNaN(average)).Order().ToArray();
        if (averages.Length < _startup) return false;
        var middle = averages.Length / 2;
        var median = averages.Length % 2 == 1 ? averages[middle] : (averages[middle - 1] + averages[middle]) / 2;
        return trial.Reports.Min(r => Loss(r, sign)) > median;
    }
}

/// <summary>
/// Asynchronous successive halving (Li et al. 2020, algorithm 2, stopping instead of promoting): at the resources least·η^k a trial goes on only when it is
/// among the best 1/η of the trials that reported there so far.
/// </summary>
public sealed class SuccessiveHalvingPruner : Pruner
{
    private readonly int _least;
    private readonly int _reduction;

    /// <summary>Rungs at <paramref name="leastResource"/>·<paramref name="reduction"/>^k steps, k from 0.</summary>
    public SuccessiveHalvingPruner(int leastResource = 1, int reduction = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leastResource, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(reduction, 2);
        (_least, _reduction) = (leastResource, reduction);
    }

    internal override bool ShouldStop(IReadOnlyList<Trial> trials, Trial trial, double sign)
    {
        var step = trial.Reports[^1].Step;
        var before = trial.Reports.Count > 1 ? trial.Reports[^2].Step : 0;
        // The highest rung passed since the last report.
        long rung = _least;
        while (rung * _reduction <= step) rung *= _reduction;
        if (rung > step || rung <= before) return false;
        double[] reached = [.. trials.Select(t => t.Reports.FirstOrDefault(r => r.Step >= rung)).OfType<TrialReport>().Select(r => Loss(r, sign)).Order()];
        var own = Loss(trial.Reports[^1], sign);
        return own > reached[Math.Max(1, reached.Length / _reduction) - 1];
    }
}
