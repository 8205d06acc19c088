using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tests.Factorization;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class RecommenderSearchTests
{
    private static readonly SparseMatrix Data = Synthetic.Groups(80, 40, 4, 12, 2);

    [Test]
    public void Every_protocol_parts_the_pairs_and_time_lets_nothing_later_learn() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed =>
        {
            var data = Synthetic.Groups(20, 12, 3, 6, seed);
            var random = new Random(seed);
            var times = data.Map((_, _, _) => random.Next(1, 50));
            foreach (var protocol in Enum.GetValues<InteractionProtocol>())
            {
                var split = InteractionSplits.Hold(protocol, data, times, 0.25, seed);
                (split.Train.Count + split.Test.Sum(test => test.Count)).ShouldBe(data.Count);
                for (int user = 0; user < 20; user++) split.Test[user].ShouldAllBe(item => data.Contains(user, item) && !split.Train.Contains(user, item));
                if (protocol != InteractionProtocol.ByTime) continue;
                split.Train.Count.ShouldBe((int)(0.75 * data.Count + 1e-9));
                float latest = split.TrainTimes!.Values.ToArray().Max();
                for (int user = 0; user < 20; user++) split.Test[user].ShouldAllBe(item => times[user, item] >= latest);
            }
        }).QuickCheckThrowOnFailure();

    [Test]
    public void Average_precision_is_divided_both_ways()
    {
        // Hits at ranks 1 and 3 of 3 with four relevant: (1 + 2/3) over min(3, 4) or over 4.
        var relevant = new HashSet<int> { 7, 9, 20, 21 };
        RankingMetrics.AveragePrecision([7, 1, 9], relevant, 3).ShouldBe((1 + 2.0 / 3) / 3, 1e-12);
        RankingMetrics.AveragePrecision([7, 1, 9], relevant, 3, AveragePrecisionDenominator.AllRelevant).ShouldBe((1 + 2.0 / 3) / 4, 1e-12);
    }

    [Test]
    public void The_search_and_the_blend_beat_popularity_on_data_they_never_saw()
    {
        var split = InteractionSplits.PerUser(Data);
        var data = new Interactions(split.Train);
        var search = new RecommenderSearch(data, InteractionProtocol.PerUser, 5, 1);
        ChosenRecommender[] chosen = [search.Popular, search.Choose(RecommenderFamily.Sar, TimeSpan.FromMinutes(1)), search.Choose(RecommenderFamily.TunedEase(false), TimeSpan.FromMinutes(1))];

        var weights = search.Blend(chosen);
        var blend = UserScorers.Blend([.. chosen.Select((part, i) => (search.Fit(part, data), weights[i]))]);

        chosen[2].Setting.ShouldAllBe(value => double.IsFinite(value));
        weights.Max().ShouldBeGreaterThanOrEqualTo(1);
        RankingValidation.Ndcg(split, blend, 5).ShouldBeGreaterThan(1.5 * RankingValidation.Ndcg(split, search.Fit(search.Popular, data), 5));
    }

    [Test]
    public void A_user_without_a_history_gets_what_is_popular_and_lists_leave_out_what_was_seen()
    {
        var train = SparseMatrix.FromTriples(3, 3, [(0, 1, 1f), (1, 1, 1f), (1, 2, 1f)]);
        var split = new InteractionSplit(train, [new HashSet<int> { 2 }, new HashSet<int>(), new HashSet<int> { 1 }]);
        var scorer = UserScorers.Of([9f, 0, 0]).WithoutHistory(train, RecommenderFamily.Popularity(false).Fit(new Interactions(train), [], 1));

        var lists = RankingValidation.Lists(split, scorer, 3);

        lists[0].ShouldBe([0, 2]);
        lists[1].ShouldBeEmpty();
        lists[2].ShouldBe([1, 2, 0]);
    }

    [Test]
    public void Dropout_by_hand_and_asymmetric_cosine_in_its_plain_case()
    {
        // Item 0 has three users, two of whom have item 1: with two items B is a regression of one on the other, 2 / (3 + 1 + 3) and 2 / (2 + 1 + 2).
        var pairs = SparseMatrix.FromTriples(3, 2, [(0, 0, 1f), (1, 0, 1f), (2, 0, 1f), (0, 1, 1f), (1, 1, 1f)]);
        var ease = Ease.Fit(pairs, new EaseOptions { Regularization = 1, Dropout = 0.5f });
        ease[0, 1].ShouldBe(2f / 7, 1e-6f);
        ease[1, 0].ShouldBe(2f / 5, 1e-6f);

        var cosine = ItemKnn.Fit(Data, new ItemKnnOptions { Neighbours = 0 });
        ItemKnn.Fit(Data, new ItemKnnOptions { Neighbours = 0, Similarity = ItemSimilarity.Asymmetric })[3, 7].ShouldBe(cosine[3, 7], 1e-6f);
    }
}
