using System.ComponentModel.DataAnnotations;

namespace OKLA.ML.Serving;

/// <summary>Section <c>ML:Serving</c>; how versions are held and asked.</summary>
internal sealed class ServingKnobs
{
    /// <summary>Rows that one request may ask about. 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int MaxRows { get; set; } = 2_000;

    /// <summary>MiB of artefacts held in memory; the versions asked longest ago go first. 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MemoryMegabytes { get; set; } = 1_024;

    /// <summary>Millions of characters that cached answers may hold, rows included; 0 turns the cache off. 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public int CacheMegabytes { get; set; } = 32;

    /// <summary>How long an answer is given again without asking the model. 1 second to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan CacheFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Predicted rows that may wait to be written; more are answered and counted but not kept. 100 to 10,000,000.</summary>
    [Range(100, 10_000_000)]
    public int LogQueue { get; set; } = 50_000;

    /// <summary>Days that answers are kept with their inputs and outcomes, and with them the minutes of serving, events that may be goals, closed alerts and who met which arm of rollouts that are over; never less than a goal may still be reached. 1 to 3,650.</summary>
    [Range(1, 3_650)]
    public int KeepDays { get; set; } = 90;

    /// <summary>Days that the hours of demand and of campaigns are kept, which forecasts learn from: those of demand look back 730. 800 to 36,500.</summary>
    [Range(800, 36_500)]
    public int KeepSeriesDays { get; set; } = 1_095;

    /// <summary>Largest file of a batch, in bytes.</summary>
    [Range(1_000, 100_000_000_000)]
    public long MaxFileBytes { get; set; } = 4_000_000_000;

    /// <summary>Days that the results of batches and of the queue are kept. 1 to 365.</summary>
    [Range(1, 365)]
    public int KeepResultDays { get; set; } = 7;

    /// <summary>Hosts that answers of the queue may be sent to, as in their address. Empty: none.</summary>
    public string[] CallbackHosts { get; set; } = [];

    /// <summary>Key of the signature that a call-back bears, 16 characters or more. Absent: no call-backs.</summary>
    [MinLength(16)]
    public string? CallbackSecret { get; set; }

    /// <summary>Times that a call-back is tried, at longer and longer intervals. 1 to 20.</summary>
    [Range(1, 20)]
    public int CallbackAttempts { get; set; } = 6;

    /// <summary>Wait before a call-back or a queued question is tried again; each further one is twice as long. 0.1 seconds to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);
}
