using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

/// <summary>Small made-up data with structure: users of group g prefer items of group g (index modulo the number of groups).</summary>
internal static class Synthetic
{
    public static SparseMatrix Groups(int users, int items, int groups, int perUser, int seed, double loyalty = 0.9)
    {
        var random = new Random(seed);
        var entries = new Dictionary<(int, int), float>();
        for (int u = 0; u < users; u++)
            for (int n = 0; n < perUser; n++)
            {
                int group = random.NextDouble() < loyalty ? u % groups : random.Next(groups);
                entries[(u, random.Next(items / groups) * groups + group)] = 1 + random.Next(3);
            }

        return SparseMatrix.FromTriples(users, items, [.. entries.Select(e => (e.Key.Item1, e.Key.Item2, e.Value))]);
    }

    /// <summary>Share of (own group, other group) item pairs, neither seen, that a score puts in the right order.</summary>
    public static double GroupAuc(SparseMatrix seen, int groups, Func<int, int, float> score)
    {
        double right = 0;
        long pairs = 0;
        for (int u = 0; u < seen.Rows; u++)
            for (int own = u % groups; own < seen.Columns; own += groups)
            {
                if (seen.Contains(u, own)) continue;
                int other = (own * 7 + u) % seen.Columns;
                if (other % groups == u % groups || seen.Contains(u, other)) continue;
                float a = score(u, own), b = score(u, other);
                right += a > b ? 1 : a == b ? 0.5 : 0;
                pairs++;
            }

        return right / pairs;
    }
}
