using System.ComponentModel.DataAnnotations;

namespace OKLA.Tracking.Quality;

/// <summary>When data counts as faulty: section <c>Quality</c>.</summary>
internal sealed class QualityOptions
{
    /// <summary>Hours between an event and its becoming known after which it is late: late ones are held to types, ranges and sets, but say nothing about volume, freshness or what is usual. 1 to 720.</summary>
    [Range(1, 720)]
    public int LateHours { get; set; } = 6;

    /// <summary>Days that hourly counts are kept, and days of history that the usual is taken from. 8 to 60.</summary>
    [Range(8, 60)]
    public int HistoryDays { get; set; } = 28;

    /// <summary>Days of history without which nothing is called unusual. 1 to 28.</summary>
    [Range(1, 28)]
    public int LearningDays { get; set; } = 7;

    /// <summary>Days that results are kept. 1 to 60.</summary>
    [Range(1, 60)]
    public int ResultDays { get; set; } = 7;

    /// <summary>Days that resolved alerts are kept. 1 to 3,650.</summary>
    [Range(1, 3_650)]
    public int AlertDays { get; set; } = 365;

    /// <summary>Rows that a window must hold before a share is judged; it grows from one hour to a day until it does. 20 to 100,000.</summary>
    [Range(20, 100_000)]
    public int MinRows { get; set; } = 100;

    /// <summary>Rows that a window must hold before a distribution is judged. 50 to 100,000.</summary>
    [Range(50, 100_000)]
    public int MinDriftRows { get; set; } = 200;

    /// <summary>Share of rows that may miss a required field, have a wrong type, or lie outside a range or set. 0 to 1.</summary>
    [Range(0, 1)]
    public double BadShare { get; set; } = 0.01;

    /// <summary>How far the share of missing values of an optional field may rise above the usual one. 0 to 1.</summary>
    [Range(0, 1)]
    public double MissingRise { get; set; } = 0.15;

    /// <summary>Population stability index above which a distribution has drifted; what chance explains comes on top. 0.01 to 10.</summary>
    [Range(0.01, 10)]
    public double Drift { get; set; } = 0.25;

    /// <summary>Usual share from which a value that no longer comes is missed. 0 to 1.</summary>
    [Range(0, 1)]
    public double VanishedShare { get; set; } = 0.05;

    /// <summary>Volume is too low below this part of the same weekday and hour. 0 to 1.</summary>
    [Range(0, 1)]
    public double VolumeDrop { get; set; } = 0.5;

    /// <summary>Volume is too high above this multiple of the same weekday and hour. 1 to 1,000.</summary>
    [Range(1, 1_000)]
    public double VolumeRise { get; set; } = 3;

    /// <summary>Standard errors by which something must differ before it counts. 2 to 20.</summary>
    [Range(2, 20)]
    public double StandardErrors { get; set; } = 5;

    /// <summary>Part of the usual share of different values below which ids repeat too much. 0 to 1.</summary>
    [Range(0, 1)]
    public double DistinctDrop { get; set; } = 0.2;

    /// <summary>Judgements in a row that must pass before an alert is resolved. 1 to 100.</summary>
    [Range(1, 100)]
    public int PassesToResolve { get; set; } = 3;
}
