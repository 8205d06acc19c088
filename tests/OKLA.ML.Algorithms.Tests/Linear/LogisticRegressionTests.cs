using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Linear;

public class LogisticRegressionTests
{
    /// <summary>Seeded rows of one number (missing in every eleventh row), one category of three and labels from a known rule with noise.</summary>
    internal static (Dataset X, int[] Labels) Data(int rows, int classes, int seed)
    {
        var random = new Random(seed);
        var (a, b, codes, labels) = (new float[rows], new float[rows], new int[rows], new int[rows]);
        for (var i = 0; i < rows; i++)
        {
            (a[i], b[i], codes[i]) = ((float)(random.NextDouble() * 10), (float)random.NextDouble(), random.Next(3));
            var score = a[i] - 5 + codes[i] + 3 * (random.NextDouble() - 0.5);
            labels[i] = classes == 2 ? (score > 1 ? 1 : 0) : Math.Clamp((int)Math.Floor(score / 3 + 1), 0, classes - 1);
            if (i % 11 == 0) a[i] = float.NaN;
        }
        return (new Dataset([Column.Numeric("a", a), Column.Numeric("b", b), Column.Categorical("c", codes)]), labels);
    }

    [Test]
    public void An_intercept_alone_is_the_log_odds_of_the_share()
    {
        // 3 of 4 positive and a constant column: b = ln 3.
        var x = new Dataset([Column.Numeric("constant", [2, 2, 2, 2])]);
        var model = LogisticRegression.Fit(x, [1, 1, 0, 1], new LogisticOptions { Tolerance = 1e-10 });
        model.Intercepts[0].ShouldBe(Math.Log(3), 1e-6);
        model.Weights[0].ShouldBe(0, 1e-9);
    }

    [Test]
    public void A_weight_of_two_is_a_row_twice([Values(0, 0.5)] double l1Share)
    {
        var options = new LogisticOptions { L1Share = l1Share, Tolerance = 1e-9, MaxIterations = 1000 };
        var (x, labels) = Data(60, 2, 1);
        int[] doubled = [.. Enumerable.Range(0, 60), .. Enumerable.Range(0, 30)];
        var weights = Enumerable.Range(0, 60).Select(i => i < 30 ? 2f : 1f).ToArray();
        var weighted = LogisticRegression.Fit(x, labels, options, weights).PositiveProbabilities(x);
        var repeated = LogisticRegression.Fit(x.Select(doubled), [.. doubled.Select(i => labels[i])], options).PositiveProbabilities(x);
        for (var i = 0; i < 60; i++) weighted[i].ShouldBe(repeated[i], 2e-5);
    }

    [Test]
    public void The_slope_of_the_objective_vanishes_at_the_answer([Values(2, 3)] int classes)
    {
        // ∂/∂β_kj = Σ (p_ik − y_ik)·x_ij + λβ_kj, written out on the encoded rows.
        var (x, labels) = Data(300, classes, 2);
        var model = LogisticRegression.Fit(x, labels, new LogisticOptions { Regularization = 2, Tolerance = 1e-10, MaxIterations = 2000 });
        var probabilities = model.Probabilities(x);
        int features = model.Inputs!.Count, outputs = model.Intercepts.Length;
        var slopes = new double[outputs * features];
        var (row, encoded) = (new float[x.ColumnCount], new double[features]);
        for (var i = 0; i < x.RowCount; i++)
        {
            x.CopyRow(i, row);
            model.Inputs.Encode(row, encoded);
            for (var k = 0; k < outputs; k++)
            {
                var c = outputs == 1 ? 1 : k;
                for (var j = 0; j < features; j++) slopes[k * features + j] += (probabilities[i * classes + c] - (labels[i] == c ? 1 : 0)) * encoded[j];
            }
        }
        for (var j = 0; j < slopes.Length; j++) (slopes[j] + 2 * model.Weights[j]).ShouldBe(0, 1e-4);
    }

    [Test]
    public void The_lasso_meets_its_optimality_conditions([Values(2, 3)] int classes)
    {
        // |Σ (p − y)·x_j| ≤ λ where β_j = 0, and = −λ·sign(β_j) elsewhere (Karush, Kuhn and Tucker).
        var (x, labels) = Data(300, classes, 3);
        var model = LogisticRegression.Fit(x, labels, new LogisticOptions { Regularization = 8, L1Share = 1, Tolerance = 1e-8, MaxIterations = 2000 });
        var probabilities = model.Probabilities(x);
        int features = model.Inputs!.Count, outputs = model.Intercepts.Length, zeros = 0;
        var (row, encoded) = (new float[x.ColumnCount], new double[features]);
        var slopes = new double[outputs * features];
        for (var i = 0; i < x.RowCount; i++)
        {
            x.CopyRow(i, row);
            model.Inputs.Encode(row, encoded);
            for (var k = 0; k < outputs; k++)
            {
                var c = outputs == 1 ? 1 : k;
                for (var j = 0; j < features; j++) slopes[k * features + j] += (probabilities[i * classes + c] - (labels[i] == c ? 1 : 0)) * encoded[j];
            }
        }
        for (var j = 0; j < slopes.Length; j++)
        {
            if (model.Weights[j] == 0)
            {
                zeros++;
                Math.Abs(slopes[j]).ShouldBeLessThan(8.01);
            }
            else slopes[j].ShouldBe(-8 * Math.Sign(model.Weights[j]), 0.01);
        }
        zeros.ShouldBeGreaterThan(0);
    }

