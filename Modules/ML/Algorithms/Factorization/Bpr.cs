using System.Runtime.CompilerServices;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Settings of <see cref="Bpr"/>.</summary>
public sealed record BprOptions
{
    /// <summary>Length of each factor vector without the item bias, 1 to 4096.</summary>
    public int Factors { get; init; } = 64;

    /// <summary>Passes; each draws as many pairs as there are observed entries.</summary>
    public int Iterations { get; init; } = 100;

    /// <summary>Step at the start; it falls linearly to a tenth.</summary>
    public float LearningRate { get; init; } = 0.05f;

    /// <summary>λ on user and item vectors.</summary>
    public float Regularization { get; init; } = 0.01f;

    /// <summary>λ on item biases.</summary>
    public float BiasRegularization { get; init; } = 0.01f;

    /// <summary>Unseen items drawn for each observed one; the highest scored of them is the negative (Zhang et al. 2013). 1 is plain BPR.</summary>
    public int Candidates { get; init; } = 8;

    /// <summary>
    /// WARP (Weston, Bengio, Usunier 2011): draws up to this many negatives until one scores above the positive less 1 and weighs the step by the
    /// rank that the number of draws suggests. 0 = off.
    /// </summary>
    public int WarpTrials { get; init; }

    /// <summary>Draws an entry in proportion to its weight instead of evenly.</summary>
    public bool Weighted { get; init; }

    /// <summary>Seed of the initial factors and of all draws.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads. The result is the same for the same seed and number of threads.</summary>
    public int Threads { get; init; } = 1;
}

/// <summary>
/// Bayesian personalised ranking (Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009): stochastic steps on ln σ(x_u·y_i + b_i − x_u·y_j − b_j) for an
/// observed item i and an unseen j. The item bias is the last coordinate of the item vectors, where every user has 1. With several threads users and
/// items are cut into stripes that are redrawn every pass (Gemulla et al. 2011), so no two threads touch the same vector and nothing is left to chance.
/// </summary>
public static class Bpr
{
    /// <summary>Learns from users × items; an entry's weight matters only with <see cref="BprOptions.Weighted"/>.</summary>
    public static FactorModel Fit(SparseMatrix data, BprOptions? options = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= new BprOptions();
        Require.Between(options.Factors, 1, 4096);
        Require.Between(options.Iterations, 1, 100_000);
        Require.Between(options.LearningRate, 1e-9f, 10);
        Require.Between(options.Regularization, 0, 10);
        Require.Between(options.BiasRegularization, 0, 10);
        Require.Between(options.Candidates, 1, 1000);
        Require.Between(options.WarpTrials, 0, 10_000);
        Require.Between(options.Threads, 1, 1024);
        int d = options.Factors + 1;
        FactorModel.RequireSize(data.Rows, d);
        FactorModel.RequireSize(data.Columns, d);
        var random = new Random(options.Seed);
        var users = Initial(data.Rows, d, 1, random);
        var items = Initial(data.Columns, d, 0, random);
        int stripes = Math.Clamp(Math.Min(options.Threads, data.Columns / 2), 1, Math.Max(1, data.Rows));
        var userOf = new int[data.Count];
        for (int u = 0; u < data.Rows; u++) Array.Fill(userOf, u, data.RowStarts[u], data.RowCount(u));
        double[]? cumulative = options.Weighted ? Cumulative(data.Values) : null;
        var drawn = new int[data.Count];
        var state = new State(data, userOf, users, items, d, options);
        var losses = new double[stripes];
        for (int pass = 1; pass <= options.Iterations; pass++)
        {
            cancellation.ThrowIfCancellationRequested();
            Draw(drawn, cumulative, random);
            var stripeOf = new int[data.Columns];
            var members = Stripes(data.Columns, stripes, random, stripeOf);
            var queues = Queues(drawn, data, userOf, stripeOf, stripes);
            float rate = options.LearningRate * (1 - 0.9f * (pass - 1) / options.Iterations);
            int seed = random.Next();
            Array.Clear(losses);
            for (int shift = 0; shift < stripes; shift++)
            {
                int by = shift;
                Parallel.For(0, stripes, new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation }, t =>
                {
                    int block = (t + by) % stripes;
                    losses[t] += state.Steps(queues[t * stripes + block], members[block], new Random(HashCode(seed, t, by)), rate);
                });
            }

            progress?.Report(new TrainingProgress(pass, options.Iterations, losses.Sum() / Math.Max(1, data.Count)));
        }

