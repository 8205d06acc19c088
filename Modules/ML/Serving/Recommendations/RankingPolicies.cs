
namespace OKLA.ML.Serving.Recommendations;

/// <summary>An item that may be shown.</summary>
/// <param name="Index">Its place in the model; -1 for one that no model ranked.</param>
/// <param name="Card">The item.</param>
/// <param name="Score">What the ranking gave it.</param>
internal readonly record struct Candidate(int Index, Card Card, double Score);

/// <summary>An item that is shown.</summary>
/// <param name="Candidate">The item.</param>
/// <param name="Why">ranked, pinned or explored.</param>
/// <param name="Propensity">Chance that this item would stand at this place, as far as chance had a part in it: 1 where it had none.</param>
internal readonly record struct Placed(Candidate Candidate, string Why, double Propensity);

/// <summary>What the policies go by.</summary>
/// <param name="Limit">Items wanted.</param>
/// <param name="Knobs">Settings.</param>
/// <param name="Rules">Operators' rules in force for the kind and page.</param>
/// <param name="Now">The time.</param>
/// <param name="Likeness">Likeness of two candidates, 0 to 1.</param>
/// <param name="Popularity">An item's popularity as a share of the most popular one's, 0 to 1.</param>
/// <param name="Deficit">How far a seller has been shown less than its share, 0 to 1.</param>
/// <param name="Seed">Seed of the exploration; the same person at the same hour meets the same items.</param>
/// <param name="Explores">Whether the page may explore.</param>
internal sealed record PolicyCase(
    int Limit, RecommendationKnobs Knobs, IReadOnlyList<OperatorRule> Rules, DateTimeOffset Now, Func<Candidate, Candidate, double> Likeness, Func<Candidate, double> Popularity,
    Func<string, double> Deficit, int Seed, bool Explores);

/// <summary>
/// From a ranking to a page, in this order: what may not be shown goes; operators' boosts, popularity and sellers' deficits change scores; the page is filled by
/// maximal marginal relevance under the cap of sellers (Carbonell and Goldstein 1998); a few places explore; pins take the first places.
/// </summary>
internal static class RankingPolicies
{
    /// <summary>Places that never explore.</summary>
    private const int Firm = 3;

    /// <summary>Fills a page.</summary>
    /// <param name="ranked">Candidates, best first.</param>
    /// <param name="pins">Pinned items with the places they want, that may be shown.</param>
    /// <param name="case">What to go by.</param>
    public static IReadOnlyList<Placed> Apply(IReadOnlyList<Candidate> ranked, IReadOnlyList<(Candidate Item, int Place)> pins, PolicyCase @case)
    {
        var pinned = pins.Where(pin => Allowed(pin.Item, @case)).ToList();
        var taken = pinned.Select(pin => Id(pin.Item)).ToHashSet(StringComparer.Ordinal);
        var pool = Adjusted([.. ranked.Where(item => Allowed(item, @case) && !taken.Contains(Id(item)))], @case);
        var chosen = Diverse(pool, @case);
        var page = Explore(chosen, pool, @case);
        foreach (var (item, place) in pinned.OrderBy(pin => pin.Place))
        {
            page.Insert(Math.Min(place, page.Count), new Placed(item, "pinned", 1));
        }

        return page.Count > @case.Limit ? page.GetRange(0, @case.Limit) : page;
    }

    /// <summary>Whether an item may be shown: on offer, not over, not blocked.</summary>
    internal static bool Allowed(Candidate item, PolicyCase @case) =>
        item.Card.Live && !(Models.Recommenders.ItemKind.OverAt(item.Card.Snapshot.Item) < @case.Now) && !@case.Rules.Any(rule => rule.Action == RuleAction.Block && rule.Meets(item.Card));

    /// <summary>Scores from 0 to 1 over the candidates, changed by boosts, popularity and deficits of sellers; best first.</summary>
    internal static List<Candidate> Adjusted(IReadOnlyList<Candidate> items, PolicyCase @case)
    {
        if (items.Count == 0)
        {
            return [];
        }

        var (low, high) = (items.Min(item => item.Score), items.Max(item => item.Score));
        var boosts = @case.Rules.Where(rule => rule.Action == RuleAction.Boost).ToArray();
        return [.. items.Select(item =>
        {
            var score = high > low ? (item.Score - low) / (high - low) : 1;
            foreach (var boost in boosts.Where(boost => boost.Meets(item.Card)))
            {
                score += boost.Strength;
            }

            score -= @case.Knobs.PopularityPenalty * @case.Popularity(item);
            score += item.Card.Snapshot.Item.SellerId is { } seller ? @case.Knobs.SellerFairness * @case.Deficit(seller) : 0;
            return item with { Score = score };
        }).OrderByDescending(item => item.Score)];
    }

    /// <summary>Greedy choice by λ·score − (1 − λ)·likeness to the most alike item above, at most so many of a seller as long as there are others.</summary>
    internal static List<Candidate> Diverse(IReadOnlyList<Candidate> pool, PolicyCase @case)
    {
        var (chosen, left) = (new List<Candidate>(), pool.ToList());
        var nearest = pool.Select(_ => 0.0).ToList();
        var bySeller = new Dictionary<string, int>(StringComparer.Ordinal);
        var (cap, diversity) = (@case.Knobs.SellerCap, @case.Knobs.Diversity);
        while (chosen.Count < @case.Limit && left.Count > 0)
        {
            var (best, most) = (-1, double.NegativeInfinity);
            for (var i = 0; i < left.Count; i++)
            {
                var full = cap > 0 && left[i].Card.Snapshot.Item.SellerId is { } seller && bySeller.GetValueOrDefault(seller) >= cap;
                // Above the cap an item comes after all others, so that a small catalogue still fills the page.
                var value = ((1 - diversity) * left[i].Score) - (diversity * nearest[i]) - (full ? 1_000 : 0);
                if (value > most)
                {
                    (best, most) = (i, value);
                }
            }

            var item = left[best];
            chosen.Add(item);
            left.RemoveAt(best);
            nearest.RemoveAt(best);
            if (item.Card.Snapshot.Item.SellerId is { } of)
            {
                bySeller[of] = bySeller.GetValueOrDefault(of) + 1;
            }

            for (var i = 0; i < left.Count && diversity > 0; i++)
            {
                nearest[i] = Math.Max(nearest[i], @case.Likeness(left[i], item));
            }
        }

        return chosen;
    }

    /// <summary>Places below the third show, by chance, an item from further down; each with its propensity.</summary>
    internal static List<Placed> Explore(IReadOnlyList<Candidate> chosen, IReadOnlyList<Candidate> pool, PolicyCase @case)
    {
        var share = @case.Explores ? @case.Knobs.ExplorationShare : 0;
        var shown = chosen.Select(Id).ToHashSet(StringComparer.Ordinal);
        var further = pool.Where(item => !shown.Contains(Id(item))).ToList();
        var random = new Random(@case.Seed);
        var page = new List<Placed>();
        for (var place = 0; place < chosen.Count; place++)
        {
            if (share == 0 || place < Firm || further.Count == 0)
            {
                page.Add(new Placed(chosen[place], "ranked", 1));
                continue;
            }

            if (random.NextDouble() >= share)
            {
                page.Add(new Placed(chosen[place], "ranked", 1 - share));
                continue;
            }

            var drawn = random.Next(further.Count);
            page.Add(new Placed(further[drawn], "explored", share / further.Count));
            further.RemoveAt(drawn);
        }

        return page;
    }

    private static string Id(Candidate item) => item.Card.Snapshot.Item.Id;
}
