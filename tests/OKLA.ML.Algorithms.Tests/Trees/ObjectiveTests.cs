using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Trees;

internal sealed class ObjectiveTests
{
    private static readonly GradientBoostingOptions Small = new() { Iterations = 100, LearningRate = 0.1, MaxLeaves = 15, Threads = 2, HuberDelta = 1.5, TweediePower = 1.3, Classes = 3, QuantileAlpha = 0.8 };

    [TestCase(BoostingObjective.SquaredError, 2.0)]
    [TestCase(BoostingObjective.Huber, 1.0)]
    [TestCase(BoostingObjective.Quantile, 1.0)]
    [TestCase(BoostingObjective.Poisson, 1.0)]
    [TestCase(BoostingObjective.Tweedie, 1.0)]
    [TestCase(BoostingObjective.BinaryLogistic, 1.0)]
    [TestCase(BoostingObjective.Softmax, 1.0)]
    public void Gradients_are_the_slope_of_the_loss(BoostingObjective kind, double lossPerGradient)
    {
        var random = new Random(1);
        const int Rows = 6;
        float[] targets = [0, 1, 0, 1, 1, 0];
        float[] weights = [1, 2, 0.5f, 1, 3, 1];
        var objective = Objective.Create(Small with { Objective = kind }, targets, weights, null);
        var margins = Enumerable.Range(0, objective.Outputs).Select(_ => Enumerable.Range(0, Rows).Select(_ => (float)(random.NextDouble() * 2 - 0.7)).ToArray()).ToArray();
        var gradients = margins.Select(m => new float[Rows]).ToArray();
        var hessians = margins.Select(m => new float[Rows]).ToArray();
        objective.Derivatives(margins, gradients, hessians, 1);
        for (var k = 0; k < objective.Outputs; k++)
        {
            for (var i = 0; i < Rows; i++)
            {
                var at = margins[k][i];
                margins[k][i] = at + 1e-2f;
                double up = margins[k][i], above = objective.Loss(margins);
                margins[k][i] = at - 1e-2f;
                double down = margins[k][i], below = objective.Loss(margins);
                margins[k][i] = at;
                // The loss is a weighted mean; the squared error counts without the half.
                var slope = (above - below) / (up - down) * weights.Sum() / lossPerGradient;
                ((double)gradients[k][i]).ShouldBe(slope, 2e-3);
                hessians[k][i].ShouldBeGreaterThan(0);
            }
        }
    }

