using OKLA.ML.Algorithms.TimeSeries;

namespace OKLA.ML.Algorithms.Tests.TimeSeries;

public class AutomaticForecastTests
{
    [Test]
    public void Air_passengers_are_forecast_better_than_by_log_trend_and_season_without_a_look_at_the_test()
    {
        double[] train = AirPassengers.Values[..120], test = AirPassengers.Values[120..];
        var automatic = AutomaticForecast.Choose(train, SeasonLength.Candidates(train, []), 24);

        automatic.Season.ShouldBe(12);
        EtsModelTests.Mape(test, automatic.Predict(train, 24, 0.95).Point).ShouldBeLessThan(0.099);
        EtsModelTests.Mape(test, SimpleForecasts.TrendAndSeason(train, 12, 24, log: true)).ShouldBe(0.099, 0.0005);
    }

    [Test]
    public void Intervals_hold_the_point_and_the_wider_level_the_narrower()
    {
        double[] train = AirPassengers.Values[..120];
        var automatic = AutomaticForecast.Choose(train, [12], 12, origins: 3);
        Forecast wide = automatic.Predict(train, 12, 0.95), narrow = automatic.Predict(train, 12, 0.8);
        for (int h = 0; h < 12; h++)
        {
            wide.Lower[h].ShouldBeLessThan(narrow.Lower[h]);
            narrow.Lower[h].ShouldBeLessThan(narrow.Point[h]);
            narrow.Point[h].ShouldBeLessThan(narrow.Upper[h]);
            narrow.Upper[h].ShouldBeLessThan(wide.Upper[h]);
        }
    }

    [Test]
    public void A_pure_trend_and_season_go_on_exactly()
    {
        double[] y = [.. Enumerable.Range(0, 40).Select(Truth)];
        double[] point = SimpleForecasts.TrendAndSeason(y, 4, 8, log: false);
        for (int h = 0; h < 8; h++) point[h].ShouldBe(Truth(40 + h), 1e-9);

        static double Truth(int t) => 3 + 0.5 * t + ((double[])[1, -2, 0, 4])[t % 4];
    }

    [Test]
    public void Drift_seasonal_naive_and_theta_by_hand()
    {
        SimpleForecasts.Drift([1, 4, 3, 7], 2).ShouldBe([9, 11]);
        SimpleForecasts.SeasonalNaive([1, 2, 3, 4, 5], 3, 4).ShouldBe([3, 4, 5, 3]);
        // On an exact line smoothing ends near the last value, and the drift is half the slope.
        double[] theta = SimpleForecasts.Theta([.. Enumerable.Range(0, 50).Select(t => 2.0 * t)], 1, 3);
        (theta[1] - theta[0]).ShouldBe(1, 1e-9);
        (theta[2] - theta[1]).ShouldBe(1, 1e-9);
    }

    [Test]
    public void Gaps_are_filled_by_the_line_or_with_the_season()
    {
        Gaps.Fill([double.NaN, 1, double.NaN, 3, double.NaN]).ShouldBe([1, 1, 2, 3, 3]);
        double[] wave = [.. Enumerable.Range(0, 40).Select(t => t % 4 == 0 ? 10.0 : 0)], gap = [.. wave];
        gap[20] = double.NaN;
        Gaps.Fill(gap, 4)[20].ShouldBeGreaterThan(7);
        Should.Throw<ArgumentException>(() => Gaps.Fill([double.NaN]));
    }

    [Test]
    public void A_random_walk_has_no_season_and_a_week_has_seven_days()
    {
        var random = new Random(2);
        double level = 0;
        double[] walk = [.. Enumerable.Range(0, 300).Select(_ => level += random.NextDouble() - 0.5)];
        SeasonLength.Candidates(walk, [7, 365]).ShouldNotContain(7);
        SeasonLength.Candidates([.. Enumerable.Range(0, 200).Select(t => (t % 7 >= 5 ? 5 : 0) + random.NextDouble())], [])[0].ShouldBe(7);
    }
}
