using OKLA.Shared.Jobs;

namespace OKLA.Tests.Shared.Jobs;

public sealed class JobScheduleTests
{
    private static readonly JobSchedule Sundays = JobSchedule.Weekly(DayOfWeek.Sunday, new(3, 0));

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text + "Z", System.Globalization.CultureInfo.InvariantCulture);

    // 1 March 2026 is a Sunday; 03:00 in Santo Domingo (UTC-4) is 07:00 UTC.
    [TestCase("2026-03-01T06:59", "2026-02-22T07:05", "2026-03-01T07:00", TestName = "A minute before it is not due")]
    [TestCase("2026-03-01T07:00", "2026-02-22T07:05", "2026-03-01T07:00", TestName = "At the time it is due")]
    [TestCase("2026-03-01T08:00", "2026-03-01T07:00", "2026-03-08T07:00", TestName = "After the run it is due a week later")]
    [TestCase("2026-03-03T12:00", "2026-02-22T07:05", "2026-03-01T07:00", TestName = "After a week-end down it is due at once")]
    [TestCase("2026-03-03T12:00", "2026-01-01T00:00", "2026-03-01T07:00", TestName = "Many missed weeks are one run")]
    [TestCase("2026-03-08T03:30", "2026-03-01T07:00", "2026-03-08T07:00", TestName = "Sunday by UTC may still be Saturday in Santo Domingo")]
    public void A_weekly_job_asks_whether_its_last_success_is_older_than_the_last_time(string now, string lastSuccess, string due) =>
        Sundays.NextDue(Utc(now), Utc(lastSuccess)).ShouldBe(Utc(due));

    [TestCase("2026-03-02T06:00", "2026-03-01T07:00", "2026-03-02T07:00")]
    [TestCase("2026-03-02T02:00", "2026-02-28T07:00", "2026-03-01T07:00")]
    public void A_daily_job_goes_by_the_day_in_Santo_Domingo(string now, string lastSuccess, string due) =>
        JobSchedule.Daily(new(3, 0)).NextDue(Utc(now), Utc(lastSuccess)).ShouldBe(Utc(due));

    [Test]
    public void A_periodic_job_is_due_a_period_after_its_last_success() =>
        JobSchedule.Every(TimeSpan.FromHours(2)).NextDue(Utc("2026-03-01T07:00"), Utc("2026-03-01T06:00")).ShouldBe(Utc("2026-03-01T08:00"));

    [Test]
    public void A_job_that_never_succeeded_is_due_and_one_on_demand_never_is()
    {
        var now = Utc("2026-03-01T07:00");
        Sundays.NextDue(now, null).ShouldBe(now);
        JobSchedule.OnDemand.NextDue(now, null).ShouldBeNull();
        JobSchedule.OnDemand.IsDue(now, null, null, TimeSpan.Zero).ShouldBeFalse();
    }

    [TestCase("2026-03-01T06:00", false)]
    [TestCase("2026-03-01T00:59", true)]
    public void A_job_that_failed_for_good_rests(string failure, bool due) =>
        Sundays.IsDue(Utc("2026-03-01T07:00"), null, Utc(failure), TimeSpan.FromHours(6)).ShouldBe(due);

    [Test]
    public void Schedules_are_told_in_words()
    {
        Sundays.Text.ShouldBe("weekly, Sunday 03:00");
        JobSchedule.Daily(new(23, 30)).Text.ShouldBe("daily, 23:30");
        JobSchedule.Every(TimeSpan.FromMinutes(5)).Text.ShouldBe("every 00:05:00");
    }
}
