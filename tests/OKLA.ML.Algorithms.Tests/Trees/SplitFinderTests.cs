using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Trees;

internal sealed class SplitFinderTests
{
    private const double Tiny = 1e-12;

    // The plain search, one cut at a time, is what an L1 penalty (here too small to matter) selects.
    [TestCase(0.0)]
    [TestCase(0.2)]
    public void Searching_eight_cuts_at_once_finds_what_the_plain_search_finds(double missing)
    {
        var (x, y) = TreeData.Friedman(3000, 11, noise: 2, missing: missing);
        var options = new GradientBoostingOptions { Iterations = 5, MaxLeaves = 40, LearningRate = 0.3, MinRowsPerLeaf = 3, Threads = 1 };
        var fast = GradientBoosting.Train(x, y, options).PredictMargins(x);
        var plain = GradientBoosting.Train(x, y, options with { Alpha = Tiny }).PredictMargins(x);
        for (var i = 0; i < fast.Length; i++) fast[i].ShouldBe(plain[i], 1e-6);
    }

    [Test]
    public void A_histogram_summed_in_parts_and_by_subtraction_equals_plain_sums()
    {
        var (x, _) = TreeData.Friedman(20_000, 12, missing: 0.1);
        var data = BinnedDataset.Fit(x, 255, 1);
        var random = new Random(1);
        var packed = Enumerable.Range(0, 20_000).Select(_ => ((long)random.Next(-1000, 1000) << 32) + random.Next(1000)).ToArray();
        var rows = Enumerable.Range(0, 20_000).ToArray();
        var builder = new HistogramBuilder(data, 3);
        bool[] groups = [true, true];
        long[] all = builder.Rent(), first = builder.Rent(), expected = new long[builder.Offsets[^1]];
        builder.Build(packed, rows, 0, 20_000, groups, all);
        builder.Build(packed, rows, 0, 7000, groups, first);
        HistogramBuilder.Subtract(all, first);
        foreach (var row in rows[7000..])
        {
            for (var f = 0; f < 10; f++) expected[builder.Offsets[f] + data[row, f]] += packed[row];
        }
        all.ShouldBe(expected);
    }

    [Test]
    public void More_columns_than_a_block_are_all_seen()
    {
        var random = new Random(5);
        var columns = Enumerable.Range(0, 75).Select(c => Column.Numeric($"x{c}", [.. Enumerable.Range(0, 400).Select(_ => (float)random.NextDouble())])).ToArray();
        var y = Enumerable.Range(0, 400).Select(r => columns[70][r] > 0.5f ? 1f : 0f).ToArray();
        var x = new Dataset(columns);
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, MaxLeaves = 2, Lambda = 0 });
        model.Predict(x).Select(v => MathF.Round(v)).ShouldBe(y);
        model.Importance().Single(i => i.Splits > 0).Column.ShouldBe("x70");
    }
}
