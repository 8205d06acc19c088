using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Rollout;

/// <summary>What to do with a rollout now.</summary>
internal enum Move
{
    /// <summary>Leave it where it is.</summary>
    Stay,

    /// <summary>On to the next stage.</summary>
    Advance,

    /// <summary>Back to the control.</summary>
    RollBack,
}

/// <summary>What to do with a rollout now, and why.</summary>
internal sealed record Decision(Move Move, string Reason)
{
    /// <summary>Below it the counts of new users do not fit the shares: something is wrong with who is counted.</summary>
    internal const double SampleRatioAlarm = 0.001;

    /// <summary>Decides on the evidence alone.</summary>
    public static Decision Of(ActiveRollout rollout, Evidence evidence, RolloutKnobs knobs, DateTimeOffset now)
    {
        var control = evidence.Arms[0];
        foreach (var arm in evidence.Arms.Skip(1))
        {
            if (Breach(control, arm, rollout.Spec.Guardrails, knobs, evidence.Comparisons.FirstOrDefault(item => item.Arm == arm.Arm)) is { } breach)
            {
                return new Decision(Move.RollBack, breach);
            }
        }

        if (!rollout.Spec.Auto || rollout.Spec.Stages.FirstOrDefault(stage => stage.Name == rollout.Stage) is not { } stage)
        {
            return new Decision(Move.Stay, "It goes on by hand.");
        }

        if (evidence.SampleRatioP < SampleRatioAlarm)
        {
            return new Decision(Move.Stay, Say($"New users do not meet the arms in the wanted shares (p = {evidence.SampleRatioP:0.######})."));
        }

        if (now - rollout.StageSince < TimeSpan.FromMinutes(stage.Minutes))
        {
            return new Decision(Move.Stay, $"The stage lasts {stage.Minutes} minutes.");
        }

        var candidate = evidence.Arms[1];
        return candidate.Requests < rollout.Spec.Guardrails.MinRequests
            ? new Decision(Move.Stay, $"{candidate.Arm} has answered {candidate.Requests} of the {rollout.Spec.Guardrails.MinRequests} requests that it is judged on.")
            : new Decision(Move.Advance, Say($"{stage.Minutes} minutes and {candidate.Requests} requests without a breach."));
    }

    /// <summary>The guardrail that an arm breaches beside the control; null when it keeps within all.</summary>
    internal static string? Breach(ArmEvidence control, ArmEvidence arm, Guardrails rails, RolloutKnobs knobs, Comparison? business = null)
    {
        if (arm.Requests >= rails.MinRequests)
        {
            // Wilson's lower end: a few failures among few requests prove nothing.
            var atLeast = Hypothesis.Wilson(arm.Errors, arm.Requests, knobs.Level).Lower;
            if (atLeast > Math.Max(rails.MaxErrorRate, control.ErrorRate))
            {
                return Say($"Errors: {arm.Arm} fails at {arm.ErrorRate:P1} of {arm.Requests} requests ({rails.MaxErrorRate:P1} allowed, {control.Arm} {control.ErrorRate:P1}).");
            }

            if (control.Requests >= rails.MinRequests && arm.P95 is { } slow && control.P95 is { } usual && slow > usual * rails.MaxSlowdown && slow - usual > knobs.SlowdownMilliseconds)
            {
                return Say($"Latency: the 95th percentile of {arm.Arm} is {slow:0.0} ms beside {usual:0.0} ms of {control.Arm} ({rails.MaxSlowdown:0.##} times allowed).");
            }
        }

        return business is not null && control.Conversion is { } rate and > 0 && business.Difference <= -rails.MaxBusinessDrop * rate && business.PValue <= 1 - knobs.Level
            ? Say($"Business: {arm.Arm} reaches the goal with {arm.Conversion:P1} of {arm.Due} users beside {rate:P1} of {control.Due} of {control.Arm} (p = {business.PValue:0.####}, {rails.MaxBusinessDrop:P0} less allowed).")
            : null;
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
