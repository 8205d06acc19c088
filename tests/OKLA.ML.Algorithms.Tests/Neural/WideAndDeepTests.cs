using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Neural;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Tests.Factorization;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class WideAndDeepTests
{
    private static readonly WideAndDeepOptions Small = new() { Hidden = [32], Dropout = 0, BatchSize = 64, Iterations = 30, Adam = new AdamOptions { LearningRate = 5e-3f } };

    /// <summary>Two columns of eight categories, a number with gaps and a number of noise; the answer is the exclusive or of two bits, a tenth of it wrong.</summary>
    private static (Dataset X, float[] Y) Xor(int rows, int seed)
    {
        var random = new Random(seed);
        var (a, b, number, noise, y) = (new int[rows], new int[rows], new float[rows], new float[rows], new float[rows]);
        for (var r = 0; r < rows; r++)
        {
            (a[r], b[r]) = (random.Next(-1, 8), random.Next(8));
            number[r] = random.Next(5) == 0 ? float.NaN : 100 + 20 * (float)random.NextDouble();
            noise[r] = (float)random.NextDouble();
            var bit = (a[r] & 1) ^ (b[r] & 1);
            y[r] = random.Next(10) == 0 ? 1 - bit : bit;
        }
        return (new Dataset([Column.Categorical("a", a), Column.Categorical("b", b), Column.Numeric("number", number), Column.Numeric("noise", noise)]), y);
    }

    private static double Auc(IEnumerable<float> scores, float[] y) => BinaryMetrics.RocAuc([.. scores.Select(s => (double)s)], [.. y.Select(v => v > 0)]);

    [Test]
    public void An_interaction_that_a_linear_model_cannot_say_is_learned()
    {
        var (train, test) = (Xor(2000, 1), Xor(1000, 2));
        var linear = LogisticRegression.Fit(train.X, [.. train.Y.Select(v => (int)v)]).PositiveProbabilities(test.X);
        var model = WideAndDeep.Fit(train.X, train.Y, Small);

        Auc(linear.Select(p => (float)p), test.Y).ShouldBeLessThan(0.6);
        var predicted = model.Predict(test.X);
        predicted.ShouldAllBe(p => p >= 0 && p <= 1);
        // A tenth of the answers is wrong, so 0.9 is the most.
        Auc(predicted, test.Y).ShouldBeGreaterThan(0.86);
    }

    [Test]
    public void Crossed_categories_let_the_wide_part_alone_learn_it()
    {
        var (train, test) = (Xor(2000, 3), Xor(1000, 4));
        var wide = Small with { Hidden = [], Iterations = 60 };

        Auc(WideAndDeep.Fit(train.X, train.Y, wide).Predict(test.X), test.Y).ShouldBeLessThan(0.6);
        Auc(WideAndDeep.Fit(train.X, train.Y, wide with { CrossBuckets = 500 }).Predict(test.X), test.Y).ShouldBeGreaterThan(0.84);
    }

    [Test]
    public void Numbers_are_predicted_in_their_own_units()
    {
        var random = new Random(5);
        (Dataset X, float[] Y) Make(int rows)
        {
            var x = new float[2 * rows];
            for (var i = 0; i < x.Length; i++) x[i] = 4 * (float)random.NextDouble() - 2;
            return (Dataset.FromRowMajor(x, 2), [.. Enumerable.Range(0, rows).Select(r => 50_000 + 10_000 * x[2 * r] * x[2 * r + 1])]);
        }
        var (train, test) = (Make(3000), Make(500));

        var predicted = WideAndDeep.Fit(train.X, train.Y, Small with { Task = NeuralTask.Regression, Iterations = 60, ValidationShare = 0.05 }).Predict(test.X);

        var mean = test.Y.Average();
        var r2 = 1 - predicted.Zip(test.Y, (p, y) => Math.Pow(p - y, 2)).Sum() / test.Y.Sum(y => Math.Pow(y - mean, 2));
        r2.ShouldBeGreaterThan(0.95);
    }

    [Test]
    public void Classes_get_probabilities_that_sum_to_one()
    {
        var random = new Random(6);
        (Dataset X, float[] Y) Make(int rows)
        {
            var x = new float[2 * rows];
            for (var i = 0; i < x.Length; i++) x[i] = 2 * (float)random.NextDouble() - 1;
            // Quadrants, two of which are one class.
            return (Dataset.FromRowMajor(x, 2), [.. Enumerable.Range(0, rows).Select(r => x[2 * r] * x[2 * r + 1] > 0 ? 0 : x[2 * r] > 0 ? 1f : 2f)]);
        }
        var (train, test) = (Make(2000), Make(500));

        var model = WideAndDeep.Fit(train.X, train.Y, Small with { Task = NeuralTask.Multiclass, LayerNorm = true, Activation = Activation.Gelu });
        var p = model.Predict(test.X);

        model.OutputCount.ShouldBe(3);
        var right = 0;
        for (var r = 0; r < 500; r++)
        {
            var row = p[(3 * r)..(3 * r + 3)];
            row.Sum().ShouldBe(1, 1e-5f);
            if (Array.IndexOf(row, row.Max()) == (int)test.Y[r]) right++;
        }
        right.ShouldBeGreaterThan(450);
    }

    [Test]
    public void All_gradients_of_the_network_equal_differences()
    {
        var (x, y) = Xor(12, 7);
        var options = new WideAndDeepOptions { Hidden = [6, 4], Activation = Activation.Gelu, LayerNorm = true, Dropout = 0, EmbeddingDimension = 3, CrossBuckets = 7 };
        var network = new WideAndDeepNetwork(LinearInputs.Fit(x), QuantileRanks.Fit(x), options, 1, new Random(8));
        var rows = Enumerable.Range(0, 12).ToArray();
        double Loss() => Losses.BinaryCrossEntropy(network.Forward(x, rows, true).AsSpan(0, 12), y, default);

        var scores = network.Forward(x, rows, true);
        Losses.BinaryCrossEntropy(scores.AsSpan(0, 12), y, default);
        network.Backward(scores, 12);

        var parameters = network.Parameters.ToArray();
        var gradients = parameters.Select(p => p.Gradient.ToArray()).ToArray();
        gradients[^1].ShouldContain(g => g != 0);
        for (var p = 0; p < parameters.Length; p++) GradientCheck.ShouldMatch(gradients[p], parameters[p].Values, Loss, $"parameter {p}");
    }

    [Test]
    public void A_rank_is_the_share_below_and_half_of_the_equal_ones()
    {
        // Of 1, 1, 1, 5: a 1 stands at 3/8 of the way, a 5 at 7/8; scaled to variance 1 that is √3·(2·share − 1). 255 quantiles round to 1/255.
        var ranks = QuantileRanks.Fit(new Dataset([Column.Numeric("x", [1, 5, float.NaN, 1, 1]), Column.Categorical("c", [0, 1, 0, 1, 0])]));
        ranks.Rank(0, 1).ShouldBe(MathF.Sqrt(3) * -0.25f, 0.01f);
        ranks.Rank(0, 5).ShouldBe(MathF.Sqrt(3) * 0.75f, 0.01f);
        ranks.Rank(0, 3).ShouldBe(MathF.Sqrt(3) * 0.5f, 0.01f);
        ranks.Rank(0, float.NegativeInfinity).ShouldBe(-MathF.Sqrt(3));
        ranks.Rank(0, 1e30f).ShouldBe(MathF.Sqrt(3));
        ranks.Rank(0, float.NaN).ShouldBe(0);
    }

    [Test]
    public void Ranks_open_up_numbers_that_standardising_crowds_together()
    {
        // A log-uniform number over ten decades: the answer turns on decades that standardising puts within a millionth of each other.
        var random = new Random(17);
        (Dataset X, float[] Y) Make(int rows)
        {
            var log = Enumerable.Range(0, rows).Select(_ => 10 * random.NextDouble()).ToArray();
            return (new Dataset([Column.Numeric("x", [.. log.Select(l => (float)Math.Pow(10, l))])]), [.. log.Select(l => (int)(l / 2.5) % 2 == 1 ? 1f : 0f)]);
        }
        var (train, test) = (Make(2000), Make(500));

        Auc(WideAndDeep.Fit(train.X, train.Y, Small).Predict(test.X), test.Y).ShouldBeGreaterThan(0.95);
        Auc(WideAndDeep.Fit(train.X, train.Y, Small with { Ranks = false }).Predict(test.X), test.Y).ShouldBeLessThan(0.85);
    }

    [Test]
    public void Early_stopping_answers_the_best_pass()
    {
        var (train, check) = (Xor(300, 9), Xor(400, 10));
        var losses = new List<double>();

        var model = WideAndDeep.Fit(train.X, train.Y, Small with { Iterations = 100, Patience = 5 }, check.X, check.Y, progress: new ImplicitAlsTests.Recorder(losses));

        losses.Count.ShouldBeLessThan(100);
        model.Iterations.ShouldBe(losses.IndexOf(losses.Min()) + 1);
        losses.Count.ShouldBe(model.Iterations + 5);
        BinaryMetrics.LogLoss([.. model.Predict(check.X).Select(p => (double)p)], [.. check.Y.Select(v => v > 0)]).ShouldBe(losses.Min(), 1e-5);
    }

    [Test]
    public void The_seed_decides_and_threads_do_not()
    {
        var (x, y) = Xor(400, 11);
        var options = new WideAndDeepOptions { Iterations = 2, Hidden = [256, 64], Threads = 1 };
        var one = WideAndDeep.Fit(x, y, options).Predict(x);

        WideAndDeep.Fit(x, y, options with { Threads = 3 }).Predict(x).ShouldBe(one);
        WideAndDeep.Fit(x, y, options with { Seed = 43 }).Predict(x).ShouldNotBe(one);
    }

    [Test]
    public void A_weight_counts_as_that_many_rows()
    {
        var (x, y) = Xor(200, 12);
        // Weight 0 takes the rows of odd parity out: the rest says that every answer is that of even parity.
        var weights = Enumerable.Range(0, 200).Select(r => y[r]).ToArray();
        var model = WideAndDeep.Fit(x, y, Small with { ValidationShare = 0, Patience = 0 }, weights: weights);
        model.Predict(x).ShouldAllBe(p => p > 0.9f);
    }

    [Test]
    public void One_row_alone_gets_the_same_answer_as_in_its_table()
    {
        var (x, y) = Xor(300, 13);
        var model = WideAndDeep.Fit(x, y, Small with { Iterations = 3, CrossBuckets = 50 });
        var all = model.Predict(x);
        var row = new float[x.ColumnCount];
        var answer = new float[1];
        for (var r = 0; r < 50; r++)
        {
            x.CopyRow(r, row);
            model.Predict(row, answer);
            answer[0].ShouldBe(all[r], 1e-5f);
        }
        // A code that training never had is no error.
        row[0] = 99;
        model.Predict(row, answer);
        answer[0].ShouldBeInRange(0, 1);
    }

    [Test]
    public void A_saved_model_predicts_as_before([Values] NeuralTask task)
    {
        var (x, y) = Xor(200, 14);
        var model = WideAndDeep.Fit(x, y, Small with { Task = task, Ranks = task != NeuralTask.Regression, Iterations = 2, CrossBuckets = 20, LayerNorm = true, Dropout = 0.1f });
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;

        var loaded = WideAndDeepModel.Load(stream);

        loaded.Predict(x).ShouldBe(model.Predict(x));
        loaded.Columns.ShouldBe(["a", "b", "number", "noise"]);
        loaded.Iterations.ShouldBe(model.Iterations);
    }

    [Test]
    public void A_damaged_or_foreign_file_is_refused()
    {
        var (x, y) = Xor(50, 15);
        using var stream = new MemoryStream();
        WideAndDeep.Fit(x, y, Small with { Iterations = 1 }).Save(stream);
        var bytes = stream.ToArray();
        foreach (var at in (int[])[0, 4, 100, bytes.Length / 2, bytes.Length - 1])
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x40;
            Should.Throw<InvalidDataException>(() => WideAndDeepModel.Load(new MemoryStream(damaged)));
        }
        Should.Throw<InvalidDataException>(() => WideAndDeepModel.Load(new MemoryStream(bytes[..^40])));
    }

    [Test]
    public void Wrong_input_is_refused_by_name()
    {
        var (x, y) = Xor(50, 16);
        Should.Throw<ArgumentNullException>(() => WideAndDeep.Fit(null!, y)).ParamName.ShouldBe("x");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y[1..])).ParamName.ShouldBe("y");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, [.. y.Select(v => v + 0.5f)])).ParamName.ShouldBe("y");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, [.. y.Select(v => -v)], Small with { Task = NeuralTask.Multiclass })).ParamName.ShouldBe("y");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y, weights: [1])).ParamName.ShouldBe("weights");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y, validX: x)).ParamName.ShouldBe("validY");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y, Small with { Dropout = 1 })).ParamName.ShouldBe("Dropout");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y, Small with { Hidden = [16, 0] })).ParamName.ShouldBe("Hidden");
        Should.Throw<ArgumentException>(() => WideAndDeep.Fit(x, y, Small with { BatchSize = 0 })).ParamName.ShouldBe("BatchSize");
        var model = WideAndDeep.Fit(x, y, Small with { Iterations = 1 });
        Should.Throw<ArgumentException>(() => model.Predict(x.SelectColumns(["a", "b", "number"]))).ParamName.ShouldBe("table");
        Should.Throw<ArgumentException>(() => model.Predict(x.SelectColumns(["b", "a", "number", "noise"]))).ParamName.ShouldBe("table");
        Should.Throw<ArgumentException>(() => model.Predict(new float[3], new float[1])).ParamName.ShouldBe("row");
        Should.Throw<OperationCanceledException>(() => WideAndDeep.Fit(x, y, Small, cancellation: new CancellationToken(true)));
    }
}
