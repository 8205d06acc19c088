using OKLA.ML.Models;
using OKLA.ML.Training;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class DaysToSaleTests
{
    private static readonly DateTimeOffset At = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private DaysToSale model = null!;

    [OneTimeSetUp]
    public void Learn()
    {
        // Log-normal around 30 days, e^(4 · premium) longer where the price is above what such a car costs; what lasts past 60 days is censored.
        var random = new Random(7);
        double Gaussian() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var (ads, days, sold) = (new List<DaysToSale.Ad>(), new List<float>(), new List<bool>());
        for (var i = 0; i < 1_500; i++)
        {
            var (year, premium) = (2010 + (i % 12), 0.15 * Gaussian());
            var lasts = 30 * Math.Exp((4 * premium) + (0.5 * Gaussian()));
            ads.Add(new DaysToSale.Ad(Features(year), Math.Exp(9 + (0.08 * (year - 2010)) + premium)));
            days.Add((float)Math.Min(60, lasts));
            sold.Add(lasts <= 60);
        }

        model = DaysToSale.Fit(ads, [.. days], [.. sold], seed: 1, threads: 1);
    }

    [Test]
    public void The_median_and_the_effect_of_the_price_are_found_though_long_times_are_censored()
    {
        model.Remaining(At2015(1), 0, 0.5)[0].ShouldBe(30, 3);
        model.Remaining(At2015(Math.Exp(0.1)), 0, 0.5)[0].ShouldBe(30 * Math.Exp(0.4), 6);
    }

    [Test]
    public void A_higher_price_never_sells_sooner()
    {
        double[] days = [.. Enumerable.Range(0, 30).Select(i => model.Remaining(At2015(0.5 + (0.05 * i)), 5, 0.5)[0])];

        days.Zip(days.Skip(1)).ShouldAllBe(pair => pair.Second >= pair.First);
    }

    [Test]
    public void A_saved_model_answers_the_same_after_loading()
    {
        var again = DaysToSale.Load(model.Save());

        again.Remaining(At2015(1.1), 12, 0.1, 0.5, 0.9).ShouldBe(model.Remaining(At2015(1.1), 12, 0.1, 0.5, 0.9));
        Should.Throw<InvalidDataException>(() => DaysToSale.Load([3, 97, 98, 99, 1, 0, 0, 0]));
    }

    [Test]
    public void What_has_lasted_counts()
    {
        // P(T ≤ 50 | T > 20) = 1 − S(50) / S(20).
        var ad = At2015(1);
        var survival = model.Survival([ad], [20, 50]);

        model.SoldWithin(ad, 20, 30).ShouldBe(1 - (survival[1][0] / survival[0][0]), 1e-9);
    }

    [Test]
    public void The_kaplan_meier_curve_steps_at_the_events()
    {
        // Days 1, 2+, 3, 4: 3/4 after 1; two are left at 3, one of them goes: 3/8; the last goes at 4.
        var curve = DaysToSaleTraining.KaplanMeier([1, 2, 3, 4], [true, false, true, true]);

        new[] { curve(0.5), curve(1), curve(2.5), curve(3), curve(9) }.ShouldBe([1, 0.75, 0.75, 0.375, 0]);
    }

    private static DaysToSale.Ad At2015(double factor) => new(Features(2015), factor * Math.Exp(9 + (0.08 * 5)));

    private static PriceFeatures Features(double year) => new("toyota", "corolla", "sedan", "gasolina", "usado", null, year, double.NaN, ["toyota", "corolla"], At);
}
