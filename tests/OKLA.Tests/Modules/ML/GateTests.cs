using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML;

public sealed class GateTests
{
    [TestCase(0.30, 0.20, null, null, true)]
    [TestCase(0.20, 0.20, null, null, false, Description = "not better than the baseline")]
    [TestCase(double.NaN, 0.20, null, null, false, Description = "not measured")]
    [TestCase(0.30, 0.20, 0.31, null, false, Description = "the serving version is better on the same data")]
    [TestCase(0.30, 0.20, 0.29, 0.90, true, Description = "the same data count more than an old figure")]
    [TestCase(0.29, 0.20, null, 0.30, true, Description = "within 5 % of the old figure")]
    [TestCase(0.28, 0.20, null, 0.30, false, Description = "beyond 5 % of the old figure")]
    public void A_score_must_beat_the_baseline_and_hold_against_the_serving_version(double ours, double baseline, double? serving, double? recorded, bool publish) =>
        Gate.Decide(Measured(ours, baseline, serving), largerIsBetter: true, recorded, 0.05).Publish.ShouldBe(publish);

    [TestCase(0.10, 0.12, null, null, true)]
    [TestCase(0.13, 0.12, null, null, false)]
    [TestCase(0.10, 0.12, 0.09, null, false)]
    [TestCase(0.104, 0.12, null, 0.10, true)]
    [TestCase(0.106, 0.12, null, 0.10, false)]
    public void An_error_must_be_smaller_instead(double ours, double baseline, double? serving, double? recorded, bool publish) =>
        Gate.Decide(Measured(ours, baseline, serving), largerIsBetter: false, recorded, 0.05).Publish.ShouldBe(publish);

    private static HeldOut Measured(double ours, double baseline, double? serving) => new("by hand", [new MetricRow("figure", ours, baseline, "baseline")], serving);
}
