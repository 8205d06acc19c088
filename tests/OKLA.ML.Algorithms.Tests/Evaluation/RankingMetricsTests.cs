using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class RankingMetricsTests
{
    // Hits at ranks 1 and 3 of five; four items are relevant. By hand:
    private static readonly int[] Ranked = [10, 20, 30, 40, 50];
    private static readonly HashSet<int> Relevant = [10, 30, 60, 70];

    [Test]
    public void Ndcg_is_the_discounted_gain_over_the_ideal()
    {
        // (1/log2 2 + 1/log2 4) / (1 + 1/log2 3 + 1/log2 4 + 1/log2 5) = 1.5 / 2.561606
        RankingMetrics.Ndcg(Ranked, Relevant, 5).ShouldBe(1.5 / 2.5616063, 1e-7);
        RankingMetrics.Ndcg(Ranked, Relevant, 2).ShouldBe(1 / 1.6309298, 1e-7);
    }

    [Test]
    public void Graded_ndcg_of_binary_grades_is_binary_ndcg_and_the_ideal_order_has_one()
    {
        var grades = Relevant.ToDictionary(i => i, _ => 1.0);
        RankingMetrics.Ndcg(Ranked, grades, 5).ShouldBe(RankingMetrics.Ndcg(Ranked, Relevant, 5), 1e-12);
        RankingMetrics.Ndcg([3, 2, 1], new Dictionary<int, double> { [3] = 3, [2] = 2, [1] = 1 }, 3).ShouldBe(1, 1e-12);
        // (1 + 3/log2 3 + 7/2) / (7 + 3/log2 3 + 1/2): the reversed order.
        RankingMetrics.Ndcg([1, 2, 3], new Dictionary<int, double> { [3] = 3, [2] = 2, [1] = 1 }, 3).ShouldBe(6.3927893 / 9.3927893, 1e-7);
    }

    [Test]
    public void Average_precision_has_two_denominators()
    {
        // (1/1 + 2/3) over min(5, 4) = 4; at K = 2 the only hit is 1/1, over min(2, 4) = 2 or all 4.
        RankingMetrics.AveragePrecision(Ranked, Relevant, 5).ShouldBe(5.0 / 12, 1e-12);
        RankingMetrics.AveragePrecision(Ranked, Relevant, 2).ShouldBe(0.5, 1e-12);
        RankingMetrics.AveragePrecision(Ranked, Relevant, 2, AveragePrecisionDenominator.AllRelevant).ShouldBe(0.25, 1e-12);
    }

    [Test]
    public void Precision_recall_hits_and_reciprocal_rank_count_by_hand()
    {
        RankingMetrics.Precision(Ranked, Relevant, 5).ShouldBe(0.4);
        RankingMetrics.Precision(Ranked, Relevant, 10).ShouldBe(0.2);
        RankingMetrics.Recall(Ranked, Relevant, 5).ShouldBe(0.5);
        RankingMetrics.HitRate(Ranked, Relevant, 1).ShouldBe(1);
        RankingMetrics.HitRate([20, 40], Relevant, 2).ShouldBe(0);
        RankingMetrics.ReciprocalRank([20, 40, 60], Relevant, 5).ShouldBe(1.0 / 3, 1e-12);
        RankingMetrics.ReciprocalRank([20, 40, 60], Relevant, 2).ShouldBe(0);
    }

    [Test]
    public void A_user_without_relevant_items_is_refused() =>
        Should.Throw<ArgumentException>(() => RankingMetrics.Ndcg(Ranked, new HashSet<int>(), 5));

    [Test]
    public void Auc_of_a_user_leaves_known_items_out_and_halves_ties()
    {
        // Items 0..4; relevant 1 and 3, known 0. Pairs: (1,2) wins, (1,4) tie, (3,2) wins, (3,4) loses: 2.5 / 4.
        float[] scores = [9, 2, 1, 1.5f, 2];
        RankingMetrics.AucFull(scores, new HashSet<int> { 1, 3 }, new HashSet<int> { 0 }).ShouldBe(2.5 / 4, 1e-12);
        RankingMetrics.AucSampled(i => scores[i], 5, new HashSet<int> { 1, 3 }, new HashSet<int> { 0 }, 20_000, 1).ShouldBe(2.5 / 4, 0.01);
        RankingMetrics.AucFull(scores, new HashSet<int>()).ShouldBe(double.NaN);
    }
}
