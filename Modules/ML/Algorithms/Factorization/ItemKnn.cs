using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>How two items are compared by who took them; c_ij = Σ_u x_ui·x_uj, c_i = c_ii.</summary>
public enum ItemSimilarity
{
    /// <summary>c_ij / √(c_i·c_j) (Sarwar et al. 2001).</summary>
    Cosine,

    /// <summary>c_ij / (c_i + c_j − c_ij): SAR's default.</summary>
    Jaccard,

    /// <summary>c_ij / (c_i·c_j): favours rare items.</summary>
    Lift,

    /// <summary>c_ij: favours popular items.</summary>
    CoOccurrence,

    /// <summary>c_ij / (c_from^a · c_to^b): cosine at a = b = ½, the share of the history item's users who took the other at a = 1, b = 0 (Aiolli 2013).</summary>
    Asymmetric,
}

/// <summary>Settings of <see cref="ItemKnn"/>.</summary>
public sealed record ItemKnnOptions
{
    /// <summary>How items are compared.</summary>
    public ItemSimilarity Similarity { get; init; } = ItemSimilarity.Cosine;

    /// <summary>Neighbours kept for each item to score, 1 or more; 0 keeps all.</summary>
    public int Neighbours { get; init; } = 200;

    /// <summary>Pairs of items that fewer users (or less weight) share count as unrelated.</summary>
    public float LeastCoOccurrence { get; init; } = 1;

    /// <summary>s of the factor c_ij / (c_ij + s) that pulls pairs with little evidence towards 0 (Bell, Koren 2007); 0 = none.</summary>
    public float Shrinkage { get; init; }

    /// <summary>a of <see cref="ItemSimilarity.Asymmetric"/>: how much the frequency of the history item counts against it.</summary>
    public float FromExponent { get; init; } = 0.5f;

    /// <summary>b of <see cref="ItemSimilarity.Asymmetric"/>: how much the frequency of the item to score counts against it.</summary>
    public float ToExponent { get; init; } = 0.5f;

    /// <summary>Counts by weight instead of by user.</summary>
    public bool Weighted { get; init; }

    /// <summary>Threads; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>
/// Item-item nearest neighbours (Sarwar, Karypis, Konstan, Riedl 2001) and, with decayed weights as the history, SAR ("Smart Adaptive
/// Recommendations"): score = Σ affinity_j · similarity(j, i). O(Σ_u n_u²) time.
/// </summary>
public static class ItemKnn
{
    /// <summary>Learns the similarities from users × items.</summary>
    public static ItemToItemModel Fit(SparseMatrix data, ItemKnnOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= new ItemKnnOptions();
        Require.Between(options.Neighbours, 0, int.MaxValue);
        Require.Between(options.LeastCoOccurrence, 0, float.MaxValue);
        Require.Between(options.Shrinkage, 0, float.MaxValue);
        Require.Between(options.Threads, 1, 1024);
        var byItem = data.Transpose();
        int items = data.Columns;
        var self = new float[items];
        for (int i = 0; i < items; i++)
            foreach (float value in byItem.RowValues(i)) self[i] += options.Weighted ? value * value : 1;

        int keep = options.Neighbours == 0 ? int.MaxValue : options.Neighbours;
        var best = new TopK[items];
        const int ItemsPerTask = 32;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellation };
        Parallel.For(0, (items + ItemsPerTask - 1) / ItemsPerTask, parallel, () => (Sums: new float[items], Touched: new List<int>()), (task, _, work) =>
        {
            for (int i = task * ItemsPerTask; i < Math.Min((task + 1) * ItemsPerTask, items); i++)
            {
                var users = byItem.RowIndices(i);
                var amounts = byItem.RowValues(i);
                for (int n = 0; n < users.Length; n++)
                {
                    var others = data.RowIndices(users[n]);
                    var values = data.RowValues(users[n]);
                    for (int k = 0; k < others.Length; k++)
                    {
                        int j = others[k];
                        if (j == i) continue;
                        if (work.Sums[j] == 0) work.Touched.Add(j);
                        work.Sums[j] += options.Weighted ? amounts[n] * values[k] : 1;
                    }
                }

                best[i] = new TopK(Math.Clamp(keep, 1, Math.Max(work.Touched.Count, 1)));
                foreach (int j in work.Touched)
                {
                    float both = work.Sums[j];
                    work.Sums[j] = 0;
                    if (both > 0 && both >= options.LeastCoOccurrence) best[i].Offer(j, Compare(both, self[i], self[j], options));
                }

                work.Touched.Clear();
            }

            return work;
        }, static _ => { });

        int count = best.Sum(b => b.Count), at = 0;
        var (rows, columns, weights) = (new int[count], new int[count], new float[count]);
        for (int to = 0; to < items; to++)
            foreach (var neighbour in best[to].ToSorted()) (rows[at], columns[at], weights[at++]) = (neighbour.Index, to, neighbour.Score);
        return new ItemToItemModel(SparseMatrix.FromTriples(items, items, rows, columns, weights));
    }

    /// <summary>SAR's affinity of an event: weight · 2^(−age / halfLife); both times in the same unit.</summary>
    public static float Affinity(float weight, double age, double halfLife)
    {
        if (!(halfLife > 0)) throw new ArgumentOutOfRangeException(nameof(halfLife), halfLife, "The half-life must be positive.");
        return (float)(weight * Math.Pow(2, -age / halfLife));
    }

    /// <summary>The weight from j, an item of the history, to i.</summary>
    private static float Compare(float both, float i, float j, ItemKnnOptions options)
    {
        float similarity = options.Similarity switch
        {
            ItemSimilarity.Cosine => both / MathF.Sqrt(i * j),
            ItemSimilarity.Jaccard => both / (i + j - both),
            ItemSimilarity.Lift => both / (i * j),
            ItemSimilarity.CoOccurrence => both,
            ItemSimilarity.Asymmetric => both / (MathF.Pow(j, options.FromExponent) * MathF.Pow(i, options.ToExponent)),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Similarity, "This similarity is not known."),
        };
        return options.Shrinkage == 0 ? similarity : similarity * both / (both + options.Shrinkage);
    }
}
