namespace OKLA.ML.Algorithms.Factorization;

/// <summary>Scores of every item for one user of the training, into <paramref name="scores"/> (length = items, overwritten). Safe for many threads at once.</summary>
public delegate void UserScorer(int user, Span<float> scores);

/// <summary>What a recommender learns from.</summary>
/// <param name="Pairs">Users × items with the weight of each pair.</param>
/// <param name="Times">When each pair first happened, in the same pattern; null where order plays no part.</param>
public sealed record Interactions(SparseMatrix Pairs, SparseMatrix? Times = null);

/// <summary>Makes one interface of the models: every item's score for a user of the training.</summary>
public static class UserScorers
{
    /// <summary>The same score for everybody.</summary>
    public static UserScorer Of(float[] scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        return (_, into) => scores.CopyTo(into);
    }

    /// <summary>A model of items from the weights of users' histories.</summary>
    public static UserScorer Of(ItemToItemModel model, SparseMatrix histories)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(histories);
        return (user, into) => model.Score(histories.RowIndices(user), histories.RowValues(user), into);
    }

    /// <summary>A factor model of the same users.</summary>
    public static UserScorer Of(FactorModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return (user, into) =>
        {
            for (int item = 0; item < into.Length; item++) into[item] = model.Score(user, item);
        };
    }

    /// <summary>Answers users without a history by another scorer.</summary>
    public static UserScorer WithoutHistory(this UserScorer scorer, SparseMatrix histories, UserScorer otherwise)
    {
        ArgumentNullException.ThrowIfNull(histories);
        return (user, into) => (histories.RowCount(user) == 0 ? otherwise : scorer)(user, into);
    }

    /// <summary>The weighted sum of scorers, each first brought to mean 0 and deviation 1 over the items of the user.</summary>
    public static UserScorer Blend(IReadOnlyList<(UserScorer Scorer, float Weight)> parts) => (user, into) =>
    {
        var own = new float[into.Length];
        into.Clear();
        foreach (var (scorer, weight) in parts)
        {
            scorer(user, own);
            Standardise(own);
            FloatKernels.AddScaled(ref own[0], weight, ref into[0], own.Length);
        }
    };

    /// <summary>To mean 0 and deviation 1; zeros where all are equal.</summary>
    internal static void Standardise(Span<float> scores)
    {
        double sum = 0, squares = 0;
        foreach (float score in scores) sum += score;
        double mean = sum / scores.Length;
        foreach (float score in scores) squares += (score - mean) * (score - mean);
        double deviation = Math.Sqrt(squares / scores.Length);
        for (int i = 0; i < scores.Length; i++) scores[i] = deviation > 0 ? (float)((scores[i] - mean) / deviation) : 0;
    }
}
