using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OKLA.Shared.Database;

namespace OKLA.EndToEnd.Faults;

/// <summary>
/// Kills the host, and its PostgreSQL, in the middle of a load. <c>OKLA_CRASH_EVENTS</c> sets the size of the load (20,000 by
/// default, so that the suite stays short).
/// </summary>
public sealed class CrashTests
{
    private const int BatchSize = 50;

    private static readonly int Events = int.Parse(Environment.GetEnvironmentVariable("OKLA_CRASH_EVENTS") ?? "20000", CultureInfo.InvariantCulture);

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("okla-crash-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task A_killed_host_loses_no_acknowledged_event_and_recovers_at_the_next_start()
    {
        var load = new ClientLoad(Events);
        var host = await HostProcess.StartAsync(folder);
        var sending = load.RunAsync(() => host);
        while (load.Acknowledged.Count < Events / 3)
        {
            await Task.Delay(5);
        }

        await host.KillAsync();
        var before = load.Acknowledged.Count;
        var second = await HostProcess.StartAsync(folder);
        host = second;
        await sending;

        await second.DisposeAsync();
        before.ShouldBeInRange(Events / 3, Events - 1);
        await EveryEventIsThereOnceAsync(load);
    }

    [Test]
    public async Task A_killed_PostgreSQL_comes_back_by_itself_and_no_acknowledged_event_is_lost()
    {
        var load = new ClientLoad(Events);
        await using (var host = await HostProcess.StartAsync(folder))
        {
            var sending = load.RunAsync(() => host);
            while (load.Acknowledged.Count < Events / 3)
            {
                await Task.Delay(5);
            }

            using (var postmaster = Process.GetProcessById(int.Parse(File.ReadLines(Path.Combine(folder, "postgres", "postmaster.pid")).First(), CultureInfo.InvariantCulture)))
            {
                postmaster.Kill();
            }

            await sending;
            using var ready = await host.Client.GetAsync("/health/ready");
            ready.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await EveryEventIsThereOnceAsync(load);
    }

    private async Task EveryEventIsThereOnceAsync(ClientLoad load)
    {
        load.Acknowledged.Count.ShouldBe(Events);
        await using var server = await EmbeddedPostgres.StartAsync(new DatabaseOptions { DataFolder = folder }, AppContext.BaseDirectory, NullLogger.Instance);
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = database.CreateCommand("select id from events.mt_events where type = 'page_viewed'");
        await using var reader = await command.ExecuteReaderAsync();
        var stored = new List<Guid>();
        while (await reader.ReadAsync())
        {
            stored.Add(reader.GetGuid(0));
        }

        stored.Count.ShouldBe(Events);
        stored.ToHashSet().SetEquals(load.Acknowledged.Keys).ShouldBeTrue();

        await using var gaps = database.CreateCommand("select count(*) from events.mt_streams s where s.version <> (select count(*) from events.mt_events e where e.stream_id = s.id)");
        (await gaps.ExecuteScalarAsync()).ShouldBe(0L);
    }

    /// <summary>Clients that send each batch again, with the same ids, until it is acknowledged.</summary>
    private sealed class ClientLoad(int events)
    {
        public ConcurrentDictionary<Guid, bool> Acknowledged { get; } = new();

        public Task RunAsync(Func<HostProcess> host)
        {
            var batches = new ConcurrentQueue<Guid[]>(Enumerable.Range(0, events / BatchSize).Select(_ => Enumerable.Range(0, BatchSize).Select(_ => Guid.CreateVersion7()).ToArray()));
            return Task.WhenAll(Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
                while (batches.TryDequeue(out var ids))
                {
                    while (!await SendAsync(host().Client, client, ids))
                    {
                        await Task.Delay(100, limit.Token);
                    }

                    Array.ForEach(ids, id => Acknowledged.TryAdd(id, true));
                }
            })));
        }

        private static async Task<bool> SendAsync(HttpClient http, int client, Guid[] ids)
        {
            var body = string.Join(",", ids.Select(id => $$$"""{"id":"{{{id}}}","type":"page_viewed","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"client-{{{client}}}","properties":{"path":"/"}}"""));
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes($"[{body}]"));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            try
            {
                using var answer = await http.PostAsync("/api/events", content);
                return answer.StatusCode == HttpStatusCode.Accepted;
            }
            catch (Exception broken) when (broken is HttpRequestException or TaskCanceledException)
            {
                return false;
            }
        }
    }
}
