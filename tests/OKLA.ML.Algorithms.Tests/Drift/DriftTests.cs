using OKLA.ML.Algorithms.Drift;

namespace OKLA.ML.Algorithms.Tests.Drift;

public class DriftTests
{
    [Test]
    public void Distances_by_hand()
    {
        DistributionDrift.KolmogorovSmirnov([1, 2, 3, 4], [3, 4, 5, 6]).Statistic.ShouldBe(0.5);
        DistributionDrift.Wasserstein([0, 1, 3], [5, 6, 8]).ShouldBe(5, 1e-12);
        // (25 − 20)²/20 ·2 + (15 − 20)²/20 · 2 = 5, one degree of freedom: p = .0253.
        DriftTest test = DistributionDrift.ChiSquare([25, 15], [15, 25]);
        test.Statistic.ShouldBe(5, 1e-12);
        test.PValue.ShouldBe(0.0253, 1e-4);
        DistributionDrift.JensenShannon([1, 0], [0, 1]).ShouldBe(1, 1e-12);
        // (.75 − .5)·ln 1.5 + (.25 − .5)·ln .5 = .2747
        DistributionDrift.Psi([50_000_000, 50_000_000], [75_000_000, 25_000_000]).ShouldBe(0.2747, 1e-4);
        DriftTest scores = DistributionDrift.Classifier([0.1, 0.4], [0.3, 0.9]);
        scores.Statistic.ShouldBe(0.75);
    }

    [Test]
    public void The_same_sample_has_no_drift()
    {
        double[] x = [.. Enumerable.Range(0, 100).Select(i => Math.Sin(i))];
        DistributionDrift.Psi(x, x).ShouldBe(0, 1e-12);
        DistributionDrift.KolmogorovSmirnov(x, x).PValue.ShouldBe(1);
        DistributionDrift.Wasserstein(x, x).ShouldBe(0);
        DistributionDrift.Classifier(x, x).PValue.ShouldBe(0.5, 1e-9);
    }

    [Test]
    public void Stream_detectors_see_a_jump_of_the_error_rate_and_nothing_before()
    {
        var random = new Random(5);
        bool[] wrong = [.. Enumerable.Range(0, 2000).Select(t => random.NextDouble() < (t < 1000 ? 0.1 : 0.5))];
        var adwin = new Adwin();
        var ddm = new Ddm();
        var page = new PageHinkley(0.05, 20);
        First(t => adwin.Next(wrong[t] ? 1 : 0)).ShouldBeInRange(1000, 1100);
        First(t => ddm.Next(wrong[t])).ShouldBeInRange(1000, 1150);
        First(t => page.Next(wrong[t] ? 1 : 0)).ShouldBeInRange(1000, 1150);

        int First(Func<int, DriftState> next) => Enumerable.Range(0, 2000).First(t => next(t) == DriftState.Drift);
    }
}
