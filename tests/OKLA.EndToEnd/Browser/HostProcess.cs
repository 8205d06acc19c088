using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OKLA.EndToEnd.Browser;

/// <summary>The real host as a process of its own, with its embedded database in a new folder; both are gone when it is disposed.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(15);

    private readonly Process process;
    private readonly string folder;
    private readonly ConcurrentQueue<string> output = new();

    private HostProcess(Process process, string folder, Uri address)
    {
        this.process = process;
        this.folder = folder;
        Client = new HttpClient { BaseAddress = address };
    }

    /// <summary>Talks to the host.</summary>
    public HttpClient Client { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address => Client.BaseAddress!;

    /// <summary>Starts the host that was built together with these tests and waits until it is ready. Throws with its last words when it is not.</summary>
    public static async Task<HostProcess> StartAsync(params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("okla-browser-").FullName;
        // PostgreSQL runs as another user where the tests run as root.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Checkout.Root };
        foreach (var argument in (string[])[Checkout.HostAssembly, "serve", "--urls", address.GetLeftPart(UriPartial.Authority), "--data", folder, .. settings])
            start.ArgumentList.Add(argument);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";

        var host = new HostProcess(new Process { StartInfo = start }, folder, address);
        try
        {
            host.Run();
            await host.WaitUntilReadyAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to stop, ends what is left of it and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!process.HasExited)
        {
            // The host stops its database by itself when it is asked; killing is for one that does not listen.
            if (!OperatingSystem.IsWindows()) using (Process.Start("kill", ["-TERM", $"{process.Id}"])) { }
            using var patience = new CancellationTokenSource(OperatingSystem.IsWindows() ? TimeSpan.Zero : StopsWithin);
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
        }

        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Run()
    {
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        output.Enqueue(line);
        while (output.Count > 60) output.TryDequeue(out _);
    }

    private async Task WaitUntilReadyAsync()
    {
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < StartsWithin)
        {
            if (process.HasExited) throw new InvalidOperationException($"The host ended with code {process.ExitCode}:\n{LastWords}");
            if (await IsReadyAsync()) return;
            await Task.Delay(100);
        }

        throw new TimeoutException($"The host was not ready after {StartsWithin.TotalSeconds} s:\n{LastWords}");
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Client.GetAsync("/health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private string LastWords => string.Join('\n', output);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
