namespace OKLA.Features.Facts;

/// <summary>What features may know of one event: who, what, when, and the few properties that some feature reads.</summary>
internal sealed record Fact
{
    /// <summary>Place in the log.</summary>
    public required long Position { get; init; }

    /// <summary>Type of the event, as the log names it.</summary>
    public required string Type { get; init; }

    /// <summary>Event time, UTC ticks.</summary>
    public required long OccurredAt { get; init; }

    /// <summary>Known-at time, UTC ticks.</summary>
    public required long KnownAt { get; init; }

    public string? PersonId { get; init; }

    public string? ItemId { get; init; }

    public string? SessionId { get; init; }

    public string? DealerId { get; init; }

    public string? CampaignId { get; init; }

    /// <summary>Way, origin or placement, by type.</summary>
    public string? Channel { get; init; }

    public string? Device { get; init; }

    /// <summary>Make that a search asked for.</summary>
    public string? Make { get; init; }

    /// <summary>Body type that a search asked for.</summary>
    public string? BodyType { get; init; }

    /// <summary>What else a search asked for, lines <c>name=value</c> in lower case.</summary>
    public string? Sought { get; init; }

    /// <summary>The type's number: seconds of a view, results of a search, stars, dollars; see <see cref="FactColumns"/>.</summary>
    public double? Amount { get; init; }

    /// <summary>The type's second number: scroll depth of a view, highest price of a search.</summary>
    public double? Extent { get; init; }

    /// <summary>Whether the person had agreed to advertising; null where the event does not say.</summary>
    public bool? Marketing { get; init; }

    /// <summary>The item as it was known when this became visible; null when it was not known then.</summary>
    public ItemVersion? Item { get; init; }

    /// <summary>When the fact can first be seen, UTC ticks: it has happened and is known.</summary>
    public long VisibleAt => Math.Max(OccurredAt, KnownAt);

    /// <summary>Hour of the day in Santo Domingo (UTC-4 all year), 0 to 23.</summary>
    public int LocalHour => LocalTime.Of(OccurredAt).Hour;
}

/// <summary>The clock on Dominican walls; the country keeps UTC-4 all year.</summary>
internal static class LocalTime
{
    /// <summary>Local time of UTC ticks.</summary>
    public static DateTime Of(long ticks) => new(ticks - (4 * TimeSpan.TicksPerHour));

    /// <summary>Day of the week as mon, tue, ….</summary>
    public static string Weekday(long ticks) => Of(ticks).DayOfWeek.ToString()[..3].ToLowerInvariant();

    /// <summary>Day of the week and part of the day, as sat-evening: morning until noon, evening from 17 o'clock.</summary>
    public static string Slot(long ticks) => $"{Weekday(ticks)}-{(Of(ticks).Hour < 12 ? "morning" : Of(ticks).Hour < 17 ? "afternoon" : "evening")}";
}
