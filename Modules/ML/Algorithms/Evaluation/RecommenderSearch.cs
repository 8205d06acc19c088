using System.Diagnostics;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>A family with the setting that did best in inner splits of the training part.</summary>
/// <param name="Family">The family.</param>
/// <param name="Setting">A value for each of its axes.</param>
/// <param name="Ndcg">Mean NDCG@k of the inner splits.</param>
/// <param name="Seconds">What the search took.</param>
/// <param name="Scorers">Learned from the training part of each inner split.</param>
public sealed record ChosenRecommender(RecommenderFamily Family, double[] Setting, double Ndcg, double Seconds, IReadOnlyList<UserScorer> Scorers)
{
    /// <summary>The settings as text.</summary>
    public string Describe() => string.Join(", ", Family.Axes.Select((axis, i) => FormattableString.Invariant($"{axis.Name} {Setting[i]:0.####}")));
}

/// <summary>
/// Chooses settings and the weights of a blend by inner splits of what may be learned from, held out by the same protocol; what it will be measured on is
/// never seen. The search goes axis by axis and stops where its share of the time is used up. Seeded; the outcome depends on the clock only where time runs out.
/// </summary>
public sealed class RecommenderSearch
{
    // Enough users that a hundredth of NDCG shows, and few enough to score all their items; small data are split twice for the same reason.
    private const int MostUsers = 3_000, MostPairs = 1_000_000, SmallPairs = 200_000;
    private const long MostScores = 100_000_000;
    private const double LeastGain = 0.0005;
    private static readonly float[] Weights = [0.1f, 0.2f, 0.35f, 0.5f, 0.75f, 1, 1.5f];
    private readonly InteractionSplit[] inner;
    private readonly UserScorer[] popular;
    private readonly int k, seed;

    /// <summary>Splits the training part, or a sample of its users where there are more than a million pairs.</summary>
    public RecommenderSearch(Interactions data, InteractionProtocol protocol, int k, int seed)
    {
        ArgumentNullException.ThrowIfNull(data);
        (this.k, this.seed) = (k, seed);
        var sample = SampleUsers(data, seed);
        int splits = protocol != InteractionProtocol.ByTime && data.Pairs.Count <= SmallPairs ? 2 : 1;
        inner = [.. Enumerable.Range(1, splits).Select(n =>
            RankingValidation.Sample(InteractionSplits.Hold(protocol, sample.Pairs, sample.Times, 0.2, seed + n), MostUsers, seed + n))];
        popular = [.. inner.Select(split => RecommenderFamily.Popularity(timed: false).Fit(Learned(split), [], seed))];
        Popular = Choose(RecommenderFamily.Popularity(data.Times is not null), TimeSpan.MaxValue);
        popular = [.. Popular.Scorers];
    }

    /// <summary>Popularity, which answers the users without a history.</summary>
    public ChosenRecommender Popular { get; }

    private bool CanChoose => inner.Any(split => split.Train.Count > 0 && split.Test.Any(wanted => wanted.Count > 0));