        // Users without a history know nothing but the bias.
        for (int u = 0; u < data.Rows; u++)
            if (data.RowCount(u) == 0) users.AsSpan(u * d, d - 1).Clear();
        return new FactorModel(users, items, d, new FoldInSettings(1, 0, 1, 0, new PairwiseFoldIn(options.LearningRate, options.Regularization, 2000, options.Seed)));
    }

    /// <summary>A user's vector for fixed items: the same steps as in the training, on a history only.</summary>
    internal static float[] FoldIn(ReadOnlySpan<float> items, int d, PairwiseFoldIn settings, ReadOnlySpan<int> history)
    {
        var x = new float[d];
        x[d - 1] = 1;
        int count = items.Length / d;
        var seen = new HashSet<int>();
        foreach (int item in history) seen.Add(item);
        if (seen.Count == 0 || seen.Count >= count) return x;
        var random = new Random(settings.Seed);
        for (int step = 0; step < settings.Steps; step++)
        {
            int i = history[random.Next(history.Length)], j;
            do j = random.Next(count);
            while (seen.Contains(j));
            var positive = items.Slice(i * d, d);
            var negative = items.Slice(j * d, d);
            float slope = Sigmoid(FloatKernels.Dot(x, negative) - FloatKernels.Dot(x, positive));
            float rate = settings.LearningRate * (1 - 0.9f * step / settings.Steps);
            for (int f = 0; f < d - 1; f++) x[f] += rate * (slope * (positive[f] - negative[f]) - settings.Regularization * x[f]);
        }

        return x;
    }

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    private static int HashCode(int seed, int thread, int shift) => unchecked((seed * 31 + thread) * 31 + shift) & int.MaxValue;

    private static float[] Initial(int rows, int d, float last, Random random)
    {
        var factors = new float[rows * d];
        for (int row = 0; row < rows; row++)
        {
            for (int f = 0; f < d - 1; f++) factors[row * d + f] = 0.1f / MathF.Sqrt(d) * ImplicitAls.Gaussian(random);
            factors[row * d + d - 1] = last;
        }

        return factors;
    }

    private static double[] Cumulative(ReadOnlySpan<float> weights)
    {
        var sums = new double[weights.Length];
        double sum = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            if (weights[i] < 0) throw new ArgumentException("Weights must not be negative.", nameof(weights));
            sums[i] = sum += weights[i];
        }

        return sums;
    }

    /// <summary>The entries of one pass in the order they are visited: all once, shuffled, or by weight with repetition.</summary>
    private static void Draw(int[] drawn, double[]? cumulative, Random random)
    {
        if (cumulative is null)
        {
            for (int i = 0; i < drawn.Length; i++) drawn[i] = i;
            random.Shuffle(drawn);
            return;
        }

        for (int i = 0; i < drawn.Length; i++)
        {
            int at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
            drawn[i] = Math.Min(at < 0 ? ~at : at + 1, cumulative.Length - 1);
        }
    }

    private static int[][] Stripes(int items, int stripes, Random random, int[] stripeOf)
    {
        var order = new int[items];
        for (int i = 0; i < items; i++) order[i] = i;
        if (stripes > 1) random.Shuffle(order);
        var members = new int[stripes][];
        for (int s = 0; s < stripes; s++)
        {
            members[s] = order[(int)((long)items * s / stripes)..(int)((long)items * (s + 1) / stripes)];
            foreach (int item in members[s]) stripeOf[item] = s;
        }

        return members;
    }

    private static List<int>[] Queues(int[] drawn, SparseMatrix data, int[] userOf, int[] stripeOf, int stripes)
    {
        var queues = new List<int>[stripes * stripes];
        for (int q = 0; q < queues.Length; q++) queues[q] = new List<int>(drawn.Length / queues.Length + 16);
        foreach (int entry in drawn) queues[userOf[entry] % stripes * stripes + stripeOf[data.Indices[entry]]].Add(entry);
        return queues;
    }

    private sealed class State(SparseMatrix data, int[] userOf, float[] users, float[] items, int d, BprOptions options)
    {
        /// <summary>One step for each entry of the queue, with negatives from the stripe's items; answers the summed loss.</summary>
        public double Steps(List<int> queue, int[] stripe, Random random, float rate)
        {
            double loss = 0;
            foreach (int entry in queue)
            {
                int u = userOf[entry], i = data.Indices[entry];
                ref float x = ref users[u * d];
                ref float positive = ref items[i * d];
                float score = FloatKernels.Dot(ref x, ref positive, d);
                int j = options.WarpTrials > 0 ? DrawWarp(u, score, stripe, random, out float weight) : DrawHardest(u, ref x, stripe, random, out weight);
                if (j < 0) continue;
                ref float negative = ref items[j * d];
                float margin = score - FloatKernels.Dot(ref x, ref negative, d);
                float slope = weight * (options.WarpTrials > 0 ? 1 : Sigmoid(-margin));
                loss += options.WarpTrials > 0 ? weight * Math.Max(0, 1 - margin) : Math.Log(1 + Math.Exp(-margin));
                Update(ref x, ref positive, ref negative, slope, rate);
            }

            return loss;
        }

        private void Update(ref float x, ref float positive, ref float negative, float slope, float rate)
        {
            float keep = rate * options.Regularization;
            for (int f = 0; f < d - 1; f++)
            {
                float xf = Unsafe.Add(ref x, f), pf = Unsafe.Add(ref positive, f), nf = Unsafe.Add(ref negative, f);
                Unsafe.Add(ref x, f) = xf + rate * slope * (pf - nf) - keep * xf;
                Unsafe.Add(ref positive, f) = pf + rate * slope * xf - keep * pf;
                Unsafe.Add(ref negative, f) = nf - rate * slope * xf - keep * nf;
            }

            ref float bp = ref Unsafe.Add(ref positive, d - 1);
            ref float bn = ref Unsafe.Add(ref negative, d - 1);
            bp += rate * (slope - options.BiasRegularization * bp);
            bn -= rate * (slope + options.BiasRegularization * bn);
        }

        private int DrawHardest(int u, ref float x, int[] stripe, Random random, out float weight)
        {
            weight = 1;
            int best = -1;
            float top = float.NegativeInfinity;
            for (int c = 0; c < options.Candidates; c++)
            {
                int j = Unseen(u, stripe, random);
                if (j < 0) return best;
                if (options.Candidates == 1) return j;
                float score = FloatKernels.Dot(ref x, ref items[j * d], d);
                if (score > top) (top, best) = (score, j);
            }

            return best;
        }

        private int DrawWarp(int u, float score, int[] stripe, Random random, out float weight)
        {
            ref float x = ref users[u * d];
            for (int trial = 1; trial <= options.WarpTrials; trial++)
            {
                int j = Unseen(u, stripe, random);
                if (j < 0) break;
                if (FloatKernels.Dot(ref x, ref items[j * d], d) <= score - 1) continue;

                // The harmonic rank loss is about ln(rank), scaled here to at most 1 (Weston et al. 2011, eq. 3-4).
                weight = MathF.Log(1 + (data.Columns - 1) / trial) / MathF.Log(1 + data.Columns);
                return j;
            }

            weight = 0;
            return -1;
        }

        private int Unseen(int u, int[] stripe, Random random)
        {
            // A user who knows almost everything in the stripe gives up after some draws.
            for (int attempt = 0; attempt < 50; attempt++)
            {
                int j = stripe[random.Next(stripe.Length)];
                if (!data.Contains(u, j)) return j;
            }

            return -1;
        }
    }
}
