using OKLA.ML.Training;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Training;

public sealed class HeldOutUnitsTests
{
    private const double Z = 1.959964;

    [Test]
    public void The_interval_of_a_mean_is_as_wide_as_its_standard_error_says()
    {
        var values = Normal(2_000, 1);

        var range = HeldOutUnits.Rows(values.Length, 7).Mean(values)!.Value;

        // Student: the standard error is s / √n.
        (range.High - range.Low).ShouldBe(2 * Z * Deviation(values) / Math.Sqrt(values.Length), 0.012);
        range.Low.ShouldBeLessThan(values.Average());
        range.High.ShouldBeGreaterThan(values.Average());
    }

    [Test]
    public void Rows_of_one_unit_say_no_more_than_one_of_them()
    {
        // 300 people with ten rows each that are all the same: the error is that of 300 values.
        var people = Normal(300, 2);
        double[] values = [.. people.SelectMany(value => Enumerable.Repeat(value, 10))];
        int[] of = [.. Enumerable.Range(0, values.Length).Select(row => row / 10)];

        var byPerson = HeldOutUnits.By(of, 7).Mean(values)!.Value;
        var byRow = HeldOutUnits.Rows(values.Length, 7).Mean(values)!.Value;

        (byPerson.High - byPerson.Low).ShouldBe(2 * Z * Deviation(people) / Math.Sqrt(300), 0.025);
        ((byPerson.High - byPerson.Low) / (byRow.High - byRow.Low)).ShouldBe(Math.Sqrt(10), 0.35);
    }

    [Test]
    public void The_interval_of_a_ratio_is_as_wide_as_its_linearisation_says()
    {
        var random = new Random(3);
        double[] bottom = [.. Enumerable.Range(0, 1_500).Select(_ => 5 + (10 * random.NextDouble()))];
        double[] top = [.. bottom.Zip(Normal(1_500, 4), (b, noise) => (0.3 * b) + noise)];

        var range = HeldOutUnits.Rows(top.Length, 7).Ratio(top, bottom)!.Value;

        // Cochran 1977, eq. 6.13: the error of y/x is that of the mean of y − R x, divided by the mean of x.
        var ratio = top.Sum() / bottom.Sum();
        var error = Deviation([.. top.Zip(bottom, (t, b) => t - (ratio * b))]) / bottom.Average() / Math.Sqrt(top.Length);
        (range.High - range.Low).ShouldBe(2 * Z * error, 0.15 * 2 * Z * error);
    }

    [Test]
    public void A_median_of_more_rows_than_are_drawn_has_the_interval_of_all_of_them()
    {
        var values = Normal(40_000, 5);

        var range = HeldOutUnits.Rows(values.Length, 7).OfRows(rows => [Median(Array.ConvertAll(rows, row => values[row]))])[0]!.Value;

        // The median of normal values errs by √(π/2) σ / √n; a tenth of them is drawn, whose median errs √10 as much.
        var width = 2 * Z * Math.Sqrt(Math.PI / 2) / Math.Sqrt(values.Length);
        (range.High - range.Low).ShouldBe(width, 0.2 * width);
        Median(values).ShouldBeInRange(range.Low, range.High);
    }

    [Test]
    public void Of_few_units_or_of_what_cannot_be_told_there_is_no_interval()
    {
        HeldOutUnits.By([.. Enumerable.Range(0, 900).Select(row => row / 100)], 7).Mean(Normal(900, 6)).ShouldBeNull();
        HeldOutUnits.Rows(50, 7).OfRows(_ => [double.NaN])[0].ShouldBeNull();
        new MetricRow("MAE", 1, 2, "the median").Within(null).Low.ShouldBeNull();
    }

    [Test]
    public void A_share_of_all_is_not_taken_for_certain()
    {
        // Wilson 1927 for 40 of 40: 1 / (1 + z² / n) = 0.9124.
        HeldOutUnits.Rows(40, 7).Mean([.. Enumerable.Repeat(1.0, 40)]).ShouldBe(new MetricRange(0.9124, 1), Near);

        // Ten called positive of forty, all of them rightly: 1 / (1 + z² / 10) = 0.7225.
        double[] called = [.. Enumerable.Range(0, 40).Select(row => row < 10 ? 1.0 : 0)];
        HeldOutUnits.Rows(40, 7).Ratio(called, called).ShouldBe(new MetricRange(0.7225, 1), Near);
        HeldOutUnits.Rows(40, 7).OfRows(_ => [1])[0].ShouldBeNull();
    }

    private static readonly IEqualityComparer<MetricRange?> Near = EqualityComparer<MetricRange?>.Create(
        (a, b) => a is { } one && b is { } other && Math.Abs(one.Low - other.Low) < 1e-4 && Math.Abs(one.High - other.High) < 1e-4, _ => 0);

    [Test]
    public void Rows_that_nothing_binds_are_units_of_their_own_and_the_seed_decides()
    {
        var values = Normal(60, 8);
        var some = HeldOutUnits.By((string?[])[.. Enumerable.Range(0, 60).Select(row => row < 40 ? $"seller {row / 10}" : null)], 7);

        some.Count.ShouldBe(4 + 20);
        some.Mean(values).ShouldBe(some.Mean(values));
        HeldOutUnits.Rows(60, 7).Mean(values).ShouldNotBe(HeldOutUnits.Rows(60, 8).Mean(values));
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private static double Deviation(double[] values) => values.Average() is var mean ? Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1)) : 0;

    private static double[] Normal(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];
    }
}
