using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Training.Gates;

/// <summary>
/// A version must not be worse than the serving one: on the same cases where neither has learned from them (those of this test, or those that the serving
/// version was measured on), otherwise against the figure that the serving version was published with, within the tolerance.
/// </summary>
internal sealed class ServingGate : IGate
{
    private const int LeastShared = 50;

    public string Name => "serving";

    public (bool Passed, string Reason)? Check(GateCase @case)
    {
        var metric = @case.HeldOut.Metrics[0];
        if (!double.IsFinite(metric.Model))
        {
            return null;
        }

        var ours = $"{metric.Name} {Gate.Text(metric.Model)}";
        if (@case.HeldOut is { Cases: { Serving: { } theirs } cases })
        {
            return Paired(@case, ours, cases.Model, theirs, "on the same data");
        }

        if (@case.HeldOut.Serving is { } same)
        {
            return @case.Better(same, metric.Model)
                ? (false, $"{ours} is worse than the serving version's {Gate.Text(same)} on the same data")
                : (true, $"{ours}, the version before it {Gate.Text(same)} on the same data");
        }

        if (@case.HeldOut.Cases is { } now && @case.RecordedCases is { } then && then.Loss == now.Loss && Shared(now, then) is { Mine.Length: >= LeastShared } shared)
        {
            return Paired(@case, ours, shared.Mine, shared.Theirs, $"on {shared.Mine.Length} cases that both were measured on");
        }

        if (@case.Recorded is not { } published)
        {
            return (true, $"{ours}; there was no version before it");
        }

        var instead = @case.CasesForgotten ? "; the losses of its cases are not kept any more, so that the two were not compared case by case" : "";
        var bound = @case.LargerIsBetter ? published * (1 - @case.Tolerance) : published * (1 + @case.Tolerance);
        return @case.Better(bound, metric.Model)
            ? (false, $"{ours} is worse than the {Gate.Text(published)} that the serving version was published with{instead}")
            : (true, $"{ours}, the version before it was published with {Gate.Text(published)}{instead}");
    }

    private static (bool, string) Paired(GateCase @case, string ours, double[] mine, double[] theirs, string where)
    {
        Interval worse = GateCase.Difference(mine, theirs);
        var text = $"{ours}; its loss is {Gate.Text(Math.Abs(worse.Estimate))} {(worse.Estimate > 0 ? "more" : "less")} than the serving version's {where} (95 % interval {Gate.Text(worse.Lower)} to {Gate.Text(worse.Upper)})";
        return worse.Lower <= 0 && worse.Estimate <= @case.Tolerance * theirs.Average() ? (true, text) : (false, text + ", which is worse");
    }

    private static (double[] Mine, double[] Theirs) Shared(CaseLosses now, CaseLosses then)
    {
        var known = new Dictionary<long, double>();
        for (var i = 0; i < then.Keys.Length; i++)
        {
            known.TryAdd(then.Keys[i], then.Model[i]);
        }

        var both = Enumerable.Range(0, now.Keys.Length).Where(i => known.ContainsKey(now.Keys[i])).ToArray();
        return (Array.ConvertAll(both, i => now.Model[i]), Array.ConvertAll(both, i => known[now.Keys[i]]));
    }
}
