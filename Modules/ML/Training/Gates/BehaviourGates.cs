namespace OKLA.ML.Training.Gates;

/// <summary>Declared tests of behaviour (Ribeiro et al. 2020, CheckList): answers that must stay when a column changes.</summary>
internal sealed class InvarianceGate : IGate
{
    public string Name => "invariance";

    public (bool Passed, string Reason)? Check(GateCase @case) => Behaviour.Judge(@case, "invariance");
}

/// <summary>Declared tests of behaviour: answers that must move one way when a column does.</summary>
internal sealed class DirectionGate : IGate
{
    public string Name => "direction";

    public (bool Passed, string Reason)? Check(GateCase @case) => Behaviour.Judge(@case, "direction");
}

/// <summary>What both kinds have in common.</summary>
internal static class Behaviour
{
    public static (bool Passed, string Reason)? Judge(GateCase @case, string kind)
    {
        var tests = @case.HeldOut.Behaviours.Where(test => test.Kind == kind).ToArray();
        if (tests.Length == 0)
        {
            return null;
        }

        var limit = @case.Settings.Violations;
        return (tests.All(test => test.Share <= limit), $"{string.Join("; ", tests.Select(test => $"{test.Said}: broken by {test.Violations} of {test.Rows} rows"))}; at most {Gate.Text(limit)} of the rows allowed");
    }
}
