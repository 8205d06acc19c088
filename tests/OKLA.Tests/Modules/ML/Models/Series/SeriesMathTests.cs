using OKLA.ML.Models.Series;

namespace OKLA.Tests.Modules.ML.Models.Series;

public sealed class SeriesMathTests
{
    // Midnight in Santo Domingo, a Monday.
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 4, 0, 0, TimeSpan.Zero);

    [Test]
    public void A_curve_is_found_again_from_counts_although_hours_with_many_people_are_hours_with_much_money()
    {
        const double Most = 6, Half = 20, Shape = 1.2;
        var series = Enumerable.Range(0, 4).Select(campaign => Channel($"c{campaign}", 100, seed: campaign, money: 10 + (8 * campaign), usd => Most * ResponseCurve.Hill(usd, Half, Shape))).ToList();

        var curve = ResponseCurve.Fit("search", series, bootstraps: 50, seed: 1);

        foreach (var usd in new[] { 8.0, 15, 25, 35 })
        {
            var truth = Most * ResponseCurve.Hill(usd, Half, Shape);
            curve.Hourly(usd).ShouldBe(truth, 0.1 * truth);
            var (low, high) = curve.HourlyInterval(usd);
            low.ShouldBeLessThanOrEqualTo(curve.Hourly(usd));
            high.ShouldBeGreaterThanOrEqualTo(curve.Hourly(usd));
        }

        // Evening hours were made to answer 1.5 times as well as mornings.
        (curve.Hours[20] / curve.Hours[8]).ShouldBe(1.5, 0.15);
        curve.Marginal(600).ShouldBeLessThan(curve.Marginal(200));
    }

    [Test]
    public void The_best_split_of_a_budget_makes_the_next_dollar_worth_the_same_everywhere()
    {
        // 10 √x and 20 √x: four times as much belongs into the second (derivatives 5/√a = 10/√b).
        var split = BudgetSplit.Best([usd => 10 * Math.Sqrt(usd), usd => 20 * Math.Sqrt(usd)], 100);

        split.Sum().ShouldBe(100, 1e-9);
        split[0].ShouldBe(20, 0.5);
        split[1].ShouldBe(80, 0.5);
    }

    [Test]
    public void A_channel_that_needs_a_push_gets_all_or_nothing()
    {
        // Nothing below 50 dollars, then 100 applications; against one that brings one each dollar.
        Func<double, double> needsPush = usd => usd >= 50 ? 100 : 0;

        BudgetSplit.Best([needsPush, usd => usd], 100).ShouldBe([50, 50], 0.3);
        BudgetSplit.Best([needsPush, usd => usd], 40).ShouldBe([0, 40], 0.3);
    }

    // P(N = k | N > 0) for mean 1: .582, .291, …: the median is 1. For mean 3: .157, .236, .236: cumulative .157, .393, .629: 3.
    [TestCase(0.01, 1)]
    [TestCase(1, 1)]
    [TestCase(3, 3)]
    public void The_median_of_counts_above_zero(double mean, double median) => CpaTraining.MedianAboveZero(mean).ShouldBe(median);

    [Test]
    public void A_score_reads_nothing_after_its_hour()
    {
        var random = new Random(3);
        var views = Enumerable.Range(0, 24 * 40).Select(_ => (double)random.Next(20)).ToArray();
        var before = HourlyDemand.Score(views);
        var changed = views.ToArray();
        for (var hour = 700; hour < changed.Length; hour++)
        {
            changed[hour] = 1_000;
        }

        var after = HourlyDemand.Score(changed);

        after[..700].ShouldBe(before[..700]);
        after[700].ShouldBeGreaterThan(10);
    }

    [Test]
    public void A_silence_of_a_steady_series_stands_out()
    {
        var random = new Random(4);
        var views = Enumerable.Range(0, 24 * 40).Select(hour => (double)(hour % 24 < 6 ? 1 : 20 + random.Next(9))).ToArray();
        for (var hour = (24 * 35) + 12; hour < (24 * 35) + 16; hour++)
        {
            views[hour] = 0;
        }

        var scores = HourlyDemand.Score(views);

        var quietest = Enumerable.Range(0, scores.Length).MinBy(hour => scores[hour]);
        quietest.ShouldBeInRange((24 * 35) + 12, (24 * 35) + 19);
        scores[quietest].ShouldBeLessThan(-4);
    }

    [Test]
    public void Alarms_close_together_are_one_episode_and_are_counted_against_faults()
    {
        var scores = new double[60];
        foreach (var hour in new[] { 10, 12, 30, 50 })
        {
            scores[hour] = 5;
        }

        var episodes = Alarms.Episodes(scores, 4);
        episodes.ShouldBe([new Episode(10, 12), new Episode(30, 30), new Episode(50, 50)]);

        // One fault met two hours after it began, one missed, one met within the hours after; one false alarm.
        var figures = Alarms.Measure([(episodes, [new FaultyHours(9, 13), new FaultyHours(20, 24), new FaultyHours(45, 49)])], days: 2.5);
        figures.Precision.ShouldBe(2 / 3.0);
        figures.Recall.ShouldBe(2 / 3.0);
        figures.F1.ShouldBe(2 / 3.0);
        figures.MedianDelay.ShouldBe(6);
        figures.FalseADay.ShouldBe(0.4);
    }

    [Test]
    public void A_threshold_brings_as_many_alarms_as_were_asked_for()
    {
        var random = new Random(5);
        double[][] scores = [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 24 * 7 * 10).Select(_ => -Math.Log(random.NextDouble())).ToArray())];

        var threshold = Alarms.Threshold(scores, aWeek: 0.5);

        // Four series of ten weeks: twenty alarms, and with a little less a few more.
        scores.Sum(one => Alarms.Episodes(one, threshold).Count).ShouldBeInRange(19, 20);
        scores.Sum(one => Alarms.Episodes(one, threshold * 0.9).Count).ShouldBeGreaterThan(20);
    }

    [Test]
    public void A_forecast_of_costs_knows_nothing_of_the_hour_it_is_about_nor_of_later_ones()
    {
        var series = Enumerable.Range(0, 3).Select(i => Channel($"c{i}", 40, seed: i, money: 30, usd => usd / 12)).ToList();
        var cases = CpaPredictor.Cases(series, DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        var model = CpaPredictor.Fit(series, cases, threads: 1, default);
        var cut = 24 * 30;
        var changed = series.Select(one => one with { Usd = [.. one.Usd.Select((usd, hour) => hour < cut ? usd : 999)], Applications = [.. one.Applications.Select((n, hour) => hour < cut ? n : 77)] }).ToList();

        var told = model.Predict(series, [.. series.Select(one => (one, cut))]);
        var again = CpaPredictor.Load(model.Save()).Predict(changed, [.. changed.Select(one => (one, cut))]);

        again.ShouldBe(told);
        told.ShouldAllBe(answer => answer.Low < answer.Usd && answer.Usd < answer.High);
        // Twelve dollars an application were made; one hour's count is rarely right, the typical one is near.
        told.Average(answer => answer.Usd).ShouldBeInRange(6, 24);
        model.Predict(series, [(series[0], series[0].Length)])[0].Usd.ShouldBeGreaterThan(0);
    }

    [Test]
    public void A_damaged_artefact_is_refused()
    {
        Should.Throw<InvalidDataException>(() => CpaPredictor.Load([1, 2]));
        Should.Throw<InvalidDataException>(() => WatchSettings.Load("{}"u8.ToArray()));
    }

    /// <summary>Hours of a channel: money follows the hour of the day and wanders from day to day; counts are Poisson around the curve, better in the evening.</summary>
    private static CampaignSeries Channel(string campaign, int days, int seed, double money, Func<double, double> response)
    {
        var random = new Random(seed);
        var length = 24 * days;
        var (usd, clicks, applications) = (new double[length], new double[length], new double[length]);
        var day = 1.0;
        for (var hour = 0; hour < length; hour++)
        {
            day = hour % 24 == 0 ? Math.Exp(0.5 * Normal(random)) : day;
            var season = hour % 24 >= 12 ? 1.2 : 0.8;
            usd[hour] = money * season * day;
            var mean = season * response(usd[hour]);
            applications[hour] = Poisson(random, mean);
            clicks[hour] = Poisson(random, 10 * mean);
        }

        return new CampaignSeries(campaign, "search", Start, usd, clicks, applications, [.. Enumerable.Repeat(0.5, length)]);
    }

    private static double Poisson(Random random, double mean)
    {
        var (count, product) = (0, random.NextDouble());
        for (; product > Math.Exp(-mean); product *= random.NextDouble())
        {
            count++;
        }

        return count;
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
