using OKLA.ML.Algorithms.Anomalies;

namespace OKLA.ML.Algorithms.Tests.Anomalies;

public class AnomaliesTests
{
    // Rosner 1983, table 1, the data of NIST's handbook section 1.3.5.17.3: three outliers at 5 %, the values 6.01, 5.42 and 5.34.
    private static readonly double[] Rosner =
    [
        -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96,
        1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59,
        3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
    ];

    [Test]
    public void Generalised_esd_finds_the_three_outliers_of_rosner() => Outliers.GeneralizedEsd(Rosner, 10).Select(i => Rosner[i]).ShouldBe([6.01, 5.42, 5.34]);

    [Test]
    public void Robust_z_by_hand() =>
        // Median 3, deviations 2 1 0 1 97, their median 1.
        Outliers.RobustZ([1, 2, 3, 4, 100])[4].ShouldBe(0.6744897501960817 * 97, 1e-9);

    [Test]
    public void The_far_row_scores_highest_in_forest_and_local_factor()
    {
        var random = new Random(3);
        List<double[]> rows = [.. Enumerable.Range(0, 200).Select(_ => new[] { random.NextDouble(), random.NextDouble() }), [4, 4]];
        var forest = IsolationForest.Fit(rows, seed: 7);
        double[] scores = [.. rows.Select(r => forest.Score(r))];
        Array.IndexOf(scores, scores.Max()).ShouldBe(200);
        scores[200].ShouldBeGreaterThan(0.65);
        double[] factors = LocalOutlierFactor.Score(rows, 10);
        Array.IndexOf(factors, factors.Max()).ShouldBe(200);
        IsolationForest.Fit(rows, seed: 7).Score(rows[5]).ShouldBe(scores[5]);
    }

    [Test]
    public void Local_outlier_factor_by_hand()
    {
        // Points 0, 1, 2, 10 and one neighbour (ties to the earlier): reach distances 1, 1, 1, 8, densities 1, 1, 1, 1/8.
        LocalOutlierFactor.Score([[0], [1], [2], [10]], 1).ShouldBe([1, 1, 1, 8], 1e-9);
    }

    [Test]
    public void Nab_gives_silence_nought_and_a_detection_at_the_window_start_a_hundred()
    {
        var scores = new double[200];
        scores[100] = 1;
        ScoredSeries series = new(scores, [new AnomalyWindow(100, 119)]);
        NabScore.At([series], 2).ShouldBe(0);
        NabScore.At([series], 1).ShouldBe(100, 1e-9);
        scores[50] = 1;
        NabScore.At([series], 1).ShouldBe(100 * (1 - 0.11 + 1) / 2, 1e-9);
    }

    [Test]
    public void A_jump_alarms_once_and_only_after_it()
    {
        var random = new Random(4);
        var detector = new StreamingDetector(300);
        double[] scores = [.. Enumerable.Range(0, 400).Select(t => detector.Next((t < 350 ? 0 : 20) + random.NextDouble()))];
        scores.Select((s, t) => (s, t)).Where(p => p.s > 0.5).Select(p => p.t).ShouldBe([350]);
    }
}
