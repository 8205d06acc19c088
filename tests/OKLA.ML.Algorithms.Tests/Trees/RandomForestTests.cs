using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Trees;

internal sealed class RandomForestTests
{
    [TestCase(false)]
    [TestCase(true)]
    public void Friedmans_function_is_learned(bool extraTrees)
    {
        var (x, y) = TreeData.Friedman(2000, 1);
        var (testX, testY) = TreeData.Friedman(1000, 2);
        var model = RandomForest.Train(x, y, new RandomForestOptions { Trees = 100, ExtraTrees = extraTrees, ColumnSampleByNode = 0.6, Threads = 2 });
        var test = TreeData.RSquared(testY, model.Predict(testX));
        test.ShouldBeGreaterThan(0.85);
        if (extraTrees) double.IsNaN(model.OutOfBagScore).ShouldBeTrue();
        else model.OutOfBagScore.ShouldBe(test, 0.03);
    }

    [Test]
    public void Any_number_of_threads_gives_the_same_forest()
    {
        var (x, y) = TreeData.Friedman(500, 3);
        var options = new RandomForestOptions { Trees = 11 };
        var one = RandomForest.Train(x, y, options with { Threads = 1 });
        var three = RandomForest.Train(x, y, options with { Threads = 3 });
        three.Predict(x).ShouldBe(one.Predict(x));
        three.OutOfBagScore.ShouldBe(one.OutOfBagScore);
    }

    [TestCase(2)]
    [TestCase(4)]
    public void Class_probabilities_add_up_and_the_out_of_bag_accuracy_is_near_the_test_accuracy(int classes)
    {
        var (x, raw) = TreeData.Friedman(3000, 4);
        var y = raw.Select(v => MathF.Floor(Math.Clamp((v - 4) / 20 * classes, 0, classes - 0.01f))).ToArray();
        var train = x.Select([.. Enumerable.Range(0, 2000)]);
        var test = x.Select([.. Enumerable.Range(2000, 1000)]);
        var model = RandomForest.Train(train, y[..2000], new RandomForestOptions { Trees = 60, Classes = classes, Threads = 2 });
        var predicted = model.Predict(test);
        var right = 0;
        for (var r = 0; r < 1000; r++)
        {
            var shares = predicted.AsSpan(r * classes, classes).ToArray();
            shares.Sum().ShouldBe(1, 1e-4);
            if (Array.IndexOf(shares, shares.Max()) == (int)y[2000 + r]) right++;
        }
        model.OutOfBagScore.ShouldBe(right / 1000.0, 0.04);
        model.OutOfBagScore.ShouldBeGreaterThan(classes == 2 ? 0.85 : 0.65);
    }

    [Test]
    public void A_full_tree_without_bootstrap_remembers_its_rows()
    {
        var x = new Dataset([Column.Numeric("a", [.. Enumerable.Range(0, 50).Select(i => (float)i)])]);
        var y = Enumerable.Range(0, 50).Select(i => (float)(i * 7 % 13)).ToArray();
        var model = RandomForest.Train(x, y, new RandomForestOptions { Trees = 1, ExtraTrees = true, MinRowsPerLeaf = 1, ColumnSampleByNode = 1 });
        var predicted = model.Predict(x);
        for (var i = 0; i < 50; i++) predicted[i].ShouldBe(y[i], 1e-4);
    }

    [Test]
    public void A_saved_forest_predicts_alike()
    {
        var (x, y) = TreeData.OddCategories(400, 5);
        var model = RandomForest.Train(x, y, new RandomForestOptions { Trees = 5 });
        using var stream = new MemoryStream();
        model.Save(stream);
        var loaded = RandomForestModel.Load(new MemoryStream(stream.ToArray()));
        loaded.Predict(x).ShouldBe(model.Predict(x));
        loaded.OutOfBagScore.ShouldBe(model.OutOfBagScore);
        Should.Throw<InvalidDataException>(() => GradientBoostingModel.Load(new MemoryStream(stream.ToArray())));
    }
}
