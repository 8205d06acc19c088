using OKLA.ML.Algorithms.Anomalies;

namespace OKLA.ML.Algorithms.Tests.Anomalies;

public class StreamDetectorsTests
{
    private static IEnumerable<string> Names => StreamDetectors.All.Select(detector => detector.Name);

    [TestCaseSource(nameof(Names))]
    public void What_comes_later_changes_no_earlier_score(string name)
    {
        var random = new Random(6);
        double[] one = [.. Enumerable.Range(0, 900).Select(t => Math.Sin(t / 20.0) + random.NextDouble())], other = [.. one];
        for (int t = 700; t < 900; t++) other[t] = 50 * random.NextDouble();

        Scores(name, one)[..700].ShouldBe(Scores(name, other)[..700]);
        Scores(name, one).ShouldBe(Scores(name, one));
    }

    [TestCaseSource(nameof(Names))]
    public void Constant_and_missing_values_give_finite_scores(string name)
    {
        double[] scores = Scores(name, [.. Enumerable.Range(0, 400).Select(t => t % 50 == 7 ? double.NaN : t < 300 ? 5.0 : 6)]);

        scores.ShouldAllBe(score => double.IsFinite(score) && score >= 0);
    }

    [Test]
    public void A_daily_wave_that_stays_away_is_a_residual()
    {
        double[] values = [.. Enumerable.Range(0, 24 * 20).Select(t => t / 24 == 15 ? 10 : 10 + 5 * Math.Sin(2 * Math.PI * t / 24) + 0.1 * Math.Sin(7 * t))];
        var detector = StreamDetectors.All.Single(d => d.Name == "seasonal residual").Make();
        double[] scores = [.. values.Select((value, t) => detector.Next(value, 3600.0 * t))];

        scores.AsSpan(24 * 15, 24).ToArray().Max().ShouldBeGreaterThan(2 * scores.AsSpan(24 * 10, 24 * 5).ToArray().Max());
    }

    [Test]
    public void A_tail_is_rare_beyond_the_share_of_the_past()
    {
        var rarity = new TailRarity();
        for (int i = 1; i <= 1000; i++) rarity.Next(i % 100);
        rarity.Next(50).ShouldBe(Math.Log10(1001.0 / 501), 0.02);
        rarity.Next(1000).ShouldBeGreaterThan(4);
    }

    [Test]
    public void Profiles_weigh_false_alarms_and_misses()
    {
        // One window of two found at its start, one false alarm long before: standard 1 − 0.11 − 1, over 2 windows from −2 to 2.
        var scores = new double[400];
        scores[80] = scores[100] = 1;
        ScoredSeries series = new(scores, [new AnomalyWindow(100, 119), new AnomalyWindow(300, 319)]);

        NabScore.At([series], 1).ShouldBe(100 * (1 - 0.11 - 1 + 2) / 4, 1e-9);
        NabScore.At([series], 1, NabProfile.LowFalsePositives).ShouldBe(100 * (1 - 0.22 - 1 + 2) / 4, 1e-9);
        NabScore.At([series], 1, NabProfile.LowFalseNegatives).ShouldBe(100 * (1 - 0.11 - 2 + 4) / 6, 1e-9);
        NabScore.Count([series], 1).ShouldBe(new NabCounts(1, 1, 1));
        (NabScore.Count([series], 1).Precision, NabScore.Count([series], 1).Recall).ShouldBe((0.5, 0.5));
    }

    private static double[] Scores(string name, double[] values)
    {
        var detector = StreamDetectors.All.Single(d => d.Name == name).Make();
        return [.. values.Select((value, t) => detector.Next(value, 300.0 * t))];
    }
}
