using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>A moment in a person's past: what they had met by then, and which new items they met afterwards.</summary>
internal sealed record PersonCut(PersonTaste Earlier, int[] Later, IReadOnlySet<int> Known);

/// <summary>
/// Examples to learn from in the order of time, as serving meets them: each person's items in the order of first meeting, cut after a quarter, a
/// half and three quarters. What is to be foretold is never part of what it is foretold from.
/// </summary>
internal sealed class TrainingCuts
{
    private readonly int[] pool;
    private readonly double[] chances;

    private TrainingCuts(List<PersonCut> cuts, int[] pool, double[] chances)
    {
        All = cuts;
        this.pool = pool;
        this.chances = chances;
    }

    /// <summary>The cuts, by person.</summary>
    public IReadOnlyList<PersonCut> All { get; }

    /// <summary>Pairs of a cut and an item met after it.</summary>
    public int Pairs => All.Sum(cut => cut.Later.Length);

    /// <param name="order">By person the items in the order of first meeting.</param>
    /// <param name="weights">People × items, see <see cref="ItemRecommender.Weights"/>.</param>
    /// <param name="content">The items' content.</param>
    /// <param name="items">The items.</param>
    /// <param name="knobs">The settings.</param>
    /// <param name="mostPairs">Pairs at most where that is fewer than the settings say.</param>
    public static TrainingCuts Of(IReadOnlyList<List<int>> order, SparseMatrix weights, ContentIndex content, IReadOnlyList<ItemSnapshot> items, RecommenderKnobs knobs, int? mostPairs = null)
    {
        var people = Enumerable.Range(0, order.Count).Where(person => order[person].Count >= 2).ToArray();
        new Random(knobs.Seed).Shuffle(people);
        var (cuts, pairs) = (new List<PersonCut>(), 0);
        foreach (var person in people)
        {
            if (pairs >= Math.Min(mostPairs ?? int.MaxValue, knobs.MaxPairs))
            {
                break;
            }

            var met = order[person];
            var known = met.ToHashSet();
            foreach (var at in new[] { met.Count / 4, met.Count / 2, met.Count * 3 / 4 }.Where(at => at > 0).Distinct())
            {
                int[] earlier = [.. met.Take(at)];
                var strengths = Array.ConvertAll(earlier, item => weights[person, item]);
                var (tokens, shares) = content.Profile(earlier, strengths);
                cuts.Add(new PersonCut(new PersonTaste(earlier, strengths, tokens, shares), [.. met.Skip(at)], known));
                pairs += met.Count - at;
            }
        }

        var counts = weights.ColumnCounts();
        int[] pool = [.. Enumerable.Range(0, counts.Length).Where(item => counts[item] > 0 || items[item].Status == "live")];
        var (chances, sum) = (new double[pool.Length], 0.0);
        for (var i = 0; i < pool.Length; i++)
        {
            chances[i] = sum += Math.Pow(counts[pool[i]] + 0.5, 0.75);
        }

        return new TrainingCuts(cuts, pool, chances);
    }

    /// <summary>
    /// An item that the person has not met: any (<c>random</c>), in proportion to people^¾ (<c>popular</c>; Mikolov et al. 2013), or of eight
    /// the one most like what the person looks at (<c>hard</c>). -1 when none was found.
    /// </summary>
    public int Negative(PersonCut cut, string sampling, ContentIndex content, float[] profile, Random random)
    {
        if (sampling != "hard")
        {
            return One(cut, sampling, random);
        }

        var (best, closest) = (-1, float.NegativeInfinity);
        for (var n = 0; n < 8; n++)
        {
            var item = One(cut, "random", random);
            if (item < 0)
            {
                continue;
            }

            var (tokens, weights) = content.Bag(item);
            var likeness = 0f;
            for (var t = 0; t < tokens.Length; t++)
            {
                likeness += profile[tokens[t]] * weights[t];
            }

            if (likeness > closest)
            {
                (best, closest) = (item, likeness);
            }
        }

        return best;
    }

    private int One(PersonCut cut, string sampling, Random random)
    {
        for (var tries = 0; tries < 20 && pool.Length > 0; tries++)
        {
            var place = sampling == "popular" ? Array.BinarySearch(chances, random.NextDouble() * chances[^1]) : random.Next(pool.Length);
            var item = pool[Math.Min(place < 0 ? ~place : place, pool.Length - 1)];
            if (!cut.Known.Contains(item))
            {
                return item;
            }
        }

        return -1;
    }
}
