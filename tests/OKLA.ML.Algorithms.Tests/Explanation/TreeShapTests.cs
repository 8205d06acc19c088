using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Tests.Trees;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class TreeShapTests
{
    private const int Columns = 6;

    private static GradientBoostingModel Train(int seed, out Dataset x, BoostingObjective objective = BoostingObjective.SquaredError)
    {
        var random = new Random(seed);
        const int Rows = 300;
        var numbers = Enumerable.Range(0, Columns - 1)
            .Select(c => Enumerable.Range(0, Rows).Select(_ => random.NextDouble() < 0.1 ? float.NaN : (float)random.NextDouble()).ToArray()).ToArray();
        var codes = Enumerable.Range(0, Rows).Select(_ => random.Next(-1, 9)).ToArray();
        x = new Dataset([.. numbers.Select((v, c) => Column.Numeric($"x{c}", v)), Column.Categorical("code", codes)]);
        var y = Enumerable.Range(0, Rows).Select(r =>
        {
            var v = (float.IsNaN(numbers[0][r]) ? 0.7f : numbers[0][r]) * numbers[1][r] * 8 + numbers[2][r] * (codes[r] % 3) + numbers[3][r] * 2;
            v = float.IsNaN(v) ? 1 : v;
            return objective == BoostingObjective.Softmax ? MathF.Floor(Math.Clamp(v, 0, 2.9f)) : v;
        }).ToArray();
        return GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 8, MaxLeaves = 12, LearningRate = 0.3, Objective = objective, Classes = 3, CategorySmoothing = 1, CategoryLambda = 1, Threads = 1 });
    }

    // Shapley's formula over all subsets: Σ_S |S|!(M−|S|−1)!/M! (v(S ∪ i) − v(S)).
    private static double[] BruteForce(Func<int, double> value)
    {
        var factorial = Enumerable.Range(0, Columns + 1).Select(n => Enumerable.Range(1, n).Aggregate(1.0, (a, b) => a * b)).ToArray();
        var phi = new double[Columns];
        for (var subset = 0; subset < 1 << Columns; subset++)
        {
            var size = int.PopCount(subset);
            for (var i = 0; i < Columns; i++)
            {
                if ((subset >> i & 1) != 0) continue;
                phi[i] += factorial[size] * factorial[Columns - size - 1] / factorial[Columns] * (value(subset | 1 << i) - value(subset));
            }
        }
        return phi;
    }

    private static double Conditional(Tree tree, byte[] row, int subset, int node)
    {
        if (tree.IsLeaf(node)) return tree.Value[node];
        var left = tree.Left[node];
        if ((subset >> tree.Feature[node] & 1) != 0) return Conditional(tree, row, subset, tree.GoesLeft(node, row[tree.Feature[node]]) ? left : left + 1);
        return (tree.Rows[left] * Conditional(tree, row, subset, left) + tree.Rows[left + 1] * Conditional(tree, row, subset, left + 1)) / tree.Rows[node];
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void Path_dependent_values_equal_Shapleys_formula(int seed)
    {
        var ensemble = Train(seed, out var x).Ensemble;
        ensemble.Trees.Any(tree => tree.HasCategories).ShouldBeTrue();
        var shap = new TreeShap(Train(seed, out _));
        var row = new float[Columns];
        for (var r = 0; r < 40; r++)
        {
            x.CopyRow(r, row);
            var bins = new byte[Columns];
            ensemble.Bins(row, bins);
            var expected = BruteForce(subset => ensemble.Trees.Sum(tree => Conditional(tree, bins, subset, 0)));
            var phi = shap.Explain(row);
            for (var c = 0; c < Columns; c++) phi[c].ShouldBe(expected[c], 1e-9);
        }
    }

    [TestCase(4)]
    [TestCase(5)]
    public void Interventional_values_equal_Shapleys_formula(int seed)
    {
        var model = Train(seed, out var x);
        var background = x.Select([.. Enumerable.Range(100, 15)]);
        var shap = new TreeShap(model, background);
        float[] row = new float[Columns], other = new float[Columns], mixed = new float[Columns];
        for (var r = 0; r < 20; r++)
        {
            x.CopyRow(r, row);
            var values = new double[1 << Columns];
            for (var subset = 0; subset < values.Length; subset++)
            {
                for (var b = 0; b < 15; b++)
                {
                    background.CopyRow(b, other);
                    for (var c = 0; c < Columns; c++) mixed[c] = (subset >> c & 1) != 0 ? row[c] : other[c];
                    var margin = new double[1];
                    model.Ensemble.Margins(mixed, margin);
                    values[subset] += margin[0] / 15;
                }
            }
            var expected = BruteForce(subset => values[subset]);
            var phi = shap.Explain(row);
            for (var c = 0; c < Columns; c++) phi[c].ShouldBe(expected[c], 1e-9);
            shap.BaseValues[0].ShouldBe(values[0], 1e-9);
        }
    }

    [Test]
    public void Contributions_of_large_trees_add_up_to_the_margin()
    {
        var (x, y) = TreeData.Friedman(2000, 1, missing: 0.05);
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 60, MaxLeaves = 63, MinRowsPerLeaf = 1 });
        var part = x.Select([.. Enumerable.Range(0, 50)]);
        var margins = model.PredictMargins(part);
        foreach (var shap in (TreeShap[])[new(model), new(model, x.Select([.. Enumerable.Range(500, 10)]))])
        {
            var phi = shap.Explain(part);
            for (var r = 0; r < 50; r++) (shap.BaseValues[0] + phi.AsSpan(r * 10, 10).ToArray().Sum()).ShouldBe(margins[r], 1e-9);
        }
    }

    [Test]
    public void Each_class_has_its_own_contributions()
    {
        var model = Train(6, out var x, BoostingObjective.Softmax);
        var shap = new TreeShap(model);
        var phi = shap.Explain(x);
        var margins = model.PredictMargins(x);
        for (var i = 0; i < margins.Length; i++) (shap.BaseValues[i % 3] + phi.AsSpan(i * Columns, Columns).ToArray().Sum()).ShouldBe(margins[i], 1e-9);
        shap.MeanAbsolute(x).Length.ShouldBe(Columns);
    }

    [Test]
    public void Forests_are_explained_too()
    {
        var (x, y) = TreeData.Friedman(300, 2);
        var model = RandomForest.Train(x, y, new RandomForestOptions { Trees = 10 });
        var shap = new TreeShap(model);
        var row = new float[10];
        x.CopyRow(5, row);
        var prediction = new float[1];
        model.Predict(row, prediction);
        (shap.BaseValues[0] + shap.Explain(row).Sum()).ShouldBe(prediction[0], 1e-4);
    }
}
