using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Tests.Evaluation;

public class BinaryMetricsTests
{
    private static readonly bool[] Labels = [false, false, true, true];
    private static readonly double[] Scores = [0.1, 0.4, 0.35, 0.8];

    [Test]
    public void Auc_and_average_precision_match_scikit_learns_documented_example()
    {
        // scikit-learn's documentation of roc_auc_score and average_precision_score: 0.75 and 0.83.
        BinaryMetrics.RocAuc(Scores, Labels).ShouldBe(0.75, 1e-12);
        BinaryMetrics.PrAuc(Scores, Labels).ShouldBe(0.8333333333, 1e-9);
    }

    [Test]
    public void Auc_with_ties_is_the_share_of_ordered_pairs() => Prop.ForAll(
        Gen.Choose(0, 4).Zip(Gen.Elements(true, false)).ArrayOf().Where(a => a.Any(x => x.Item2) && a.Any(x => !x.Item2)).ToArbitrary(),
        cases =>
        {
            double right = 0;
            int pairs = 0;
            foreach (var p in cases.Where(c => c.Item2))
                foreach (var n in cases.Where(c => !c.Item2))
                {
                    right += p.Item1 > n.Item1 ? 1 : p.Item1 == n.Item1 ? 0.5 : 0;
                    pairs++;
                }

            double auc = BinaryMetrics.RocAuc(cases.Select(c => (double)c.Item1).ToArray(), cases.Select(c => c.Item2).ToArray());
            return Math.Abs(auc - right / pairs) < 1e-12;
        }).QuickCheckThrowOnFailure();

    [Test]
    public void Tied_scores_make_average_precision_the_base_rate() =>
        BinaryMetrics.PrAuc([1, 1, 1, 1], [true, false, false, false]).ShouldBe(0.25, 1e-12);

    [Test]
    public void Confusion_and_what_follows_from_it_count_by_hand()
    {
        var c = BinaryMetrics.Confusion([0.9, 0.6, 0.5, 0.2, 0.1], [true, false, true, true, false]);
        c.ShouldBe(new BinaryConfusion(2, 1, 1, 1));
        c.Precision.ShouldBe(2.0 / 3, 1e-12);
        c.Recall.ShouldBe(2.0 / 3, 1e-12);
        c.F1.ShouldBe(2.0 / 3, 1e-12);
        c.Accuracy.ShouldBe(0.6, 1e-12);
        // (2·1 − 1·1) / √(3·3·2·2)
        c.Matthews.ShouldBe(1.0 / 6, 1e-12);
    }

    [Test]
    public void The_best_f1_is_found_at_one_of_the_scores() => BinaryMetrics.BestF1(Scores, Labels).ShouldBe((0.35, 0.8));

    [Test]
    public void Log_loss_and_brier_by_hand()
    {
        BinaryMetrics.LogLoss([0.8, 0.4], [true, false]).ShouldBe(-(Math.Log(0.8) + Math.Log(0.6)) / 2, 1e-12);
        BinaryMetrics.LogLoss([0.0], [true]).ShouldBe(-Math.Log(1e-15), 1e-9);
        BinaryMetrics.Brier([0.8, 0.4], [true, false]).ShouldBe((0.04 + 0.16) / 2, 1e-12);
    }

    [Test]
    public void Calibration_error_weighs_bins_by_their_cases()
    {
        // Bin [.2,.3): mean .25, positives 1/2 → .25; bin [.9,1]: mean .95, positives 2/2 → .05. Equal weights: .15.
        double[] p = [0.2, 0.3 - 1e-12, 0.9, 1.0];
        bool[] y = [true, false, true, true];
        BinaryMetrics.ExpectedCalibrationError(p, y).ShouldBe(0.15, 1e-9);
        BinaryMetrics.ExpectedCalibrationError(p, y, bins: 1, equalMass: true).ShouldBe(0.15, 1e-9);
        BinaryMetrics.Calibration(p, y).Count.ShouldBe(2);
    }

    [Test]
    public void One_class_only_or_a_score_that_is_not_a_number_is_refused()
    {
        Should.Throw<ArgumentException>(() => BinaryMetrics.RocAuc([1, 2], [true, true]));
        Should.Throw<ArgumentException>(() => BinaryMetrics.RocAuc([1, double.NaN], [true, false]));
        Should.Throw<ArgumentException>(() => BinaryMetrics.Brier([1.2], [true]));
        Should.Throw<ArgumentException>(() => BinaryMetrics.Brier([], []));
    }

    [Test]
    public void Multiclass_scores_by_hand()
    {
        // scikit-learn's documentation of f1_score: y_true 0 1 2 0 1 2, y_pred 0 2 1 0 0 1 → macro 0.26..., accuracy 1/3.
        var m = new MulticlassMetrics([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 3);
        m.MacroF1.ShouldBe(0.8 / 3, 1e-12);
        m.WeightedF1.ShouldBe(0.8 / 3, 1e-12);
        m.Accuracy.ShouldBe(1.0 / 3, 1e-12);
        m[1, 0].ShouldBe(1);
    }
}
