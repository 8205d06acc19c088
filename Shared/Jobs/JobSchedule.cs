using System.Globalization;

namespace OKLA.Shared.Jobs;

/// <summary>
/// When a job is due. The question is always put to the last success ("is it older than the last Sunday at 3?"), so that a time when
/// no host ran loses nothing: the job is due as soon as one runs again. A job that never succeeded is due.
/// </summary>
public sealed record JobSchedule
{
    private readonly TimeSpan? _period;
    private readonly TimeOnly _time;
    private readonly DayOfWeek? _day;

    private JobSchedule(string text, TimeSpan? period = null, TimeOnly time = default, DayOfWeek? day = null) =>
        (Text, _period, _time, _day, IsRecurring) = (text, period, time, day, text != "on demand");

    /// <summary>The clock on Dominican walls (UTC-4, no daylight saving), also where the operating system has no time zone data.</summary>
    public static TimeZoneInfo SantoDomingo { get; } = TimeZoneInfo.TryFindSystemTimeZoneById("America/Santo_Domingo", out var zone)
        ? zone
        : TimeZoneInfo.CreateCustomTimeZone("America/Santo_Domingo", TimeSpan.FromHours(-4), "America/Santo_Domingo", "AST");

    /// <summary>Only when someone asks.</summary>
    public static JobSchedule OnDemand { get; } = new("on demand");

    /// <summary>The schedule in words, such as <c>weekly, Sunday 03:00</c>.</summary>
    public string Text { get; }

    /// <summary>Whether it is ever due by itself.</summary>
    public bool IsRecurring { get; }

    /// <summary>When the last success began longer ago than <paramref name="period"/>.</summary>
    public static JobSchedule Every(TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.FromSeconds(1));
        return new($"every {period:c}", period);
    }

    /// <summary>Each day at a time in Santo Domingo.</summary>
    public static JobSchedule Daily(TimeOnly time) => new(string.Create(CultureInfo.InvariantCulture, $"daily, {time:HH:mm}"), time: time);

    /// <summary>Each week on a day at a time in Santo Domingo.</summary>
    public static JobSchedule Weekly(DayOfWeek day, TimeOnly time) => new(string.Create(CultureInfo.InvariantCulture, $"weekly, {day} {time:HH:mm}"), time: time, day: day);

    /// <summary>When the job is next due; at or before <paramref name="now"/> when it is due already, null when it never is by itself.</summary>
    /// <param name="now">The time.</param>
    /// <param name="lastSuccess">When its last successful run began.</param>
    public DateTimeOffset? NextDue(DateTimeOffset now, DateTimeOffset? lastSuccess)
    {
        if (!IsRecurring) return null;
        if (lastSuccess is not { } last) return now;
        if (_period is { } period) return last + period;
        var days = _day is null ? 1 : 7;
        var local = TimeZoneInfo.ConvertTime(now, SantoDomingo).DateTime;
        var back = _day is { } day ? ((int)local.DayOfWeek - (int)day + 7) % 7 : 0;
        var latest = local.Date.AddDays(-back) + _time.ToTimeSpan();
        if (latest > local) latest = latest.AddDays(-days);
        var occurred = At(latest);
        return last < occurred ? occurred : At(latest.AddDays(days));
    }

    /// <summary>Whether a run should begin: it is due, and does not rest after a failure.</summary>
    internal bool IsDue(DateTimeOffset now, DateTimeOffset? lastSuccess, DateTimeOffset? lastFailure, TimeSpan rest) =>
        NextDue(now, lastSuccess) <= now && !(lastFailure > now - rest);

    private static DateTimeOffset At(DateTime local) => new DateTimeOffset(local, SantoDomingo.GetUtcOffset(local)).ToUniversalTime();
}
