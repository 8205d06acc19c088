using System.ComponentModel.DataAnnotations;

namespace OKLA.Tracking.Ingest;

/// <summary>What a producer is taken to have agreed to when it does not say.</summary>
internal enum UnsaidConsent
{
    /// <summary>Counting only.</summary>
    Necessary,

    /// <summary>Following a visit.</summary>
    Analytics,
}

/// <summary>Bounds of what producers may send, and how long their data is kept: section <c>Tracking</c>.</summary>
internal sealed class TrackingOptions
{
    /// <summary>Largest number of events in one request.</summary>
    [Range(1, 10_000)]
    public int MaxEventsPerRequest { get; set; } = 500;

    /// <summary>Largest body of one request in bytes, before and after decompression.</summary>
    [Range(1_024, 64 << 20)]
    public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>Minutes that an event's corrected time may lie ahead of the server's clock.</summary>
    [Range(0, 1_440)]
    public int MaxMinutesAhead { get; set; } = 10;

    /// <summary>Whether events are taken only with a key (a site's browser key or a server's) of scope events:write. Absent: outside Development.</summary>
    public bool? RequireKey { get; set; }

    /// <summary>What <see cref="RequireKey"/> comes to in this host's environment.</summary>
    internal bool AsksForKeys => RequireKey ?? true;

    /// <summary>Consent of an event that does not say it: Necessary (count only) or Analytics (keep with its identities).</summary>
    [EnumDataType(typeof(UnsaidConsent))]
    public UnsaidConsent ConsentWhenUnsaid { get; set; } = UnsaidConsent.Analytics;

    /// <summary>Days after which the key of a day's address hashes is destroyed. 1 to 30.</summary>
    [Range(1, 30)]
    public int AddressKeyDays { get; set; } = 2;

    /// <summary>Days that rejected events are kept for a replay. 1 to 365.</summary>
    [Range(1, 365)]
    public int RejectedDays { get; set; } = 30;

    /// <summary>Rejected events kept at most; the oldest go. 1,000 to 10,000,000.</summary>
    [Range(1_000, 10_000_000)]
    public int RejectedKept { get; set; } = 200_000;

    /// <summary>Rejected events that a node keeps in a minute; more are answered and counted but not kept, so that nobody can fill the disk with them. 0 to 1,000,000.</summary>
    [Range(0, 1_000_000)]
    public int RejectedPerMinute { get; set; } = 10_000;
}
