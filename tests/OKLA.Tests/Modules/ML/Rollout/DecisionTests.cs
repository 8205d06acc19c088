using OKLA.ML.Rollout;

namespace OKLA.Tests.Modules.ML.Rollout;

public sealed class DecisionTests
{
    private static readonly DateTimeOffset Began = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RolloutKnobs Knobs = new();

    [Test]
    public void A_user_keeps_the_arm_while_the_share_grows_and_another_rollout_deals_anew()
    {
        var (ab, canary, other) = (Of("ab"), Of("canary"), Of("ab", id: new Guid(7, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8])));
        var users = Enumerable.Range(0, 10_000).Select(n => $"user-{n}").ToArray();

        var early = users.Where(user => ab.ArmOf(user).Name == "candidate").ToHashSet();

        // 10 % of 10,000 with a standard deviation of 30.
        early.Count.ShouldBeInRange(880, 1_120);
        early.ShouldAllBe(user => canary.ArmOf(user).Name == "candidate");
        users.Count(user => canary.ArmOf(user).Name == "candidate").ShouldBeInRange(4_800, 5_200);
        // Independent of the first one: a tenth of its tenth.
        early.Count(user => other.ArmOf(user).Name == "candidate").ShouldBeInRange(60, 140);
        users.ShouldAllBe(user => Of("shadow").ArmOf(user).Name == "control");
    }

    [Test]
    public void An_experiment_deals_by_the_weights()
    {
        var rollout = Of("experiment") with
        {
            Kind = "experiment", Spec = Of("ab").Spec with { Arms = [new Arm("a", 2, 1), new Arm("b", 1, 2), new Arm("c", 1, Strategy: "previous")], Stages = [] },
        };
        var met = Enumerable.Range(0, 8_000).GroupBy(n => rollout.ArmOf($"u{n}").Name).ToDictionary(arm => arm.Key, arm => arm.Count());

        met["a"].ShouldBeInRange(3_850, 4_150);
        met["b"].ShouldBeInRange(1_850, 2_150);
        met["c"].ShouldBeInRange(1_850, 2_150);
    }

    [Test]
    public void Errors_beyond_chance_roll_back_and_a_few_do_not()
    {
        Decide(new ArmEvidence("control", 300, 0, 5), new ArmEvidence("candidate", 40, 1, 5)).Move.ShouldBe(Move.Stay);
        Decide(new ArmEvidence("control", 300, 0, 5), new ArmEvidence("candidate", 29, 29, 5)).Move.ShouldBe(Move.Stay);
        var back = Decide(new ArmEvidence("control", 300, 0, 5), new ArmEvidence("candidate", 40, 8, 5));
        back.Move.ShouldBe(Move.RollBack);
        back.Reason.ShouldStartWith("Errors: candidate fails at 20");
        // The control is as bad: then it is not the version's fault.
        Decide(new ArmEvidence("control", 300, 60, 5), new ArmEvidence("candidate", 40, 8, 5)).Move.ShouldBe(Move.Stay);
    }

    [TestCase(20, 10, true)]
    [TestCase(14, 10, false)]
    [TestCase(6, 2, false)]
    public void A_slow_arm_rolls_back_unless_the_milliseconds_are_few(double slow, double usual, bool back) =>
        (Decide(new ArmEvidence("control", 300, 0, usual), new ArmEvidence("candidate", 300, 0, slow)).Move == Move.RollBack).ShouldBe(back);

    [Test]
    public void A_business_drop_beyond_the_rail_rolls_back_once_it_is_no_chance()
    {
        var control = new ArmEvidence("control", 9_000, 0, 5, 9_000, 9_000, 9_000, 1_800);
        ArmEvidence Candidate(long due, long converted) => new("candidate", due, 0, 5, due, due, due, converted);

        Decide(control, Candidate(60, 6)).Move.ShouldBe(Move.Stay);
        Decide(control, Candidate(9_000, 1_700)).Move.ShouldBe(Move.Stay);
        var back = Decide(control, Candidate(9_000, 1_400));
        back.Move.ShouldBe(Move.RollBack);
        back.Reason.ShouldStartWith("Business:");
    }

    [Test]
    public void The_next_stage_follows_when_time_and_requests_are_enough_and_the_shares_are_right()
    {
        var (control, candidate) = (new ArmEvidence("control", 3_000, 0, 5), new ArmEvidence("candidate", 300, 0, 5));

        Decide(control, candidate, after: 1_000).Move.ShouldBe(Move.Stay);
        Decide(control, candidate, after: 1_440).Move.ShouldBe(Move.Advance);
        Decide(control, candidate with { Requests = 10 }, after: 1_440).Move.ShouldBe(Move.Stay);
        Decide(control, candidate, after: 1_440, sampleRatio: 0.0001).Move.ShouldBe(Move.Stay);
        Decide(control, candidate, after: 1_440, auto: false).Move.ShouldBe(Move.Stay);
    }

    [Test]
    public void The_sample_ratio_is_pearsons_chi_square()
    {
        // 900 and 100 wanted, 860 and 140 seen: 40² / 900 + 40² / 100 = 17.78 with one degree of freedom, p = 2.5e-5.
        Evidence.SampleRatio([Met("control", 860), Met("candidate", 140)], Of("ab")).ShouldNotBeNull().ShouldBe(2.48e-5, 5e-7);
        Evidence.SampleRatio([Met("control", 900), Met("candidate", 100)], Of("ab")).ShouldBe(1);
        Evidence.SampleRatio([Met("control", 40), Met("candidate", 5)], Of("ab")).ShouldBeNull();

        static ArmEvidence Met(string arm, long users) => new(arm, 0, 0, null, users, users);
    }

    [Test]
    public void A_mean_of_versions_weighs_numbers_intervals_and_probabilities()
    {
        ArmAnswer.Mean([(3, new(100, 90, 120)), (1, new(200, 150, 240))], []).ShouldBe(new(125, 105, 150));
        var mixed = ArmAnswer.Mean([(1, new(0.9, Label: "yes", Probabilities: [0.1, 0.9])), (3, new(0.2, Label: "no", Probabilities: [0.8, 0.2]))], ["no", "yes"]);
        mixed.Label.ShouldBe("no");
        mixed.Value.ShouldBe(0.375, 1e-12);
        mixed.Probabilities!.Sum().ShouldBe(1, 1e-12);
    }

    private static Decision Decide(ArmEvidence control, ArmEvidence candidate, int after = 10, double? sampleRatio = null, bool auto = true)
    {
        var rollout = Of("ab");
        rollout = rollout with { Spec = rollout.Spec with { Auto = auto } };
        var arms = new[] { control, candidate };
        return Decision.Of(rollout, new Evidence(arms, sampleRatio, Evidence.Compare(arms, rollout, Knobs), null), Knobs, Began.AddMinutes(after));
    }

    private static ActiveRollout Of(string stage, Guid? id = null) => new(
        id ?? new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]), "line", "version", stage,
        new RolloutSpec(
            [new Arm("control", 1, 1), new Arm("candidate", 1, 2)], [new Stage("shadow", 0, 60), new Stage("ab", 0.1, 1_440), new Stage("canary", 0.5, 1_440)],
            new Goal(["contacted"], 60), new Guardrails(0.02, 1.5, 0.1, 30), Auto: true),
        Began, Began, 1);
}
