using OKLA.Host.Cli;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Host.Cli;

public sealed class EvaluationTableTests
{
    private static readonly ModelTarget Least = new("AUC", 0.85);
    private static readonly ModelTarget Most = new("MAE", 5, LargerIsBetter: false);

    [Test]
    public void A_target_is_met_or_not_by_the_numbers_alone()
    {
        static MetricRow Auc(double value, double? ceiling = null, double? low = null, double? high = null) => new("AUC", value, 0.5, "chance", ceiling, low, high);
        static MetricRow Mae(double value, double? ceiling = null, double? low = null, double? high = null) => new("MAE", value, 9, "the median", ceiling, low, high);

        Least.Verdict(Auc(0.86)).ShouldBe("yes");
        Least.Verdict(Auc(0.9, null, 0.87, 0.93)).ShouldBe("yes, the whole interval");
        Least.Verdict(Auc(0.86, null, 0.83, 0.89)).ShouldBe("yes, but the interval goes to 0.83");
        Least.Verdict(Auc(0.84, 0.9, 0.82, 0.86)).ShouldBe("no, but the interval holds it");
        Least.Verdict(Auc(0.8, 0.837, 0.74, 0.86)).ShouldBe("no: the ceiling 0.837 is below");
        Least.Verdict(Auc(0.8, 0.9, 0.78, 0.82)).ShouldBe("no: 0.05 below");
        Most.Verdict(Mae(4, null, 3, 4.5)).ShouldBe("yes, the whole interval");
        Most.Verdict(Mae(4.8, null, 4, 5.5)).ShouldBe("yes, but the interval goes to 5.5");
        Most.Verdict(Mae(5.5, 4, 4.9, 6)).ShouldBe("no, but the interval holds it");
        Most.Verdict(Mae(6.11, 6.07)).ShouldBe("no: the ceiling 6.07 is above");
        Least.Verdict(Auc(double.NaN)).ShouldBe("not measured");
        Least.Verdict(null).ShouldBe("not measured");
    }

    [Test]
    public void A_target_means_the_metric_of_its_name_or_the_first_that_begins_so()
    {
        MetricRow[] rows = [new("R2 of days up to 37", 0.1, 0, "one curve"), new("R2", 0.5, 0, "the median"), new("R2 of log price", 0.9, 0, "the median")];

        new ModelTarget("R2", 0.9).Of(rows)!.Model.ShouldBe(0.5);
        new ModelTarget("R2 of days up to", 0.85).Of(rows)!.Model.ShouldBe(0.1);
        new ModelTarget("F1", 0.9).Of(rows).ShouldBeNull();
    }

    [Test]
    public void Every_target_has_a_row_and_what_could_not_be_measured_says_why()
    {
        var lines = EvaluationTable.Lines(
        [
            new EvaluationReport("a-model", "by time at 2026-05-01 12:00 UTC: 800 rows to learn from, 200 to measure on", [new("AUC", 0.8123, 0.5, "chance", 0.9, 0.79, 0.83), new("F1", 0.6, null, "")])
            {
                Targets = [Least, new ModelTarget("F1", 0.5, Source: ModelTarget.House)], RowsLearned = 12_800, RowsMeasured = 3_200, Seconds = 12.34, Answers = new AnswerTimes(300, 0.123, 1.5),
            },
            new EvaluationReport("a-young-one", "There are 3 ads; 150 are needed.", []),
            new EvaluationReport("free", "by day", [new("MASE 7 days", 0.7, 0.9, "a|b")]),
        ]).ToArray();

        lines.ShouldBe(
        [
            "| model | rows learned / measured | split | metric [95 % interval] | baseline | ceiling | target | met | read, learn, measure s | answer p50 / p99 ms |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            "| a-model | 12,800 / 3,200 | by time at 2026-05-01 12:00 UTC | AUC 0.8123 [0.79, 0.83] | 0.5 (chance) | 0.9 | ≥ 0.85 | no: 0.0377 below | 12.3 | 0.12 / 1.50 |",
            "| a-model |  |  | F1 0.6 |  |  | ≥ 0.5 (house) | yes |  |  |",
            "| free | 0 / 0 | by day | MASE 7 days 0.7 | 0.9 (a\\|b) |  | none |  | 0.0 |  |",
            "", "Not measured:", "", "- a-young-one: There are 3 ads; 150 are needed.",
        ]);
    }
}
