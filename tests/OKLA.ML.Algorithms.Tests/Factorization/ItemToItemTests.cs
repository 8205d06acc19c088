using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class ItemToItemTests
{
    // Three users: {0, 1}, {0, 1, 2}, {2}.
    private static readonly SparseMatrix Tiny = SparseMatrix.FromTriples(3, 3, [(0, 0, 1f), (0, 1, 1f), (1, 0, 2f), (1, 1, 1f), (1, 2, 3f), (2, 2, 1f)]);

    [TestCase(ItemSimilarity.CoOccurrence, 2f, 1f)]
    [TestCase(ItemSimilarity.Cosine, 1f, 0.5f)]
    [TestCase(ItemSimilarity.Jaccard, 1f, 1f / 3)]
    [TestCase(ItemSimilarity.Lift, 0.5f, 0.25f)]
    public void Similarities_are_those_counted_by_hand(ItemSimilarity similarity, float zeroOne, float zeroTwo)
    {
        // c_0 = c_1 = c_2 = 2, c_01 = 2, c_02 = c_12 = 1.
        var model = ItemKnn.Fit(Tiny, new ItemKnnOptions { Similarity = similarity });

        model[0, 1].ShouldBe(zeroOne, 1e-6f);
        model[1, 0].ShouldBe(zeroOne, 1e-6f);
        model[2, 0].ShouldBe(zeroTwo, 1e-6f);
        model[0, 0].ShouldBe(0);
    }

    [Test]
    public void Weights_thresholds_and_shrinkage_count()
    {
        // Weighted: c_02 = 2·3, c_0 = 1 + 4, c_2 = 9 + 1.
        ItemKnn.Fit(Tiny, new ItemKnnOptions { Weighted = true })[0, 2].ShouldBe(6 / MathF.Sqrt(50), 1e-6f);
        ItemKnn.Fit(Tiny, new ItemKnnOptions { LeastCoOccurrence = 2 })[0, 2].ShouldBe(0);
        ItemKnn.Fit(Tiny, new ItemKnnOptions { Shrinkage = 2 })[0, 1].ShouldBe(0.5f, 1e-6f);
        ItemKnn.Affinity(4, 30, 15).ShouldBe(1f, 1e-6f);
    }

    [Test]
    public void Only_the_nearest_neighbours_of_an_item_are_kept()
    {
        var data = Synthetic.Groups(80, 30, 3, 6, 1);
        var all = ItemKnn.Fit(data, new ItemKnnOptions { Neighbours = 0 });
        var few = ItemKnn.Fit(data, new ItemKnnOptions { Neighbours = 4, Threads = 1 });
        var pruned = all.Prune(4);

        for (int to = 0; to < 30; to++)
        {
            var kept = Enumerable.Range(0, 30).Where(from => few[from, to] != 0).ToArray();
            kept.Length.ShouldBe(4);
            float least = kept.Min(from => all[from, to]);
            Enumerable.Range(0, 30).Count(from => all[from, to] > least).ShouldBeLessThan(4);
            for (int from = 0; from < 30; from++) pruned[from, to].ShouldBe(few[from, to]);
        }
    }

    [TestCase(40)]
    [TestCase(300)]
    public void Ease_is_the_closed_form_of_its_paper(int items)
    {
        var data = Synthetic.Groups(400, items, 4, 12, 2);
        var model = Ease.Fit(data, new EaseOptions { Regularization = 3 });

        // Steck 2019, eq. 8, dense in double precision.
        var x = Matrix<double>.Build.Dense(400, items, (u, i) => data[u, i]);
        var p = (x.TransposeThisAndMultiply(x) + 3 * Matrix<double>.Build.DenseIdentity(items)).Inverse();
        for (int i = 0; i < items; i++)
            for (int j = 0; j < items; j++) ((double)model[i, j]).ShouldBe(i == j ? 0 : -p[i, j] / p[j, j], 2e-5);
    }

    [Test]
    public void Ease_is_the_same_for_one_thread_and_three()
    {
        var data = Synthetic.Groups(200, 150, 4, 12, 3);
        var one = Ease.Fit(data, new EaseOptions { Threads = 1 });
        var three = Ease.Fit(data, new EaseOptions { Threads = 3 });

        for (int i = 0; i < 150; i++)
            for (int j = 0; j < 150; j++) one[i, j].ShouldBe(three[i, j]);
    }

    [Test]
    public void Both_models_put_the_own_taste_first()
    {
        var data = Synthetic.Groups(300, 60, 4, 10, 4);
        foreach (var model in new[] { Ease.Fit(data, new EaseOptions { Regularization = 20 }), ItemKnn.Fit(data) })
        {
            var scores = new float[60];
            int last = -1;
            Synthetic.GroupAuc(data, 4, (u, i) =>
            {
                if (u != last) model.Score(data.RowIndices(u), default, scores);
                last = u;
                return scores[i];
            }).ShouldBeGreaterThan(0.85);
        }
    }

    [Test]
    public void Recommendations_leave_out_the_history_the_excluded_and_the_forbidden()
    {
        var model = ItemKnn.Fit(Synthetic.Groups(80, 30, 3, 6, 5));
        var allowed = new ItemMask(30, full: true) { [9] = false };

        var items = model.Recommend([0, 3], default, 30, [6], allowed).Select(s => s.Index).ToArray();

        items.ShouldNotContain(i => i == 0 || i == 3 || i == 6 || i == 9);
        items.Length.ShouldBe(26);
    }

    [Test]
    public void Contributions_add_up_to_the_score()
    {
        var model = Ease.Fit(Synthetic.Groups(80, 30, 3, 6, 6));
        var scores = new float[30];
        model.Score([1, 4], [2, 0.5f], scores);

        var parts = model.Explain([1, 4], [2, 0.5f], 7);

        parts.Sum(part => part.Value).ShouldBe(scores[7], 1e-6);
        parts[1].ShouldBe(new Contribution(4, 0.5 * model[4, 7]));
    }

    [Test]
    public void Sparse_and_dense_models_are_saved_and_read_back()
    {
        var data = Synthetic.Groups(80, 30, 3, 6, 7);
        foreach (var model in new[] { Ease.Fit(data), ItemKnn.Fit(data) })
        {
            using var stream = new MemoryStream();
            model.Save(stream);
            stream.Position = 0;
            var again = ItemToItemModel.Load(stream);
            for (int i = 0; i < 30; i++)
                for (int j = 0; j < 30; j++) again[i, j].ShouldBe(model[i, j]);
        }
    }
}
