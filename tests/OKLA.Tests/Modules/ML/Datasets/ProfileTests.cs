using OKLA.ML.Datasets;

namespace OKLA.Tests.Modules.ML.Datasets;

public sealed class ProfileTests
{
    [Test]
    public void Associations_have_the_values_worked_out_by_hand()
    {
        // x = 1 2 3 4, y = 1 3 2 6: Pearson 7 / √(5 · 14), Spearman 1 − 6 · 2 / (4 · 15).
        Associations.Pearson([1, 2, 3, 4], [1, 3, 2, 6]).ShouldBe(7 / Math.Sqrt(70), 1e-12);
        Associations.Pearson(Associations.Ranks([1, 2, 3, 4]), Associations.Ranks([1, 3, 2, 6])).ShouldBe(0.8, 1e-12);
        Associations.Ranks([5, 1, 5, double.NaN, 9]).ShouldBe([1.5, 0, 1.5, double.NaN, 3]);

        // Groups 0: 1, 3; 1: 5, 7. Between 4 · 4, total 20: η = √0.8.
        Associations.CorrelationRatio([0, 0, 1, 1], [1, 3, 5, 7]).ShouldBe(Math.Sqrt(0.8), 1e-12);

        // 2 × 2, 100 rows on the diagonal: φ² = 1, corrected (1 − 1/99) over (2 − 1/99 − 1), which is one.
        int[] half = [.. Enumerable.Range(0, 100).Select(i => i % 2)];
        Associations.CramersV(half, half).ShouldBe(1, 1e-12);
        // Independent: φ² = 0, corrected below 0.
        Associations.CramersV(half, [.. Enumerable.Range(0, 100).Select(i => i / 2 % 2)]).ShouldBe(0);
        Associations.Pearson([1, 1, 1], [1, 2, 3]).ShouldBe(double.NaN);
    }

    [Test]
    public void Outliers_lie_beyond_three_and_a_half_robust_deviations()
    {
        // Median 5, absolute deviations 4 3 2 1 0 1 2 3 95: MAD 2, reach 3.5 · 2 / 0.6745 = 10.38.
        var report = OutlierReport.Of([1, 2, 3, 4, 5, 6, 7, 8, 100])!;

        report.Count.ShouldBe(1);
        report.Examples.ShouldBe([100]);
        report.Above.ShouldBe(15.378, 1e-3);
        OutlierReport.Of([1, 1, 1, 1, 50]).ShouldBeNull();
    }

    [Test]
    public async Task Quantiles_histogram_and_top_values_are_those_of_the_cells()
    {
        var profile = await ProfileAsync(TableTests.Drawn(1_000, 1, ("n", (row, _) => row % 100), ("c", (row, _) => row % 10 == 0 ? "rare" : "often"), ("same", (row, _) => row == 0 ? "x" : "y")));

        var n = profile.Columns[0];
        n.Quantiles!["p0"].ShouldBe("0");
        n.Quantiles["p50"].ShouldBe("50");
        n.Quantiles["p100"].ShouldBe("99");
        n.Histogram!.Sum(bin => bin.Count).ShouldBe(1_000);
        profile.Columns[1].Top.ShouldBe([new ValueCount("often", 900), new ValueCount("rare", 100)]);
        profile.Columns.Select(column => column.NearConstant).ShouldBe([false, false, true]);
        profile.SampledRows.ShouldBe(1_000);
    }

    [Test]
    public async Task Every_kind_of_leak_is_named_and_honest_columns_are_not()
    {
        var profile = await ProfileAsync(TableTests.Drawn(
            2_000, 2,
            ("target", (row, _) => row * 7919 % 1000 < 300 ? "yes" : "no"),
            ("customer_id", (row, _) => 50_000 + (row * 37 % 2_000 * 3)),
            ("copy", (row, _) => row * 7919 % 1000 < 300 ? "won" : "lost"),
            ("almost", (row, random) => random.NextDouble() < 0.01 ? 0 : row * 7919 % 1000 < 300 ? 5 + random.NextDouble() : 1 + random.NextDouble()),
            ("closed_by", (row, random) => row * 7919 % 1000 < 300 && random.NextDouble() < 0.5 ? $"agent {random.Next(4)}" : null),
            ("asked_at", (row, _) => $"2024-03-{(row % 28) + 1:00} 10:00"),
            ("paid_on", (row, _) => $"2024-{(row % 20 == 0 ? "04" : "02")}-{(row % 28) + 1:00}"),
            ("honest", (row, random) => (row * 7919 % 1000 < 300 ? 0.15 : 0) + random.NextDouble()),
            ("noise", (_, random) => random.Next(50))),
            ("asked_at", "time"));

        profile.Leaks.ToDictionary(leak => leak.Column, leak => leak.Kind).ShouldBe(new Dictionary<string, string>
        {
            ["customer_id"] = "id", ["copy"] = "function-of-target", ["almost"] = "predicts-target", ["closed_by"] = "missing-tells-target", ["paid_on"] = "after-time",
        }, ignoreOrder: true);
        profile.Alone.Single(alone => alone.Column == "noise").Value.ShouldBe(0.5, 0.05);
        profile.Associations[0].First.ShouldBe("target");
    }

    [Test]
    public async Task A_column_that_tells_far_more_than_the_next_stands_out()
    {
        var profile = await ProfileAsync(TableTests.Drawn(
            2_000, 3, ("target", (row, _) => row % 2), ("page_value", (row, random) => (row % 2 * 0.5) + random.NextDouble()), ("weak", (row, random) => (row % 2 * 0.1) + random.NextDouble())));

        profile.Leaks.Select(leak => (leak.Column, leak.Kind)).ShouldBe([("page_value", "stands-out")]);
    }

    [Test]
    public async Task A_number_to_be_told_is_measured_by_the_share_of_its_variance()
    {
        var profile = await ProfileAsync(TableTests.Drawn(
            2_000, 4, ("target", (row, _) => row * 7919 % 2_003), ("in_pesos", (row, _) => row * 7919 % 2_003 * 60), ("noise", (_, random) => random.NextDouble())));

        var leak = profile.Leaks.ShouldHaveSingleItem();
        (leak.Column, leak.Kind).ShouldBe(("in_pesos", "predicts-target"));
        profile.Alone.ShouldAllBe(alone => alone.Measure == "r2");
    }

    [Test]
    public async Task A_table_without_a_target_has_no_suspects_by_it()
    {
        var profile = await ProfileAsync(TableTests.Drawn(100, 5, ("a", (row, _) => row % 2), ("b", (row, _) => row % 2 * 3)));

        profile.Alone.ShouldBeEmpty();
        profile.Leaks.ShouldBeEmpty();
    }

    private static async Task<TableProfile> ProfileAsync(TableRows table, params (string Column, string Role)[] roles)
    {
        var (columns, survey) = await TableTests.SurveyAsync(table);
        return TableProfile.Of([.. columns.Select(column => roles.FirstOrDefault(role => role.Column == column.Name) is { Role: { } said } ? column with { Role = said } : column)], survey);
    }
}
