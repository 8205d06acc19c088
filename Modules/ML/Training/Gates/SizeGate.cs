namespace OKLA.ML.Training.Gates;

/// <summary>The artefact must be small enough to be kept and loaded.</summary>
internal sealed class SizeGate : IGate
{
    public string Name => "size";

    public (bool Passed, string Reason)? Check(GateCase @case) => @case.HeldOut.Bytes is { } bytes
        ? (bytes <= @case.Settings.Bytes, $"the artefact has {bytes} bytes, at most {@case.Settings.Bytes} allowed")
        : null;
}
