using OKLA.Host.Demo;

namespace OKLA.Tests.Host.Demo;

public sealed class VisitHabitsTests
{
    private static readonly VisitHabits Weekly = new(FirstDay: -3.4, LastDay: 40, VisitsADay: 0.2, SignInVisit: 1, HasTwoDevices: false, BringsPhone: true);

    [Test]
    public void Staying_away_is_what_is_left_of_lives_that_went_by_as_seen()
    {
        // Lives as the simulation lives them; those whose last sign before day 20 fell on a day tell how often none comes for two weeks.
        var random = new Random(5);
        var (seen, away) = (new int[20], new int[20]);
        double Exponential(double mean) => -mean * Math.Log(1 - random.NextDouble());
        for (var life = 0; life < 400_000; life++)
        {
            var last = random.NextDouble() < 0.25 ? Weekly.FirstDay + 1 : Weekly.FirstDay + 2 + Exponential(25);
            var (before, comes) = (-100, false);
            for (var day = -4; day <= last && day < 34; day++)
            {
                if (day == -4 || Exponential(1) < Weekly.VisitsADay)
                {
                    (before, comes) = day < 20 ? (day, comes) : (before, true);
                }
            }

            if (before >= 0)
            {
                seen[before]++;
                away[before] += comes ? 0 : 1;
            }
        }

        foreach (var day in new[] { 5, 12, 17, 19 })
        {
            var share = (double)away[day] / seen[day];
            Weekly.StaysAway(day, 20, 14, Weekly.VisitsADay, null).ShouldBe(share, 4 * Math.Sqrt(share * (1 - share) / seen[day]), $"last seen on day {day} by {seen[day]}");
        }
    }

    [Test]
    public void Whoever_came_lately_comes_often_or_has_not_bought_stays_away_less()
    {
        double Away(int last, double visits, int? bought = null) => Weekly.StaysAway(last, 20, 14, visits, bought);

        Away(19, 0.2).ShouldBeLessThan(Away(12, 0.2));
        Away(19, 0.5).ShouldBeLessThan(Away(19, 0.2));
        // Silence says more of those who come often.
        Away(8, 0.5).ShouldBeGreaterThan(Away(8, 0.1));
        // Who bought looks around three days more and never comes again.
        Away(18, 0.2, bought: 15).ShouldBe(1);
        Away(19, 0.2, bought: 19).ShouldBeInRange(Math.Exp(-0.2 * 3), 1);
        Away(19, 0.2, bought: 19).ShouldBeGreaterThan(Away(19, 0.2));
    }
}