    [Test]
    public void Sparse_and_dense_inputs_give_the_same_model()
    {
        var entries = new List<(int, int, float)>();
        var (random, labels) = (new Random(4), new int[80]);
        for (var i = 0; i < 80; i++)
        {
            labels[i] = i % 2;
            entries.Add((i, random.Next(3), 1 + labels[i]));
            entries.Add((i, 3 + random.Next(3), (float)random.NextDouble()));
        }
        var x = SparseMatrix.FromTriples(80, 6, entries);
        var model = LogisticRegression.Fit(x, labels);
        var all = model.Probabilities(x);
        for (var i = 0; i < 80; i++)
        {
            var single = model.Probabilities(x.RowIndices(i), x.RowValues(i));
            single[1].ShouldBe(all[2 * i + 1], 1e-12);
        }
        all.Where((_, i) => i % 2 == 1).Zip(labels).Count(pair => pair.First > 0.5 == (pair.Second == 1)).ShouldBeGreaterThan(70);
    }

    [Test]
    public void Dual_descent_finds_the_minimum_of_the_primal()
    {
        // The slope of ½|w|² + C·Σ log(1 + e^(−y·w·x)) is w − C·Σ y·σ(−y·w·x)·x, with the intercept as a column of ones.
        var entries = new List<(int, int, float)>();
        var (random, labels) = (new Random(5), new bool[200]);
        for (var i = 0; i < 200; i++)
        {
            labels[i] = random.Next(2) == 1;
            for (var j = 0; j < 5; j++) entries.Add((i, random.Next(20), (float)(random.NextDouble() + (labels[i] ? 0.3 : 0))));
        }
        var x = SparseMatrix.FromTriples(200, 20, entries);
        var w = DualCoordinateDescent.Fit(x, i => labels[i], [.. Enumerable.Repeat(2.0, 200)], DualLoss.Logistic, 1e-6, 5000, 1, default);
        var slope = (double[])w.Clone();
        for (var i = 0; i < 200; i++)
        {
            var y = labels[i] ? 1 : -1;
            var push = 2 * y * LinearClassifierModel.Sigmoid(-y * (SparseKernels.Dot(x.RowIndices(i), x.RowValues(i), w) + w[20]));
            for (var k = 0; k < x.RowCount(i); k++) slope[x.RowIndices(i)[k]] -= push * x.RowValues(i)[k];
            slope[20] -= push;
        }
        slope.Max(Math.Abs).ShouldBeLessThan(1e-3);
    }

    [Test]
    public void A_saved_model_answers_the_same()
    {
        var (x, labels) = Data(100, 3, 6);
        var model = LogisticRegression.Fit(x, labels);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        LinearClassifierModel.Load(stream).Probabilities(x).ShouldBe(model.Probabilities(x));
    }

    [Test]
    public void The_lasso_on_sparse_rows_meets_its_optimality_conditions()
    {
        var entries = new List<(int, int, float)>();
        var (random, labels) = (new Random(8), new int[150]);
        for (var i = 0; i < 150; i++)
        {
            labels[i] = random.Next(2);
            for (var j = 0; j < 4; j++) entries.Add((i, random.Next(30), 1));
            entries.Add((i, 30 + labels[i], 1));
        }
        var x = SparseMatrix.FromTriples(150, 32, entries);
        var model = LogisticRegression.Fit(x, labels, new LogisticOptions { Regularization = 4, L1Share = 1, Tolerance = 1e-8, MaxIterations = 2000 });
        var probabilities = model.PositiveProbabilities(x);
        var slopes = new double[32];
        for (var i = 0; i < 150; i++)
            for (var k = 0; k < x.RowCount(i); k++) slopes[x.RowIndices(i)[k]] += (probabilities[i] - labels[i]) * x.RowValues(i)[k];
        for (var j = 0; j < 32; j++)
        {
            if (model.Weights[j] == 0) Math.Abs(slopes[j]).ShouldBeLessThan(4.01);
            else slopes[j].ShouldBe(-4 * Math.Sign(model.Weights[j]), 0.01);
        }
        model.Weights.ToArray().Count(w => w != 0).ShouldBeInRange(1, 31);
    }

    [Test]
    public void The_number_of_threads_changes_nothing()
    {
        var (x, labels) = Data(70_000, 3, 9);
        var one = LogisticRegression.Fit(x, labels, new LogisticOptions { Threads = 1, MaxIterations = 5 });
        var three = LogisticRegression.Fit(x, labels, new LogisticOptions { Threads = 3, MaxIterations = 5 });
        three.Weights.ToArray().ShouldBe(one.Weights.ToArray());
    }

    [Test]
    public void A_row_alone_gets_the_answer_of_the_table()
    {
        var (x, labels) = Data(100, 3, 7);
        var model = LogisticRegression.Fit(x, labels);
        var all = model.Probabilities(x);
        var row = new float[x.ColumnCount];
        for (var i = 0; i < 100; i++)
        {
            x.CopyRow(i, row);
            var single = model.Probabilities(row);
            for (var k = 0; k < 3; k++) single[k].ShouldBe(all[3 * i + k], 1e-6);
        }
    }
}
