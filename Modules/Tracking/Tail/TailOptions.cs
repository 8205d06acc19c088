using System.ComponentModel.DataAnnotations;

namespace OKLA.Tracking.Tail;

/// <summary>Bounds of the live view of events: section <c>Tail</c>.</summary>
internal sealed class TailOptions
{
    /// <summary>Events shown to one viewer in a second; the rest is counted. 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int EventsPerSecond { get; set; } = 50;

    /// <summary>Events that a node reads of the log in a second for all viewers together; what comes faster is passed over and counted. 100 to 100,000.</summary>
    [Range(100, 100_000)]
    public int ReadPerSecond { get; set; } = 5_000;

    /// <summary>Viewers of a node at a time. 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public int MaxViewers { get; set; } = 20;
}
