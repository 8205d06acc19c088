using OKLA.ML.Algorithms.Trees;
using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests.Tuning;

internal sealed class SamplerTests
{
    [Test]
    public void The_standard_functions_have_their_known_minima()
    {
        foreach (var function in TestFunctions.All.Where(f => !double.IsNaN(f.Argument)))
            function.At([.. Enumerable.Repeat(function.Argument, function.Dimensions)]).ShouldBe(function.Minimum, 1e-5);
        // Minima off the diagonal, from the same library: Branin's (π, 2.275), Hartmann's in three and six dimensions.
        TestFunctions.All[2].At([(Math.PI + 5) / 15, 2.275 / 15]).ShouldBe(0.397887, 1e-5);
        TestFunctions.All[3].At([0.114614, 0.555649, 0.852547]).ShouldBe(-3.86278, 1e-5);
        TestFunctions.All[4].At([0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]).ShouldBe(-3.32237, 1e-5);
    }

    [Test]
    public void Tpe_is_no_worse_than_random_on_any_of_ten_functions_and_better_on_most()
    {
        const int Seeds = 11, Trials = 80;
        var better = 0;
        foreach (var function in TestFunctions.All)
        {
            var random = TestFunction.Median(Enumerable.Range(0, Seeds).Select(seed => function.Regret(new RandomSampler(), Trials, seed)));
            var tpe = TestFunction.Median(Enumerable.Range(0, Seeds).Select(seed => function.Regret(new TpeSampler(), Trials, seed)));
            TestContext.Out.WriteLine(FormattableString.Invariant($"{function.Name,-16} {function.Dimensions} random {random,10:G4} tpe {tpe,10:G4}"));
            tpe.ShouldBeLessThanOrEqualTo(random, function.Name);
            if (tpe < random * 0.9) better++;
        }
        better.ShouldBeGreaterThan(5);
    }

    [Test]
    public void Expected_improvement_beats_random_on_Branin()
    {
        var branin = TestFunctions.All[2];
        var random = TestFunction.Median(Enumerable.Range(0, 5).Select(seed => branin.Regret(new RandomSampler(), 28, seed)));
        var process = TestFunction.Median(Enumerable.Range(0, 5).Select(seed => branin.Regret(new GaussianProcessSampler(), 28, seed)));
        process.ShouldBeLessThan(random / 10);
        process.ShouldBeLessThan(0.05);
    }

    [Test]
    public void The_likelihoods_gradient_is_that_of_differences()
    {
        var random = new Random(1);
        double[][] points = [.. Enumerable.Range(0, 12).Select(_ => new[] { random.NextDouble(), random.NextDouble() })];
        double[] y = [.. points.Select(p => Math.Sin(5 * p[0]) + p[1])], theta = [-0.7, 0.2, 0.1, -4], gradient = new double[4], other = new double[4];
        GaussianProcess.NegativeLogPosterior(points, y, theta, gradient);
        for (var t = 0; t < 4; t++)
        {
            double[] up = [.. theta], down = [.. theta];
            up[t] += 1e-5;
            down[t] -= 1e-5;
            var slope = (GaussianProcess.NegativeLogPosterior(points, y, up, other) - GaussianProcess.NegativeLogPosterior(points, y, down, other)) / 2e-5;
            gradient[t].ShouldBe(slope, 1e-5 * (1 + Math.Abs(slope)));
        }
    }

    [Test]
    public void A_process_passes_through_smooth_points_and_knows_where_it_knows_little()
    {
        double[][] points = [.. Enumerable.Range(0, 9).Select(i => new[] { i / 16.0 })];
        var process = GaussianProcess.Fit(points, [.. points.Select(p => Math.Sin(6 * p[0]))]);
        var (mean, deviation) = process.Predict([5.5 / 16]);
        mean.ShouldBe(Math.Sin(6 * 5.5 / 16), 0.02);
        process.Predict([1]).Deviation.ShouldBeGreaterThan(10 * deviation);
    }

    [Test]
    public void A_mixtures_density_has_mass_one()
    {
        Parameter[] parameters = [Parameter.Real("a", 0, 1), Parameter.Whole("b", 1, 4), Parameter.Categorical("c", "x", "y", "z")];
        var mixture = new ParzenMixture(parameters, [[0.2, 1, 0], [0.9, 3, 2]], [1, 0.5], 1);
        double mass = 0;
        for (var i = 0; i < 1000; i++)
        {
            for (var b = 1; b <= 4; b++)
            {
                for (var c = 0; c < 3; c++) mass += Math.Exp(mixture.LogDensity([(i + 0.5) / 1000, b, c])) / 1000;
            }
        }
        mass.ShouldBe(1, 1e-5);
    }

