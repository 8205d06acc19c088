namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Settings of <see cref="ExplicitAls"/>.</summary>
public sealed record ExplicitAlsOptions
{
    /// <summary>Length of each factor vector, 1 to 1024.</summary>
    public int Factors { get; init; } = 16;

    /// <summary>λ, times the weight of a row's ratings (ALS-WR).</summary>
    public float Regularization { get; init; } = 0.1f;

    /// <summary>Passes over users and items.</summary>
    public int Iterations { get; init; } = 15;

    /// <summary>Seed of the initial item factors.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Threads; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>
/// Weighted factorisation of ratings with biases: minimises Σ w_ui (r_ui − μ − b_u − b_i − x_u·y_i)² + λ Σ n_u(|x_u|² + b_u²) + λ Σ n_i(|y_i|² + b_i²) over
/// the observed pairs by alternating exact ridge regressions, each bias solved with its vector (Zhou, Wilkinson, Schreiber, Pan 2008, ALS-WR, section 3.2).
/// </summary>
public static class ExplicitAls
{
    /// <summary>Learns from users × items of ratings. <paramref name="weights"/> has the same entries (positive); null = 1 each.</summary>
    public static RatingModel Fit(SparseMatrix ratings, SparseMatrix? weights = null, ExplicitAlsOptions? options = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ratings);
        options ??= new ExplicitAlsOptions();
        Require.Between(options.Factors, 1, 1024);
        Require.Between(options.Regularization, 1e-9f, 1e9f);
        Require.Between(options.Iterations, 1, 10_000);
        Require.Between(options.Threads, 1, 1024);
        if (weights is not null && !(weights.RowStarts.SequenceEqual(ratings.RowStarts) && weights.Indices.SequenceEqual(ratings.Indices)))
            throw new ArgumentException("Weights must be given for exactly the rated pairs.", nameof(weights));
        if (weights is not null)
            foreach (float w in weights.Values)
                if (!(w > 0)) throw new ArgumentException("Weights must be positive.", nameof(weights));
        int d = options.Factors;
        FactorModel.RequireSize(ratings.Rows, d);
        FactorModel.RequireSize(ratings.Columns, d);
        var (mean, least, most) = RatingModel.Summary(ratings, weights);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation };
        var byItem = ratings.Transpose();
        var weightsByItem = weights?.Transpose();
        var (userBiases, itemBiases) = (new float[ratings.Rows], new float[ratings.Columns]);
        var (users, items) = (new float[ratings.Rows * d], new float[ratings.Columns * d]);
        var random = new Random(options.Seed);
        for (int i = 0; i < items.Length; i++) items[i] = 0.1f * ImplicitAls.Gaussian(random);
        for (int pass = 1; pass <= options.Iterations; pass++)
        {
            Solve(ratings, weights, mean, userBiases, users, itemBiases, items, options, parallel);
            double loss = Solve(byItem, weightsByItem, mean, itemBiases, items, userBiases, users, options, parallel);
            progress?.Report(new TrainingProgress(pass, options.Iterations, loss));
        }

        return new RatingModel(mean, least, most, options.Regularization, d, userBiases, itemBiases, users, items);
    }

    /// <summary>Solves every row; answers the weighted squared error after it.</summary>
    private static double Solve(SparseMatrix rows, SparseMatrix? weights, float mean, float[] biases, float[] factors, float[] otherBiases, float[] otherFactors,
        ExplicitAlsOptions options, ParallelOptions parallel)
    {
        int d = options.Factors;
        var errors = new double[rows.Rows];
        Parallel.For(0, rows.Rows, parallel, row =>
        {
            var x = new float[d + 1];
            var indices = rows.RowIndices(row);
            var values = rows.RowValues(row);
            var w = weights is null ? default : weights.RowValues(row);
            if (indices.Length > 0) SolveRow(indices, values, w, mean, otherBiases, otherFactors, d, options.Regularization, x);
            x.AsSpan(0, d).CopyTo(factors.AsSpan(row * d, d));
            biases[row] = x[d];
            for (int k = 0; k < indices.Length; k++)
            {
                double error = values[k] - mean - otherBiases[indices[k]] - x[d] - FloatKernels.Dot(x.AsSpan(0, d), otherFactors.AsSpan(indices[k] * d, d));
                errors[row] += (w.IsEmpty ? 1 : w[k]) * error * error;
            }
        });
        return errors.Sum();
    }

    /// <summary>Ridge regression of one row on [y, 1] into <paramref name="result"/>: d factors, then the bias.</summary>
    internal static void SolveRow(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float mean, float[] biases, float[] factors,
        int d, float lambda, Span<float> result)
    {
        int n = d + 1;
        var a = new double[n * n];
        var b = new double[n];
        var y = new double[n];
        double total = 0;
        y[d] = 1;
        for (int k = 0; k < indices.Length; k++)
        {
            double w = weights.IsEmpty ? 1 : weights[k];
            total += w;
            for (int i = 0; i < d; i++) y[i] = factors[indices[k] * d + i];
            double target = values[k] - mean - biases[indices[k]];
            for (int i = 0; i < n; i++)
            {
                double scaled = w * y[i];
                b[i] += scaled * target;
                for (int j = 0; j <= i; j++) a[i * n + j] += scaled * y[j];
            }
        }

        for (int i = 0; i < n; i++) a[i * n + i] += lambda * total;
        new Cholesky(a, n).Solve(b);
        for (int i = 0; i < n; i++) result[i] = (float)b[i];
    }
}
