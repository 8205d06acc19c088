using System.Runtime.CompilerServices;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Settings of <see cref="ImplicitAls"/>; the defaults suit view logs.</summary>
public sealed record ImplicitAlsOptions
{
    /// <summary>Length of each factor vector, 1 to 4096.</summary>
    public int Factors { get; init; } = 64;

    /// <summary>λ, the weight of the squared norms. With <see cref="FrequencyExponent"/> 0 it is the same for every row.</summary>
    public float Regularization { get; init; } = 0.01f;

    /// <summary>ν of λ_u = λ·(|history of u| + α₀·|items|)^ν (Rendle et al. 2021, eq. 12); 0 = constant, 1 = by frequency.</summary>
    public float FrequencyExponent { get; init; }

    /// <summary>α of the confidence c = α₀ + α·r of an observed pair (Hu et al. 2008, section 4).</summary>
    public float Alpha { get; init; } = 40;

    /// <summary>α₀, the confidence of a pair without observation; 1 in Hu et al., tuned in Rendle et al.</summary>
    public float UnobservedWeight { get; init; } = 1;

    /// <summary>Passes over users and items, 1 to 10,000.</summary>
    public int Iterations { get; init; } = 15;

    /// <summary>Conjugate-gradient steps a row and pass; 2-3 are enough since every pass goes on from the last (Takács et al. 2011).</summary>
    public int ConjugateGradientSteps { get; init; } = 3;

    /// <summary>Seed of the initial item factors.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>
/// Matrix factorisation of implicit feedback: minimises Σ c_ui (p_ui − x_u·y_i)² + Σ λ_u|x_u|² + Σ λ_i|y_i|² over all pairs, with p = 1 and
/// c = α₀ + α·r where something was observed, p = 0 and c = α₀ elsewhere (Hu, Koren, Volinsky 2008, eq. 3). Each row's normal equations
/// (eq. 4-5) are solved by a few warm-started conjugate-gradient steps (Takács, Pilászy, Tikk 2011), O(steps·(d² + n_u·d)) a row.
/// Frequency-scaled λ and α₀ after Rendle, Krichene, Zhang, Koren 2021 ("Revisiting the performance of iALS").
/// </summary>
public static class ImplicitAls
{
    private const int RowsPerTask = 64;

    /// <summary>
    /// Learns from users × items with non-negative weights r (an entry of weight 0 counts as observed with confidence α₀).
    /// The result is the same for any number of threads.
    /// </summary>
    public static FactorModel Fit(SparseMatrix weights, ImplicitAlsOptions? options = null, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        options ??= new ImplicitAlsOptions();
        Require.Between(options.Factors, 1, 4096);
        Require.Between(options.Regularization, 1e-9f, 1e9f);
        Require.Between(options.FrequencyExponent, 0, 2);
        Require.Between(options.Alpha, 1e-9f, 1e9f);
        Require.Between(options.UnobservedWeight, 0, 1e9f);
        Require.Between(options.Iterations, 1, 10_000);
        Require.Between(options.ConjugateGradientSteps, 1, 1000);
        Require.Between(options.Threads, 1, 1024);
        foreach (float value in weights.Values)
            if (value < 0) throw new ArgumentException("Weights must not be negative.", nameof(weights));
        int d = options.Factors;
        FactorModel.RequireSize(weights.Rows, d);
        FactorModel.RequireSize(weights.Columns, d);

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation };
        var byItem = weights.Transpose();
        var users = new float[weights.Rows * d];
        var items = new float[weights.Columns * d];
        var random = new Random(options.Seed);
        for (int i = 0; i < items.Length; i++) items[i] = 0.1f / MathF.Sqrt(d) * Gaussian(random);
        for (int i = 0; i < byItem.Rows; i++)
            if (byItem.RowCount(i) == 0) items.AsSpan(i * d, d).Clear();

