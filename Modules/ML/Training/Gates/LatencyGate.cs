namespace OKLA.ML.Training.Gates;

/// <summary>One warm row must be answered quickly enough.</summary>
internal sealed class LatencyGate : IGate
{
    public string Name => "latency";

    public (bool Passed, string Reason)? Check(GateCase @case) => @case.HeldOut.RowMicroseconds is { } took
        ? (took <= @case.Settings.RowMicroseconds, $"one row takes {Gate.Text(took)} µs, at most {Gate.Text(@case.Settings.RowMicroseconds)} allowed")
        : null;
}
