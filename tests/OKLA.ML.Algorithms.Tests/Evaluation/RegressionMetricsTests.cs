using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class RegressionMetricsTests
{
    // scikit-learn's documentation of r2_score, mean_absolute_error and mean_squared_error: 0.948..., 0.5, 0.375.
    private static readonly double[] Truth = [3, -0.5, 2, 7];
    private static readonly double[] Predicted = [2.5, 0.0, 2, 8];

    [Test]
    public void The_documented_example_of_scikit_learn_is_met()
    {
        RegressionMetrics.R2(Truth, Predicted).ShouldBe(0.9486081370, 1e-9);
        RegressionMetrics.Mae(Truth, Predicted).ShouldBe(0.5, 1e-12);
        RegressionMetrics.Rmse(Truth, Predicted).ShouldBe(Math.Sqrt(0.375), 1e-12);
        RegressionMetrics.Mape(Truth, Predicted).ShouldBe(0.3273809523, 1e-9);
    }

    [Test]
    public void The_median_of_relative_errors_takes_the_middle_or_the_mean_of_two()
    {
        // Relative errors: 1/6, 1, 0, 1/7.
        RegressionMetrics.MedianApe(Truth, Predicted).ShouldBe((1.0 / 7 + 1.0 / 6) / 2, 1e-12);
        RegressionMetrics.MedianApe(Truth.AsSpan(0, 3), Predicted.AsSpan(0, 3)).ShouldBe(1.0 / 6, 1e-12);
    }

    [Test]
    public void Pinball_charges_the_two_sides_by_the_quantile() =>
        // Over by 2 costs 0.1·2, under by 4 costs 0.9·4.
        RegressionMetrics.Pinball([8, 14], [10, 10], 0.9).ShouldBe((0.2 + 3.6) / 2, 1e-12);

    [Test]
    public void Coverage_counts_the_ends_as_inside()
    {
        RegressionMetrics.IntervalCoverage([1, 2, 3, 4], [1, 0, 4, 0], [2, 2, 5, 3]).ShouldBe(0.5);
        RegressionMetrics.IntervalWidth([1, 0], [2, 2]).ShouldBe(1.5);
    }

    [Test]
    public void A_constant_truth_has_an_r2_of_one_or_zero()
    {
        RegressionMetrics.R2([2, 2], [2, 2]).ShouldBe(1);
        RegressionMetrics.R2([2, 2], [2, 3]).ShouldBe(0);
    }

    [Test]
    public void Unequal_empty_or_infinite_lists_are_refused()
    {
        Should.Throw<ArgumentException>(() => RegressionMetrics.Mae([1], [1, 2]));
        Should.Throw<ArgumentException>(() => RegressionMetrics.Mae([], []));
        Should.Throw<ArgumentException>(() => RegressionMetrics.Mae([1], [double.PositiveInfinity]));
    }
}
