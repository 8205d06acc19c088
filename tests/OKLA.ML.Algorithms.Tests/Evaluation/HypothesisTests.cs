using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

/// <summary>Reference values from SciPy 1.10.1 (ttest_ind, ttest_rel, chi2_contingency, chi2.sf, binom.cdf, norm.sf) unless said.</summary>
public class HypothesisTests
{
    private static readonly double[] A = [30.02, 29.99, 30.11, 29.97, 30.01, 29.99];
    private static readonly double[] B = [29.89, 29.93, 29.72, 29.98, 30.02, 29.98];

    [Test]
    public void Welch_meets_the_reference()
    {
        var outcome = Hypothesis.Welch(A, B);
        outcome.Statistic.ShouldBe(1.95900580811, 1e-9);
        outcome.PValue.ShouldBe(0.0907733242857, 1e-9);
        outcome.Difference.ShouldBe(0.095, 1e-9);
        outcome.Lower.ShouldBeLessThan(0);
        outcome.Upper.ShouldBeGreaterThan(0.19);
    }

    [Test]
    public void The_paired_test_and_its_correction_for_shared_training_rows_meet_the_reference()
    {
        Hypothesis.PairedT(A, B).Statistic.ShouldBe(1.50996688705, 1e-9);
        Hypothesis.PairedT(A, B).PValue.ShouldBe(0.191436884337, 1e-9);

        // The same with the variance (1/6 + 0.25)·s².
        var corrected = Hypothesis.CorrectedResampledT(A, B, 0.25);
        corrected.Statistic.ShouldBe(0.954986910905, 1e-9);
        corrected.PValue.ShouldBe(0.383441599923, 1e-9);
        corrected.PValue.ShouldBeGreaterThan(Hypothesis.PairedT(A, B).PValue);
    }

    [Test]
    public void Chi_square_meets_the_reference_and_leaves_empty_rows_out()
    {
        Hypothesis.ChiSquare(new double[,] { { 10, 20, 30 }, { 6, 9, 17 } }).PValue.ShouldBe(0.87302828338, 1e-9);
        var outcome = Hypothesis.ChiSquare(new double[,] { { 10, 20, 30 }, { 0, 0, 0 }, { 6, 9, 17 } });
        outcome.Statistic.ShouldBe(0.271574651504, 1e-9);
        outcome.Freedom.ShouldBe(2);
        Should.Throw<ArgumentException>(() => Hypothesis.ChiSquare(new double[,] { { 1, 2 } }));
    }

    [Test]
    public void McNemar_is_exact_for_few_and_corrected_chi_square_for_many()
    {
        Hypothesis.McNemar(3, 9).PValue.ShouldBe(0.14599609375, 1e-9);
        Hypothesis.McNemar(30, 12).PValue.ShouldBe(0.00871191296238, 1e-9);
        Hypothesis.McNemar(0, 0).PValue.ShouldBe(1);
        Hypothesis.McNemar(5, 5).PValue.ShouldBe(1);
    }

    [Test]
    public void Two_proportions_meet_the_reference()
    {
        var outcome = Hypothesis.TwoProportions(45, 300, 30, 320);
        outcome.Statistic.ShouldBe(2.146471395, 1e-9);
        outcome.PValue.ShouldBe(0.0318353885767, 1e-9);
        Hypothesis.TwoProportions(0, 10, 0, 10).PValue.ShouldBe(1);
    }

    [Test]
    public void The_interval_of_two_proportions_is_newcombes()
    {
        // Newcombe 1998, table II: 56/70 − 48/80, method 10: 0.0524 to 0.3339.
        var outcome = Hypothesis.TwoProportions(56, 70, 48, 80);
        outcome.Difference.ShouldBe(0.2, 1e-12);
        outcome.Lower.ShouldBe(0.0524, 5e-5);
        outcome.Upper.ShouldBe(0.3339, 5e-5);
    }

