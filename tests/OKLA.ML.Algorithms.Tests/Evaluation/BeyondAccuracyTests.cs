using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class BeyondAccuracyTests
{
    private static readonly int[][] Lists = [[0, 1], [0, 2]];

    [Test]
    public void Coverage_counts_distinct_items() => BeyondAccuracy.Coverage(Lists, 6).ShouldBe(0.5);

    [Test]
    public void Diversity_is_one_less_the_mean_similarity_of_pairs() =>
        BeyondAccuracy.Diversity([[0, 1, 2], [5]], (i, j) => Math.Abs(i - j) == 1 ? 0.5 : 0).ShouldBe((0.5 + 0.5 + 1) / 3, 1e-12);

    [Test]
    public void Novelty_is_self_information_in_bits() =>
        // 8 users: counts 4, 2, 0 → 1 bit, 2 bits, and the unseen counts as one: 3 bits.
        BeyondAccuracy.Novelty(Lists, [4, 2, 0], 8).ShouldBe((1 + 2 + 1 + 3) / 4.0, 1e-12);

    [Test]
    public void Serendipity_needs_relevance_and_distance_from_the_history() =>
        BeyondAccuracy.Serendipity([[0, 1]], [[7, 8]], [new HashSet<int> { 1 }], (item, seen) => seen == 7 ? 0.5 : 0.1).ShouldBe((0 + 0.7) / 2, 1e-12);

    [Test]
    public void Gini_is_zero_for_equal_shares_and_known_for_one_item_only()
    {
        BeyondAccuracy.Gini([[0, 1], [2, 3]], 4).ShouldBe(0, 1e-12);
        // One of n items has everything: (n − 1) / n.
        BeyondAccuracy.Gini([[2], [2]], 4).ShouldBe(0.75, 1e-12);
    }

    [Test]
    public void Popularity_is_the_mean_share_of_users() => BeyondAccuracy.Popularity(Lists, [4, 2, 0], 8).ShouldBe((0.5 + 0.25 + 0.5 + 0) / 4, 1e-12);
}
