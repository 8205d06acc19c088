using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>The best 100 of many vectors: by codes, by float, and row by row with TensorPrimitives.Dot, on one thread.</summary>
internal static class SearchSpeed
{
    public static void Run(bool quick)
    {
        // The first rounds are for the compiler, which improves what runs often.
        const int Dimension = 64, K = 100, Queries = 5, Warm = 10;
        var count = quick ? 200_000 : 1_000_000;
        var vectors = Samples.Vectors(count, Dimension);
        var queries = Samples.Vectors(Queries, Dimension, seed: 2);
        var codes = new QuantizedTopK(vectors, Dimension, threads: 2);
        var exact = new ExactTopK(vectors, Dimension);
        Scored[][] answers = new Scored[Queries][], plain = new Scored[Queries][], floats = new Scored[Queries][];
        Seconds Each(Action<int> work) => Seconds.Of(() =>
        {
            for (var q = 0; q < Queries; q++) work(q);
        });
        ReadOnlySpan<float> Query(int q) => queries.AsSpan(q * Dimension, Dimension);
        var least = new Seconds[3];
        Array.Fill(least, new Seconds(double.MaxValue, double.MaxValue));
        for (var round = -Warm; round < 15; round++)
        {
            Seconds[] taken =
            [
                Each(q => answers[q] = codes.Search(Query(q), K)), Each(q => floats[q] = exact.Search(Query(q), K)), Each(q => plain[q] = RowByRow(vectors, Query(q), K)),
            ];
            for (var i = 0; i < 3 && round >= 0; i++) least[i] = least[i].Least(taken[i]);
        }

        var table = new Table($"top {K} of {count:N0} x {Dimension}, 1 thread", "ms a query", "ratio to row by row", "by processor time", "same answer");
        string[] names = ["4-bit codes and rescoring (bar 5)", "ExactTopK in float", "TensorPrimitives.Dot row by row"];
        Scored[][][] found = [answers, floats, plain];
        for (var i = 0; i < 3; i++)
            table.Add(names[i], 1e3 * least[i].Wall / Queries, least[2].Wall / least[i].Wall, least[2].Cpu / Math.Max(1e-9, least[i].Cpu), Same(found[i], plain) ? "yes" : "no");
        table.Print();
    }

    private static Scored[] RowByRow(float[] vectors, ReadOnlySpan<float> query, int k)
    {
        var best = new TopK(k);
        for (int i = 0, at = 0; at < vectors.Length; i++, at += query.Length)
        {
            var score = TensorPrimitives.Dot(vectors.AsSpan(at, query.Length), query);
            if (score >= best.Threshold) best.Offer(i, score);
        }

        return best.ToSorted();
    }

    // The order of a sum moves its last digits: the same items where no two scores are that near, and equal scores to rounding.
    private static bool Same(Scored[][] a, Scored[][] b) =>
        a.Zip(b).All(pair => pair.First.Select(item => item.Index).Order().SequenceEqual(pair.Second.Select(item => item.Index).Order())
            && pair.First.Zip(pair.Second).All(both => Math.Abs(both.First.Score - both.Second.Score) < 1e-5));
}
