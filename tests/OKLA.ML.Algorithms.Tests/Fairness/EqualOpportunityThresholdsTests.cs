using OKLA.ML.Algorithms.Fairness;

namespace OKLA.ML.Algorithms.Tests.Fairness;

public class EqualOpportunityThresholdsTests
{
    // Group b's scores are lower at the same merit, so that one threshold passes fewer of its positives.
    private static (bool[] Labels, double[] Scores, string[] Groups) Cases(int count, int seed)
    {
        var random = new Random(seed);
        var labels = new bool[count];
        var scores = new double[count];
        var groups = new string[count];
        for (var i = 0; i < count; i++)
        {
            groups[i] = random.NextDouble() < 0.6 ? "a" : "b";
            var merit = random.NextDouble() + random.NextDouble() - 1;
            labels[i] = merit + 0.3 * (random.NextDouble() - 0.5) > 0;
            scores[i] = Math.Round(0.5 + merit / 2 - (groups[i] == "b" ? 0.12 : 0), 3);
        }
        return (labels, scores, groups);
    }

    private static double TruePositiveRate(bool[] labels, double[] scores, string[] groups, string group, Func<string, double, double> probability)
    {
        var positives = Enumerable.Range(0, labels.Length).Where(i => labels[i] && groups[i] == group).ToArray();
        return positives.Average(i => probability(group, scores[i]));
    }

    [Test]
    public void Every_group_gets_the_same_true_positive_rate_on_the_cases_learned_from()
    {
        var (labels, scores, groups) = Cases(3000, 1);
        var rule = EqualOpportunityThresholds.Fit(labels, scores, groups);
        double Probability(string group, double score) => rule.Decide(group, score, 0.999999999) ? 1 : rule.Groups.Single(g => g.Group == group) is var t && score >= t.Possible ? t.Probability : 0;
        TruePositiveRate(labels, scores, groups, "a", Probability).ShouldBe(rule.TruePositiveRate, 1e-9);
        TruePositiveRate(labels, scores, groups, "b", Probability).ShouldBe(rule.TruePositiveRate, 1e-9);
    }

    [Test]
    public void The_gap_on_unseen_cases_shrinks()
    {
        var (labels, scores, groups) = Cases(4000, 2);
        var rule = EqualOpportunityThresholds.Fit(labels, scores, groups);
        var (newLabels, newScores, newGroups) = Cases(4000, 3);
        var before = FairnessReport.Measure(newLabels, newScores, 0.5, newGroups, new() { Resamples = 50 });
        var random = new Random(4);
        var decided = newScores.Select((score, i) => rule.Decide(newGroups[i], score, random.NextDouble()) ? 1.0 : 0).ToArray();
        var after = FairnessReport.Measure(newLabels, decided, 0.5, newGroups, new() { Resamples = 50 });
        before.EqualOpportunity.Size.Estimate.ShouldBeGreaterThan(0.15);
        after.EqualOpportunity.Size.Estimate.ShouldBeLessThan(0.04);
    }

    [Test]
    public void No_pair_of_plain_thresholds_with_equal_rates_costs_less()
    {
        var (labels, scores, groups) = Cases(400, 5);
        var rule = EqualOpportunityThresholds.Fit(labels, scores, groups, falsePositiveCost: 2);
        var cuts = scores.Distinct().ToArray();
        var rates = new[] { "a", "b" }.Select(group => cuts.Select(cut => (
            Rate: TruePositiveRate(labels, scores, groups, group, (_, score) => score >= cut ? 1 : 0),
            Cost: Enumerable.Range(0, labels.Length).Where(i => groups[i] == group).Sum(i => labels[i] ? scores[i] >= cut ? 0 : 1.0 : scores[i] >= cut ? 2 : 0))).ToArray()).ToArray();
        foreach (var a in rates[0])
        {
            foreach (var b in rates[1])
            {
                if (Math.Abs(a.Rate - b.Rate) < 1e-12) rule.Cost.ShouldBeLessThanOrEqualTo((a.Cost + b.Cost) / 400 + 1e-12);
            }
        }
    }

    [Test]
    public void Separable_groups_are_decided_without_chance_or_cost()
    {
        bool[] labels = [true, true, false, false, true, true, false, false];
        double[] scores = [0.9, 0.8, 0.4, 0.3, 0.5, 0.45, 0.2, 0.1];
        string[] groups = ["a", "a", "a", "a", "b", "b", "b", "b"];
        var rule = EqualOpportunityThresholds.Fit(labels, scores, groups, minOutcomes: 1);
        rule.Cost.ShouldBe(0);
        rule.TruePositiveRate.ShouldBe(1);
        for (var i = 0; i < labels.Length; i++) rule.Decide(groups[i], scores[i], 0.5).ShouldBe(labels[i]);
    }

    [Test]
    public void A_small_or_unknown_group_takes_the_thresholds_of_all()
    {
        var (labels, scores, groups) = Cases(500, 6);
        groups[0] = groups[1] = "tiny";
        var rule = EqualOpportunityThresholds.Fit(labels, scores, groups);
        var tiny = rule.Groups.Single(g => g.Group == "tiny");
        tiny.Pooled.ShouldBeTrue();
        foreach (var score in scores) rule.Decide("never seen", score, 0.3).ShouldBe(rule.Decide("tiny", score, 0.3));
    }

    [Test]
    public void One_class_alone_is_refused() =>
        Should.Throw<ArgumentException>(() => EqualOpportunityThresholds.Fit([true, true], [0.1, 0.2], ["a", "b"]));
}
