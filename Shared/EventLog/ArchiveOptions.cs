using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.EventLog;

/// <summary>Where events go that leave the log, and in what portions: section <c>Archive</c>.</summary>
public sealed class ArchiveOptions
{
    /// <summary>Folder of the files; relative to the data folder. All nodes must see the same one.</summary>
    [Required]
    public string Folder { get; set; } = "archive";

    /// <summary>Events of one file at most. 1,000 to 10,000,000.</summary>
    [Range(1_000, 10_000_000)]
    public int EventsPerFile { get; set; } = 250_000;

    /// <summary>Events that one transaction deletes or brings back. 100 to 100,000.</summary>
    [Range(100, 100_000)]
    public int BatchSize { get; set; } = 2_000;

    /// <summary>Days that the ids of events are remembered after they left the log; one that comes again later is taken as new. 1 to 3,650.</summary>
    [Range(1, 3_650)]
    public int RememberIdsDays { get; set; } = 90;

    /// <summary>Days that loaded events stay in the log before they leave it again. 1 to 3,650.</summary>
    [Range(1, 3_650)]
    public int LoadedDays { get; set; } = 7;
}

/// <summary>How far an archive is.</summary>
public enum ArchiveState
{
    /// <summary>The file is being written.</summary>
    Exporting,

    /// <summary>The file was read back and is right; its events are still in the log.</summary>
    Verified,

    /// <summary>Its events are being deleted from the log.</summary>
    Deleting,

    /// <summary>Its events are in the file alone.</summary>
    Done,

    /// <summary>Its events are on the way back.</summary>
    Loading,

    /// <summary>Its events are in the log again; the file stays.</summary>
    Loaded,
}

/// <summary>An archive's manifest.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Day">Day on which its events became known (UTC).</param>
/// <param name="Part">Number within the day, from 1.</param>
/// <param name="State">How far it is.</param>
/// <param name="File">The file's name, gzip of one JSON object a line.</param>
/// <param name="SchemaVersions">Types of its events, each with the versions of the bodies.</param>
/// <param name="Events">Number of events.</param>
/// <param name="FirstPosition">Lowest position.</param>
/// <param name="LastPosition">Highest position.</param>
/// <param name="FirstKnownAt">When the first became known (UTC).</param>
/// <param name="LastKnownAt">When the last became known (UTC).</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Sha256">Of the file, hexadecimal.</param>
/// <param name="ChangedAt">When its state last changed (UTC).</param>
public sealed record ArchiveManifest(
    Guid Id, DateOnly Day, int Part, ArchiveState State, string File, IReadOnlyDictionary<string, short[]> SchemaVersions, long Events,
    long FirstPosition, long LastPosition, DateTimeOffset? FirstKnownAt, DateTimeOffset? LastKnownAt, long Bytes, string Sha256, DateTimeOffset ChangedAt);

/// <summary>Events that may leave the log.</summary>
/// <param name="Types">Of these types.</param>
/// <param name="Before">Known before this day (UTC).</param>
public sealed record ArchiveRule(IReadOnlyCollection<string> Types, DateOnly Before);

/// <summary>What a run of the archive did.</summary>
/// <param name="Files">Files written.</param>
/// <param name="Events">Events that left the log.</param>
/// <param name="Waiting">Why some had to stay: subscriptions that have not read them yet.</param>
public sealed record ArchiveReport(int Files, long Events, IReadOnlyList<string> Waiting);

/// <summary>What the archive was asked for cannot be done, or a file is not what its manifest says; the message says which and what to do.</summary>
public sealed class ArchiveException(string message, Exception? cause = null) : Exception(message, cause);
