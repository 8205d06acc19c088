using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using OKLA.Host;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.EventLog;

/// <summary>Whether an event costs more, or the host needs more memory, as the log grows: a long load over HTTP, told at 1, 2, 5 and 10 of its tenths.</summary>
internal static class GrowthBenchmark
{
    private const int Lot = 100_000;
    private const int Batch = 500;

    /// <param name="events">Events of the whole load.</param>
    public static async Task RunAsync(int events)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using var host = await OklaHost.BuildAsync(BenchHost.Settings(folder), configure: builder => builder.Services.RemoveAll<Subscription>());
        await host.App.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(host.App.Urls.First()) };
        var database = (NpgsqlDataSource)host.App.Services.GetService(typeof(NpgsqlDataSource))!;
        var table = new Table("events in the log", "events/s since the row before", "of the first row", "working set MiB", "heap MiB", "log MiB", "p99 ms");
        var (sent, seconds, since, first, latencies) = (0, 0.0, 0, 0.0, new List<double>());
        foreach (var mark in new[] { events / 10, events / 5, events / 2, events })
        {
            while (sent < mark)
            {
                // Bodies are made between the loads: only the load is timed.
                var lot = Math.Min(Lot, mark - sent);
                var load = await Load.PostAsync(client, "/api/events", AppendBenchmark.Bodies(lot, Batch, seed: sent + 1), workers: 8);
                (sent, since, seconds) = (sent + lot, since + lot, seconds + load.Seconds);
                latencies.AddRange(load.Latencies);
            }

            GC.Collect();
            var rate = since / seconds;
            first = first == 0 ? rate : first;
            latencies.Sort();
            using var process = Process.GetCurrentProcess();
            await using var size = database.CreateCommand("select pg_total_relation_size('events.mt_events') / 1048576");
            table.Add(sent, rate, rate / first, process.WorkingSet64 >> 20, GC.GetTotalMemory(false) >> 20, (await size.ExecuteScalarAsync())!, latencies[(int)(0.99 * latencies.Count)]);
            Console.WriteLine($"{sent:N0} events");
            (since, seconds) = (0, 0);
            latencies.Clear();
        }

        table.Print();
        await host.App.StopAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
