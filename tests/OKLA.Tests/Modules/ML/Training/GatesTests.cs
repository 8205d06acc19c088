using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class GatesTests
{
    private static readonly HeldOut Good = new("by hand", [new MetricRow("MAE", 0.5, 1, "the median")], null);

    [Test]
    public void A_gain_that_chance_explains_is_no_gain()
    {
        // Losses alternate: the mean gain of 0.05 is far within what resampling gives.
        double[] baseline = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 2.0 : 0.1)], model = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 0.1 : 1.9)];
        double[] sure = [.. baseline.Select(loss => loss - 0.05)];

        Result(Good with { Cases = Cases(model, baseline) }, "baseline").State.ShouldBe("failed");
        Result(Good with { Cases = Cases(sure, baseline) }, "baseline").State.ShouldBe("passed");
    }

    [Test]
    public void The_serving_version_is_compared_on_the_cases_that_both_were_measured_on()
    {
        double[] mine = [.. Enumerable.Repeat(0.5, 100)], baseline = [.. Enumerable.Repeat(1.0, 100)];
        var heldOut = Good with { Cases = Cases(mine, baseline) };
        CaseLosses Recorded(double loss) => new("absolute error", [.. Enumerable.Range(0, 100).Select(i => (long)i)], [.. Enumerable.Repeat(loss, 100)], []);

        // The recorded figure would let it pass; the shared cases do not.
        Decide(heldOut, recorded: 0.5, Recorded(0.4)).Publish.ShouldBeFalse();
        Decide(heldOut, recorded: 0.1, Recorded(0.6)).Publish.ShouldBeTrue();
        // Other cases say nothing: the figure it was published with counts.
        Decide(heldOut, recorded: 0.1, Recorded(0.6) with { Keys = [.. Enumerable.Range(1_000, 100).Select(i => (long)i)] }).Publish.ShouldBeFalse();
    }

    [Test]
    public void Calibration_latency_size_stability_fairness_behaviour_and_leaks_block_with_their_reason()
    {
        (string Gate, HeldOut Bad, string Said)[] bad =
        [
            ("calibration", Good with { CalibrationError = new Interval(0.3, 0.25, 0.35) }, "expected calibration error 0.3"),
            ("calibration", Good with { Coverage = new CoverageFigure(new Interval(0.7, 0.65, 0.75), 0.9) }, "intervals hold 0.7"),
            ("latency", Good with { RowMicroseconds = 50_000 }, "one row takes 50000 µs"),
            ("size", Good with { Bytes = 1L << 40 }, "bytes"),
            ("stability", Good with { Folds = [new(1, 0.2, 1), new(2, 0.9, 1), new(3, 2, 1)] }, "2 of 3 folds"),
            ("fairness", Good with { Groups = [new GroupGap("sex", "true positive rate", new Interval(0.4, 0.3, 0.5), "F", "M")] }, "true positive rate of sex"),
            ("invariance", Good with { Behaviours = [new BehaviourFigure("invariance", "colour does not matter", 100, 20)] }, "broken by 20 of 100 rows"),
            ("direction", Good with { Behaviours = [new BehaviourFigure("direction", "age +1 moves the answer down", 100, 20)] }, "broken by 20 of 100 rows"),
            ("leakage", Good with { Leaks = ["paid is a copy of price"] }, "paid is a copy of price"),
        ];

        foreach (var (gate, heldOut, said) in bad)
        {
            var verdict = Decide(heldOut);
            verdict.Publish.ShouldBeFalse(gate);
            verdict.Decision.ShouldContain(said);
            verdict.Gates.Single(result => result.State == "failed").Gate.ShouldBe(gate);
            verdict.Gates.Count.ShouldBe(Gate.All.Count);

            var off = Decide(heldOut, settings: new GateSettings { Off = [gate] });
            off.Publish.ShouldBeTrue(gate);
            off.Gates.Single(result => result.State == "off").Reason.ShouldContain(said);
        }
    }

    [Test]
    public void A_version_whose_cases_are_forgotten_is_held_against_the_figure_it_was_published_with_and_that_is_said()
    {
        var verdict = Gate.Decide(new GateCase(Good with { Cases = null }, false, 0.5, null, 0.05, new GateSettings()) { CasesForgotten = true });

        verdict.Gates.Single(result => result.Gate == "serving").Reason.ShouldContain("not kept any more");
        Decide(Good with { Cases = null }, 0.5).Gates.Single(result => result.Gate == "serving").Reason.ShouldNotContain("not kept");
    }

    [Test]
    public void What_chance_explains_does_not_block()
    {
        Result(Good with { CalibrationError = new Interval(0.15, 0.05, 0.3) }, "calibration").State.ShouldBe("passed");
        Result(Good with { Groups = [new GroupGap("sex", "true positive rate", new Interval(0.4, 0.05, 0.5), "F", "M")] }, "fairness").State.ShouldBe("passed");
        Result(Good, "latency").State.ShouldBe("skipped");
    }

    [Test]
    public void An_error_next_to_nothing_may_swing_where_one_that_spares_little_may_not()
    {
        Result(Good with { Folds = [new(1, 0.001, 1), new(2, 0.004, 1), new(3, 0.01, 1)] }, "stability").State.ShouldBe("passed");
        Result(Good with { Folds = [new(1, 0.1, 0.5), new(2, 0.4, 0.5), new(3, 0.8, 0.9)] }, "stability").State.ShouldBe("failed");
    }

    private static CaseLosses Cases(double[] model, double[] baseline) => new("absolute error", [.. Enumerable.Range(0, model.Length).Select(i => (long)i)], model, baseline);

    private static GateResult Result(HeldOut heldOut, string gate) => Decide(heldOut).Gates.Single(result => result.Gate == gate);

    private static GateVerdict Decide(HeldOut heldOut, double? recorded = null, CaseLosses? cases = null, GateSettings? settings = null) =>
        Gate.Decide(new GateCase(heldOut, false, recorded, cases, 0.05, settings ?? new GateSettings()));
}
