using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Neural;
using OKLA.ML.Algorithms.Tests.Factorization;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class TwoTowerTests
{
    private const int Groups = 5;

    private static readonly TwoTowerOptions Small = new()
    {
        Dimension = 16,
        EmbeddingDimension = 16,
        BatchSize = 128,
        UniformNegatives = 32,
        Iterations = 15,
        Adam = new AdamOptions { LearningRate = 1e-2f },
    };

    private static double Ndcg(InteractionSplit split, Func<int, IReadOnlyList<int>> recommend) => RankingReport.Measure(split, recommend).Ndcg;

    private static int[] Best(TwoTowerModel model, SparseMatrix train, int user) =>
        [.. model.Recommend(model.User(user), 10, train.RowIndices(user)).Select(s => s.Index)];

    [Test]
    public void Planted_tastes_are_found_and_beat_popularity()
    {
        var split = InteractionSplits.PerUser(Synthetic.Groups(300, 100, Groups, 12, 1));
        var counts = split.Train.ColumnCounts();
        var popular = Enumerable.Range(0, 100).OrderByDescending(i => counts[i]).ToArray();

        var model = TwoTower.Fit(split.Train, Small);

        var popularity = Ndcg(split, u => [.. popular.Where(i => !split.Train.Contains(u, i)).Take(10)]);
        Ndcg(split, u => Best(model, split.Train, u)).ShouldBeGreaterThan(2.5 * popularity);
        Synthetic.GroupAuc(split.Train, Groups, model.Score).ShouldBeGreaterThan(0.95);
    }

    [Test]
    public void Hidden_layers_and_histories_alone_find_them_too()
    {
        var data = Synthetic.Groups(300, 100, Groups, 12, 2);
        var model = TwoTower.Fit(data, Small with { Hidden = [32], LayerNorm = true, UserIds = false });
        Synthetic.GroupAuc(data, Groups, model.Score).ShouldBeGreaterThan(0.95);
    }

    [Test]
    public void A_new_user_is_understood_by_the_history()
    {
        var model = TwoTower.Fit(Synthetic.Groups(300, 100, Groups, 12, 3), Small);
        for (var group = 0; group < Groups; group++)
        {
            int[] history = [group, Groups + group, 2 * Groups + group];
            var best = model.Recommend(model.UserVector(history), 10, history);
            best.Count(s => s.Index % Groups == group).ShouldBeGreaterThanOrEqualTo(8);
        }
    }

    [Test]
    public void A_new_item_is_understood_by_its_features()
    {
        var data = Synthetic.Groups(300, 100, Groups, 12, 4);
        var features = new TowerFeatures
        {
            Bags = SparseMatrix.FromTriples(100, Groups, [.. Enumerable.Range(0, 100).Select(i => (i, i % Groups, 1f))]),
            Numbers = [.. Enumerable.Range(0, 100).Select(i => i % 7 == 0 ? float.NaN : i)],
            NumberCount = 1,
        };
        var model = TwoTower.Fit(data, Small with { UnknownShare = 0.3f }, items: features);

        for (var group = 0; group < Groups; group++)
        {
            var item = model.ItemVector([group], [50]);
            var own = Enumerable.Range(0, 300).Where(u => u % Groups == group).Average(u => FloatKernels.Dot(model.User(u), item));
            var others = Enumerable.Range(0, 300).Where(u => u % Groups != group).Average(u => FloatKernels.Dot(model.User(u), item));
            own.ShouldBeGreaterThan(others + 0.3f);
        }
        model.ItemVector([3], [53], 53).ShouldBe(model.Item(53).ToArray(), 1e-5);
    }

    [Test]
    public void All_gradients_of_a_step_equal_differences()
    {
        var data = Synthetic.Groups(12, 10, 2, 4, 5);
        var options = new TwoTowerOptions
        {
            Dimension = 4, EmbeddingDimension = 3, Hidden = [5], Activation = Activation.Gelu, LayerNorm = true, Dropout = 0, UnknownShare = 0, UniformNegatives = 0,
            Weighted = true, Temperature = 0.5f, BatchSize = 8,
        };
        var users = new TowerFeatures { Bags = SparseMatrix.FromTriples(12, 3, [.. Enumerable.Range(0, 12).SelectMany(u => new[] { (u, u % 3, 1f), (u, (u + 1) % 3, 2f) })]) };
        var items = new TowerFeatures { Numbers = GradientCheck.Numbers(20, 6), NumberCount = 2 };
        var (means, deviations) = Tower.Standards(items, 10);
        var towers = new TowerPair(new TowerShape(12, true, 3, true, [], []), new TowerShape(10, true, 0, false, means, deviations), options, new Random(7), 1);
        var run = new TwoTowerRun(towers, data, users, items, 1);
        int[] pairs = [0, 5, 9, 14, 17, 22, 30, 33];
        var parameters = towers.Parameters.ToArray();
        double Loss()
        {
            var loss = run.Gradients(pairs);
            foreach (var parameter in parameters) parameter.ClearGradient();
            return loss;
        }

        run.Gradients(pairs);
        var gradients = parameters.Select(p => p.Gradient.ToArray()).ToArray();
        foreach (var parameter in parameters) parameter.ClearGradient();
        gradients.ShouldAllBe(g => g.Any(v => v != 0));
        for (var p = 0; p < parameters.Length; p++) GradientCheck.ShouldMatch(gradients[p], parameters[p].Values, Loss, $"parameter {p}");
    }

    [Test]
    public void An_item_to_be_told_is_not_read_in_the_history()
    {
        // User 0 took item 0 alone. Without it the history is empty, the user's vector is zero and all three candidates are equally likely.
        var run = Step(TwoItems, new TwoTowerOptions { UserIds = false, LogQCorrection = false, Dropout = 0, UnknownShare = 0, UniformNegatives = 50 });
        run.Gradients([0]).ShouldBe(Math.Log(3), 1e-6);
        Math.Abs(run.Gradients([1]) - Math.Log(2)).ShouldBeGreaterThan(1e-3);
    }

    [Test]
    public void Other_items_of_a_user_are_no_negatives()
    {
        // With user vectors of zero every candidate that counts is equally likely: of three items user 1 took two.
        var options = new TwoTowerOptions { History = false, LogQCorrection = false, Dropout = 0, UnknownShare = 0, UniformNegatives = 50 };
        Step(TwoItems, options).Gradients([1]).ShouldBe(Math.Log(2), 1e-6);
        Step(TwoItems, options with { ExcludeKnown = false }).Gradients([1]).ShouldBe(Math.Log(3), 1e-6);
    }

    /// <summary>User 0 took item 0; user 1 took items 0 and 1; nobody took item 2.</summary>
    private static readonly SparseMatrix TwoItems = SparseMatrix.FromTriples(2, 3, [(0, 0, 1f), (1, 0, 1f), (1, 1, 1f)]);

    /// <summary>A training about to begin, the ids of its users all zeros.</summary>
    private static TwoTowerRun Step(SparseMatrix data, TwoTowerOptions options)
    {
        var towers = new TowerPair(
            new TowerShape(data.Rows, options.UserIds, 0, options.History, [], []), new TowerShape(data.Columns, true, 0, false, [], []), options, new Random(1), 1);
        if (towers.Users.IdTable is { } ids) Array.Clear(ids.Values);
        return new TwoTowerRun(towers, data, null, null, 1);
    }

    [Test]
    public void Without_the_correction_popular_items_are_punished_for_being_drawn_as_negatives()
    {
        // Users take items by popularity alone, so ln P(item) is what a softmax should learn: a slope of 1 on ln popularity. Negatives drawn in
        // proportion to popularity take it away again (Yi et al. 2019, section 3).
        var random = new Random(8);
        const int items = 150;
        var entries = new HashSet<(int, int)>();
        while (entries.Count < 6000) entries.Add((random.Next(2000), (int)(items * Math.Pow(random.NextDouble(), 2))));
        var data = SparseMatrix.FromTriples(2000, items, [.. entries.Select(e => (e.Item1, e.Item2, 1f))]);
        var options = new TwoTowerOptions
        {
            Dimension = 8, EmbeddingDimension = 8, UnitLength = false, Temperature = 1, UniformNegatives = 0, BatchSize = 32, ExcludeKnown = false, History = false, Dropout = 0,
            UnknownShare = 0.9f, ValidationShare = 0, Iterations = 12, Adam = new AdamOptions { LearningRate = 1e-2f },
        };

        var corrected = Slope(TwoTower.Fit(data, options));
        var plain = Slope(TwoTower.Fit(data, options with { LogQCorrection = false }));

        corrected.ShouldBeGreaterThan(plain + 0.4);
        corrected.ShouldBe(1, 0.35);

        double Slope(TwoTowerModel model)
        {
            var counts = data.ColumnCounts();
            var x = Enumerable.Range(0, items).Select(i => Math.Log(Math.Max(1, counts[i]))).ToArray();
            var user = model.UserVector([]);
            var y = Enumerable.Range(0, items).Select(i => (double)FloatKernels.Dot(user, model.Item(i))).ToArray();
            double mx = x.Average(), my = y.Average();
            return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum() / x.Sum(a => (a - mx) * (a - mx));
        }
    }

    [Test]
    public void The_chance_of_being_a_candidate_is_that_of_the_draws()
    {
        // Shares ½, ¼, ¼ of 4 pairs, batches of 2: q = 1 − (1 − p)²; with one even draw of three items besides: 1 − (1 − p)²·⅔.
        var data = SparseMatrix.FromTriples(4, 3, [(0, 0, 1f), (1, 0, 1f), (2, 1, 1f), (3, 2, 1f)]);
        var batch = TwoTowerRun.LogQ(data, new TwoTowerOptions { BatchSize = 2, UniformNegatives = 0 });
        batch.ShouldBe([MathF.Log(0.75f), MathF.Log(0.4375f), MathF.Log(0.4375f)], 1e-5);
        var mixed = TwoTowerRun.LogQ(data, new TwoTowerOptions { BatchSize = 2, UniformNegatives = 1 });
        mixed.ShouldBe([MathF.Log(5 / 6f), MathF.Log(0.625f), MathF.Log(0.625f)], 1e-5);
    }

    [Test]
    public void Early_stopping_answers_the_best_pass()
    {
        var split = InteractionSplits.PerUser(Synthetic.Groups(150, 60, Groups, 10, 9));
        var losses = new List<double>();

        var model = TwoTower.Fit(split.Train, Small with { Iterations = 100, Patience = 3 }, validation: split.Test, progress: new ImplicitAlsTests.Recorder(losses));

        losses.Count.ShouldBeLessThan(100);
        model.Iterations.ShouldBe(losses.IndexOf(losses.Min()) + 1);
        losses.Count.ShouldBe(model.Iterations + 3);
        Ndcg(split, u => Best(model, split.Train, u)).ShouldBe(1 - losses.Min(), 1e-6);
    }

    [Test]
    public void The_seed_decides_and_threads_do_not()
    {
        var data = Synthetic.Groups(200, 100, Groups, 10, 10);
        var options = Small with { Iterations = 2, Dimension = 64, Hidden = [64], BatchSize = 256, Threads = 1 };
        var one = TwoTower.Fit(data, options).UserVectors.ToArray();

        TwoTower.Fit(data, options with { Threads = 3 }).UserVectors.ToArray().ShouldBe(one);
        TwoTower.Fit(data, options with { Seed = 43 }).UserVectors.ToArray().ShouldNotBe(one);
    }

    [Test]
    public void Vectors_have_length_one_when_asked_and_a_known_user_gets_the_stored_one()
    {
        var data = Synthetic.Groups(50, 30, Groups, 6, 11);
        var model = TwoTower.Fit(data, Small with { Iterations = 2 });
        for (var u = 0; u < 50; u++)
        {
            FloatKernels.Dot(model.User(u), model.User(u)).ShouldBe(1, 1e-5f);
            model.UserVector(data.RowIndices(u), user: u).ShouldBe(model.User(u).ToArray(), 1e-5);
        }
        FloatKernels.Dot(model.Item(3), model.Item(3)).ShouldBe(1, 1e-5f);
    }

    [Test]
    public void A_saved_model_answers_as_before()
    {
        var data = Synthetic.Groups(60, 30, Groups, 6, 12);
        var features = new TowerFeatures { Numbers = GradientCheck.Numbers(60, 13), NumberCount = 2 };
        var model = TwoTower.Fit(data, Small with { Iterations = 2, Hidden = [8] }, items: features);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;

        var loaded = TwoTowerModel.Load(stream);

        loaded.UserVectors.ToArray().ShouldBe(model.UserVectors.ToArray());
        loaded.ItemVectors.ToArray().ShouldBe(model.ItemVectors.ToArray());
        loaded.UserVector([1, 2]).ShouldBe(model.UserVector([1, 2]));
        loaded.ItemVector([], [0.5f, -1]).ShouldBe(model.ItemVector([], [0.5f, -1]));
        loaded.Iterations.ShouldBe(model.Iterations);
    }

    [Test]
    public void A_damaged_file_is_refused()
    {
        using var stream = new MemoryStream();
        TwoTower.Fit(Synthetic.Groups(20, 10, 2, 4, 14), Small with { Iterations = 1 }).Save(stream);
        var bytes = stream.ToArray();
        foreach (var at in (int[])[0, 8, 16, 30, 60, bytes.Length / 2, bytes.Length - 1])
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x40;
            Should.Throw<InvalidDataException>(() => TwoTowerModel.Load(new MemoryStream(damaged)), $"byte {at}");
        }
        Should.Throw<InvalidDataException>(() => TwoTowerModel.Load(new MemoryStream(bytes[..^1])));
    }

    [Test]
    public void Wrong_input_is_refused_by_name()
    {
        var data = Synthetic.Groups(20, 10, 2, 4, 15);
        var short1 = new TowerFeatures { Numbers = new float[5], NumberCount = 1 };
        Should.Throw<ArgumentNullException>(() => TwoTower.Fit(null!)).ParamName.ShouldBe("interactions");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(SparseMatrix.FromTriples(3, 3, []))).ParamName.ShouldBe("interactions");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(SparseMatrix.FromTriples(1, 1, [(0, 0, -1f)]), Small with { Weighted = true })).ParamName.ShouldBe("interactions");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(data, users: short1)).ParamName.ShouldBe("users");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(data, items: short1)).ParamName.ShouldBe("items");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(data, validation: [])).ParamName.ShouldBe("validation");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(data, Small with { Temperature = 0 })).ParamName.ShouldBe("Temperature");
        Should.Throw<ArgumentException>(() => TwoTower.Fit(data, Small with { Dimension = 0 })).ParamName.ShouldBe("Dimension");
        var model = TwoTower.Fit(data, Small with { Iterations = 1 });
        Should.Throw<ArgumentException>(() => model.UserVector([10])).ParamName.ShouldBe("history");
        Should.Throw<ArgumentException>(() => model.ItemVector([0])).ParamName.ShouldBe("features");
        Should.Throw<ArgumentException>(() => model.ItemVector([], [1f])).ParamName.ShouldBe("numbers");
        Should.Throw<OperationCanceledException>(() => TwoTower.Fit(data, Small, cancellation: new CancellationToken(true)));
    }
}
