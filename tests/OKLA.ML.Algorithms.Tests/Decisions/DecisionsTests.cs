using OKLA.ML.Algorithms.Decisions;

namespace OKLA.ML.Algorithms.Tests.Decisions;

public class DecisionsTests
{
    [TestCase(ResponseShape.Hill)]
    [TestCase(ResponseShape.Log)]
    [TestCase(ResponseShape.Exponential)]
    public void A_curve_without_noise_is_found_again(ResponseShape shape)
    {
        var truth = new ResponseCurve(shape, 120, 400);
        double[] spends = [0, 50, 100, 200, 400, 800, 1600, 3000];
        var fitted = ResponseCurve.Fit(spends, [.. spends.Select(truth.At)], shape);
        fitted.Scale.ShouldBe(120, 1e-3);
        fitted.Place.ShouldBe(400, 1e-2);
        fitted.StandardError(500).ShouldBeLessThan(1e-3);
    }

    [Test]
    public void Logarithmic_channels_share_a_budget_by_hand()
    {
        // Slopes 2/(1 + x) and 1/(1 + y) are equal at x + 1 = 2(y + 1); with x + y = 10: x = 7, y = 3.
        Channel[] channels = [new(new(ResponseShape.Log, 2, 1), 0, 100, 1), new(new(ResponseShape.Log, 1, 1), 0, 100, 2)];
        BudgetAllocation.Allocate(channels, 10).ShouldBe([7, 3], 1e-9);
        BudgetAllocation.Allocate(channels, 10, new Dictionary<int, double> { [1] = 4 }).ShouldBe([4, 6], 1e-9);
        BudgetAllocation.Allocate([channels[0] with { Most = 5 }, channels[1]], 10).ShouldBe([5, 5], 1e-9);
    }

    [Test]
    public void Fronts_and_their_area_by_hand()
    {
        double[][] points = [[1, 3], [2, 2], [3, 1], [1, 1]];
        ParetoFront.Of(points).ShouldBe([0, 1, 2]);
        ParetoFront.Hypervolume(points, 0, 0).ShouldBe(6);
    }

    [Test]
    public void Bandits_come_to_play_the_best_arm()
    {
        var random = new Random(9);
        var beta = new BetaThompson(3);
        var gaussian = new GaussianThompson(3);
        var ucb = new Ucb1(3);
        int[] right = new int[3];
        for (int t = 0; t < 3000; t++)
        {
            double draw = random.NextDouble();
            int a = beta.Choose(), b = gaussian.Choose(), c = ucb.Choose();
            beta.Learn(a, draw < 0.2 + 0.3 * a);
            gaussian.Learn(b, b + draw - 0.5);
            ucb.Learn(c, draw < 0.2 + 0.3 * c ? 1 : 0);
            right[0] += a == 2 ? 1 : 0;
            right[1] += b == 2 ? 1 : 0;
            right[2] += c == 2 ? 1 : 0;
        }

        right.Min().ShouldBeGreaterThan(2300);
    }

    [Test]
    public void The_linear_bound_by_hand()
    {
        // After x = (1, 0) with reward 1: A = diag(2, 1), θ = (½, 0), bound of x is ½ + √½.
        var bandit = new LinUcb(2, 2);
        bandit.Learn(0, [1, 0], 1);
        bandit.Bound(0, [1, 0]).ShouldBe(0.5 + Math.Sqrt(0.5), 1e-12);
        bandit.Choose([1, 0]).ShouldBe(0);
        bandit.Choose([0, 1]).ShouldBe(0);
    }
}
