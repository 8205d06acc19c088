namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>What a recommender's top-K lists are worth, averaged over the users with held-out items.</summary>
/// <param name="K">Length of the lists.</param>
/// <param name="Users">Users measured.</param>
/// <param name="Ndcg">NDCG@K, binary.</param>
/// <param name="Map">MAP@K over min(K, relevant).</param>
/// <param name="MapAllRelevant">MAP@K over all relevant items.</param>
/// <param name="Mrr">Mean reciprocal rank of the first hit.</param>
/// <param name="Precision">Precision@K.</param>
/// <param name="Recall">Recall@K.</param>
/// <param name="HitRate">Share of users with a hit.</param>
/// <param name="Coverage">Share of the catalogue shown to anyone.</param>
/// <param name="Novelty">Mean self-information in bits.</param>
/// <param name="Popularity">Mean training popularity of what is shown.</param>
/// <param name="Gini">Inequality of how often items are shown.</param>
/// <param name="Diversity">Intra-list diversity by shared training users (cosine).</param>
/// <param name="Serendipity">Relevant and unlike the history, by the same similarity.</param>
/// <param name="NdcgByUser">NDCG of each measured user in order of users, for paired tests and intervals.</param>
public sealed record RankingReport(int K, int Users, double Ndcg, double Map, double MapAllRelevant, double Mrr, double Precision, double Recall,
    double HitRate, double Coverage, double Novelty, double Popularity, double Gini, double Diversity, double Serendipity, IReadOnlyList<double> NdcgByUser)
{
    /// <summary>
    /// Asks <paramref name="recommend"/> for the list (item indices, best first) of every user with held-out items and measures it. Items of the user's
    /// training row that it answers count as misses. Diversity and serendipity compare items by the cosine of their training users, on every n-th user such that
    /// at most <paramref name="mostCompared"/> are compared.
    /// </summary>
    public static RankingReport Measure(InteractionSplit split, Func<int, IReadOnlyList<int>> recommend, int k = 10, int mostCompared = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(recommend);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostCompared, 1);
        var train = split.Train;
        var counts = train.ColumnCounts();
        var byItem = train.Transpose();
        var cosines = new Dictionary<long, double>();
        double Cosine(int i, int j)
        {
            long pair = ((long)Math.Min(i, j) << 32) | (uint)Math.Max(i, j);
            if (cosines.TryGetValue(pair, out double known)) return known;
            double cosine = Common(byItem.RowIndices(i), byItem.RowIndices(j)) / Math.Sqrt(Math.Max(1.0, counts[i]) * Math.Max(1.0, counts[j]));
            // Pairs repeat most among the popular; the rest is cheap enough.
            if (cosines.Count < 1_000_000) cosines.Add(pair, cosine);
            return cosine;
        }

        var lists = new List<IReadOnlyList<int>>();
        var histories = new List<IReadOnlyList<int>>();
        var relevant = new List<IReadOnlySet<int>>();
        var ndcg = new List<double>();
        double map = 0, mapAll = 0, mrr = 0, precision = 0, recall = 0, hits = 0;
        for (int user = 0; user < train.Rows; user++)
        {
            var wanted = split.Test[user];
            if (wanted.Count == 0) continue;
            var list = recommend(user).Take(k).ToArray();
            lists.Add(list);
            histories.Add(train.RowIndices(user).ToArray());
            relevant.Add(wanted);
            ndcg.Add(RankingMetrics.Ndcg(list, wanted, k));
            map += RankingMetrics.AveragePrecision(list, wanted, k);
            mapAll += RankingMetrics.AveragePrecision(list, wanted, k, AveragePrecisionDenominator.AllRelevant);
            mrr += RankingMetrics.ReciprocalRank(list, wanted, k);
            precision += RankingMetrics.Precision(list, wanted, k);
            recall += RankingMetrics.Recall(list, wanted, k);
            hits += RankingMetrics.HitRate(list, wanted, k);
        }

        double n = lists.Count;
        if (n == 0) throw new ArgumentException("No user has a held-out item.", nameof(split));
        int every = (int)((lists.Count + (long)mostCompared - 1) / mostCompared);
        List<T> Compared<T>(List<T> all) => every <= 1 ? all : [.. all.Where((_, i) => i % every == 0)];
        return new RankingReport(k, lists.Count, ndcg.Average(), map / n, mapAll / n, mrr / n, precision / n, recall / n, hits / n,
            BeyondAccuracy.Coverage(lists, train.Columns), BeyondAccuracy.Novelty(lists, counts, train.Rows), BeyondAccuracy.Popularity(lists, counts, train.Rows),
            BeyondAccuracy.Gini(lists, train.Columns), BeyondAccuracy.Diversity(Compared(lists), Cosine),
            BeyondAccuracy.Serendipity(Compared(lists), Compared(histories), Compared(relevant), Cosine), ndcg);
    }

    private static int Common(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        int i = 0, j = 0, common = 0;
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j]) (i, j, common) = (i + 1, j + 1, common + 1);
            else if (a[i] < b[j]) i++;
            else j++;
        }

        return common;
    }
}
