namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Settings of <see cref="Ease"/>.</summary>
public sealed record EaseOptions
{
    /// <summary>λ on the diagonal of XᵀX; larger for sparser data, 1e-3 to 1e9.</summary>
    public float Regularization { get; init; } = 200;

    /// <summary>p in [0, 1) of inputs dropped at random while learning, averaged in closed form: adds p/(1 − p)·diag(XᵀX) to the diagonal (Steck 2020, eq. 5).</summary>
    public float Dropout { get; init; }

    /// <summary>Threads; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>
/// Embarrassingly shallow autoencoder (Steck 2019): the item-item weights B with zero diagonal that minimise |X − XB|² + λ|B|², in closed form
/// P = (XᵀX + λI)⁻¹, B_ij = −P_ij / P_jj (eq. 8). O(items³) time and one dense items × items float matrix of memory.
/// </summary>
public static class Ease
{
    /// <summary>The most items a dense matrix in one array holds; memory is 4·items² bytes.</summary>
    public const int MostItems = 46_000;

    /// <summary>Learns from users × items (the stored values are X; commonly 1). Throws above <see cref="MostItems"/>.</summary>
    public static ItemToItemModel Fit(SparseMatrix data, EaseOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= new EaseOptions();
        Require.Between(options.Regularization, 1e-3f, 1e9f);
        Require.Between(options.Dropout, 0, 0.99f);
        Require.Between(options.Threads, 1, 1024);
        if (data.Columns > MostItems) throw new ArgumentException($"EASE inverts a dense matrix: {data.Columns} items are more than {MostItems}.", nameof(data));
        int n = data.Columns, stride = SymmetricInverse.Stride(n);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation };
        var a = new float[(long)n * stride];
        var byItem = data.Transpose();
        Parallel.For(0, n, parallel, i =>
        {
            // Lower triangle of row i: columns ascend within a user, so the walk stops at i.
            var row = a.AsSpan(checked((int)((long)i * stride)), i + 1);
            var users = byItem.RowIndices(i);
            var amounts = byItem.RowValues(i);
            for (int k = 0; k < users.Length; k++)
            {
                var items = data.RowIndices(users[k]);
                var values = data.RowValues(users[k]);
                for (int m = 0; m < items.Length && items[m] <= i; m++) row[items[m]] += amounts[k] * values[m];
            }

            row[i] += options.Regularization + options.Dropout / (1 - options.Dropout) * row[i];
        });

        SymmetricInverse.Invert(a, n, stride, parallel);
        ToWeights(a, n, stride, parallel);
        return new ItemToItemModel(a, n, stride);
    }

    /// <summary>From the lower triangle of −P to B, in place.</summary>
    private static void ToWeights(float[] a, int n, int stride, ParallelOptions parallel)
    {
        var scale = new float[n];
        for (int i = 0; i < n; i++) scale[i] = -1 / a[(long)i * stride + i];
        const int Tile = 64;
        int tiles = (n + Tile - 1) / Tile;
        Parallel.For(0, tiles, parallel, ti =>
        {
            // Mirrors one tile row at a time: the tile and its mirror image both stay in the cache.
            for (int tj = 0; tj <= ti; tj++)
                for (int i = ti * Tile; i < Math.Min((ti + 1) * Tile, n); i++)
                    for (int j = tj * Tile; j < Math.Min((tj + 1) * Tile, i); j++)
                    {
                        float value = a[(long)i * stride + j];
                        a[(long)i * stride + j] = value * scale[j];
                        a[(long)j * stride + i] = value * scale[i];
                    }
        });
        for (int i = 0; i < n; i++) a[(long)i * stride + i] = 0;
    }
}
