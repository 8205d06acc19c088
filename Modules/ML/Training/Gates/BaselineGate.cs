namespace OKLA.ML.Training.Gates;

/// <summary>A version must be better than the baseline; where the losses of single cases are known, by more than chance.</summary>
internal sealed class BaselineGate : IGate
{
    public string Name => "baseline";

    public (bool Passed, string Reason)? Check(GateCase @case)
    {
        var metric = @case.HeldOut.Metrics[0];
        if (!double.IsFinite(metric.Model))
        {
            return (false, $"{metric.Name} could not be measured");
        }

        if (metric.Baseline is not { } baseline)
        {
            return null;
        }

        if (!@case.Better(metric.Model, baseline))
        {
            return (false, $"{metric.Name} {Gate.Text(metric.Model)} is not better than {metric.BaselineName} ({Gate.Text(baseline)})");
        }

        if (@case.HeldOut.Cases is { } cases)
        {
            var gain = GateCase.Difference(cases.Baseline, cases.Model);
            var text = $"its {cases.Loss} is {Gate.Text(gain.Estimate)} less than that of {metric.BaselineName} (95 % interval {Gate.Text(gain.Lower)} to {Gate.Text(gain.Upper)}, {cases.Model.Length} cases)";
            return gain.Lower > 0 ? (true, text) : (false, text + ", which chance explains");
        }

        return (true, $"{metric.Name} {Gate.Text(metric.Model)} is better than {metric.BaselineName} ({Gate.Text(baseline)})");
    }
}
