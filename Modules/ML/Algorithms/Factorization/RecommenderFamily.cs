namespace OKLA.ML.Algorithms.Factorization;

/// <summary>A setting of a family of recommenders and the values to try for it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Values">The values, in order.</param>
/// <param name="Start">Place of the value to start from.</param>
public sealed record SettingAxis(string Name, IReadOnlyList<double> Values, int Start);

/// <summary>One kind of recommender with what can be set about it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Axes">Its settings, the most telling first.</param>
/// <param name="Fit">Learns with a value for each axis; the last argument is the seed.</param>
public sealed record RecommenderFamily(string Name, IReadOnlyList<SettingAxis> Axes, Func<Interactions, IReadOnlyList<double>, int, UserScorer> Fit)
{
    /// <summary>EASE inverts a dense matrix of at most this many items; in a larger catalogue it knows only the most frequent ones.</summary>
    public const int MostEaseItems = 8_000;

    /// <summary>Item-kNN keeps all neighbours of a catalogue of at most this many items, and at most 300 of each item of a larger one.</summary>
    public const int MostItemsWithAllNeighbours = 4_000;

    // Neighbours kept in all, a few hundred MB with what building them needs.
    private const int MostKept = 15_000_000;

    /// <summary>The values an axis starts from.</summary>
    public double[] Start => [.. Axes.Select(axis => axis.Values[axis.Start])];

    /// <summary>How many users took an item; with times, each counting for half after a share of the span of time that is a setting (0: never).</summary>
    public static RecommenderFamily Popularity(bool timed) => new("popularity", timed ? [new("half-life", [0, 0.25, 0.06, 0.015, 0.004], 0)] : [],
        (data, setting, _) => UserScorers.Of(Frequencies(data, setting.Count > 0 ? setting[0] : 0)));

    /// <summary>Item-kNN by plain cosine; nothing to set.</summary>
    public static RecommenderFamily Cosine { get; } = new("item-kNN", [], (data, _, _) =>
        UserScorers.Of(ItemKnn.Fit(data.Pairs, new ItemKnnOptions { Neighbours = Neighbours(data.Pairs, 0) }), Ones(data.Pairs)));

    /// <summary>SAR: Jaccard similarity, shrunk.</summary>
    public static RecommenderFamily Sar { get; } = new("SAR", [new("shrinkage", [0, 3, 10, 30], 0), new("least co-occurrence", [1, 3], 0)], (data, setting, _) =>
        UserScorers.Of(ItemKnn.Fit(data.Pairs, new ItemKnnOptions
        {
            Similarity = ItemSimilarity.Jaccard, Neighbours = Neighbours(data.Pairs, 0), Shrinkage = (float)setting[0], LeastCoOccurrence = (float)setting[1],
        }), Ones(data.Pairs)));

    /// <summary>EASE with λ 200; nothing to set.</summary>
    public static RecommenderFamily PlainEase { get; } = new("EASE", [], (data, _, _) => FitEase(data, 200, 0, 0, 0));

    /// <summary>Item-kNN by asymmetric cosine, with long histories counting less and with shrinkage.</summary>
    public static RecommenderFamily TunedItemKnn(bool timed) => new("item-kNN tuned",
        [
            new("to-exponent", [0.2, 0.35, 0.5, 0.65], 2), new("from-exponent", [0.2, 0.35, 0.5, 0.7, 0.9], 2), new("user exponent", [0, 0.5, 1], 0),
            new("shrinkage", [0, 3, 10, 30], 0), new("neighbours", [30, 100, 0], 2), .. History(timed),
        ],
        (data, setting, _) =>
        {
            var weighted = ByActivity(data.Pairs, setting[2] / 2);
            var model = ItemKnn.Fit(weighted, new ItemKnnOptions
            {
                Similarity = ItemSimilarity.Asymmetric, ToExponent = (float)setting[0], FromExponent = (float)setting[1], Weighted = setting[2] > 0,
                LeastCoOccurrence = 0, Shrinkage = (float)(setting[3] * (setting[2] > 0 ? MeanSquare(weighted) : 1)), Neighbours = Neighbours(data.Pairs, (int)setting[4]),
            });
            return UserScorers.Of(model, timed ? Recent(data, setting[5]) : Ones(data.Pairs));
        });

    /// <summary>EASE with its λ, dropout and the weight of long histories chosen.</summary>
    public static RecommenderFamily TunedEase(bool timed) => new("EASE tuned",
        [new("lambda", [10, 30, 100, 200, 400, 1000, 3000], 3), new("dropout", [0, 0.2, 0.4, 0.6], 0), new("user exponent", [0, 0.5, 1], 0), .. History(timed)],
        (data, setting, _) => FitEase(data, setting[0], setting[1], setting[2], timed ? setting[3] : 0));

    /// <summary>Implicit ALS, unobserved pairs and regularisation as in Rendle et al. 2021.</summary>
    public static RecommenderFamily Als { get; } = new("implicit ALS",
        [new("lambda", [0.001, 0.003, 0.01, 0.03, 0.1], 2), new("unobserved", [0.03, 0.1, 0.3, 1], 1), new("factors", [16, 32, 64, 128], 2), new("iterations", [6, 12, 24], 1)],
        (data, setting, seed) => UserScorers.Of(ImplicitAls.Fit(Ones(data.Pairs), new ImplicitAlsOptions
        {
            Regularization = (float)setting[0], UnobservedWeight = (float)setting[1], Factors = (int)setting[2], Alpha = 1, FrequencyExponent = 1, Iterations = (int)setting[3], Seed = seed,
        })));

