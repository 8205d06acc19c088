using OKLA.ML.Algorithms.TimeSeries;

namespace OKLA.ML.Algorithms.Tests.TimeSeries;

public class DecompositionAndSsaTests
{
    [Test]
    public void A_line_and_a_periodic_season_come_apart_exactly()
    {
        double[] season = [3, -1, -4, 2];
        double[] y = [.. Enumerable.Range(0, 40).Select(t => 5 + 0.5 * t + season[t % 4])];
        Decomposed parts = Stl.Decompose(y, 4);
        for (int t = 0; t < 40; t++)
        {
            parts.Seasonal[t].ShouldBe(season[t % 4], 1e-6);
            parts.Trend[t].ShouldBe(5 + 0.5 * t, 1e-6);
        }
    }

    [Test]
    public void Robust_passes_leave_an_outlier_in_the_remainder()
    {
        double[] season = [3, -1, -4, 2];
        double[] y = [.. Enumerable.Range(0, 60).Select(t => 5 + 0.5 * t + season[t % 4] + 0.1 * Math.Sin(t * 7.1))];
        y[30] += 50;
        Stl.Decompose(y, 4, 0, 10).Remainder[30].ShouldBe(50, 1);
    }

    [Test]
    public void Ssa_continues_a_sinusoid_and_a_line_exactly()
    {
        // A line has rank 2 and a sinusoid rank 2 (Golyandina et al. 2001, section 5.1), so the recurrence of rank 4 is exact.
        double Value(int t) => 2 + 0.1 * t + Math.Sin(2 * Math.PI * t / 12);
        double[] y = [.. Enumerable.Range(0, 100).Select(Value)];
        double[] ahead = Ssa.Fit(y, 24, 4).Predict(24);
        for (int h = 0; h < 24; h++) ahead[h].ShouldBe(Value(100 + h), 1e-6);
    }

    [Test]
    public void The_season_of_air_passengers_is_a_year() => SeasonLength.Detect(AirPassengers.Values).ShouldBe(12);

    [Test]
    public void Noise_has_no_season()
    {
        var random = new Random(1);
        SeasonLength.Detect([.. Enumerable.Range(0, 400).Select(_ => random.NextDouble())]).ShouldBe(1);
    }

    [Test]
    public void Conformal_intervals_of_a_naive_forecast_have_the_width_of_the_ranked_past_error()
    {
        // Errors one step ahead of the last four origins are 1, 3, 2, 4; the ⌈5 · 0.6⌉ = third least is 3.
        double[] y = [10, 11, 14, 12, 16];
        Forecast forecast = ConformalForecast.Predict(y, (past, h) => [.. Enumerable.Repeat(past[^1], h)], 1, 1, 0.6, 4);
        (forecast.Lower[0], forecast.Upper[0]).ShouldBe((13, 19));
    }
}
