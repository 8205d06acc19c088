using OKLA.ML.Datasets;

namespace OKLA.Tests.Modules.ML.Datasets;

public sealed class QualityRuleTests
{
    private static readonly DateTimeOffset Now = new(2024, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TableRows Cars = TableTests.Drawn(
        400, 1, ("price", (row, _) => row % 40 == 0 ? null : 5_000 + (row % 97 * 100)), ("fuel", (row, _) => row % 3 == 0 ? "Diesel" : "Gasolina"), ("ad", (row, _) => $"ad-{row % 399}"),
        ("day", (row, _) => $"2024-01-{(row % 31) + 1:00}"));

    private static readonly object[] Cases =
    [
        new object[] { new QualityRule("missing", "price", Max: 0.03), true },
        new object[] { new QualityRule("missing", "price", Max: 0.02), false },
        new object[] { new QualityRule("rows", Min: 400), true },
        new object[] { new QualityRule("rows", Min: 401), false },
        new object[] { new QualityRule("range", "price", Min: 5_000, Max: 14_600), true },
        new object[] { new QualityRule("range", "price", Min: 5_001), false },
        new object[] { new QualityRule("range", "price", Max: 14_599), false },
        new object[] { new QualityRule("range", "fuel", Max: 1), false },
        new object[] { new QualityRule("values", "fuel", Values: ["Diesel", "Gasolina", "GLP"]), true },
        new object[] { new QualityRule("values", "fuel", Values: ["Diesel"]), false },
        new object[] { new QualityRule("unique", "fuel"), false },
        new object[] { new QualityRule("unique", "ad"), false },
        new object[] { new QualityRule("fresh", "day", Max: 2), true },
        new object[] { new QualityRule("fresh", "day", Max: 0.5), false },
        new object[] { new QualityRule("fresh", "fuel", Max: 2), false },
        new object[] { new QualityRule("missing", "gone", Max: 1), false },
        new object[] { new QualityRule("drift"), true },
        new object[] { new QualityRule("no-new-values", "fuel"), true },
    ];

    [TestCaseSource(nameof(Cases))]
    public async Task A_rule_holds_or_says_why_not(object wanted, bool passes)
    {
        var rule = (QualityRule)wanted;
        var (columns, survey) = await TableTests.SurveyAsync(Cars, "fuel", "ad");

        var findings = QualityRules.Judge([rule], columns, survey, null, Now);

        findings.ShouldAllBe(finding => finding.Passed == passes && finding.Message.Length > 0);
        findings.ShouldNotBeEmpty();
    }

    [Test]
    public async Task A_shifted_column_is_told_from_one_that_stayed()
    {
        var (_, before) = await TableTests.SurveyAsync(TableTests.Drawn(2_000, 1, ("a", (_, random) => random.NextDouble()), ("b", (_, random) => random.NextDouble()), ("c", (_, random) => $"v{random.Next(4)}")));
        var (columns, now) = await TableTests.SurveyAsync(TableTests.Drawn(2_000, 2, ("a", (_, random) => random.NextDouble()), ("b", (_, random) => random.NextDouble() + 0.5), ("c", (_, random) => $"v{random.Next(2)}")));

        var findings = QualityRules.Judge([new QualityRule("drift")], columns, now, before.Columns, Now);

        findings.Select(finding => (finding.Column, finding.Passed)).ShouldBe([("a", true), ("b", false), ("c", false)]);
    }

    [Test]
    public async Task A_column_that_lost_half_its_cells_has_drifted()
    {
        var (_, before) = await TableTests.SurveyAsync(TableTests.Drawn(2_000, 1, ("a", (_, random) => random.NextDouble()), ("b", (_, random) => random.Next(9))));
        var (columns, now) = await TableTests.SurveyAsync(TableTests.Drawn(2_000, 2, ("a", (row, random) => row % 2 == 0 ? null : random.NextDouble()), ("b", (_, random) => random.Next(9))));

        QualityRules.Judge([new QualityRule("drift")], columns, now, before.Columns, Now).Select(finding => finding.Passed).ShouldBe([false, true]);
    }

    [Test]
    public async Task Values_that_were_not_there_before_are_named()
    {
        var (_, before) = await TableTests.SurveyAsync(TableTests.Table(["fuel", "n"], [["Diesel", "1"], ["Gasolina", "2"]]));
        var (columns, now) = await TableTests.SurveyAsync(TableTests.Table(["fuel", "n"], [["Diesel", "1"], ["Eléctrico", "2"], ["Eléctrico", "3"]]));

        var finding = QualityRules.Judge([new QualityRule("no-new-values", "fuel")], columns, now, before.Columns, Now).ShouldHaveSingleItem();

        finding.Passed.ShouldBeFalse();
        finding.Message.ShouldContain("'Eléctrico' (2)");
    }

    [Test]
    public void The_worst_failed_rule_decides()
    {
        QualityFinding Of(string severity, bool passed) => new("rows", null, severity, passed, "");

        new Quality([], []).Status.ShouldBe("pass");
        new Quality([], [Of("block", true), Of("warn", false)]).Status.ShouldBe("warn");
        new Quality([], [Of("block", false), Of("warn", false)]).Status.ShouldBe("block");
    }

    [TestCase("missing", null, null, 2.0, "column")]
    [TestCase("missing", "a", null, 2.0, "max")]
    [TestCase("rows", null, 0.0, null, "min")]
    [TestCase("range", "a", null, null, "min")]
    [TestCase("range", "a", 3.0, 2.0, "min")]
    [TestCase("values", "a", null, null, "values")]
    [TestCase("fresh", "a", null, null, "max")]
    [TestCase("drift", null, null, -1.0, "max")]
    [TestCase("whim", "a", null, null, "rule")]
    [TestCase("missing", "a", null, double.NaN, "max")]
    public void A_rule_that_makes_no_sense_is_refused_at_its_part(string rule, string? column, double? min, double? max, string part) =>
        QualityRules.Fault(new QualityRule(rule, column, min, max))!.Value.Part.ShouldBe(part);
}
