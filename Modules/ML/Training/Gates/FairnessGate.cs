namespace OKLA.ML.Training.Gates;

/// <summary>Groups must be served alike: a gap blocks when it is above the limit beyond chance.</summary>
internal sealed class FairnessGate : IGate
{
    public string Name => "fairness";

    public (bool Passed, string Reason)? Check(GateCase @case)
    {
        var judged = @case.HeldOut.Groups.Where(gap => double.IsFinite(gap.Size.Estimate)).ToArray();
        if (judged.Length == 0)
        {
            return null;
        }

        var limit = @case.Settings.GroupGap;
        var broken = judged.Where(gap => gap.Size.Lower > limit).ToArray();
        string Say(GroupGap gap) => $"{gap.Measure} of {gap.Column} differs by {Gate.Text(gap.Size.Estimate)} (from {Gate.Text(gap.Size.Lower)}) between {gap.Highest} and {gap.Lowest}";
        return broken.Length == 0
            ? (true, $"{Say(judged.MaxBy(gap => gap.Size.Estimate)!)}, at most {Gate.Text(limit)} allowed")
            : (false, $"{string.Join("; ", broken.Select(Say))}; at most {Gate.Text(limit)} allowed");
    }
}
