using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Tests.Trees;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class PermutationImportanceTests
{
    private static Func<double[], double> Squares(float[] y) => predictions => predictions.Zip(y, (p, t) => (p - t) * (p - t)).Average();

    [Test]
    public void An_unused_column_has_importance_zero()
    {
        var x = ExplanationData.Uniform(300, 3, 1);
        float[] y = [.. Enumerable.Range(0, 300).Select(r => 2 * x.Columns[0][r] + x.Columns[1][r])];
        var importance = PermutationImportance.Measure(ExplanationData.Model(v => 2 * v[0] + v[1]), x, Squares(y), higherIsBetter: false);
        importance[2].Mean.ShouldBe(0, 1e-12);
        // Shuffling a column of weight w raises the squared error by 2 w² Var(x): four times as much for twice the weight.
        var variance = Enumerable.Range(0, 300).Average(r => Math.Pow(x.Columns[0][r] - x.Columns[0].Numbers.ToArray().Average(), 2));
        importance[0].Mean.ShouldBe(8 * variance, 0.06);
        importance[0].Lower.ShouldBeLessThan(8 * variance);
        importance[0].Upper.ShouldBeGreaterThan(importance[0].Mean);
        (importance[0].Mean / importance[1].Mean).ShouldBe(4, 0.8);
    }

    [Test]
    public void Noise_columns_of_a_trained_model_lie_around_zero_and_any_metric_serves()
    {
        var (x, y) = TreeData.Friedman(600, 2);
        var train = x.Select([.. Enumerable.Range(0, 400)]);
        var test = x.Select([.. Enumerable.Range(400, 200)]);
        var model = GradientBoosting.Train(train, y[..400], new GradientBoostingOptions { Iterations = 60, Threads = 1 });
        var high = y[400..].Select(v => v > 14).ToArray();
        var importance = PermutationImportance.Measure(rows => model.PredictMargins(rows, 1), test, p => BinaryMetrics.RocAuc(p, high), higherIsBetter: true);
        importance.Take(5).Min(i => i.Mean).ShouldBeGreaterThan(importance.Skip(5).Max(i => i.Mean));
        importance.Skip(5).Max(i => Math.Abs(i.Mean)).ShouldBeLessThan(0.02);
    }

    [Test]
    public void Columns_that_tell_the_same_matter_together()
    {
        var x = ExplanationData.Uniform(200, 1, 3).Columns[0].Numbers.ToArray();
        var table = new Dataset([Column.Numeric("a", x), Column.Numeric("b", x), Column.Numeric("c", x)]);
        // The median of three copies survives the shuffling of any one.
        var median = ExplanationData.Model(v => v.Order().ElementAt(1));
        var alone = PermutationImportance.Measure(median, table, Squares(x), higherIsBetter: false);
        var both = PermutationImportance.Measure(median, table, Squares(x), higherIsBetter: false, groups: [["a", "b"]]);
        alone.Max(i => i.Mean).ShouldBe(0, 1e-12);
        both[0].Mean.ShouldBeGreaterThan(0.05);
        Should.Throw<ArgumentException>(() => PermutationImportance.Measure(median, table, Squares(x), false, groups: [["d"]]));
    }
}