        for (int pass = 1; pass <= options.Iterations; pass++)
        {
            Solve(weights, users, items, options, parallel);
            Solve(byItem, items, users, options, parallel);
            progress?.Report(new TrainingProgress(pass, options.Iterations, Loss(weights, byItem, users, items, options, parallel)));
        }

        return new FactorModel(users, items, d, new FoldInSettings(options.Alpha, options.UnobservedWeight, options.Regularization, options.FrequencyExponent));
    }

    /// <summary>λ_u of a row with <paramref name="observed"/> entries over <paramref name="others"/> columns (Rendle et al. 2021, eq. 12).</summary>
    internal static double RowRegularization(double lambda, double exponent, double unobserved, int observed, int others) =>
        exponent == 0 ? lambda : lambda * Math.Pow(observed + unobserved * others, exponent);

    private static void Solve(SparseMatrix rows, float[] target, float[] other, ImplicitAlsOptions options, ParallelOptions parallel)
    {
        int d = options.Factors, columns = rows.Columns;
        var gram = Array.ConvertAll(FloatKernels.Gram(other, columns, d, parallel), value => (float)value);
        int tasks = (rows.Rows + RowsPerTask - 1) / RowsPerTask;
        Parallel.For(0, tasks, parallel, () => new float[3 * d], (task, _, work) =>
        {
            int end = Math.Min((task + 1) * RowsPerTask, rows.Rows);
            for (int row = task * RowsPerTask; row < end; row++)
            {
                var indices = rows.RowIndices(row);
                var x = target.AsSpan(row * d, d);
                if (indices.Length == 0)
                {
                    x.Clear();
                    continue;
                }

                float lambda = (float)RowRegularization(options.Regularization, options.FrequencyExponent, options.UnobservedWeight, indices.Length, columns);
                ConjugateGradient(indices, rows.RowValues(row), other, gram, lambda, options, x, work);
            }

            return work;
        }, static _ => { });
    }

    /// <summary>
    /// Steps towards (α₀FᵀF + Σ α·r·f fᵀ + λI) x = Σ c·f, from the x given; f are the rows of the observed columns.
    /// </summary>
    private static void ConjugateGradient(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, float[] factors, float[] gram, float lambda,
        ImplicitAlsOptions options, Span<float> x, float[] work)
    {
        int d = x.Length;
        Span<float> residual = work.AsSpan(0, d), direction = work.AsSpan(d, d), image = work.AsSpan(2 * d, d);

        // r = b − A·x = Σ (c − α·r·(f·x))·f − α₀·G·x − λ·x, in one sweep.
        FloatKernels.SymmetricMultiply(gram, -options.UnobservedWeight, x, residual);
        FloatKernels.AddScaled(ref x[0], -lambda, ref residual[0], d);
        Sweep(indices, values, factors, options.Alpha, options.UnobservedWeight, initial: true, ref x[0], ref residual[0], d);
        residual.CopyTo(direction);
        float norm = FloatKernels.Dot(residual, residual);

        for (int step = 0; step < options.ConjugateGradientSteps && norm > 1e-20f; step++)
        {
            FloatKernels.SymmetricMultiply(gram, options.UnobservedWeight, direction, image);
            FloatKernels.AddScaled(ref direction[0], lambda, ref image[0], d);
            Sweep(indices, values, factors, options.Alpha, options.UnobservedWeight, initial: false, ref direction[0], ref image[0], d);
            float curvature = FloatKernels.Dot(direction, image);
            if (!(curvature > 0)) break;
            float length = norm / curvature;
            FloatKernels.AddScaled(ref direction[0], length, ref x[0], d);
            FloatKernels.AddScaled(ref image[0], -length, ref residual[0], d);
            float next = FloatKernels.Dot(residual, residual);
            float keep = next / norm;
            for (int i = 0; i < d; i++) direction[i] = residual[i] + keep * direction[i];
            norm = next;
        }
    }