    /// <summary>Learns a chosen recommender from the whole training part, with <see cref="Popular"/> for users without a history.</summary>
    public UserScorer Fit(ChosenRecommender chosen, Interactions data)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(data);
        return chosen.Family.Fit(data, chosen.Setting, seed).WithoutHistory(data.Pairs, Popular.Family.Fit(data, Popular.Setting, seed));
    }

    /// <summary>The best setting found within <paramref name="budget"/>; the start of every axis where nothing can be told.</summary>
    public ChosenRecommender Choose(RecommenderFamily family, TimeSpan budget)
    {
        ArgumentNullException.ThrowIfNull(family);
        var clock = Stopwatch.StartNew();
        double[] best = family.Start;
        var (scorers, ndcg) = Try(family, best);
        var known = new Dictionary<string, double>();
        // Twice over all axes, the second time from where the first ended.
        for (int step = 0; step < 2 * family.Axes.Count && CanChoose; step++)
        {
            int axis = step % family.Axes.Count;
            double[] values = [.. family.Axes[axis].Values];
            int start = Array.IndexOf(values, best[axis]);
            // Outwards from the start on both sides, a side being left where it gets worse.
            foreach (int direction in (int[])[1, -1])
            {
                double most = ndcg;
                for (int at = start + direction; at >= 0 && at < values.Length && clock.Elapsed < budget; at += direction)
                {
                    double[] setting = [.. best];
                    setting[axis] = values[at];
                    string key = string.Join(' ', setting);
                    if (!known.TryGetValue(key, out double value))
                    {
                        (var tried, value) = Try(family, setting);
                        known.Add(key, value);
                        if (value > ndcg) (best, scorers, ndcg) = (setting, tried, value);
                    }

                    if (value < 0.98 * most) break;
                    most = Math.Max(most, value);
                }
            }
        }

        return new ChosenRecommender(family, best, ndcg, clock.Elapsed.TotalSeconds, scorers);
    }

    /// <summary>
    /// Weights of the standardised scores, 0 for those left out: starts from the best one and adds (or reweighs) whatever raises NDCG most, as long as it
    /// rises by more than a twentieth of a hundredth (forward selection, Caruana et al. 2004).
    /// </summary>
    public float[] Blend(IReadOnlyList<ChosenRecommender> chosen)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        var weights = new float[chosen.Count];
        int best = Enumerable.Range(0, chosen.Count).MaxBy(i => chosen[i].Ndcg);
        weights[best] = 1;
        if (!CanChoose) return weights;
        var cases = Cases(chosen);
        double value = Value(cases, weights);
        for (int round = 0; round < 3; round++)
        {
            double before = value;
            foreach (int part in Enumerable.Range(0, chosen.Count).OrderByDescending(i => chosen[i].Ndcg))
            {
                if (part == best) continue;
                float kept = weights[part];
                var (top, at) = (value + LeastGain, kept);
                foreach (float weight in Weights.Prepend(0))
                {
                    if (weight == kept) continue;
                    weights[part] = weight;
                    double tried = Value(cases, weights);
                    if (tried > top) (top, at) = (tried, weight);
                }

                weights[part] = at;
                if (at != kept) value = top;
            }

            if (value - before < LeastGain) break;
        }

        return weights;
    }

    /// <summary>A held-out user of an inner split: the split, the user, and each recommender's standardised scores.</summary>
    private sealed record Case(InteractionSplit Split, int User, float[][] Scores);

    private List<Case> Cases(IReadOnlyList<ChosenRecommender> chosen)
    {
        int columns = inner[0].Train.Columns, most = (int)Math.Clamp(MostScores / ((long)columns * chosen.Count * inner.Length), 50, MostUsers);
        var cases = new List<Case>();
        for (int s = 0; s < inner.Length; s++)
        {
            var split = RankingValidation.Sample(inner[s], most, seed);
            cases.AddRange(Enumerable.Range(0, split.Test.Count).Where(user => split.Test[user].Count > 0).Select(user => new Case(split, user, new float[chosen.Count][])));
            int number = s;
            Parallel.ForEach(cases.Where(c => c.Split == split), one =>
            {
                for (int part = 0; part < chosen.Count; part++)
                {
                    one.Scores[part] = new float[columns];
                    chosen[part].Scorers[number](one.User, one.Scores[part]);
                    UserScorers.Standardise(one.Scores[part]);
                }
            });
        }

        return cases;
    }

    private double Value(List<Case> cases, float[] weights)
    {
        var ndcg = new double[cases.Count];
        int columns = inner[0].Train.Columns;
        Parallel.For(0, cases.Count, () => new float[columns], (m, _, sum) =>
        {
            var one = cases[m];
            sum.AsSpan().Clear();
            for (int part = 0; part < weights.Length; part++)
                if (weights[part] != 0) FloatKernels.AddScaled(ref one.Scores[part][0], weights[part], ref sum[0], columns);
            ndcg[m] = RankingMetrics.Ndcg(RankingValidation.Best(sum, one.Split.Train.RowIndices(one.User), k), one.Split.Test[one.User], k);
            return sum;
        }, static _ => { });
        return ndcg.Average();
    }

    private (IReadOnlyList<UserScorer> Scorers, double Ndcg) Try(RecommenderFamily family, double[] setting)
    {
        UserScorer[] scorers = [.. inner.Select((split, s) => family.Fit(Learned(split), setting, seed).WithoutHistory(split.Train, popular[s]))];
        return (scorers, CanChoose ? inner.Select((split, s) => RankingValidation.Ndcg(split, scorers[s], k)).Average() : 0);
    }

    private static Interactions Learned(InteractionSplit split) => new(split.Train, split.TrainTimes);

    private static Interactions SampleUsers(Interactions data, int seed)
    {
        if (data.Pairs.Count <= MostPairs) return data;
        var random = new Random(seed);
        var keep = new bool[data.Pairs.Rows];
        for (int user = 0; user < keep.Length; user++) keep[user] = random.NextDouble() < (double)MostPairs / data.Pairs.Count;
        return new Interactions(Rows(data.Pairs, keep), data.Times is null ? null : Rows(data.Times, keep));
    }

    private static SparseMatrix Rows(SparseMatrix data, bool[] keep)
    {
        var entries = new List<(int, int, float)>();
        int rows = 0;
        for (int row = 0; row < data.Rows; row++)
        {
            if (!keep[row]) continue;
            for (int k = 0; k < data.RowCount(row); k++) entries.Add((rows, data.RowIndices(row)[k], data.RowValues(row)[k]));
            rows++;
        }

        return SparseMatrix.FromTriples(rows, data.Columns, entries);
    }
}
