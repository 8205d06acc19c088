namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Settings of <see cref="SvdPlusPlus"/>; the defaults are near those of its paper.</summary>
public sealed record SvdPlusPlusOptions
{
    /// <summary>Length of each factor vector, 1 to 1024.</summary>
    public int Factors { get; init; } = 20;

    /// <summary>Passes over the ratings.</summary>
    public int Iterations { get; init; } = 20;

    /// <summary>γ, the step; it shrinks by a tenth every pass.</summary>
    public float LearningRate { get; init; } = 0.007f;

    /// <summary>λ on the biases.</summary>
    public float BiasRegularization { get; init; } = 0.005f;

    /// <summary>λ on the vectors.</summary>
    public float Regularization { get; init; } = 0.015f;

    /// <summary>Seed of the initial factors and of the order of users.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>
/// SVD++ (Koren 2008, eq. 15): r̂ = μ + b_u + b_i + q_i·(p_u + |N(u)|^(−1/2) Σ y_j), where N(u) are the items the user rated: which items somebody rates says
/// something too. Stochastic gradient, one user after the other; the y_j are updated once a user with the summed gradient. Sequential and deterministic.
/// </summary>
public static class SvdPlusPlus
{
    /// <summary>Learns from users × items of ratings. The user's vector in the answered model is the whole bracket of eq. 15.</summary>
    public static RatingModel Fit(SparseMatrix ratings, SvdPlusPlusOptions? options = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ratings);
        options ??= new SvdPlusPlusOptions();
        Require.Between(options.Factors, 1, 1024);
        Require.Between(options.Iterations, 1, 100_000);
        Require.Between(options.LearningRate, 1e-9f, 1);
        Require.Between(options.BiasRegularization, 0, 10);
        Require.Between(options.Regularization, 0, 10);
        int d = options.Factors;
        FactorModel.RequireSize(ratings.Rows, d);
        FactorModel.RequireSize(ratings.Columns, d);
        var (mean, least, most) = RatingModel.Summary(ratings, null);
        var random = new Random(options.Seed);
        float[] Start(int rows, float scale) => [.. Enumerable.Range(0, rows * d).Select(_ => scale * ImplicitAls.Gaussian(random))];
        var (p, q, y) = (Start(ratings.Rows, 0.1f), Start(ratings.Columns, 0.1f), Start(ratings.Columns, 0.01f));
        var (userBiases, itemBiases) = (new float[ratings.Rows], new float[ratings.Columns]);
        var order = Enumerable.Range(0, ratings.Rows).ToArray();
        var (vector, gradient) = (new float[d], new float[d]);
        float rate = options.LearningRate;
        for (int pass = 1; pass <= options.Iterations; pass++)
        {
            cancellation.ThrowIfCancellationRequested();
            random.Shuffle(order);
            double loss = 0;
            foreach (int u in order)
            {
                var items = ratings.RowIndices(u);
                var values = ratings.RowValues(u);
                if (items.Length == 0) continue;
                float scale = Implicit(items, y, d, vector);
                Array.Clear(gradient);
                for (int k = 0; k < items.Length; k++)
                {
                    int i = items[k];
                    var user = p.AsSpan(u * d, d);
                    var item = q.AsSpan(i * d, d);
                    float error = values[k] - mean - userBiases[u] - itemBiases[i] - FloatKernels.Dot(user, item) - FloatKernels.Dot(vector, item);
                    loss += error * error;
                    userBiases[u] += rate * (error - options.BiasRegularization * userBiases[u]);
                    itemBiases[i] += rate * (error - options.BiasRegularization * itemBiases[i]);
                    for (int f = 0; f < d; f++)
                    {
                        float pf = user[f], qf = item[f];
                        gradient[f] += error * qf;
                        user[f] += rate * (error * qf - options.Regularization * pf);
                        item[f] += rate * (error * (pf + vector[f]) - options.Regularization * qf);
                    }
                }

                float shrink = MathF.Pow(1 - rate * options.Regularization, items.Length);
                foreach (int j in items)
                {
                    var implicitItem = y.AsSpan(j * d, d);
                    for (int f = 0; f < d; f++) implicitItem[f] = shrink * implicitItem[f] + rate * scale * gradient[f];
                }
            }

            rate *= 0.9f;
            progress?.Report(new TrainingProgress(pass, options.Iterations, loss));
        }

        for (int u = 0; u < ratings.Rows; u++)
        {
            var user = p.AsSpan(u * d, d);
            if (ratings.RowCount(u) == 0)
            {
                user.Clear();
                continue;
            }

            Implicit(ratings.RowIndices(u), y, d, vector);
            for (int f = 0; f < d; f++) user[f] += vector[f];
        }

        return new RatingModel(mean, least, most, options.Regularization, d, userBiases, itemBiases, p, q);
    }

    /// <summary>|N|^(−1/2) Σ y_j into <paramref name="vector"/>; answers |N|^(−1/2).</summary>
    private static float Implicit(ReadOnlySpan<int> items, float[] y, int d, Span<float> vector)
    {
        float scale = 1 / MathF.Sqrt(items.Length);
        vector.Clear();
        foreach (int j in items) FloatKernels.AddScaled(ref y[j * d], scale, ref vector[0], d);
        return scale;
    }
}