    /// <summary>out += Σ s·f over the observed rows f, with s = w·(f·p), or s = α₀ + w − w·(f·p) for the first residual; w = α·r.</summary>
    private static void Sweep(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, float[] factors, float alpha, float unobserved, bool initial,
        ref float p, ref float into, int d)
    {
        float sign = initial ? -1 : 1, offset = initial ? unobserved : 0, share = initial ? 1 : 0;
        ref float all = ref factors[0];
        int k = 0;
        for (; k <= indices.Length - 4; k += 4)
        {
            ref float f0 = ref Unsafe.Add(ref all, (nint)indices[k] * d);
            ref float f1 = ref Unsafe.Add(ref all, (nint)indices[k + 1] * d);
            ref float f2 = ref Unsafe.Add(ref all, (nint)indices[k + 2] * d);
            ref float f3 = ref Unsafe.Add(ref all, (nint)indices[k + 3] * d);
            float w0 = alpha * values[k], w1 = alpha * values[k + 1], w2 = alpha * values[k + 2], w3 = alpha * values[k + 3];
            float s0 = offset + w0 * (share + sign * FloatKernels.Dot(ref f0, ref p, d));
            float s1 = offset + w1 * (share + sign * FloatKernels.Dot(ref f1, ref p, d));
            float s2 = offset + w2 * (share + sign * FloatKernels.Dot(ref f2, ref p, d));
            float s3 = offset + w3 * (share + sign * FloatKernels.Dot(ref f3, ref p, d));
            FloatKernels.AddScaled(ref f0, ref f1, ref f2, ref f3, s0, s1, s2, s3, ref into, d);
        }

        for (; k < indices.Length; k++)
        {
            ref float f = ref Unsafe.Add(ref all, (nint)indices[k] * d);
            float w = alpha * values[k];
            FloatKernels.AddScaled(ref f, offset + w * (share + sign * FloatKernels.Dot(ref f, ref p, d)), ref into, d);
        }
    }

    /// <summary>The objective: Σ over all pairs α₀(x·y)² as a trace of two Gram matrices, corrected at the observed pairs, plus the norms.</summary>
    private static double Loss(SparseMatrix weights, SparseMatrix byItem, float[] users, float[] items, ImplicitAlsOptions options, ParallelOptions parallel)
    {
        int d = options.Factors;
        var g = FloatKernels.Gram(users, weights.Rows, d, parallel);
        var h = FloatKernels.Gram(items, weights.Columns, d, parallel);
        double loss = 0;
        for (int i = 0; i < g.Length; i++) loss += options.UnobservedWeight * g[i] * h[i];
        var rowLoss = new double[weights.Rows];
        Parallel.For(0, weights.Rows, parallel, u =>
        {
            var indices = weights.RowIndices(u);
            var values = weights.RowValues(u);
            var x = users.AsSpan(u * d, d);
            double sum = 0;
            for (int k = 0; k < indices.Length; k++)
            {
                double score = FloatKernels.Dot(x, items.AsSpan(indices[k] * d, d));
                double c = options.UnobservedWeight + options.Alpha * values[k];
                sum += c * (1 - score) * (1 - score) - options.UnobservedWeight * score * score;
            }

            rowLoss[u] = sum + Penalty(x, indices.Length, weights.Columns, options);
        });
        foreach (double value in rowLoss) loss += value;
        for (int i = 0; i < weights.Columns; i++) loss += Penalty(items.AsSpan(i * d, d), byItem.RowCount(i), weights.Rows, options);
        return loss;
    }

    private static double Penalty(ReadOnlySpan<float> x, int observed, int others, ImplicitAlsOptions options) =>
        RowRegularization(options.Regularization, options.FrequencyExponent, options.UnobservedWeight, observed, others) * FloatKernels.Dot(x, x);

    /// <summary>A standard normal number (Box and Muller 1958).</summary>
    internal static float Gaussian(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
