using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>What a history item gave to a score.</summary>
/// <param name="Item">The item of the history.</param>
/// <param name="Value">Its part of the score; the parts of a history add up to the score.</param>
public readonly record struct Contribution(int Item, double Value);

/// <summary>How <see cref="FactorModel.FoldIn"/> weighs a history: the training's own confidence and regularisation.</summary>
/// <param name="Alpha">α of c = α₀ + α·r.</param>
/// <param name="UnobservedWeight">α₀ of a pair without observation.</param>
/// <param name="Regularization">λ.</param>
/// <param name="FrequencyExponent">ν of λ_u = λ·(|history| + α₀·|items|)^ν.</param>
/// <param name="Pairwise">Set for a model learned from pairs: its fold-in takes ranking steps instead of solving least squares.</param>
public sealed record FoldInSettings(float Alpha, float UnobservedWeight, float Regularization, float FrequencyExponent, PairwiseFoldIn? Pairwise = null);

/// <summary>A fold-in by seeded ranking steps with fixed items, as <see cref="Bpr"/> learns.</summary>
/// <param name="LearningRate">Step at the start; it falls linearly to a tenth.</param>
/// <param name="Regularization">λ on the user vector.</param>
/// <param name="Steps">Number of steps.</param>
/// <param name="Seed">Seed of the draws: the same history gives the same vector.</param>
public sealed record PairwiseFoldIn(float LearningRate, float Regularization, int Steps, int Seed);

/// <summary>
/// User and item vectors whose inner product is the score. Immutable and safe for many threads at once.
/// A user who was not in the training gets a vector by <see cref="FoldIn"/>.
/// </summary>
public sealed class FactorModel
{
    private const string Kind = "OKLAFACT";
    private readonly float[] users;
    private readonly float[] items;
    private readonly Lazy<double[]> gram;
    private readonly ExactTopK search;

    /// <summary>Wraps users × d and items × d factors, row after row (kept, not copied), and the settings of a fold-in.</summary>
    public FactorModel(float[] userFactors, float[] itemFactors, int dimension, FoldInSettings settings)
    {
        ArgumentNullException.ThrowIfNull(userFactors);
        ArgumentNullException.ThrowIfNull(itemFactors);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        if (userFactors.Length % dimension != 0 || itemFactors.Length % dimension != 0)
            throw new ArgumentException($"The factors are not rows of {dimension}.", nameof(dimension));
        users = userFactors;
        items = itemFactors;
        Dimension = dimension;
        Settings = settings;
        search = new ExactTopK(items, dimension);
        gram = new Lazy<double[]>(() => FloatKernels.Gram(items, Items, Dimension, new ParallelOptions()));
    }

    /// <summary>Number of users.</summary>
    public int Users => users.Length / Dimension;

    /// <summary>Number of items.</summary>
    public int Items => items.Length / Dimension;

    /// <summary>Length of each vector, d.</summary>
    public int Dimension { get; }

    /// <summary>The weights a fold-in uses.</summary>
    public FoldInSettings Settings { get; }

    /// <summary>All user vectors, users × d.</summary>
    public ReadOnlyMemory<float> UserFactors => users;

    /// <summary>All item vectors, items × d.</summary>
    public ReadOnlyMemory<float> ItemFactors => items;

    /// <summary>One user's vector.</summary>
    public ReadOnlySpan<float> User(int user) => users.AsSpan(user * Dimension, Dimension);

    /// <summary>One item's vector.</summary>
    public ReadOnlySpan<float> Item(int item) => items.AsSpan(item * Dimension, Dimension);

    /// <summary>Score of an item for a user of the training; higher is better.</summary>
    public float Score(int user, int item) => FloatKernels.Dot(User(user), Item(item));

    /// <summary>Score of an item for a user vector, for example a folded-in one.</summary>
    public float Score(ReadOnlySpan<float> user, int item) => FloatKernels.Dot(user, Item(item));

    /// <summary>The k best items for a user vector, best first; <paramref name="exclude"/> and <paramref name="allowed"/> narrow the answer.</summary>
    public Scored[] Recommend(ReadOnlySpan<float> user, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null) =>
        search.Search(user, k, exclude, allowed);

    /// <summary>The k items most similar to an item by cosine, best first, without itself.</summary>
    public Scored[] SimilarItems(int item, int k)
    {
        var to = Item(item);
        float norm = MathF.Sqrt(FloatKernels.Dot(to, to));
        var best = new TopK(k);
        for (int i = 0; i < Items; i++)
        {
            if (i == item) continue;
            var other = Item(i);
            float length = norm * MathF.Sqrt(FloatKernels.Dot(other, other));
            best.Offer(i, length > 0 ? FloatKernels.Dot(to, other) / length : 0);
        }

        return best.ToSorted();
    }

