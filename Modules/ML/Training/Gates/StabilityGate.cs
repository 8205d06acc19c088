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
        var spread = Math.Sqrt(folds.Sum(fold => (fold.Model - mean) * (fold.Model - mean)) / (folds.Length - 1)) / Math.Abs(mean);
        var better = folds.Count(fold => @case.Better(fold.Model, fold.Baseline));
        return (
            better >= LeastBetter * folds.Length && spread <= @case.Settings.FoldSpread,
            $"{@case.Metric} is better than the baseline in {better} of {folds.Length} folds and varies by {Gate.Text(spread)} of its mean, at most {Gate.Text(@case.Settings.FoldSpread)} allowed");
    }
}
