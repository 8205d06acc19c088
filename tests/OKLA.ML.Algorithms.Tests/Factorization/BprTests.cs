using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class BprTests
{
    private static readonly SparseMatrix Data = Synthetic.Groups(200, 80, 4, 8, 1);

    private static readonly BprOptions[] Variants =
    [
        new() { Factors = 8, Iterations = 40, Candidates = 1 },
        new() { Factors = 8, Iterations = 40, Threads = 3 },
        new() { Factors = 8, Iterations = 40, Candidates = 8 },
        new() { Factors = 8, Iterations = 40, WarpTrials = 20 },
        new() { Factors = 8, Iterations = 40, Weighted = true },
    ];

    [TestCaseSource(nameof(Variants))]
    public void Unseen_items_of_the_own_taste_stand_above_others(BprOptions options) =>
        Synthetic.GroupAuc(Data, 4, Bpr.Fit(Data, options).Score).ShouldBeGreaterThan(0.85);

    [TestCase(1)]
    [TestCase(3)]
    public void The_same_seed_and_threads_give_the_same_bits_and_another_seed_does_not(int threads)
    {
        var options = new BprOptions { Factors = 8, Iterations = 5, Threads = threads };
        var a = Bpr.Fit(Data, options);
        var b = Bpr.Fit(Data, options);
        var c = Bpr.Fit(Data, options with { Seed = 1 });

        a.ItemFactors.Span.SequenceEqual(b.ItemFactors.Span).ShouldBeTrue();
        a.ItemFactors.Span.SequenceEqual(c.ItemFactors.Span).ShouldBeFalse();
    }

    [Test]
    public void The_loss_falls()
    {
        var losses = new List<double>();
        Bpr.Fit(Data, new BprOptions { Factors = 8, Iterations = 40, Candidates = 1 }, new ImplicitAlsTests.Recorder(losses));

        losses[0].ShouldBe(Math.Log(2), 0.01);
        losses[^1].ShouldBeLessThan(0.4);
    }

    [Test]
    public void A_new_user_with_the_history_of_an_old_one_gets_the_same_taste()
    {
        var model = Bpr.Fit(Data, new BprOptions { Factors = 8, Iterations = 40 });

        var folded = new Dictionary<int, float[]>();
        Synthetic.GroupAuc(Data, 4, (u, i) =>
        {
            if (!folded.TryGetValue(u, out var x)) folded[u] = x = model.FoldIn(Data.RowIndices(u));
            return model.Score(x, i);
        }).ShouldBeGreaterThan(0.85);
    }

    [Test]
    public void A_user_without_history_is_ranked_by_the_items_biases()
    {
        var model = Bpr.Fit(SparseMatrix.FromTriples(3, 3, [(0, 2, 1f), (1, 2, 1f)]), new BprOptions { Factors = 4, Iterations = 50 });

        model.Recommend(model.User(2), 1)[0].Index.ShouldBe(2);
        model.Recommend(model.FoldIn([]), 1)[0].Index.ShouldBe(2);
        Should.Throw<InvalidOperationException>(() => model.Explain([0], default, 1));
    }

    [Test]
    public void A_saved_model_folds_in_as_before()
    {
        var model = Bpr.Fit(Data, new BprOptions { Factors = 8, Iterations = 2 });
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;

        FactorModel.Load(stream).FoldIn([1, 5]).ShouldBe(model.FoldIn([1, 5]));
    }
}
