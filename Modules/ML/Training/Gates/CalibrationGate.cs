namespace OKLA.ML.Training.Gates;

/// <summary>Probabilities must say how often things happen, and intervals hold the share that they promise, chance allowed for.</summary>
internal sealed class CalibrationGate : IGate
{
    public string Name => "calibration";

    public (bool Passed, string Reason)? Check(GateCase @case)
    {
        if (@case.HeldOut.CalibrationError is { } error)
        {
            var limit = @case.Settings.CalibrationError;
            return (error.Lower <= limit, $"expected calibration error {Gate.Text(error.Estimate)} (from {Gate.Text(error.Lower)}), at most {Gate.Text(limit)} allowed");
        }

        if (@case.HeldOut.Coverage is { } coverage)
        {
            var least = coverage.Wanted - @case.Settings.CoverageGap;
            return (coverage.Held.Upper >= least, $"intervals hold {Gate.Text(coverage.Held.Estimate)} of the cases (up to {Gate.Text(coverage.Held.Upper)}), {Gate.Text(coverage.Wanted)} promised");
        }

        return null;
    }
}
