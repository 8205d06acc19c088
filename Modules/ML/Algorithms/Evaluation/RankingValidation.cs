using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Top-K lists of a recommender for the users with held-out items, and their NDCG.</summary>
public static class RankingValidation
{
    /// <summary>The k best items of every user with held-out items, without those of the training row; empty for the others. Parallel over users.</summary>
    public static IReadOnlyList<int>[] Lists(InteractionSplit split, UserScorer scorer, int k)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var lists = new IReadOnlyList<int>[split.Train.Rows];
        Parallel.For(0, lists.Length, () => new float[split.Train.Columns], (user, _, scores) =>
        {
            lists[user] = [];
            if (split.Test[user].Count == 0) return scores;
            scorer(user, scores);
            lists[user] = Best(scores, split.Train.RowIndices(user), k);
            return scores;
        }, static _ => { });
        return lists;
    }

    /// <summary>The mean NDCG@k over the users with held-out items; 0 without any.</summary>
    public static double Ndcg(InteractionSplit split, UserScorer scorer, int k)
    {
        var lists = Lists(split, scorer, k);
        return Enumerable.Range(0, lists.Length).Where(user => split.Test[user].Count > 0)
            .Select(user => RankingMetrics.Ndcg(lists[user].ToArray(), split.Test[user], k)).DefaultIfEmpty(0).Average();
    }

    /// <summary>The same split measured on at most <paramref name="most"/> users, drawn at random.</summary>
    public static InteractionSplit Sample(InteractionSplit split, int most, int seed)
    {
        ArgumentNullException.ThrowIfNull(split);
        int[] users = [.. Enumerable.Range(0, split.Test.Count).Where(user => split.Test[user].Count > 0)];
        if (users.Length <= most) return split;
        new Random(seed).Shuffle(users);
        var chosen = users.Take(most).ToHashSet();
        var none = new HashSet<int>();
        return split with { Test = [.. split.Test.Select((wanted, user) => chosen.Contains(user) ? wanted : none)] };
    }

    /// <summary>The k highest scores' items, best first, without <paramref name="seen"/>; overwrites the scores of those.</summary>
    internal static int[] Best(Span<float> scores, ReadOnlySpan<int> seen, int k)
    {
        foreach (int item in seen) scores[item] = float.NegativeInfinity;
        return [.. TopK.Of(scores, k).Select(scored => scored.Index)];
    }
}
