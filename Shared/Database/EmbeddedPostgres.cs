using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.Shared.Database;

/// <summary>
/// The PostgreSQL server that comes with OKLA: made on first use, started with the host, stopped with it, restarted when it dies.
/// Layout of the data folder: <c>postgres/</c> (the cluster), <c>postgres-password</c> (0600), <c>postgres.log</c>, <c>postgres.lock</c>.
/// </summary>
/// <remarks>
/// The server listens on 127.0.0.1 only and asks for a random password. A second host on the same folder joins the running server
/// instead of starting one, so that command-line verbs work beside <c>serve</c>.
/// A small shell between host and server holds the host's pipe: when the host dies, even by SIGKILL, the pipe closes and the shell
/// asks the server for a fast shutdown.
/// </remarks>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string User = "okla";
    private const string DatabaseName = "okla";

    // A terminal's Ctrl+C reaches the whole process group: guard and server are a session of their own, so that the host
    // stops first and the server after it, even when somebody kills the host with its whole group.
    private const string Guard = """
        trap '' INT HUP
        exec 3<&0
        "$@" </dev/null 3<&- & server=$!
        ( cat <&3 >/dev/null; kill -INT $server 2>/dev/null ) &
        exec 3<&-
        wait $server
        """;

    private readonly DatabaseOptions options;
    private readonly ILogger logger;
    private readonly string folder;
    private readonly string cluster;
    private readonly string binaries;
    private readonly string[] launcher;
    private readonly CancellationTokenSource stopping = new();
    private Process? server;
    private Task supervision = Task.CompletedTask;
    private int port;
    private string password = "";

    private EmbeddedPostgres(DatabaseOptions options, string contentRoot, ILogger logger)
    {
        this.options = options;
        this.logger = logger;
        folder = Path.GetFullPath(options.DataFolder, contentRoot);
        cluster = Path.Combine(folder, "postgres");
        binaries = Path.Combine(NativeParts.PostgresFolder(options.NativeFolder, contentRoot), "bin");
        Directory.CreateDirectory(cluster);
        launcher = UnprivilegedLauncher.For(cluster, Program("postgres"));
    }

    /// <summary>The connection string of the running server.</summary>
    public string ConnectionString => ConnectionStringTo(DatabaseName);

    /// <summary>Process id of the server, or null when another host owns it.</summary>
    public int? OwnedProcessId => server is { HasExited: false } ? ReadPostmaster()?.ProcessId : null;

    /// <summary>Starts the server in <see cref="DatabaseOptions.DataFolder"/>, or joins the one that already runs there.</summary>
    /// <exception cref="DatabaseUnavailableException">Binaries missing, folder of another major version, or no start within the limit.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(DatabaseOptions options, string contentRoot, ILogger logger, CancellationToken ct = default)
    {
        var postgres = new EmbeddedPostgres(options, contentRoot, logger);
        using var startLock = await postgres.LockFolderAsync(ct);
        await postgres.InitialiseAsync(ct);
        if (await postgres.TryJoinAsync(ct))
        {
            return postgres;
        }

        postgres.port = FreePort(postgres.ReadPostmaster()?.Port);
        postgres.StartServer();
        await postgres.WaitUntilReadyAsync(ct);
        await postgres.EnsureDatabaseAsync(ct);
        postgres.supervision = Task.Run(postgres.SuperviseAsync, CancellationToken.None);
        return postgres;
    }

    /// <summary>Stops the server if this host started it: fast shutdown, open transactions rolled back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await stopping.CancelAsync();
        await supervision;
        if (server is not null)
        {
            await StopServerAsync(server);
            server.Dispose();
        }

        stopping.Dispose();
    }

    private static async Task StopServerAsync(Process process)
    {
        if (process.HasExited)
        {
            return;
        }

        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private async Task<FileStream> LockFolderAsync(CancellationToken ct)
    {
        var path = Path.Combine(folder, "postgres.lock");
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < options.StartTimeoutSeconds * 10)
            {
                await Task.Delay(100, ct);
            }
        }
    }

    private async Task InitialiseAsync(CancellationToken ct)
    {
        var passwordFile = Path.Combine(folder, "postgres-password");
        var versionFile = Path.Combine(cluster, "PG_VERSION");
        if (File.Exists(versionFile))
        {
            var found = (await File.ReadAllTextAsync(versionFile, ct)).Trim();
            var ours = await MajorVersionAsync(ct);
            if (found != ours)
            {
                throw new DatabaseUnavailableException(
                    $"The data folder {cluster} was made by PostgreSQL {found} and this host brings {ours}: dump it with {found}, or choose another --data folder.");
            }

            if (!File.Exists(passwordFile))
            {
                throw new DatabaseUnavailableException($"The data folder {folder} has a database but no postgres-password file.");
            }

            password = (await File.ReadAllTextAsync(passwordFile, ct)).Trim();
            return;
        }

        password = File.Exists(passwordFile)
            ? (await File.ReadAllTextAsync(passwordFile, ct)).Trim()
            : Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
        await WriteSecretAsync(passwordFile, password, ct);
        Log.CreatingCluster(logger, cluster);

        // initdb wants the password in a file that its own user can read; it is gone before the server starts.
        var handOver = Path.Combine(cluster, ".pw");
        await WriteSecretAsync(handOver, password, ct);
        var made = cluster + ".new";
        if (Directory.Exists(made))
        {
            Directory.Delete(made, recursive: true);
        }

        Directory.CreateDirectory(made);
        UnprivilegedLauncher.HandOver(cluster, launcher);
        UnprivilegedLauncher.HandOver(made, launcher);
        var (exit, output) = await RunAsync(
            "initdb", ["-D", made, "-U", User, "--auth=scram-sha-256", $"--pwfile={handOver}", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"], ct);
        File.Delete(handOver);
        if (exit != 0)
        {
            throw new DatabaseUnavailableException($"initdb failed in {cluster}: {output.ReplaceLineEndings(" ").Trim()}");
        }

        // A half-made cluster must never look like a whole one: the folder gets its name in one step.
        Directory.Delete(cluster, recursive: true);
        Directory.Move(made, cluster);
    }

    private async Task<bool> TryJoinAsync(CancellationToken ct)
    {
        var deadline = Stopwatch.StartNew();
        while (ReadPostmaster() is { } running && IsAlive(running.ProcessId) && deadline.Elapsed.TotalSeconds < options.StartTimeoutSeconds)
        {
            if (running.Status == "ready")
            {
                port = running.Port;
                if (await CanConnectAsync(ct))
                {
                    Log.JoinedServer(logger, running.ProcessId, port);
                    await EnsureDatabaseAsync(ct);
                    return true;
                }
            }

            await Task.Delay(50, ct);
        }

        return false;
    }

    private void StartServer()
    {
        var log = Path.Combine(folder, "postgres.log");
        if (new FileInfo(log) is { Exists: true, Length: > 32 << 20 })
        {
            File.Move(log, log + ".1", overwrite: true);
        }

        string[] settings =
        [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", $"port={port}", "max_connections=200", "timezone=UTC", "log_timezone=UTC", "jit=off",
            $"shared_buffers={options.SharedBuffersMegabytes}MB", "max_wal_size=4GB", "checkpoint_timeout=15min",
            $"fsync={(options.Fsync ? "on" : "off")}", $"full_page_writes={(options.Fsync ? "on" : "off")}",
        ];
        string[] command = [.. launcher, Program("postgres"), "-D", cluster, .. settings.SelectMany(setting => new[] { "-c", setting })];
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(command[0], command[1..])
            : new ProcessStartInfo("/bin/sh", ["-c", "exec $(command -v setsid) /bin/sh -c \"$0\" \"$@\"", $"{{ {Guard}\n}} >>\"$OKLA_LOG\" 2>&1", "okla-postgres", .. command]);
        start.RedirectStandardInput = true;
        start.Environment["OKLA_LOG"] = log;
        start.WorkingDirectory = cluster;
        server = Process.Start(start) ?? throw new DatabaseUnavailableException("The embedded PostgreSQL could not be started.");
    }

    private async Task WaitUntilReadyAsync(CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        while (!await CanConnectAsync(ct))
        {
            if (server is { HasExited: true } || clock.Elapsed.TotalSeconds > options.StartTimeoutSeconds)
            {
                throw new DatabaseUnavailableException(
                    $"The embedded PostgreSQL did not become ready in {clock.Elapsed.TotalSeconds:F0} s; the end of {Path.Combine(folder, "postgres.log")}: {LogTail()}");
            }

            await Task.Delay(30, ct);
        }

        Log.ServerReady(logger, port, clock.ElapsedMilliseconds);
    }

    private async Task EnsureDatabaseAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionStringTo("postgres") + ";Pooling=false");
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var exists = new NpgsqlCommand($"select 1 from pg_database where datname = '{DatabaseName}'", connection);
        if (await exists.ExecuteScalarAsync(ct) is null)
        {
            await using var create = new NpgsqlCommand($"create database {DatabaseName}", connection);
            await create.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Brings the server back on the same port when it dies; connections reopen by themselves.</summary>
    private async Task SuperviseAsync()
    {
        var wait = TimeSpan.FromMilliseconds(200);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await server!.WaitForExitAsync(stopping.Token);
                Log.ServerDied(logger, server.ExitCode);
                await Task.Delay(wait, stopping.Token);
                server.Dispose();
                StartServer();
                await WaitUntilReadyAsync(stopping.Token);
                wait = TimeSpan.FromMilliseconds(200);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (DatabaseUnavailableException fault)
            {
                Log.RestartFailed(logger, fault);
                wait = TimeSpan.FromSeconds(Math.Min(wait.TotalSeconds * 2, 10));
            }
        }
    }

    private async Task<bool> CanConnectAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres") + ";Pooling=false;Timeout=5");
            await connection.OpenAsync(ct);
            return true;
        }
        catch (PostgresException wrong) when (wrong.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            throw new DatabaseUnavailableException($"The server in {cluster} refuses the password in {Path.Combine(folder, "postgres-password")}.", wrong);
        }
        catch (Exception notYet) when (notYet is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }

    private Postmaster? ReadPostmaster()
    {
        try
        {
            var lines = File.ReadAllLines(Path.Combine(cluster, "postmaster.pid"));
            return lines.Length >= 4 ? new Postmaster(int.Parse(lines[0], CultureInfo.InvariantCulture), int.Parse(lines[3], CultureInfo.InvariantCulture), lines.Length >= 8 ? lines[7].Trim() : "") : null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or FormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private async Task<string> MajorVersionAsync(CancellationToken ct)
    {
        var (_, output) = await RunAsync("postgres", ["--version"], ct);
        return output.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [.., var version] ? version.Trim().Split('.')[0] : output;
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, CancellationToken ct)
    {
        string[] command = [.. launcher, Program(program), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = cluster };
        using var process = Process.Start(start) ?? throw new DatabaseUnavailableException($"{program} could not be started.");
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, process.ExitCode == 0 ? await output : await errors + await output);
    }

    private string LogTail()
    {
        var log = Path.Combine(folder, "postgres.log");
        return File.Exists(log) ? string.Join(" | ", File.ReadLines(log).TakeLast(3)) : "(no log)";
    }

    private string ConnectionStringTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = User,
        Password = password,
        Database = database,
        MaxPoolSize = options.MaxPoolSize,
        ApplicationName = "okla",
    }.ConnectionString;

    private string Program(string name) => Path.Combine(binaries, NativeParts.Executable(name));

    private static bool IsAlive(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static int FreePort(int? preferred)
    {
        foreach (var candidate in new[] { preferred ?? 0, 0 })
        {
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, candidate);
                probe.Start();
                return ((IPEndPoint)probe.LocalEndpoint).Port;
            }
            catch (SocketException) when (candidate != 0)
            {
                // The port of the last run is taken by someone else: any free one will do.
                continue;
            }
        }

        throw new DatabaseUnavailableException("No free loopback port for the embedded PostgreSQL.");
    }

    private static async Task WriteSecretAsync(string path, string secret, CancellationToken ct)
    {
        var create = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new StreamWriter(path, create);
        await file.WriteAsync(secret.AsMemory(), ct);
    }

    private sealed record Postmaster(int ProcessId, int Port, string Status);
}
