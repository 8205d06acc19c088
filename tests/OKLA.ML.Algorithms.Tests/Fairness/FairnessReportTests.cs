using OKLA.ML.Algorithms.Fairness;

namespace OKLA.ML.Algorithms.Tests.Fairness;

public class FairnessReportTests
{
    private readonly List<bool> _labels = [];
    private readonly List<double> _scores = [];
    private readonly List<string> _groups = [];

    [SetUp]
    public void Clear()
    {
        _labels.Clear();
        _scores.Clear();
        _groups.Clear();
    }

    private void Add(string group, int cases, bool label, double score)
    {
        for (var i = 0; i < cases; i++)
        {
            _labels.Add(label);
            _scores.Add(score);
            _groups.Add(group);
        }
    }

    // Group a: TP 60, FN 40, FP 20, TN 80; group b: TP 20, FN 30, FP 10, TN 40.
    private void TwoGroups()
    {
        Add("a", 60, true, 0.8);
        Add("a", 40, true, 0.3);
        Add("a", 20, false, 0.8);
        Add("a", 80, false, 0.3);
        Add("b", 20, true, 0.8);
        Add("b", 30, true, 0.3);
        Add("b", 10, false, 0.8);
        Add("b", 40, false, 0.3);
    }

    private FairnessReport Measure(FairnessOptions? options = null) => FairnessReport.Measure([.. _labels], [.. _scores], 0.5, _groups, options);

    [Test]
    public void Two_groups_by_hand()
    {
        TwoGroups();
        var report = Measure();
        var (a, b) = (report.Groups[0], report.Groups[1]);
        (a.Group, a.Rows, a.Positives, a.BaseRate).ShouldBe(("a", 200, 100, 0.5));
        a.SelectionRate.ShouldBe(0.4);
        a.TruePositiveRate.ShouldBe(0.6);
        a.FalsePositiveRate.ShouldBe(0.2);
        a.Precision.ShouldBe(0.75);
        // One cut: AUC = (1 + TPR − FPR) / 2.
        a.Auc.ShouldBe(0.7, 1e-12);
        b.Auc.ShouldBe(0.6, 1e-12);
        // Bin 0.8: 80 cases, share 0.75; bin 0.3: 120 cases, share 1/3. b: 30 cases with 2/3 and 70 with 3/7.
        a.CalibrationError.Estimate.ShouldBe((80 * 0.05 + 120 * (1 / 3.0 - 0.3)) / 200, 1e-12);
        b.CalibrationError.Estimate.ShouldBe((30 * (0.8 - 2 / 3.0) + 70 * (3 / 7.0 - 0.3)) / 100, 1e-12);
        a.CalibrationBias.ShouldBe(0.5 - 0.5, 1e-12);
        b.CalibrationBias.ShouldBe(0.45 - 0.5, 1e-12);

        report.DemographicParity.Size.Estimate.ShouldBe(0.1, 1e-12);
        (report.DemographicParity.Highest, report.DemographicParity.Lowest).ShouldBe(("a", "b"));
        report.DisparateImpact.Estimate.ShouldBe(0.75, 1e-12);
        report.EqualOpportunity.Size.Estimate.ShouldBe(0.2, 1e-12);
        report.FalsePositives.Size.Estimate.ShouldBe(0, 1e-12);
        report.EqualisedOdds.Size.Estimate.ShouldBe(0.2, 1e-12);
        (report.EqualisedOdds.Highest, report.EqualisedOdds.Lowest).ShouldBe(("a", "b"));
        report.Calibration.Size.Estimate.ShouldBe(b.CalibrationError.Estimate - a.CalibrationError.Estimate, 1e-12);
        report.Reference.ShouldBe("a");
        var comparison = report.Comparisons.ShouldHaveSingleItem();
        comparison.SelectionRate.Estimate.ShouldBe(-0.1, 1e-12);
        comparison.SelectionRatio.Estimate.ShouldBe(0.75, 1e-12);
        comparison.TruePositiveRate.Estimate.ShouldBe(-0.2, 1e-12);
        comparison.CalibrationBias.Estimate.ShouldBe(-0.05, 1e-12);
        report.FourFifthsRule.ShouldBe(FourFifths.Undecided);
    }

    [Test]
    public void Intervals_have_the_width_of_two_binomial_shares()
    {
        TwoGroups();
        // √(0.6·0.4/100 + 0.4·0.6/50) = 0.0849; the bootstrap's interval is about ± 1.96 of it.
        var interval = Measure().Comparisons[0].TruePositiveRate;
        interval.Lower.ShouldBe(-0.2 - 1.96 * 0.0849, 0.03);
        interval.Upper.ShouldBe(-0.2 + 1.96 * 0.0849, 0.03);
    }

