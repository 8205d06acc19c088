using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Tests.Trees;
using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests.Tuning;

internal sealed class SelectionTests
{
    [Test]
    public void Volumes_by_hand()
    {
        // Two boxes of 1·2·3 = 6 and 2·1·1 = 2 share 1·1·1.
        Hypervolume.Of([[1, 2, 3], [2, 1, 1]], [0, 0, 0]).ShouldBe(7);
        // A third that is inside the first, and one below the reference, add nothing.
        Hypervolume.Of([[1, 2, 3], [2, 1, 1], [0.5, 1, 2], [-1, 5, 5]], [0, 0, 0]).ShouldBe(7);
        Hypervolume.Of([[3, 3, 3]], [1, 2, 2.5]).ShouldBe(1);
        Hypervolume.Of([[1, 3], [2, 2], [3, 1]], [0, 0]).ShouldBe(6);
        Hypervolume.Of([], [0, 0, 0]).ShouldBe(0);
        Should.Throw<ArgumentException>(() => Hypervolume.Of([[1, 1]], [0, 0, 0]));
    }

    [Test]
    public void Volumes_of_three_objectives_equal_counting()
    {
        var random = new Random(1);
        double[][] points = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 3).Select(_ => (double)random.Next(0, 11)).ToArray())];
        var cells = 0;
        for (var cell = 0; cell < 1000; cell++)
        {
            int x = cell % 10, y = cell / 10 % 10, z = cell / 100;
            if (points.Any(p => p[0] > x && p[1] > y && p[2] > z)) cells++;
        }
        Hypervolume.Of(points, [0, 0, 0]).ShouldBe(cells);
    }

    [Test]
    public void Fronts_and_crowding_by_hand()
    {
        // Of the first three none beats another in both losses; (3, 3) is behind (2, 2) and (4, 4) behind (3, 3).
        double[][] losses = [[1, 4], [2, 2], [4, 1], [3, 3], [4, 4]];
        FinishedTrial[] trials = [.. losses.Select((l, n) => new FinishedTrial(n, [0], l, int.MaxValue))];
        Domination.Fronts(trials).Select(f => f.Select(t => t.Number).ToArray()).ShouldBe([[0, 1, 2], [3], [4]]);
        // The middle one's neighbours are the whole range apart in both losses.
        Domination.Crowding([.. trials.Take(3)]).ShouldBe([double.PositiveInfinity, 2, double.PositiveInfinity]);
        Domination.Order(trials).Select(t => t.Number).ShouldBe([0, 2, 1, 3, 4]);
    }

    [Test]
    public void Boruta_keeps_what_matters_and_drops_what_might_be_a_shadow()
    {
        var (x, y) = TreeData.Friedman(400, 1);
        var verdicts = Boruta.Select(x, y, new() { Rounds = 30, Forest = new() { Trees = 40, MinRowsPerLeaf = 5 } });
        verdicts.Take(5).Select(v => v.Relevance).ShouldAllBe(r => r == Relevance.Confirmed);
        verdicts.Skip(5).ShouldAllBe(v => v.Relevance != Relevance.Confirmed);
        verdicts.Skip(5).Count(v => v.Relevance == Relevance.Rejected).ShouldBeGreaterThanOrEqualTo(4);
        verdicts.Where(v => v.Relevance == Relevance.Rejected).ShouldAllBe(v => v.Rounds < 30);
    }

    [Test]
    public void Boruta_on_noise_alone_confirms_nothing()
    {
        var (x, _) = TreeData.Friedman(200, 2);
        var random = new Random(3);
        float[] noise = [.. Enumerable.Range(0, 200).Select(_ => (float)random.Next(2))];
        Boruta.Select(x, noise, new() { Rounds = 20, Forest = new() { Trees = 30, Classes = 2 } }).ShouldAllBe(v => v.Relevance != Relevance.Confirmed);
    }

    [Test]
    public void Forward_selection_finds_the_columns_of_a_linear_target_in_order_of_weight()
    {
        var random = new Random(4);
        float[][] columns = [.. Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, 200).Select(_ => random.NextSingle()).ToArray())];
        float[] y = [.. Enumerable.Range(0, 200).Select(r => 10 * columns[3][r] + 5 * columns[1][r] + 2 * columns[4][r] + 0.1f * random.NextSingle())];
        var x = new Dataset([.. columns.Select((c, i) => Column.Numeric($"x{i}", c))]);
        var steps = ForwardSelection.Select(x, y, (train, targets, test) => RidgeRegression.Fit(train, targets).Predict(test),
            (predictions, truth) => RegressionMetrics.R2([.. truth.Select(t => (double)t)], predictions), Splits.KFold(200, 4), least: 0.002);
        steps.Select(s => s.Column).ShouldBe(["x3", "x1", "x4"]);
        steps.Select(s => s.Score).ShouldBeInOrder();
        steps[2].Score.ShouldBeGreaterThan(0.99);
        steps[0].FoldScores.Count.ShouldBe(4);
    }
}
