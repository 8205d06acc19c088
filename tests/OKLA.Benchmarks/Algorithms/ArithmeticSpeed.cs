using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Neural;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>
/// Useful floating-point operations a second of three trainers beside a bare <see cref="TensorPrimitives.Dot(ReadOnlySpan{float}, ReadOnlySpan{float})"/> loop over arrays
/// of the same sizes in the same order, on one thread. Only what the algorithm asks for is counted, not what an implementation adds.
/// </summary>
internal static class ArithmeticSpeed
{
    private const int Rounds = 3;

    public static void Run(bool quick)
    {
        var table = new Table("against a bare TensorPrimitives.Dot loop, 1 thread", "GFLOP/s", "Dot GFLOP/s", "ratio (bar 0.5)", "by processor time");
        Als(table, quick ? 4_000 : 20_000, 64);
        foreach (var factors in new[] { 16, 64 }) Machine(table, quick ? 20_000 : 100_000, factors);
        Towers(table, quick ? 1_500 : 4_000);
        table.Print();
    }

    private static void Als(Table table, int users, int d)
    {
        const int Passes = 2, Steps = 3;
        var x = Samples.Interactions(users, users / 4, 50);
        FactorModel? model = null;
        var options = new ImplicitAlsOptions { Factors = d, Iterations = Passes, ConjugateGradientSteps = Steps, Threads = 1 };
        // A residual and the steps: each passes a row's entries twice (dot and sum) and the Gram matrix once; then both Gram matrices, and the loss.
        var perSide = (Steps + 1) * 4.0 * d * x.Count + (Steps + 1) * 2.0 * d * d * ((x.Rows + x.Columns) / 2.0);
        var grams = (double)d * (d + 1) * (x.Rows + x.Columns);
        var work = Passes * (2 * perSide + 2 * grams + 2.0 * d * x.Count);
        var (ours, bare) = Seconds.InTurn(Rounds, () => model = ImplicitAls.Fit(x, options), () => Seconds.Of(() => Pairs(x, model!.UserFactors.Span, model.ItemFactors.Span, d, 8)));
        Add(table, $"ALS, {x.Rows:N0} x {x.Columns:N0}, {x.Count:N0} pairs, {d} factors", work, ours, 8 * 2.0 * d * x.Count, bare);
    }

    private static void Pairs(SparseMatrix x, ReadOnlySpan<float> users, ReadOnlySpan<float> items, int d, int times)
    {
        float sum = 0;
        for (var t = 0; t < times; t++)
        {
            for (var u = 0; u < x.Rows; u++)
            {
                var row = users.Slice(u * d, d);
                foreach (var i in x.RowIndices(u)) sum += TensorPrimitives.Dot(row, items.Slice(i * d, d));
            }
        }

        GC.KeepAlive(sum);
    }

    private static void Machine(Table table, int rows, int k)
    {
        const int Passes = 3, Fields = 12;
        var (x, y) = Samples.Fields(rows, Fields, 1_000);
        var options = new MachineOptions { Factors = k, Iterations = Passes };
        // A factor's part of the score (v·x, its sum, its square: 4) and of the step (slope 3, sum of squares 2, root, division, product, difference: 4).
        var work = Passes * 13.0 * k * x.Count;
        var vectors = new float[x.Columns * k];
        Array.Fill(vectors, 0.1f);
        var query = new float[k];
        Array.Fill(query, 0.1f);
        var (ours, bare) = Seconds.InTurn(Rounds, () => FactorizationMachine.Fit(x, y, options), () => Seconds.Of(() => Rows(x, vectors, query, 8)));
        Add(table, $"FM, {rows:N0} rows of {Fields} among {x.Columns:N0}, {k} factors", work, ours, 8 * 2.0 * k * x.Count, bare);
    }

    private static void Rows(SparseMatrix x, float[] vectors, float[] query, int times)
    {
        float sum = 0;
        for (var t = 0; t < times; t++)
        {
            for (var r = 0; r < x.Rows; r++)
                foreach (var i in x.RowIndices(r)) sum += TensorPrimitives.Dot(vectors.AsSpan(i * query.Length, query.Length), query);
        }

        GC.KeepAlive(sum);
    }

    private static void Towers(Table table, int users)
    {
        const int Passes = 2, Batch = 512, Negatives = 512, D = 64;
        var x = Samples.Interactions(users, 4_000, 20);
        var options = new TwoTowerOptions { Dimension = D, EmbeddingDimension = D, BatchSize = Batch, UniformNegatives = Negatives, Iterations = Passes, ValidationShare = 0, Threads = 1, Dropout = 0 };
        TwoTowerModel? model = null;
        // Scores and both their gradients over about this many different candidates; a user reads id and history (2·D wide), an item its id.
        var steps = Math.Ceiling((double)x.Count / Batch);
        var candidates = Candidates(x, Batch, Negatives);
        var perStep = 3 * 2.0 * Batch * candidates * D + 3 * 2.0 * D * (Batch * 2 * D + candidates * D) + 4.0 * Batch * 20 * D;
        var work = Passes * steps * perStep;
        var (ours, bare) = Seconds.InTurn(Rounds, () => model = TwoTower.Fit(x, options), () => Seconds.Of(() => All(model!.UserVectors.Span[..(Batch * D)], model.ItemVectors.Span[..(candidates * D)], D, 40)));
        Add(table, $"two-tower, {x.Count:N0} pairs, batch {Batch} against {candidates}, {D} wide", work, ours, 40 * 2.0 * Batch * candidates * D, bare);
    }

    // How many different items a step meets: counted on one drawn as the trainer draws.
    private static int Candidates(SparseMatrix x, int batch, int negatives)
    {
        var random = new Random(1);
        var items = new HashSet<int>();
        for (var n = 0; n < batch; n++) items.Add(x.Indices[random.Next(x.Count)]);
        for (var n = 0; n < negatives; n++) items.Add(random.Next(x.Columns));
        return items.Count;
    }

    private static void All(ReadOnlySpan<float> users, ReadOnlySpan<float> items, int d, int times)
    {
        float sum = 0;
        for (var t = 0; t < times; t++)
        {
            for (var u = 0; u < users.Length; u += d)
                for (var i = 0; i < items.Length; i += d) sum += TensorPrimitives.Dot(users.Slice(u, d), items.Slice(i, d));
        }

        GC.KeepAlive(sum);
    }

    private static void Add(Table table, string what, double work, Seconds ours, double bareWork, Seconds bare) =>
        table.Add(what, 1e-9 * work / ours.Wall, 1e-9 * bareWork / bare.Wall, work / ours.Wall / (bareWork / bare.Wall), work / ours.Cpu / (bareWork / bare.Cpu));
}