    [Test]
    public void The_four_fifths_rule_is_held_broken_or_undecided()
    {
        Add("a", 1000, true, 0.9);
        Add("a", 1000, false, 0.1);
        Add("b", 980, true, 0.9);
        Add("b", 1020, false, 0.1);
        Measure(new() { Resamples = 200 }).FourFifthsRule.ShouldBe(FourFifths.Held);
        Add("c", 400, true, 0.9);
        Add("c", 1600, false, 0.1);
        Measure(new() { Resamples = 200 }).FourFifthsRule.ShouldBe(FourFifths.Broken);
    }

    [Test]
    public void Groups_without_a_true_difference_show_none()
    {
        var random = new Random(7);
        var shown = 0;
        for (var repeat = 0; repeat < 20; repeat++)
        {
            Clear();
            for (var i = 0; i < 1500; i++) Add("group " + random.Next(5), 1, random.NextDouble() < 0.4, Math.Round(random.NextDouble(), 3));
            var report = Measure(new() { Resamples = 400 });
            foreach (var gap in (FairnessGap[])[report.DemographicParity, report.EqualOpportunity, report.FalsePositives, report.EqualisedOdds])
            {
                gap.Size.Lower.ShouldBeLessThanOrEqualTo(gap.Size.Estimate);
                gap.Size.Upper.ShouldBeGreaterThanOrEqualTo(gap.Size.Estimate);
                if (gap.Size.Lower > 0) shown++;
            }
            report.DisparateImpact.Lower.ShouldBeLessThan(report.DisparateImpact.Estimate);
            report.DisparateImpact.Upper.ShouldBeInRange(report.DisparateImpact.Estimate, 1);
        }
        // 80 intervals at 95 %, four a report that lean on the same cases: four false alarms are expected at most.
        shown.ShouldBeLessThanOrEqualTo(6);
    }

    [Test]
    public void A_small_group_is_named_and_not_judged()
    {
        TwoGroups();
        Add("tiny", 12, true, 0.1);
        Add("few positives", 100, false, 0.1);
        Add("few positives", 3, true, 0.1);
        var report = Measure();
        report.TooSmall.ShouldBe(["tiny"]);
        report.Groups.Single(g => g.Group == "tiny").SelectionRate.ShouldBe(0);
        report.DemographicParity.TooSmall.ShouldBe(["tiny"]);
        report.DemographicParity.Lowest.ShouldBe("few positives");
        report.EqualOpportunity.TooSmall.ShouldBe(["few positives", "tiny"]);
        report.EqualOpportunity.Size.Estimate.ShouldBe(0.2, 1e-12);
        report.Comparisons.Select(c => c.Group).ShouldBe(["few positives", "b"]);
        double.IsNaN(report.Comparisons[0].TruePositiveRate.Estimate).ShouldBeTrue();
    }

    [Test]
    public void With_one_group_large_enough_nothing_is_judged()
    {
        Add("a", 100, true, 0.9);
        Add("b", 3, false, 0.9);
        var report = Measure();
        double.IsNaN(report.DemographicParity.Size.Estimate).ShouldBeTrue();
        report.FourFifthsRule.ShouldBe(FourFifths.NotJudged);
        report.Comparisons.ShouldBeEmpty();
    }

    [Test]
    public void Scores_that_are_no_probabilities_have_no_calibration()
    {
        Add("a", 60, true, 3);
        Add("b", 60, false, -2);
        var report = Measure();
        double.IsNaN(report.Groups[0].CalibrationError.Estimate).ShouldBeTrue();
        double.IsNaN(report.Calibration.Size.Estimate).ShouldBeTrue();
        report.DemographicParity.Size.Estimate.ShouldBe(1);
    }

    [Test]
    public void The_reference_can_be_chosen_and_threads_change_nothing()
    {
        TwoGroups();
        var one = Measure(new() { Reference = "b", Threads = 1, Resamples = 100 });
        var two = Measure(new() { Reference = "b", Threads = 2, Resamples = 100 });
        one.Comparisons.ShouldHaveSingleItem().Group.ShouldBe("a");
        two.Comparisons.ShouldBe(one.Comparisons);
        two.EqualisedOdds.Size.ShouldBe(one.EqualisedOdds.Size);
        Should.Throw<ArgumentException>(() => Measure(new() { Reference = "c" }));
    }
}
