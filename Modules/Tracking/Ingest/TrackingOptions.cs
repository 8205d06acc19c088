using System.ComponentModel.DataAnnotations;

namespace OKLA.Tracking.Ingest;

/// <summary>Bounds of what producers may send: section <c>Tracking</c>.</summary>
internal sealed class TrackingOptions
{
    /// <summary>Largest number of events in one request.</summary>
    [Range(1, 10_000)]
    public int MaxEventsPerRequest { get; set; } = 500;

    /// <summary>Largest body of one request in bytes, after decompression.</summary>
    [Range(1_024, 64 << 20)]
    public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>Minutes that an event's corrected time may lie ahead of the server's clock.</summary>
    [Range(0, 1_440)]
    public int MaxMinutesAhead { get; set; } = 10;
}