    /// <summary>
    /// The vector of a user with this history: the exact solution of eq. 4 of Hu et al. 2008 with the items fixed, d floats.
    /// <paramref name="weights"/> are the r of each item (empty: 1 each). An empty history gives the zero vector (a pairwise model: only the item biases
    /// count). Nothing is stored. A pairwise model takes ranking steps instead and does not look at the weights.
    /// </summary>
    public float[] FoldIn(ReadOnlySpan<int> history, ReadOnlySpan<float> weights = default)
    {
        if (Settings.Pairwise is { } pairwise) return Bpr.FoldIn(items, Dimension, pairwise, history);
        var x = new double[Dimension];
        if (history.Length == 0) return new float[Dimension];
        var system = NormalEquations(history, weights);
        for (int k = 0; k < history.Length; k++)
        {
            double c = Confidence(weights, k);
            var y = Item(history[k]);
            for (int i = 0; i < x.Length; i++) x[i] += c * y[i];
        }

        system.Solve(x);
        return Array.ConvertAll(x, value => (float)value);
    }

    /// <summary>
    /// How much each item of a history gives to the score of <paramref name="item"/>: c_j · y_iᵀ W y_j with W = (YᵀCY + λI)⁻¹
    /// (Hu et al. 2008, eq. 7-8). In the order of the history; the values add up to the folded-in score. Throws for a pairwise model, whose scores are not
    /// a sum over the history.
    /// </summary>
    public Contribution[] Explain(ReadOnlySpan<int> history, ReadOnlySpan<float> weights, int item)
    {
        if (Settings.Pairwise is not null) throw new InvalidOperationException("The scores of a model learned from pairs are not a sum over the history.");
        if (history.Length == 0) return [];
        var z = new double[Dimension];
        var target = Item(item);
        for (int i = 0; i < z.Length; i++) z[i] = target[i];
        NormalEquations(history, weights).Solve(z);
        var parts = new Contribution[history.Length];
        for (int k = 0; k < parts.Length; k++)
        {
            var y = Item(history[k]);
            double sum = 0;
            for (int i = 0; i < z.Length; i++) sum += z[i] * y[i];
            parts[k] = new Contribution(history[k], Confidence(weights, k) * sum);
        }

        return parts;
    }

    /// <summary>Writes the model, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        to.Write(Dimension);
        to.Write(Settings.Alpha);
        to.Write(Settings.UnobservedWeight);
        to.Write(Settings.Regularization);
        to.Write(Settings.FrequencyExponent);
        to.Write(Settings.Pairwise is null ? 0 : 1);
        to.Write(Settings.Pairwise?.LearningRate ?? 0);
        to.Write(Settings.Pairwise?.Regularization ?? 0);
        to.Write(Settings.Pairwise?.Steps ?? 0);
        to.Write(Settings.Pairwise?.Seed ?? 0);
        to.Write<float>(users);
        to.Write<float>(items);
        to.Finish();
    }

    /// <summary>Reads a saved model; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static FactorModel Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        int dimension = from.ReadInt32();
        var settings = new FoldInSettings(from.ReadSingle(), from.ReadSingle(), from.ReadSingle(), from.ReadSingle());
        bool hasPairs = from.ReadInt32() == 1;
        var pairwise = new PairwiseFoldIn(from.ReadSingle(), from.ReadSingle(), from.ReadInt32(), from.ReadInt32());
        var users = from.ReadArray<float>();
        var items = from.ReadArray<float>();
        from.Finish();
        return new FactorModel(users, items, dimension, settings with { Pairwise = hasPairs ? pairwise : null });
    }

    internal static void RequireSize(int rows, int dimension)
    {
        if ((long)rows * dimension > Array.MaxLength) throw new ArgumentException($"{rows} rows of {dimension} factors do not fit into one array.", nameof(rows));
    }

    private double Confidence(ReadOnlySpan<float> weights, int k) =>
        Settings.UnobservedWeight + Settings.Alpha * (weights.IsEmpty ? 1.0 : weights[k]);

    private Cholesky NormalEquations(ReadOnlySpan<int> history, ReadOnlySpan<float> weights)
    {
        if (!weights.IsEmpty && weights.Length != history.Length) throw new ArgumentException("Items and weights must be equally many.", nameof(weights));
        int d = Dimension;
        var source = gram.Value;
        var a = new double[d * d];
        for (int i = 0; i < a.Length; i++) a[i] = Settings.UnobservedWeight * source[i];
        double lambda = ImplicitAls.RowRegularization(Settings.Regularization, Settings.FrequencyExponent, Settings.UnobservedWeight, history.Length, Items);
        for (int i = 0; i < d; i++) a[i * d + i] += lambda;
        for (int k = 0; k < history.Length; k++)
        {
            double w = Settings.Alpha * (weights.IsEmpty ? 1.0 : weights[k]);
            var y = Item(history[k]);
            for (int i = 0; i < d; i++)
            {
                double scaled = w * y[i];
                for (int j = 0; j <= i; j++) a[i * d + j] += scaled * y[j];
            }
        }

        return new Cholesky(a, d);
    }
}
