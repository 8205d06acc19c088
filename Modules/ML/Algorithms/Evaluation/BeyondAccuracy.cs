namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>
/// Measures of whole sets of recommendation lists that ask more than "was it right": how much of the catalogue is shown, how unlike each other
/// the shown items are, how unexpected, how unequal. Lists hold zero-based item indices.
/// </summary>
public static class BeyondAccuracy
{
    /// <summary>Share of the catalogue that appears in at least one list, in [0, 1].</summary>
    public static double Coverage(IEnumerable<IReadOnlyList<int>> lists, int items)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 1);
        return (double)lists.SelectMany(list => list).Distinct().Count() / items;
    }

    /// <summary>Intra-list diversity: the mean of 1 − similarity over all pairs of one list, averaged over lists of two or more (Ziegler et al. 2005).</summary>
    public static double Diversity(IEnumerable<IReadOnlyList<int>> lists, Func<int, int, double> similarity)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentNullException.ThrowIfNull(similarity);
        return MeanOrZero(lists.Where(list => list.Count > 1).Select(list =>
        {
            double sum = 0;
            for (int i = 0; i < list.Count; i++)
                for (int j = 0; j < i; j++) sum += 1 - similarity(list[i], list[j]);
            return sum / (list.Count * (list.Count - 1) / 2.0);
        }));
    }

    /// <summary>
    /// Novelty: the mean self-information −log2(count/users) of recommended items in bits (Castells, Vargas, Wang 2011).
    /// <paramref name="counts"/> are training users by item; an item nobody took counts as taken by one.
    /// </summary>
    public static double Novelty(IEnumerable<IReadOnlyList<int>> lists, IReadOnlyList<int> counts, int users)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentOutOfRangeException.ThrowIfLessThan(users, 1);
        return MeanOrZero(lists.SelectMany(list => list).Select(item => -Math.Log2(Math.Max(counts[item], 1) / (double)users)));
    }

    /// <summary>
    /// Serendipity: the mean over lists of unexpected × relevant, where unexpected is 1 − the item's mean similarity to the user's history
    /// (Zhang et al. 2012, with relevance). Higher is better; lists of users without a history count as fully unexpected.
    /// </summary>
    public static double Serendipity(IReadOnlyList<IReadOnlyList<int>> lists, IReadOnlyList<IReadOnlyList<int>> histories,
        IReadOnlyList<IReadOnlySet<int>> relevant, Func<int, int, double> similarity)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentNullException.ThrowIfNull(histories);
        ArgumentNullException.ThrowIfNull(relevant);
        ArgumentNullException.ThrowIfNull(similarity);
        if (histories.Count != lists.Count || relevant.Count != lists.Count) throw new ArgumentException("Lists, histories and relevant sets must be equally many.", nameof(lists));
        return MeanOrZero(Enumerable.Range(0, lists.Count).Where(u => lists[u].Count > 0).Select(u => lists[u].Average(item =>
            !relevant[u].Contains(item) ? 0 : histories[u].Count == 0 ? 1 : 1 - histories[u].Average(seen => similarity(item, seen)))));
    }

    /// <summary>Gini coefficient of how often each item of the catalogue is shown: 0 = all equally, towards 1 = one item only.</summary>
    public static double Gini(IEnumerable<IReadOnlyList<int>> lists, int items)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 1);
        var shown = new long[items];
        foreach (var list in lists)
            foreach (int item in list) shown[item]++;
        Array.Sort(shown);
        double weighted = 0, total = 0;
        for (int i = 0; i < items; i++)
        {
            weighted += (2.0 * (i + 1) - items - 1) * shown[i];
            total += shown[i];
        }

        return total == 0 ? 0 : weighted / (items * total);
    }

    /// <summary>Mean training popularity of recommended items: users who took it over all users.</summary>
    public static double Popularity(IEnumerable<IReadOnlyList<int>> lists, IReadOnlyList<int> counts, int users)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentOutOfRangeException.ThrowIfLessThan(users, 1);
        return MeanOrZero(lists.SelectMany(list => list).Select(item => counts[item] / (double)users));
    }

    private static double MeanOrZero(IEnumerable<double> values) => values.DefaultIfEmpty(0).Average();
}
