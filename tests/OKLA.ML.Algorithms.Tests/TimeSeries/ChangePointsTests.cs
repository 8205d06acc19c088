using OKLA.ML.Algorithms.TimeSeries;

namespace OKLA.ML.Algorithms.Tests.TimeSeries;

public class ChangePointsTests
{
    [Test]
    public void Pelt_finds_the_segmentation_of_exhaustive_dynamic_programming()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            double[] y = [.. Enumerable.Range(0, 60).Select(t => (t / 15 % 2 == 0 ? 0 : 2) + random.NextDouble() * 3)];
            ChangePoints.Pelt(y, ChangeKind.MeanAndVariance, 6, 4).ShouldBe(Exhaustive(y, 6, 4));
        }
    }

    [Test]
    public void A_level_shift_is_found_with_its_levels()
    {
        var random = new Random(2);
        double[] y = [.. Enumerable.Range(0, 100).Select(t => (t < 40 ? 10 : 15) + random.NextDouble())];
        LevelShift shift = ChangePoints.LevelShifts(y).ShouldHaveSingleItem();
        shift.At.ShouldBe(40);
        shift.Before.ShouldBe(10.5, 0.2);
        shift.After.ShouldBe(15.5, 0.2);
    }

    [Test]
    public void Cumulative_sums_alarm_by_hand() =>
        // Up sums with target 0 and slack 0.5: 0.5, 1, 1.5, 2, 2.5 > 2.4 at place 4; anew: 0.5.
        ChangePoints.Cusum([1, 1, 1, 1, 1, 1], 0, 0.5, 2.4).ShouldBe([4]);

    [Test]
    public void A_spike_is_found_and_a_season_is_not_one()
    {
        double[] y = [.. Enumerable.Range(0, 84).Select(t => (t % 7 == 0 ? 40 : 10) + Math.Sin(t * 1.7))];
        y[50] += 30;
        Spikes.Detect(y, 7).ShouldContain(50);
        Spikes.Detect(y, 7, threshold: 15).ShouldBe([50]);
    }

    private static int[] Exhaustive(double[] y, double penalty, int least)
    {
        var best = new double[y.Length + 1];
        var from = new int[y.Length + 1];
        Array.Fill(best, double.PositiveInfinity);
        best[0] = -penalty;
        for (int t = least; t <= y.Length; t++)
        {
            for (int s = 0; s <= t - least; s++)
            {
                double[] part = y[s..t];
                double mean = part.Average(), value = best[s] + part.Length * Math.Log(part.Sum(v => (v - mean) * (v - mean)) / part.Length) + penalty;
                if (value < best[t]) (best[t], from[t]) = (value, s);
            }
        }

        var changes = new List<int>();
        for (int t = from[y.Length]; t > 0; t = from[t]) changes.Insert(0, t);
        return [.. changes];
    }
}
