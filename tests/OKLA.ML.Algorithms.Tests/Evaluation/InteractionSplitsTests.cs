using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tests.Factorization;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class InteractionSplitsTests
{
    private static readonly SparseMatrix Data = Synthetic.Groups(50, 30, 3, 9, 1);

    [Test]
    public void Within_each_user_a_quarter_rounded_down_is_held_out()
    {
        var split = InteractionSplits.PerUser(Data);

        for (int u = 0; u < 50; u++) split.Test[u].Count.ShouldBe(Data.RowCount(u) / 4);
        Together(split);
    }

    [Test]
    public void Within_each_item_three_quarters_rounded_half_to_even_learn()
    {
        var split = InteractionSplits.PerItem(Data);
        var counts = Data.ColumnCounts();
        var learned = split.Train.ColumnCounts();

        for (int i = 0; i < 30; i++) learned[i].ShouldBe((int)Math.Round(counts[i] * 0.75, MidpointRounding.ToEven));
        Together(split);
    }

    [Test]
    public void By_time_the_later_fifth_of_first_meetings_is_held_out_and_its_repeats_do_not_leak()
    {
        // First meetings in order: (0,0) 1, (0,1) 2, (1,0) 3, (1,1) 4, (0,2) 6; the fifth is held out. (0,0) again at 5 counts, at 7 not.
        var split = InteractionSplits.ByTime(2, 3, [(0, 2, 1f, 6), (0, 0, 1f, 7), (0, 0, 2f, 1), (0, 1, 1f, 2), (1, 0, 1f, 3), (1, 1, 1f, 4), (0, 0, 4f, 5)]);

        split.Test[0].ShouldBe([2]);
        split.Test[1].ShouldBeEmpty();
        split.Train.Count.ShouldBe(4);
        split.Train[0, 0].ShouldBe(6f);
    }

    [Test]
    public void A_recommender_that_knows_the_answers_has_perfect_marks_and_an_empty_one_none()
    {
        var split = InteractionSplits.PerUser(Data);
        var perfect = RankingReport.Measure(split, u => [.. split.Test[u], .. Enumerable.Range(0, 30).Except(split.Test[u])], 10);
        var empty = RankingReport.Measure(split, _ => [], 10);

        perfect.Ndcg.ShouldBe(1, 1e-12);
        perfect.Map.ShouldBe(1, 1e-12);
        perfect.MapAllRelevant.ShouldBe(1, 1e-12);
        perfect.Recall.ShouldBe(1, 1e-12);
        perfect.Mrr.ShouldBe(1, 1e-12);
        perfect.NdcgByUser.Count.ShouldBe(perfect.Users);
        empty.Ndcg.ShouldBe(0);
        empty.Coverage.ShouldBe(0);
        empty.Gini.ShouldBe(0);
    }

    private static void Together(InteractionSplit split)
    {
        for (int u = 0; u < 50; u++)
            split.Train.RowIndices(u).ToArray().Concat(split.Test[u]).Order().ShouldBe(Data.RowIndices(u).ToArray());
    }
}