    [Test]
    public void Absolute_error_answers_medians_and_quantiles_answer_quantiles()
    {
        var random = new Random(2);
        var group = Enumerable.Range(0, 3000).Select(i => (float)(i % 3)).ToArray();
        var y = group.Select(g => (float)(g * 10 + Math.Exp(TreeData.Normal(random)))).ToArray();
        var x = new Dataset([Column.Numeric("g", group)]);
        var median = GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.AbsoluteError });
        var upper = GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.Quantile });
        for (var g = 0; g < 3; g++)
        {
            var inGroup = y.Where((_, i) => group[i] == g).Order().ToArray();
            median.Predict([g]).ShouldBe(inGroup[500], 0.05);
            upper.Predict([g]).ShouldBe(inGroup[800], 0.1);
        }
    }

    [Test]
    public void Poisson_and_Tweedie_learn_the_rate()
    {
        var random = new Random(3);
        var group = Enumerable.Range(0, 3000).Select(i => (float)(i % 2)).ToArray();
        var y = group.Select(g => (float)Enumerable.Range(0, 20).Count(_ => random.NextDouble() < (g == 0 ? 0.05 : 0.3))).ToArray();
        var x = new Dataset([Column.Numeric("g", group)]);
        foreach (var kind in (BoostingObjective[])[BoostingObjective.Poisson, BoostingObjective.Tweedie])
        {
            var model = GradientBoosting.Train(x, y, Small with { Objective = kind });
            for (var g = 0; g < 2; g++) model.Predict([g]).ShouldBe(y.Where((_, i) => group[i] == g).Average(), 0.02);
        }
    }

    [Test]
    public void Logistic_probabilities_are_the_shares_and_class_weights_move_them()
    {
        var random = new Random(4);
        var group = Enumerable.Range(0, 4000).Select(i => (float)(i % 2)).ToArray();
        var y = group.Select(g => random.NextDouble() < (g == 0 ? 0.1 : 0.6) ? 1f : 0f).ToArray();
        var x = new Dataset([Column.Numeric("g", group)]);
        var plain = GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.BinaryLogistic });
        var share = y.Where((_, i) => group[i] == 1).Average();
        plain.Predict([1f]).ShouldBe(share, 0.01);
        var weighted = GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.BinaryLogistic, ClassWeights = [1, 3] });
        weighted.Predict([1f]).ShouldBe(3 * share / (3 * share + 1 - share), 0.01);
    }

    [Test]
    public void Softmax_gives_one_probability_a_class()
    {
        var random = new Random(5);
        var a = Enumerable.Range(0, 3000).Select(_ => (float)random.NextDouble()).ToArray();
        var y = a.Select(v => (float)(v < 0.3 ? 2 : v < 0.6 ? 0 : 1)).ToArray();
        var x = new Dataset([Column.Numeric("a", a)]);
        var model = GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.Softmax });
        var predicted = model.Predict(x);
        model.OutputCount.ShouldBe(3);
        var right = 0;
        for (var r = 0; r < y.Length; r++)
        {
            var row = predicted.AsSpan(r * 3, 3).ToArray();
            row.Sum().ShouldBe(1, 1e-5);
            if (Array.IndexOf(row, row.Max()) == (int)y[r]) right++;
        }
        right.ShouldBeGreaterThan(2980);
    }

    [Test]
    public void LambdaRank_puts_relevant_items_first()
    {
        var random = new Random(6);
        const int Queries = 200, Items = 12;
        var a = Enumerable.Range(0, Queries * Items).Select(_ => (float)random.NextDouble()).ToArray();
        var noise = Enumerable.Range(0, Queries * Items).Select(_ => (float)random.NextDouble()).ToArray();
        var relevance = a.Select(v => (float)Math.Floor(Math.Clamp(v * 4 + 0.3 * TreeData.Normal(random), 0, 3.99))).ToArray();
        var groups = Enumerable.Repeat(Items, Queries).ToArray();
        var x = new Dataset([Column.Numeric("noise", noise), Column.Numeric("a", a)]);
        var model = GradientBoosting.Train(x, relevance, Small with { Objective = BoostingObjective.LambdaRank, EarlyStoppingRounds = 50 },
            x, relevance, groups: groups, validGroups: groups);
        // 1 − NDCG@10; a random order of these grades gives about 0.25.
        model.ValidationScores[model.Iterations - 1].ShouldBeLessThan(0.06);
        model.Predict([0.5f, 0.9f]).ShouldBeGreaterThan(model.Predict([0.5f, 0.2f]));
    }

    [Test]
    public void Lambdas_of_two_items_match_the_formula()
    {
        var objective = Objective.Create(Small with { Objective = BoostingObjective.LambdaRank }, [1, 0], null, [2]);
        float[][] margins = [[0, 0]], gradients = [new float[2]], hessians = [new float[2]];
        objective.Derivatives(margins, gradients, hessians, 1);
        // |ΔNDCG| = (1 − 1/log2 3) / 1; λ = ½|ΔNDCG|, then scaled by log2(1 + Σλ)/Σλ with Σλ = 2λ.
        var change = 1 - 1 / Math.Log2(3);
        var expected = 0.5 * change * Math.Log2(1 + change) / change;
        ((double)gradients[0][0]).ShouldBe(-expected, 1e-6);
        ((double)gradients[0][1]).ShouldBe(expected, 1e-6);
    }
}
