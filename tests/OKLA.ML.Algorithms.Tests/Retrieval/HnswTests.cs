using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Tests.Retrieval;

public class HnswTests
{
    private static readonly float[] Vectors = Stretched(4000, 16, 1);

    [TestCase(VectorSimilarity.InnerProduct)]
    [TestCase(VectorSimilarity.Cosine)]
    public void Nearly_all_of_the_true_best_are_found_with_their_true_scores(VectorSimilarity similarity)
    {
        var graph = Hnsw.Build(Vectors, 16, new HnswOptions { Similarity = similarity });
        double found = 0;
        for (int q = 0; q < 50; q++)
        {
            var query = ExactTopKTests.Vectors(1, 16, 100 + q);
            var expected = Enumerable.Range(0, 4000).Select(i => new Scored(i, Score(query, i, similarity))).Order().Take(10).ToArray();
            var actual = graph.Search(query, 10, 100);
            actual.Length.ShouldBe(10);
            foreach (var item in actual) item.Score.ShouldBe(Score(query, item.Index, similarity), 1e-3f);
            found += actual.Count(a => expected.Any(e => e.Index == a.Index));
        }

        (found / 500).ShouldBeGreaterThan(0.97);
    }

    [Test]
    public void Filters_are_respected_and_still_found_well()
    {
        var graph = Hnsw.Build(Vectors, 16);
        foreach (int every in new[] { 2, 5, 200 })
        {
            var allowed = new ItemMask(4000);
            for (int i = 0; i < 4000; i += every) allowed[i] = true;
            double found = 0;
            for (int q = 0; q < 20; q++)
            {
                var query = ExactTopKTests.Vectors(1, 16, 200 + q);
                var expected = new ExactTopK(Vectors, 16).Search(query, 10, allowed: allowed, predicate: i => i % 3 == 0).Select(s => s.Index).ToHashSet();
                var actual = graph.Search(query, 10, 100, allowed, i => i % 3 == 0);
                actual.ShouldAllBe(s => s.Index % every == 0 && s.Index % 3 == 0);
                found += (double)actual.Count(s => expected.Contains(s.Index)) / expected.Count;
            }

            (found / 20).ShouldBeGreaterThan(0.95, $"every {every}");
        }
    }

    [Test]
    public void The_graph_is_the_same_for_one_thread_and_three_and_after_saving()
    {
        var one = new MemoryStream();
        var three = new MemoryStream();
        var graph = Hnsw.Build(Vectors.AsSpan(0, 1500 * 16), 16, new HnswOptions { Threads = 1 });
        graph.Save(one);
        Hnsw.Build(Vectors.AsSpan(0, 1500 * 16), 16, new HnswOptions { Threads = 3 }).Save(three);

        one.ToArray().ShouldBe(three.ToArray());
        one.Position = 0;
        var query = ExactTopKTests.Vectors(1, 16, 300);
        Hnsw.Load(one).Search(query, 20).ShouldBe(graph.Search(query, 20));
        var damaged = three.ToArray();
        damaged[damaged.Length / 2] ^= 1;
        Should.Throw<InvalidDataException>(() => Hnsw.Load(new MemoryStream(damaged)));
    }

    [Test]
    public void Small_and_empty_graphs_answer_what_they_have()
    {
        Hnsw.Build([], 4).Search([1, 0, 0, 0], 3).ShouldBeEmpty();
        Hnsw.Build([1, 0, 0, 2], 2).Search([0, 1], 3).Select(s => s.Index).ShouldBe([1, 0]);
        Hnsw.Build(new float[20], 2).Search([1, 1], 3).Length.ShouldBe(3);
        Should.Throw<ArgumentException>(() => Hnsw.Build([float.NaN, 1], 2));
        Should.Throw<ArgumentException>(() => Hnsw.Build([1, 1], 2).Search([1], 1));
    }

    /// <summary>Vectors of very unequal lengths, as those of popular and rare items are.</summary>
    private static float[] Stretched(int count, int dimension, int seed)
    {
        var vectors = ExactTopKTests.Vectors(count, dimension, seed);
        for (int i = 0; i < vectors.Length; i++) vectors[i] *= 0.3f + i / dimension % 10 / 5f;
        return vectors;
    }

    private static float Score(float[] query, int item, VectorSimilarity similarity)
    {
        var x = Vectors.AsSpan(item * 16, 16).ToArray();
        double dot = x.Zip(query, (a, b) => (double)a * b).Sum();
        return (float)(similarity == VectorSimilarity.InnerProduct ? dot : dot / Math.Sqrt(x.Sum(a => (double)a * a) * query.Sum(b => (double)b * b)));
    }
}
