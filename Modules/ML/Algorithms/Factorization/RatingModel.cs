namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// Predicts a rating as μ + b_u + b_i + x_u·y_i, in the unit of the ratings learned from and clipped to their range. Immutable and safe for many threads.
/// </summary>
public sealed class RatingModel
{
    private const string Kind = "OKLARATE";
    private readonly float[] userBiases;
    private readonly float[] itemBiases;
    private readonly float[] users;
    private readonly float[] items;

    internal RatingModel(float mean, float least, float most, float regularization, int dimension, float[] userBiases, float[] itemBiases, float[] users, float[] items)
    {
        (Mean, Least, Most, Regularization, Dimension) = (mean, least, most, regularization, dimension);
        (this.userBiases, this.itemBiases, this.users, this.items) = (userBiases, itemBiases, users, items);
    }

    /// <summary>μ, the weighted mean rating.</summary>
    public float Mean { get; }

    /// <summary>The smallest rating learned from.</summary>
    public float Least { get; }

    /// <summary>The largest rating learned from.</summary>
    public float Most { get; }

    /// <summary>λ of a fold-in.</summary>
    public float Regularization { get; }

    /// <summary>Length of each vector.</summary>
    public int Dimension { get; }

    /// <summary>Number of users.</summary>
    public int Users => userBiases.Length;

    /// <summary>Number of items.</summary>
    public int Items => itemBiases.Length;

    /// <summary>The expected rating; a user or item of −1 stands for an unknown one, which has no bias and no vector.</summary>
    public float Predict(int user, int item)
    {
        float rating = Mean + (user < 0 ? 0 : userBiases[user]) + (item < 0 ? 0 : itemBiases[item]);
        if (user >= 0 && item >= 0) rating += FloatKernels.Dot(users.AsSpan(user * Dimension, Dimension), items.AsSpan(item * Dimension, Dimension));
        return Math.Clamp(rating, Least, Most);
    }

    /// <summary>The expected rating of an item by a folded-in user.</summary>
    public float Predict(FoldedUser user, int item)
    {
        ArgumentNullException.ThrowIfNull(user);
        return Math.Clamp(Mean + user.Bias + itemBiases[item] + FloatKernels.Dot(user.Factors, items.AsSpan(item * Dimension, Dimension)), Least, Most);
    }

    /// <summary>A user who was not in the training, from ratings of some items: ridge regression with the items fixed (λ times the number of ratings).</summary>
    public FoldedUser FoldIn(ReadOnlySpan<int> history, ReadOnlySpan<float> ratings)
    {
        if (history.Length != ratings.Length) throw new ArgumentException("Items and ratings must be equally many.", nameof(ratings));
        var row = new float[Dimension + 1];
        if (history.Length > 0) ExplicitAls.SolveRow(history, ratings, default, Mean, itemBiases, items, Dimension, Regularization, row);
        return new FoldedUser(row[Dimension], row[..Dimension]);
    }

    /// <summary>Writes the model, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        to.Write(Dimension);
        to.Write(Mean);
        to.Write(Least);
        to.Write(Most);
        to.Write(Regularization);
        to.Write<float>(userBiases);
        to.Write<float>(itemBiases);
        to.Write<float>(users);
        to.Write<float>(items);
        to.Finish();
    }

    /// <summary>Reads a saved model; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static RatingModel Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        int dimension = from.ReadInt32();
        var (mean, least, most, regularization) = (from.ReadSingle(), from.ReadSingle(), from.ReadSingle(), from.ReadSingle());
        var model = new RatingModel(mean, least, most, regularization, dimension, from.ReadArray<float>(), from.ReadArray<float>(), from.ReadArray<float>(), from.ReadArray<float>());
        from.Finish();
        return model;
    }

    internal static (float Mean, float Least, float Most) Summary(SparseMatrix ratings, SparseMatrix? weights)
    {
        if (ratings.Count == 0) throw new ArgumentException("There are no ratings.", nameof(ratings));
        double sum = 0, total = 0;
        float least = float.PositiveInfinity, most = float.NegativeInfinity;
        for (int i = 0; i < ratings.Count; i++)
        {
            double w = weights is null ? 1 : weights.Values[i];
            sum += w * ratings.Values[i];
            total += w;
            least = Math.Min(least, ratings.Values[i]);
            most = Math.Max(most, ratings.Values[i]);
        }

        return ((float)(sum / total), least, most);
    }
}

/// <summary>A user known only by a few ratings.</summary>
/// <param name="Bias">b_u.</param>
/// <param name="Factors">x_u.</param>
public sealed record FoldedUser(float Bias, float[] Factors);
