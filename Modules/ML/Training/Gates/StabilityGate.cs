namespace OKLA.ML.Training.Gates;

/// <summary>The deciding metric must not swing over folds, and in most of them be better than the baseline.</summary>
internal sealed class StabilityGate : IGate
{
    private const double LeastBetter = 0.8;

    public string Name => "stability";

    public (bool Passed, string Reason)? Check(GateCase @case)
    {
        var folds = @case.HeldOut.Folds.Where(fold => double.IsFinite(fold.Model)).ToArray();
        if (folds.Length < 2)
        {
            return null;
        }

        var mean = folds.Average(fold => fold.Model);
        // An error that is next to nothing may double and stay next to nothing: it is held against what it spares as well.
        var scale = Math.Max(Math.Abs(mean), Math.Abs(folds.Average(fold => fold.Baseline) - mean));
        var spread = Math.Sqrt(folds.Sum(fold => (fold.Model - mean) * (fold.Model - mean)) / (folds.Length - 1)) / scale;
        var better = folds.Count(fold => @case.Better(fold.Model, fold.Baseline));
        return (
            better >= LeastBetter * folds.Length && spread <= @case.Settings.FoldSpread,
            $"{@case.Metric} is better than the baseline in {better} of {folds.Length} folds and varies by {Gate.Text(spread)} of its mean or of its distance from the baseline's, at most {Gate.Text(@case.Settings.FoldSpread)} allowed");
    }
}
