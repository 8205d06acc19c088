using OKLA.ML.Algorithms.TimeSeries;

namespace OKLA.ML.Algorithms.Tests.TimeSeries;

public class EtsModelTests
{
    [Test]
    public void Simple_smoothing_follows_its_recursion()
    {
        double[] y = [3, 5, 4, 6, 5, 7, 6, 8, 5, 6];
        var model = EtsModel.Fit(y, 1, new EtsForm(EtsError.Additive, EtsTrend.None, EtsSeason.None));
        for (int t = 1; t < y.Length; t++)
            model.Fitted[t].ShouldBe(model.Fitted[t - 1] + model.Alpha * (y[t - 1] - model.Fitted[t - 1]), 1e-12);
        model.Predict(3).ShouldBe(Enumerable.Repeat(model.Fitted[^1] + model.Alpha * (y[^1] - model.Fitted[^1]), 3).ToArray(), 1e-12);
    }

    [Test]
    public void A_straight_line_goes_on()
    {
        double[] y = [.. Enumerable.Range(0, 30).Select(t => 10 + 2.0 * t)];
        double[] point = EtsModel.Fit(y, 1, new EtsForm(EtsError.Additive, EtsTrend.Additive, EtsSeason.None)).Predict(5);
        for (int h = 0; h < 5; h++) point[h].ShouldBe(70 + 2 * h, 0.05);
    }

    [Test]
    public void The_automatic_choice_beats_the_seasonal_naive_by_a_third_on_the_last_two_years_of_air_passengers()
    {
        double[] train = AirPassengers.Values[..120], test = AirPassengers.Values[120..];
        Mape(test, EtsModel.FitBest(train, 12).Predict(24)).ShouldBeLessThan(0.155 * 2 / 3);
        Mape(test, SeasonalNaive.Predict(train, 12, 24).Point).ShouldBe(0.155, 0.0005);
    }

    [Test]
    public void Simulated_intervals_hold_the_point_widen_and_repeat_with_the_seed()
    {
        var model = EtsModel.Fit(AirPassengers.Values, 12, new EtsForm(EtsError.Multiplicative, EtsTrend.Additive, EtsSeason.Multiplicative));
        Forecast first = model.Predict(24, 0.9, 500, 3), second = model.Predict(24, 0.9, 500, 3);
        first.Lower.ShouldBe(second.Lower);
        for (int h = 0; h < 24; h++) first.Point[h].ShouldBeInRange(first.Lower[h], first.Upper[h]);
        (first.Upper[12] - first.Lower[12]).ShouldBeGreaterThan(first.Upper[0] - first.Lower[0]);
    }

    [Test]
    public void A_multiplicative_season_refuses_a_series_that_is_not_positive() =>
        Should.Throw<ArgumentException>(() => EtsModel.Fit(new double[30], 4, new EtsForm(EtsError.Multiplicative, EtsTrend.None, EtsSeason.Multiplicative)));

    internal static double Mape(double[] truth, double[] point) => truth.Select((y, h) => Math.Abs(y - point[h]) / y).Average();
}