    [Test]
    public void Adjusted_p_values_are_those_worked_by_hand()
    {
        // p sorted .01 .02 .03 .04: Holm .04 .06 .06 .06; Benjamini-Hochberg .04 each.
        Close(Hypothesis.Holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06]);
        Close(Hypothesis.BenjaminiHochberg([0.04, 0.01, 0.03, 0.02]), [0.04, 0.04, 0.04, 0.04]);
        Close(Hypothesis.BenjaminiHochberg([0.5, 0.001, 0.02]), [0.5, 0.003, 0.03]);
        Close(Hypothesis.Holm([0.9, 0.8]), [1, 1]);
    }

    [Test]
    public void No_spread_gives_certainty_or_nothing()
    {
        Hypothesis.PairedT([1, 2], [1, 2]).PValue.ShouldBe(1);
        Hypothesis.PairedT([2, 3], [1, 2]).PValue.ShouldBe(0);
    }

    [Test]
    public void Looking_all_the_time_does_not_raise_the_error_of_the_sequential_test()
    {
        // 400 experiments without an effect, looked at after every 20 of 2,000 cases: at most 5 % (plus sampling error) may ever reach p < 0.05.
        int sequential = 0, naive = 0;
        for (int run = 0; run < 400; run++)
        {
            var random = new Random(run);
            var test = new SequentialTest(0.05);
            long a = 0, b = 0;
            bool fooled = false;
            for (int n = 1; n <= 2000; n++)
            {
                a += random.NextDouble() < 0.3 ? 1 : 0;
                b += random.NextDouble() < 0.3 ? 1 : 0;
                if (n % 20 != 0) continue;
                test.LookAtProportions(a, n, b, n);
                fooled |= Hypothesis.TwoProportions(a, n, b, n).PValue < 0.05;
            }

            if (test.PValue < 0.05) sequential++;
            if (fooled) naive++;
        }

        sequential.ShouldBeLessThan(28);
        naive.ShouldBeGreaterThan(80);
    }

    [Test]
    public void A_real_effect_is_found_and_the_interval_agrees_with_the_p_value()
    {
        var test = new SequentialTest(0.05);
        var outcome = test.LookAtProportions(3000, 10_000, 3400, 10_000);

        outcome.PValue.ShouldBeLessThan(0.001);
        outcome.Lower.ShouldBeGreaterThan(0);
        // At the edge of the interval the ratio is exactly 1 / 0.05, whatever the data: Λ(half) = 20.
        double v = 0.3 * 0.7 / 10_000 + 0.34 * 0.66 / 10_000, half = outcome.Upper - outcome.Difference, t = 0.0025;
        Math.Log(20).ShouldBe(0.5 * Math.Log(v / (v + t)) + t * half * half / (2 * v * (v + t)), 1e-9);
        test.LookAtProportions(3000, 10_000, 3000, 10_000).PValue.ShouldBe(outcome.PValue);
    }

    [Test]
    public void A_bootstrap_interval_of_a_mean_is_close_to_the_normal_one_and_covers()
    {
        int covered = 0;
        for (int run = 0; run < 100; run++)
        {
            var random = new Random(run);
            var values = Enumerable.Range(0, 60).Select(_ => -Math.Log(1 - random.NextDouble())).ToArray();
            var interval = Bootstrap.Mean(values, 0.9, 300, run);
            interval.Estimate.ShouldBe(values.Average(), 1e-12);
            if (interval.Lower <= 1 && interval.Upper >= 1) covered++;
        }

        // 90 expected; fewer than 80 or more than 99 has probability below 1 in 1,000.
        covered.ShouldBeInRange(80, 99);
        var normal = Enumerable.Range(1, 400).Select(i => Normal.InvCDF(0, 1, i / 401.0)).ToArray();
        Bootstrap.Mean(normal, 0.95, 2000).Upper.ShouldBe(1.96 / 20, 0.01);
    }

    [Test]
    public void The_same_seed_gives_the_same_interval() =>
        Bootstrap.Mean([1, 2, 5, 9], seed: 3).ShouldBe(Bootstrap.Mean([1, 2, 5, 9], seed: 3));

    private static void Close(double[] actual, double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        for (int i = 0; i < actual.Length; i++) actual[i].ShouldBe(expected[i], 1e-12);
    }
}
