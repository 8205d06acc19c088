using FsCheck;
using FsCheck.Fluent;
using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Algorithms.Tests.Linear;

public class CalibrationTests
{
    [Test]
    public void Violators_are_pooled_to_their_mean()
    {
        // By hand: 3, 2 → 2.5 and 4, 3.5 → 3.75; between 3 and 4 the line from 2.5 to 3.75.
        var map = IsotonicCalibration.Fit([1, 2, 3, 4, 5], [1, 3, 2, 4, 3.5]);
        new double[] { 0, 1, 2, 3, 3.5, 4, 5, 9 }.Select(map.Calibrate).ShouldBe([1, 1, 2.5, 2.5, 3.125, 3.75, 3.75, 3.75]);
    }

    [Test]
    public void Weights_and_equal_scores_are_averaged()
    {
        var map = IsotonicCalibration.Fit([1, 1, 2], [0, 1, 0.2], [1, 3, 1]);
        // 0.75 (weight 4) above 0.2 (weight 1): one pool of (3 + 0.2) / 5.
        map.Calibrate(1).ShouldBe(0.64, 1e-12);
        map.Calibrate(2).ShouldBe(0.64, 1e-12);
    }

    [Test]
    public void The_map_never_falls_and_keeps_the_mean()
    {
        Prop.ForAll<int[]>(targets =>
        {
            if (targets is null || targets.Length == 0) return true;
            double[] scores = [.. targets.Select((_, i) => (double)i)], y = [.. targets.Select(t => (double)t)];
            var map = IsotonicCalibration.Fit(scores, y);
            double[] fitted = [.. scores.Select(map.Calibrate)];
            return Math.Abs(fitted.Average() - y.Average()) < 1e-6 * (1 + y.Max(Math.Abs)) && fitted.Zip(fitted.Skip(1)).All(pair => pair.First <= pair.Second + 1e-9);
        }).QuickCheckThrowOnFailure();
    }

    [Test]
    public void Platts_slopes_vanish_on_the_softened_targets()
    {
        double[] scores = [-2, -1, -0.5, 0.1, 0.4, 1.5, 3];
        bool[] happened = [false, false, true, false, true, true, true];
        var platt = PlattScaling.Fit(scores, happened);
        double sum = 0, product = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            // 4 positives, 3 negatives: targets 5/6 and 1/5 (Lin, Lin and Weng 2007, eq. 3).
            var miss = (happened[i] ? 5.0 / 6 : 1.0 / 5) - platt.Calibrate(scores[i]);
            sum += miss;
            product += miss * scores[i];
        }
        sum.ShouldBe(0, 1e-7);
        product.ShouldBe(0, 1e-7);
        platt.A.ShouldBeLessThan(0);
    }

    [Test]
    public void Saved_maps_answer_the_same()
    {
        using var stream = new MemoryStream();
        var isotonic = IsotonicCalibration.Fit([1, 2, 3], [false, true, true]);
        var platt = new PlattScaling(-2, 0.5);
        isotonic.Save(stream);
        platt.Save(stream);
        stream.Position = 0;
        IsotonicCalibration.Load(stream).Calibrate(1.3).ShouldBe(isotonic.Calibrate(1.3));
        PlattScaling.Load(stream).ShouldBe(platt);
    }
}
