using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Caching;

/// <summary>Section <c>Cache</c>, in FusionCache's vocabulary: how long values live, and what is served while their source is slow or down.</summary>
public sealed class CacheOptions
{
    /// <summary>How long a value is fresh when the caller does not say. 1 second to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Duration { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a value past its duration is served when its factory fails.</summary>
    public bool IsFailSafeEnabled { get; set; } = true;

    /// <summary>How long after it was made a value may still be served in place of a failing or slow factory. 1 second to 30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan FailSafeMaxDuration { get; set; } = TimeSpan.FromHours(12);

    /// <summary>How long a stale value counts as fresh after its factory failed, so that a source that is down is not asked by every request. 0 to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan FailSafeThrottleDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a caller waits for the factory when a stale value is there; the factory goes on in the background. 1 ms to 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FactorySoftTimeout { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long a caller waits when no stale value is there; then a <see cref="TimeoutException"/>, while the factory goes on. 10 ms to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan FactoryHardTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Values kept; beyond it, those read longest ago go. 10 to 10,000,000.</summary>
    [Range(10, 10_000_000)]
    public int MaxEntries { get; set; } = 100_000;
}
