using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Tests.Retrieval;

public class ExactTopKTests
{
    [TestCase(1, 7)]
    [TestCase(100, 3)]
    [TestCase(5000, 64)]
    [TestCase(3000, 37)]
    public void The_answer_is_that_of_sorting_everything(int count, int dimension)
    {
        var vectors = Vectors(count, dimension, 1);
        var query = Vectors(1, dimension, 2);
        var search = new ExactTopK(vectors, dimension);

        var expected = Sorted(vectors, dimension, query, _ => true).Take(10).ToArray();
        foreach (int threads in new[] { 1, 2, 3 })
        {
            var actual = search.Search(query, 10, threads: threads);
            actual.Select(a => a.Index).ShouldBe(expected.Select(e => e.Index));
            for (int i = 0; i < actual.Length; i++) actual[i].Score.ShouldBe(expected[i].Score, 1e-4f);
        }
    }

    [Test]
    public void Excluded_masked_and_refused_items_never_appear()
    {
        var vectors = Vectors(4000, 16, 3);
        var query = Vectors(1, 16, 4);
        var search = new ExactTopK(vectors, 16);
        int[] exclude = [.. search.Search(query, 20).Select(s => s.Index).Reverse()];
        var wide = new ItemMask(4000, full: true);
        var narrow = new ItemMask(4000);
        for (int i = 0; i < 4000; i++)
        {
            if (i % 3 == 0) wide[i] = false;
            if (i % 40 == 1) narrow[i] = true;
        }

        foreach (var mask in new[] { wide, narrow })
        {
            var expected = Sorted(vectors, 16, query, i => mask[i] && !exclude.Contains(i) && i % 2 == 1).Take(15).Select(s => s.Index);
            search.Search(query, 15, exclude, mask, i => i % 2 == 1, threads: 2).Select(s => s.Index).ShouldBe(expected);
        }
    }

    [Test]
    public void Equal_scores_answer_the_lower_index_first_with_any_threads()
    {
        var search = new ExactTopK(Enumerable.Repeat(1f, 5000).ToArray(), 1);

        search.Search([2f], 3, threads: 4).ShouldBe([new Scored(0, 2), new Scored(1, 2), new Scored(2, 2)]);
    }

    [Test]
    public void A_batch_answers_what_single_searches_answer()
    {
        var vectors = Vectors(3000, 24, 5);
        var queries = Vectors(70, 24, 6);
        var search = new ExactTopK(vectors, 24);

        var batch = search.SearchBatch(queries, 7, q => new[] { q, q + 1 }, threads: 2);

        for (int q = 0; q < 70; q++)
            batch[q].Select(s => s.Index).ShouldBe(search.Search(queries.AsSpan(q * 24, 24), 7, [q, q + 1]).Select(s => s.Index));
    }

    [Test]
    public void More_is_asked_than_there_is_or_nothing_is_there()
    {
        new ExactTopK(new float[] { 1, 2, 3 }, 1).Search([1f], 10).Select(s => s.Index).ShouldBe([2, 1, 0]);
        new ExactTopK(Array.Empty<float>(), 4).Search([1f, 1, 1, 1], 10).ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => new ExactTopK(new float[8], 4).Search([1f], 1));
        Should.Throw<ArgumentOutOfRangeException>(() => new ExactTopK(new float[8], 4).Search([1f, 1, 1, 1], 0));
    }

    [Test]
    public void Scores_that_are_not_numbers_are_never_answered() =>
        TopK.Of([1f, float.NaN, 3f, float.NegativeInfinity], 4, [0]).ShouldBe([new Scored(2, 3f)]);

    [Test]
    public void A_mask_counts_and_walks_its_items()
    {
        var mask = new ItemMask(130, full: true);
        mask.Count.ShouldBe(130);
        mask[64] = false;
        mask.Count.ShouldBe(129);
        mask.Items().ShouldBe(Enumerable.Range(0, 130).Where(i => i != 64));
        mask[130].ShouldBeFalse();
        mask[-1].ShouldBeFalse();
    }

    internal static float[] Vectors(int count, int dimension, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count * dimension).Select(_ => (float)(random.NextDouble() * 2 - 1))];
    }

    internal static IEnumerable<Scored> Sorted(float[] vectors, int dimension, float[] query, Func<int, bool> allowed) =>
        Enumerable.Range(0, vectors.Length / dimension).Where(allowed)
            .Select(i => new Scored(i, (float)Enumerable.Range(0, dimension).Sum(f => (double)vectors[i * dimension + f] * query[f]))).Order();
}
