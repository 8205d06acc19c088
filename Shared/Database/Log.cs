using Microsoft.Extensions.Logging;

namespace OKLA.Shared.Database;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Creating the embedded PostgreSQL in {Folder}")]
    public static partial void CreatingCluster(ILogger logger, string folder);

    [LoggerMessage(1002, LogLevel.Information, "Embedded PostgreSQL ready on 127.0.0.1:{Port} after {Milliseconds} ms")]
    public static partial void ServerReady(ILogger logger, int port, long milliseconds);

    [LoggerMessage(1003, LogLevel.Information, "Joined the embedded PostgreSQL of another host (process {ProcessId}, port {Port})")]
    public static partial void JoinedServer(ILogger logger, int processId, int port);

    [LoggerMessage(1004, LogLevel.Error, "Embedded PostgreSQL ended with code {ExitCode}; starting it again")]
    public static partial void ServerDied(ILogger logger, int exitCode);

    [LoggerMessage(1005, LogLevel.Error, "Embedded PostgreSQL could not be started again; trying once more")]
    public static partial void RestartFailed(ILogger logger, Exception fault);

    [LoggerMessage(1006, LogLevel.Information, "Applied migration {Room} {Number} {Name}")]
    public static partial void MigrationApplied(ILogger logger, string room, int number, string name);
}
