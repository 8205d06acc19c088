using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Linear;

public class SurvivalTests
{
    // Weeks of remission of leukaemia, 21 patients on 6-mercaptopurine and 21 on placebo (Freireich et al. 1963); negative = censored.
    private static readonly float[] Treated = [6, 6, 6, 7, 10, 13, 16, 22, 23, -6, -9, -10, -11, -17, -19, -20, -25, -32, -32, -34, -35];
    private static readonly float[] Placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];

    private static (Dataset X, float[] Durations, bool[] Happened) Leukaemia()
    {
        float[] all = [.. Treated, .. Placebo];
        return (new Dataset([Column.Numeric("placebo", [.. all.Select((_, i) => i < 21 ? 0f : 1f)])]), [.. all.Select(Math.Abs)], [.. all.Select(t => t > 0)]);
    }

    [Test]
    public void Cox_with_efrons_ties_gives_the_known_hazard_ratio()
    {
        // coxph of R's survival package on these data (MASS::gehan): coefficient 1.5721. Deviation of the 0/1 column is 0.5.
        var (x, durations, happened) = Leukaemia();
        var model = CoxRegression.Fit(x, durations, happened, new CoxOptions { Regularization = 0 });
        (model.Weights[0] / 0.5).ShouldBe(1.5721, 2e-4);
    }

    [Test]
    public void The_partial_likelihood_is_efrons_and_its_slope_is_right()
    {
        // Times 1 (two events and one censored), 2 (one event): written out from Efron (1977).
        float[] durations = [1, 1, 1, 2];
        var likelihood = new PartialLikelihood(durations, [true, true, false, true], [1, 1, 1, 1]);
        double[] eta = [0.3, -0.2, 0.5, 0.1];
        double Written(double[] h)
        {
            double[] r = [.. h.Select(Math.Exp)];
            var all = r.Sum();
            return h[0] + h[1] + h[3] - Math.Log(all) - Math.Log(all - (r[0] + r[1]) / 2) - Math.Log(r[3]);
        }
        var residuals = new double[4];
        likelihood.Evaluate(eta, residuals).ShouldBe(Written(eta), 1e-12);
        for (var i = 0; i < 4; i++)
        {
            double[] up = [.. eta], down = [.. eta];
            up[i] += 1e-6;
            down[i] -= 1e-6;
            (-residuals[i]).ShouldBe((Written(up) - Written(down)) / 2e-6, 1e-6);
        }
    }

    [Test]
    public void Without_ties_and_features_the_curve_is_that_of_nelson_and_aalen()
    {
        // H = 1/4, 1/4 + 1/3, (censored), + 1/1.
        var x = new Dataset([Column.Numeric("constant", [1, 1, 1, 1])]);
        var model = CoxRegression.Fit(x, [1, 2, 3, 4], [true, true, false, true]);
        var curve = model.Curve([1f]);
        curve.Times.ShouldBe([1, 2, 4]);
        curve.At(0.5).ShouldBe(1);
        curve.At(1).ShouldBe(Math.Exp(-0.25), 1e-9);
        curve.At(3.9).ShouldBe(Math.Exp(-0.25 - 1.0 / 3), 1e-9);
        curve.Median.ShouldBe(4);
        model.Medians(x).ShouldBe([4, 4, 4, 4]);
        curve.RestrictedMean(2).ShouldBe(1 + Math.Exp(-0.25), 1e-9);
    }

    [Test]
    public void Weibull_gives_the_known_regression()
    {
        // survreg of R's survival package on these data: intercept 3.516 (treated), placebo −1.267, scale 0.732, log likelihood −106.6.
        var (x, durations, happened) = Leukaemia();
        var model = AcceleratedFailureTime.Fit(x, durations, happened, new AcceleratedFailureOptions { Distribution = FailureDistribution.Weibull, Regularization = 0 });
        var placebo = model.Weights[0] / 0.5;
        placebo.ShouldBe(-1.267, 1e-3);
        (model.Intercept - 0.5 * placebo).ShouldBe(3.516, 1e-3);
        model.Scale.ShouldBe(0.732, 1e-3);
        model.LogLikelihood.ShouldBe(-106.6, 0.05);
    }

    [Test]
    public void Each_distribution_is_recovered_from_its_own_draws([Values] FailureDistribution distribution)
    {
        // log T = 1 + 0.8·x + 0.5·ε, censored at 6.
        var random = new Random(7);
        const int n = 4000;
        var (values, durations, happened) = (new float[n], new float[n], new bool[n]);
        for (var i = 0; i < n; i++)
        {
            values[i] = (float)(random.NextDouble() * 2 - 1);
            var u = 1 - random.NextDouble();
            var epsilon = distribution switch
            {
                FailureDistribution.Weibull => Math.Log(-Math.Log(u)),
                FailureDistribution.LogNormal => Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * random.NextDouble()),
                _ => Math.Log(u / (1 - u + 1e-300)),
            };
            var time = Math.Exp(1 + 0.8 * values[i] + 0.5 * epsilon);
            (durations[i], happened[i]) = ((float)Math.Min(time, 6), time < 6);
        }
        var x = new Dataset([Column.Numeric("x", values)]);
        var model = AcceleratedFailureTime.Fit(x, durations, happened, new AcceleratedFailureOptions { Distribution = distribution });
        // The uniform's deviation is 1/√3; four standard errors of 4,000 rows are about 0.06.
        (model.Weights[0] * Math.Sqrt(3)).ShouldBe(0.8, 0.08);
        model.Intercept.ShouldBe(1, 0.06);
        model.Scale.ShouldBe(0.5, 0.04);
        foreach (var share in new[] { 0.1, 0.5, 0.9 }) model.Survival([0.2f], model.Quantile([0.2f], share)).ShouldBe(1 - share, 1e-9);
    }

    [Test]
    public void Saved_survival_models_answer_the_same()
    {
        var (x, durations, happened) = Leukaemia();
        var (cox, aft) = (CoxRegression.Fit(x, durations, happened), AcceleratedFailureTime.Fit(x, durations, happened));
        using var stream = new MemoryStream();
        cox.Save(stream);
        aft.Save(stream);
        stream.Position = 0;
        CoxRegression.Load(stream).Medians(x).ShouldBe(cox.Medians(x));
        AcceleratedFailureTime.Load(stream).Medians(x).ShouldBe(aft.Medians(x));
    }

    [Test]
    public void Durations_without_an_event_are_refused()
    {
        var (x, durations, happened) = Leukaemia();
        Should.Throw<ArgumentException>(() => CoxRegression.Fit(x, durations, new bool[durations.Length]));
        durations[0] = 0;
        Should.Throw<ArgumentException>(() => AcceleratedFailureTime.Fit(x, durations, happened));
    }
}