    /// <summary>BPR.</summary>
    public static RecommenderFamily Pairwise { get; } = new("BPR",
        [new("regularisation", [0.003, 0.01, 0.03, 0.06], 1), new("candidates", [1, 4], 1), new("factors", [32, 96], 0), new("iterations", [20, 60, 150], 1)],
        (data, setting, seed) => UserScorers.Of(Bpr.Fit(data.Pairs, new BprOptions
        {
            Regularization = (float)setting[0], BiasRegularization = (float)setting[0] / 3, Candidates = (int)setting[1], Factors = (int)setting[2], Iterations = (int)setting[3],
            Seed = seed, Threads = Environment.ProcessorCount,
        })));

    private static IEnumerable<SettingAxis> History(bool timed) => timed ? [new SettingAxis("history half-life", [0, 3, 10, 40], 0)] : [];

    private static UserScorer FitEase(Interactions data, double lambda, double dropout, double userExponent, double halfLife)
    {
        var histories = Recent(data, halfLife);
        var learned = ByActivity(data.Pairs, userExponent / 2);
        // A weight below 1 shrinks XᵀX; λ keeps its proportion to it.
        var options = new EaseOptions { Regularization = (float)(lambda * (userExponent > 0 ? MeanSquare(learned) : 1)), Dropout = (float)dropout };
        if (data.Pairs.Columns <= MostEaseItems) return UserScorers.Of(Ease.Fit(learned, options), histories);

        int[] counts = data.Pairs.ColumnCounts(), kept = [.. Enumerable.Range(0, counts.Length).OrderByDescending(item => counts[item]).ThenBy(item => item).Take(MostEaseItems)];
        var place = new int[counts.Length];
        Array.Fill(place, -1);
        for (int k = 0; k < kept.Length; k++) place[kept[k]] = k;
        var model = Ease.Fit(Kept(learned, place, kept.Length), options);
        var scorer = UserScorers.Of(model, Kept(histories, place, kept.Length));
        return (user, into) =>
        {
            var own = new float[kept.Length];
            scorer(user, own);
            into.Fill(own.Min());
            for (int k = 0; k < kept.Length; k++) into[kept[k]] = own[k];
        };
    }

    private static SparseMatrix Kept(SparseMatrix data, int[] place, int columns)
    {
        var entries = new List<(int, int, float)>();
        for (int row = 0; row < data.Rows; row++)
            for (int k = 0; k < data.RowCount(row); k++)
                if (place[data.RowIndices(row)[k]] is >= 0 and var column) entries.Add((row, column, data.RowValues(row)[k]));
        return SparseMatrix.FromTriples(data.Rows, columns, entries);
    }

    private static int Neighbours(SparseMatrix data, int wanted) =>
        data.Columns <= MostItemsWithAllNeighbours ? wanted : Math.Min(wanted == 0 ? int.MaxValue : wanted, Math.Clamp(MostKept / data.Columns, 20, 300));

    private static SparseMatrix Ones(SparseMatrix data) => data.Map((_, _, _) => 1);

    /// <summary>1 divided by the length of the user's history to the <paramref name="exponent"/>.</summary>
    private static SparseMatrix ByActivity(SparseMatrix data, double exponent) =>
        exponent == 0 ? Ones(data) : data.Map((user, _, _) => (float)Math.Pow(data.RowCount(user), -exponent));

    private static double MeanSquare(SparseMatrix data)
    {
        double sum = 0;
        foreach (float value in data.Values) sum += value * value;
        return sum / Math.Max(1, data.Count);
    }

    /// <summary>Histories whose items count for half after every <paramref name="halfLife"/> later ones; all alike at 0 or without times.</summary>
    private static SparseMatrix Recent(Interactions data, double halfLife)
    {
        if (halfLife <= 0 || data.Times is null) return Ones(data.Pairs);
        var weights = new float[data.Pairs.Count];
        for (int user = 0; user < data.Pairs.Rows; user++)
        {
            int start = data.Pairs.RowStarts[user], count = data.Pairs.RowCount(user);
            int[] order = [.. Enumerable.Range(0, count)];
            Array.Sort(data.Times.RowValues(user).ToArray(), order);
            for (int rank = 0; rank < count; rank++) weights[start + order[rank]] = (float)Math.Pow(2, -(count - 1 - rank) / halfLife);
        }

        int at = 0;
        return data.Pairs.Map((_, _, _) => weights[at++]);
    }

    private static float[] Frequencies(Interactions data, double halfLife)
    {
        var counts = new float[data.Pairs.Columns];
        if (halfLife <= 0 || data.Times is null || data.Times.Count == 0)
        {
            foreach (int item in data.Pairs.Indices) counts[item]++;
            return counts;
        }

        float first = float.MaxValue, last = float.MinValue;
        foreach (float time in data.Times.Values) (first, last) = (Math.Min(first, time), Math.Max(last, time));
        for (int k = 0; k < data.Pairs.Count; k++)
            counts[data.Pairs.Indices[k]] += (float)Math.Pow(2, -(last - data.Times.Values[k]) / Math.Max(1e-9, (last - first) * halfLife));
        return counts;
    }
}
