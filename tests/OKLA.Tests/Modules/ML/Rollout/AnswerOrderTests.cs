using OKLA.ML.Rollout;

namespace OKLA.Tests.Modules.ML.Rollout;

public sealed class AnswerOrderTests
{
    private const int Serving = 7, Previous = 5;

    [Test]
    public void Without_a_rollout_the_serving_version_comes_before_the_one_before_it() =>
        Said(null).ShouldBe(["7 model", "5 previous"]);

    [Test]
    public void The_version_of_an_arm_comes_first() => Said(new Arm("candidate", 1, 9)).ShouldBe(["9 rollout:candidate *", "7 model", "5 previous"]);

    [TestCase(Serving, null)]
    [TestCase(null, "model")]
    public void A_version_that_an_arm_and_the_usual_order_name_is_asked_once_and_for_the_arm(int? version, string? strategy) =>
        Said(new Arm("control", 1, version, strategy)).ShouldBe(["7 rollout:control *", "5 previous"]);

    [Test]
    public void An_arm_of_the_version_before_turns_the_order_round() => Said(new Arm("before", 1, Strategy: "previous")).ShouldBe(["5 rollout:before *", "7 model"]);

    [Test]
    public void An_arm_of_a_version_before_that_is_not_there_is_not_met() =>
        AnswerOrder.Of(Serving, null, new Arm("before", 1, Strategy: "previous")).ShouldBe([new AnswerTurn(Serving, "model", false)]);

    [Test]
    public void What_an_arm_has_instead_of_a_version_is_no_turn()
    {
        foreach (var arm in new[] { new Arm("rule", 1, Strategy: "baseline"), new Arm("many", 1, Strategy: "popularity"), new Arm("mean", 1, Ensemble: [new Member(9, 1), new Member(8, 1)]) })
        {
            Said(arm).ShouldBe(["7 model", "5 previous"]);
        }
    }

    [Test]
    public void Where_nothing_can_answer_there_is_no_turn() => AnswerOrder.Of(null, null, null).ShouldBeEmpty();

    private static IEnumerable<string> Said(Arm? arm) => AnswerOrder.Of(Serving, Previous, arm).Select(turn => $"{turn.Version} {turn.Source}{(turn.ByArm ? " *" : "")}");
}
