using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Trees;

internal sealed class GradientBoostingTests
{
    private static readonly GradientBoostingOptions Small = new() { Iterations = 150, LearningRate = 0.1, MaxLeaves = 15, Threads = 2 };

    [Test]
    public void Friedmans_function_is_learned_up_to_its_noise()
    {
        var (x, y) = TreeData.Friedman(4000, 1);
        var (testX, testY) = TreeData.Friedman(2000, 2);
        // Noise 0.5 on a variance of about 24 leaves R² 0.99 at best.
        TreeData.RSquared(testY, GradientBoosting.Train(x, y, Small).Predict(testX)).ShouldBeGreaterThan(0.97);
    }

    [Test]
    public void One_unpenalised_tree_on_two_values_answers_their_means()
    {
        var x = new Dataset([Column.Numeric("a", [0, 0, 0, 1, 1, 1])]);
        float[] y = [1, 2, 3, 10, 11, 15];
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, Lambda = 0, MinRowsPerLeaf = 1 });
        model.Predict([0f]).ShouldBe(2, 1e-5);
        model.Predict([1f]).ShouldBe(12, 1e-5);
        // Gain by hand: G² / n of each side about the mean 7: 3·5² + 3·5².
        model.Importance()[0].Gain.ShouldBe(150, 1e-3);
    }

    [Test]
    public void Penalties_shrink_a_leaf_as_the_formula_says()
    {
        var x = new Dataset([Column.Numeric("a", [0, 0, 1, 1])]);
        float[] y = [-3, -3, 3, 3];
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, Lambda = 2, Alpha = 1, MinRowsPerLeaf = 1 });
        // Start 0; G = ∓6, H = 2: (6 − 1) / (2 + 2).
        model.Predict([1f]).ShouldBe(1.25f, 1e-5);
        model.Predict([0f]).ShouldBe(-1.25f, 1e-5);
    }

    [Test]
    public void Any_number_of_threads_gives_the_same_model()
    {
        var (x, y) = TreeData.Friedman(20000, 3, missing: 0.1);
        var options = Small with { Iterations = 10, RowSample = 0.7, ColumnSampleByTree = 0.8, ColumnSampleByNode = 0.8 };
        var one = GradientBoosting.Train(x, y, options with { Threads = 1 }).PredictMargins(x);
        var three = GradientBoosting.Train(x, y, options with { Threads = 3 }).PredictMargins(x);
        three.ShouldBe(one);
    }

    [Test]
    public void Wide_tables_give_the_same_model_for_any_number_of_threads()
    {
        var (narrow, y) = TreeData.Friedman(1500, 13);
        // Each column eight times: equal gains must fall to the same one.
        var x = new Dataset([.. Enumerable.Range(0, 8).SelectMany(copy => narrow.Columns.Select(c => Column.Numeric($"{c.Name}/{copy}", c.Numbers.ToArray())))]);
        var one = GradientBoosting.Train(x, y, Small with { Iterations = 20, Threads = 1 });
        var four = GradientBoosting.Train(x, y, Small with { Iterations = 20, Threads = 4 });
        four.PredictMargins(x).ShouldBe(one.PredictMargins(x));
        four.Importance().ShouldBe(one.Importance());
    }

    [Test]
    public void Batches_single_rows_and_saved_models_predict_the_same()
    {
        var (x, y) = TreeData.OddCategories(500, 4);
        var model = GradientBoosting.Train(x, y, Small);
        using var stream = new MemoryStream();
        model.Save(stream);
        var loaded = GradientBoostingModel.Load(new MemoryStream(stream.ToArray()));
        var batch = model.Predict(x);
        loaded.Predict(x).ShouldBe(batch);
        var row = new float[2];
        for (var r = 0; r < x.RowCount; r++)
        {
            x.CopyRow(r, row);
            loaded.Predict(row).ShouldBe(batch[r]);
        }
    }

    /// <summary>Rows are walked eight at a time and a row alone through eight trees at a time: lots of 1 to 17 rows and 27 trees of three classes meet every rest.</summary>
    [Test]
    public void A_row_is_answered_the_same_alone_and_in_lots_of_any_size()
    {
        var (x, numbers) = TreeData.OddCategories(300, 4);
        float[] y = [.. numbers.Select((value, r) => (float)((int)Math.Abs(value) % 3))];
        var model = GradientBoosting.Train(x, y, Small with { Iterations = 9, Objective = BoostingObjective.Softmax, Classes = 3 });
        var all = model.PredictMargins(x);
        for (var size = 1; size <= 17; size++)
        {
            int[] some = [.. Enumerable.Range(40, size)];
            model.PredictMargins(x.Select(some)).ShouldBe(all[(40 * 3)..((40 + size) * 3)]);
        }
    }

    [Test]
    public void A_damaged_or_foreign_file_is_refused()
    {
        var (x, y) = TreeData.OddCategories(100, 4);
        using var stream = new MemoryStream();
        GradientBoosting.Train(x, y, Small with { Iterations = 3 }).Save(stream);
        var bytes = stream.ToArray();
        Should.Throw<InvalidDataException>(() => GradientBoostingModel.Load(new MemoryStream(bytes[..^5])));
        bytes[bytes.Length / 2] ^= 4;
        Should.Throw<InvalidDataException>(() => GradientBoostingModel.Load(new MemoryStream(bytes)));
        Should.Throw<InvalidDataException>(() => GradientBoostingModel.Load(new MemoryStream([1, 2, 3])));
    }

    [Test]
    public void One_split_parts_categories_that_no_order_of_codes_parts()
    {
        var (x, y) = TreeData.OddCategories(4000, 5);
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, MaxLeaves = 2, Lambda = 0 });
        model.Predict([7f, 0.5f]).ShouldBe(5.5f, 0.05);
        model.Predict([8f, 0.5f]).ShouldBe(0.5f, 0.05);
    }

    [Test]
    public void Missing_values_choose_their_side()
    {
        var x = new Dataset([Column.Numeric("a", [.. Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? float.NaN : i % 3)])]);
        var y = Enumerable.Range(0, 300).Select(i => i % 3 == 1 ? 0f : 1f).ToArray();
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, MaxLeaves = 2, Lambda = 0 });
        model.Predict([float.NaN]).ShouldBe(1, 1e-5);
        model.Predict([1f]).ShouldBe(0, 1e-5);
        model.Predict([2f]).ShouldBe(1, 1e-5);
    }

    [Test]
    public void A_value_known_only_by_being_missing_is_parted_from_the_known_ones()
    {
        var x = new Dataset([Column.Numeric("a", [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? float.NaN : i)])]);
        var y = Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 3f : 1f).ToArray();
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 1, LearningRate = 1, MaxLeaves = 2, Lambda = 0 });
        model.Predict([float.NaN]).ShouldBe(3, 1e-5);
        model.Predict([99f]).ShouldBe(1, 1e-5);
    }

    [TestCase(1)]
    [TestCase(-1)]
    public void A_monotone_column_never_moves_the_other_way(int direction)
    {
        var (x, y) = TreeData.Friedman(2000, 6, noise: 3);
        var model = GradientBoosting.Train(x, y, Small with { Monotone = new Dictionary<string, int> { ["x2"] = direction, ["x3"] = direction } });
        var row = new float[10];
        for (var r = 0; r < 100; r++)
        {
            x.CopyRow(r, row);
            foreach (var column in (int[])[2, 3])
            {
                var last = double.NaN;
                for (var v = 0f; v <= 1; v += 0.02f)
                {
                    row[column] = v;
                    var now = model.Predict(row);
                    if (!double.IsNaN(last)) (direction * (now - last)).ShouldBeGreaterThanOrEqualTo(-1e-5);
                    last = now;
                }
            }
        }
    }

    [Test]
    public void Early_stopping_keeps_the_best_round()
    {
        var (x, y) = TreeData.Friedman(600, 7, noise: 5);
        var (validX, validY) = TreeData.Friedman(600, 8, noise: 5);
        var model = GradientBoosting.Train(x, y, Small with { Iterations = 1000, EarlyStoppingRounds = 10 }, validX, validY);
        model.Iterations.ShouldBeLessThan(1000);
        model.ValidationScores.Count.ShouldBe(model.Iterations + 10);
        model.ValidationScores[model.Iterations - 1].ShouldBe(model.ValidationScores.Min());
        var squared = validY.Zip(model.Predict(validX), (t, p) => (t - (double)p) * (t - p)).Average();
        squared.ShouldBe(model.ValidationScores.Min(), 1e-3);
    }

    [Test]
    public void A_weight_of_two_equals_a_row_given_twice()
    {
        // 200 values fit in 255 bins, so that repeated rows do not move the bins.
        var (x, y) = TreeData.Friedman(200, 9);
        var weights = Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 2f : 1f).ToArray();
        var twice = Enumerable.Range(0, 200).SelectMany(i => i % 2 == 0 ? [i, i] : new[] { i }).ToArray();
        var options = Small with { Iterations = 5, MinRowsPerLeaf = 1, MinHessianPerLeaf = 10 };
        var weighted = GradientBoosting.Train(x, y, options, weights: weights).Predict(x);
        var repeated = GradientBoosting.Train(x.Select(twice), [.. twice.Select(i => y[i])], options).Predict(x);
        for (var i = 0; i < weighted.Length; i++) weighted[i].ShouldBe(repeated[i], 1e-3);
    }

    [Test]
    public void Cancelling_stops_training()
    {
        var (x, y) = TreeData.Friedman(100, 1);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Should.Throw<OperationCanceledException>(() => GradientBoosting.Train(x, y, Small, cancellation: source.Token));
    }

    [Test]
    public void Wrong_input_is_refused_with_its_reason()
    {
        var (x, y) = TreeData.Friedman(50, 1);
        Should.Throw<ArgumentException>(() => GradientBoosting.Train(x, y[..10], Small));
        Should.Throw<ArgumentException>(() => GradientBoosting.Train(x, [.. y.Select(_ => float.NaN)], Small));
        Should.Throw<ArgumentException>(() => GradientBoosting.Train(x, y, Small with { MaxBins = 300 }));
        Should.Throw<ArgumentException>(() => GradientBoosting.Train(x, y, Small with { Objective = BoostingObjective.BinaryLogistic }));
        Should.Throw<ArgumentException>(() => GradientBoosting.Train(x, y, Small with { Monotone = new Dictionary<string, int> { ["nobody"] = 1 } }));
        var model = GradientBoosting.Train(x, y, Small with { Iterations = 1 });
        Should.Throw<ArgumentException>(() => model.Predict(new Dataset([Column.Numeric("x0", [1])])));
        Should.Throw<ArgumentException>(() => model.Predict([1f]));
    }
}
