using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Tests.Retrieval;

public class QuantizedTopKTests
{
    [TestCase(6000, 64, 100)]
    [TestCase(5003, 37, 10)]
    [TestCase(20_000, 5, 1)]
    [TestCase(4099, 130, 4099)]
    public void The_answer_is_that_of_the_exact_search_bit_for_bit(int count, int dimension, int k)
    {
        var vectors = ExactTopKTests.Vectors(count, dimension, 1);
        var exact = new ExactTopK(vectors, dimension);
        var coded = new QuantizedTopK(vectors, dimension, threads: 2);

        for (int q = 0; q < 5; q++)
        {
            var query = ExactTopKTests.Vectors(1, dimension, 10 + q);
            foreach (int threads in new[] { 1, 3 }) coded.Search(query, k, threads: threads).ShouldBe(exact.Search(query, k));
        }
    }

    [Test]
    public void Lengths_that_differ_by_orders_of_size_zero_rows_and_ties_change_nothing()
    {
        var vectors = ExactTopKTests.Vectors(9000, 24, 2);
        for (int row = 0; row < 9000; row++)
            for (int i = 0; i < 24; i++)
                vectors[row * 24 + i] *= row % 5 == 0 ? 0 : row % 7 == 0 ? 1e-38f : row % 3 == 0 ? 1e-6f : row % 11 == 0 ? 1e6f : 1;
        vectors.AsSpan(11 * 24, 24).CopyTo(vectors.AsSpan(22 * 24));
        var exact = new ExactTopK(vectors, 24);
        var coded = new QuantizedTopK(vectors, 24);

        for (int q = 0; q < 5; q++)
        {
            var query = ExactTopKTests.Vectors(1, 24, 20 + q);
            foreach (int k in new[] { 1, 50, 5000 }) coded.Search(query, k).ShouldBe(exact.Search(query, k));
        }

        coded.Search(new float[24], 3).ShouldBe(exact.Search(new float[24], 3));
    }

    [Test]
    public void Filters_are_respected()
    {
        var vectors = ExactTopKTests.Vectors(8000, 32, 3);
        var query = ExactTopKTests.Vectors(1, 32, 4);
        var exact = new ExactTopK(vectors, 32);
        var coded = new QuantizedTopK(vectors, 32);
        var wide = new ItemMask(8000, full: true);
        var narrow = new ItemMask(8000);
        for (int i = 0; i < 8000; i++)
        {
            if (i % 2 == 0) wide[i] = false;
            if (i % 50 == 0) narrow[i] = true;
        }

        int[] exclude = [.. exact.Search(query, 30).Select(s => s.Index)];
        foreach (var mask in new[] { wide, narrow })
            coded.Search(query, 40, exclude, mask, i => i % 3 != 0, 2).ShouldBe(exact.Search(query, 40, exclude, mask, i => i % 3 != 0));
    }

    [Test]
    public void An_endless_vector_is_ranked_as_the_exact_search_ranks_it()
    {
        var vectors = ExactTopKTests.Vectors(5000, 8, 5);
        vectors[800] = float.PositiveInfinity;
        vectors[1603] = float.NaN;
        float[] query = [1, 1, 1, 1, 1, 1, 1, 1];

        new QuantizedTopK(vectors, 8).Search(query, 20).ShouldBe(new ExactTopK(vectors, 8).Search(query, 20));
    }

    [Test]
    public void The_portable_sums_are_those_counted_one_by_one()
    {
        var random = new Random(6);
        var plane = new byte[3 * 32];
        var query = new sbyte[3 * 8];
        random.NextBytes(plane);
        for (int i = 0; i < query.Length; i++) query[i] = (sbyte)random.Next(-127, 128);

        var sums = QuantizedTopK.DotsPortable(ref plane[0], ref query[0], 3);

        for (int lane = 0; lane < 8; lane++)
            sums[lane].ShouldBe(Enumerable.Range(0, 24).Sum(i => (plane[i / 8 * 32 + lane * 4 + i % 4] >> (i % 8 < 4 ? 0 : 4) & 15) * query[i]));
    }
}
