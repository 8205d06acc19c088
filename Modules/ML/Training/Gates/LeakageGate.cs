namespace OKLA.ML.Training.Gates;

/// <summary>No column may give the answer away.</summary>
internal sealed class LeakageGate : IGate
{
    public string Name => "leakage";

    public (bool Passed, string Reason)? Check(GateCase @case) => @case.HeldOut.Leaks is { } leaks
        ? leaks.Count == 0 ? (true, "no column gives the target away, and a shuffled target is not learned") : (false, string.Join("; ", leaks))
        : null;
}
