using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Trees;

internal sealed class FeatureBinsTests
{
    [TestCase(100)]
    [TestCase(10_000)]
    public void A_bin_is_one_more_than_the_bounds_below_its_value(int rows)
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, rows).Select(i => i % 50 == 0 ? float.NaN : (float)(TreeData.Normal(random) * 1000)).ToArray();
        var bins = FeatureBins.Fit(Column.Numeric("a", values), 255);
        bins.Bounds.ShouldBe(bins.Bounds.Order().Distinct());
        foreach (var value in values.Append(float.PositiveInfinity).Append(float.NegativeInfinity))
            ((int)bins.Bin(value)).ShouldBe(float.IsNaN(value) ? 0 : 1 + bins.Bounds.Count(bound => bound < value));
    }

    [Test]
    public void Quantile_bins_hold_about_as_many_rows_each()
    {
        var random = new Random(2);
        var values = Enumerable.Range(0, 20_000).Select(_ => (float)Math.Exp(3 * TreeData.Normal(random))).ToArray();
        var bins = FeatureBins.Fit(Column.Numeric("a", values), 100);
        bins.Count.ShouldBe(101);
        var counts = values.GroupBy(bins.Bin).Select(g => g.Count()).ToArray();
        counts.Length.ShouldBe(100);
        counts.Min().ShouldBeGreaterThan(150);
        counts.Max().ShouldBeLessThan(250);
    }

    [Test]
    public void A_frequent_value_has_a_bin_of_its_own()
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, 5000).Select(i => i % 2 == 0 ? 0f : (float)TreeData.Normal(random)).ToArray();
        var bins = FeatureBins.Fit(Column.Numeric("a", values), 50);
        var zero = bins.Bin(0);
        values.Where(v => v != 0 && bins.Bin(v) == zero).ShouldBeEmpty();
        bins.Count.ShouldBeGreaterThan(45);
    }

    [Test]
    public void Categories_beyond_the_bins_share_the_last_and_unknown_ones_are_missing()
    {
        var codes = Enumerable.Range(0, 1000).Select(i => i % 10 < 6 ? i % 3 : i % 20).ToArray();
        var bins = FeatureBins.Fit(Column.Categorical("c", codes), 4);
        bins.Count.ShouldBe(5);
        ((int[])[0, 1, 2]).Select(code => (int)bins.Bin(code)).Order().ShouldBe([1, 2, 3]);
        ((int)bins.Bin(17)).ShouldBe(4);
        ((int)bins.Bin(99)).ShouldBe(0);
        ((int)bins.Bin(-1)).ShouldBe(0);
    }

    [Test]
    public void Constant_and_empty_columns_do_no_harm()
    {
        var x = new Dataset([Column.Numeric("constant", [1, 1, 1, 1]), Column.Numeric("empty", [float.NaN, float.NaN, float.NaN, float.NaN]), Column.Categorical("none", [-1, -1, -1, -1]), Column.Numeric("a", [1, 2, 3, 4])]);
        var model = GradientBoosting.Train(x, [1, 1, 2, 2], new GradientBoostingOptions { Iterations = 1, LearningRate = 1, Lambda = 0, MinRowsPerLeaf = 1 });
        model.Predict(x).ShouldBe([1f, 1f, 2f, 2f]);
        model.Importance().Select(i => i.Splits).ShouldBe([0, 0, 0, 1]);
    }
}