    [Test]
    public void Draws_follow_the_mixtures_density()
    {
        Parameter[] parameters = [Parameter.Whole("b", 1, 4), Parameter.Categorical("c", "x", "y", "z")];
        var mixture = new ParzenMixture(parameters, [[1, 0], [3, 2], [3, 2]], [1, 0.5, 1], 1);
        var random = new RandomSource(3);
        var counts = new double[5, 3];
        const int Draws = 40_000;
        for (var i = 0; i < Draws; i++)
        {
            var draw = mixture.Draw(ref random);
            counts[(int)draw[0], (int)draw[1]]++;
        }
        for (var b = 1; b <= 4; b++)
        {
            for (var c = 0; c < 3; c++) (counts[b, c] / Draws).ShouldBe(Math.Exp(mixture.LogDensity([b, c])), 0.012);
        }
    }

    [Test]
    public void Whole_logarithmic_and_conditional_parameters_are_searched_within_their_bounds()
    {
        var space = new SearchSpace(
            Parameter.Categorical("learner", "forest", "boosting"), Parameter.LogReal("rate", 1e-4, 1).When("learner", "boosting"),
            Parameter.Whole("depth", 2, 5), Parameter.LogWhole("trees", 1, 1000).When("learner", "forest"));
        foreach (var sampler in (Sampler[])[new RandomSampler(), new TpeSampler(), new GaussianProcessSampler(), new Nsga2Sampler(10)])
        {
            var study = new Study(space, sampler);
            for (var t = 0; t < 60; t++)
            {
                var trial = study.Ask();
                var learner = space.Choice(trial, "learner");
                trial.Parameters.ContainsKey("rate").ShouldBe(learner == "boosting");
                trial.Parameters.ContainsKey("trees").ShouldBe(learner == "forest");
                if (learner == "boosting") trial.Parameters["rate"].ShouldBeInRange(1e-4, 1);
                else trial.Parameters["trees"].ShouldBe(Math.Clamp(Math.Round(trial.Parameters["trees"]), 1, 1000));
                trial.Parameters["depth"].ShouldBeOneOf(2, 3, 4, 5);
                // Best: boosting with rate 0.01 and depth 3.
                study.Tell(trial.Number, (learner == "boosting" ? Math.Abs(Math.Log10(trial.Parameters["rate"]) + 2) : 3) + Math.Abs(trial.Parameters["depth"] - 3));
            }
            study.Best!.Values[0].ShouldBeLessThan(0.6, sampler.GetType().Name);
            if (sampler is TpeSampler or GaussianProcessSampler) study.Trials.Skip(30).Count(t => space.Choice(t, "learner") == "boosting").ShouldBeGreaterThan(20);
        }
    }

    [Test]
    public void Several_objectives_are_searched_better_than_at_random()
    {
        // ZDT1 with six arguments (Zitzler, Deb and Thiele 2000): the front is f2 = 1 − √f1; hypervolume to (1.1, 6) seen as gains.
        var space = new SearchSpace([.. Enumerable.Range(0, 6).Select(d => Parameter.Real($"x{d}", 0, 1))]);
        double Volume(Sampler sampler, int seed)
        {
            var study = new Study(space, sampler, new() { Seed = seed, Maximize = [false, false] });
            for (var t = 0; t < 120; t++)
            {
                var trial = study.Ask();
                var first = trial.Parameters["x0"];
                var g = 1 + 9 * Enumerable.Range(1, 5).Average(d => trial.Parameters[$"x{d}"]);
                study.Tell(trial.Number, first, g * (1 - Math.Sqrt(first / g)));
            }
            return Hypervolume.Of([.. study.Front().Select(t => new[] { -t.Values[0], -t.Values[1] })], [-1.1, -6]);
        }
        var random = TestFunction.Median(Enumerable.Range(0, 3).Select(seed => Volume(new RandomSampler(), seed)));
        TestFunction.Median(Enumerable.Range(0, 3).Select(seed => Volume(new Nsga2Sampler(12), seed))).ShouldBeGreaterThan(random);
        TestFunction.Median(Enumerable.Range(0, 3).Select(seed => Volume(new TpeSampler(), seed))).ShouldBeGreaterThan(random);
    }
}
