using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using NpgsqlTypes;
using OKLA.Host;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.EventLog;

/// <summary>
/// Events per second from HTTP to disk (parsed, validated, deduplicated, acknowledged after the commit), client included, beside a
/// bare binary COPY of the same rows into an equally indexed table and beside a bare ingest over the same client, on the same server in
/// the same run.
/// </summary>
internal static class AppendBenchmark
{
    private const int Visitors = 5_000;
    private const int Workers = 64;
    private const int Rounds = 3;

    /// <param name="events">Events of each way.</param>
    /// <param name="projecting">Whether the subscriptions work on the same machine while the events arrive.</param>
    public static async Task RunAsync(int events, bool projecting)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using var host = await OklaHost.BuildAsync(BenchHost.Settings(folder), configure: builder =>
        {
            if (!projecting)
            {
                builder.Services.RemoveAll<Subscription>();
            }
        });
        await host.App.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(host.App.Urls.First()) };
        var database = (NpgsqlDataSource)host.App.Services.GetService(typeof(NpgsqlDataSource))!;
        await ExecuteAsync(database, """
            create schema bench;
            create table bench.bare (like events.mt_events including defaults including indexes including storage);
            create table bench.ingested (like events.mt_events including defaults including indexes including storage);
            """);

        await using var bareApp = await BareIngest.StartAsync(database);
        using var bareClient = new HttpClient { BaseAddress = new Uri(bareApp.Urls.First()) };

        // All ways warm up on rows of their own.
        await Load.PostAsync(client, "/api/events", Bodies(events: 20_000, batch: 100, seed: 1), workers: 8);
        await Load.PostAsync(client, "/api/events", Bodies(events: 4_000, batch: 1, seed: 2), workers: Workers);
        await Load.PostAsync(bareClient, "/bare", Bodies(events: 4_000, batch: 1, seed: 3), workers: Workers);
        await CopyAsync(database, 20_000, seed: 2);

        // In turns, so that a busy minute of the machine is everybody's.
        var ways = new List<(string Name, int Events, Func<int, Task<LoadResult>> Run)>
        {
            ("bare binary COPY", events, async round => new LoadResult(1, events / await CopyAsync(database, events, seed: 10 + round), [])),
            ("bare ingest, 1 a request", events / 10, round => Load.PostAsync(bareClient, "/bare", Bodies(events / 10, 1, seed: 1_000 + round), Workers)),
            ("POST /api/events, 1 a request", events / 10, round => Load.PostAsync(client, "/api/events", Bodies(events / 10, 1, seed: 2_000 + round), Workers)),
            ("bare ingest, 100 a request", events, round => Load.PostAsync(bareClient, "/bare", Bodies(events, 100, seed: 3_000 + round), 16)),
            ("POST /api/events, 100 a request", events, round => Load.PostAsync(client, "/api/events", Bodies(events, 100, seed: 4_000 + round), 16)),
            ("POST /api/events, 500 a request", events, round => Load.PostAsync(client, "/api/events", Bodies(events, 500, seed: 5_000 + round), 8)),
        };
        var times = new ConcurrentDictionary<string, (double Seconds, int Batches)>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, meters) => { if (instrument.Name == "okla.subscription.step.duration") { meters.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => times.AddOrUpdate((string)tags[0].Value!, (seconds, 1), (_, sum) => (sum.Seconds + seconds, sum.Batches + 1)));
        listener.Start();
        var results = ways.ToDictionary(way => way.Name, _ => new List<(double PerSecond, LoadResult Load)>());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var way in ways)
            {
                var load = await way.Run(round);
                results[way.Name].Add((way.Events / load.Seconds, load));
            }
        }

        var table = new Table("way", "events", "events/s", "of bare COPY", "of bare ingest", "p50 ms", "p99 ms");
        double Ratio(string name, string of) => results[name].Zip(results[of], (one, other) => one.PerSecond / other.PerSecond).Order().ElementAt(Rounds / 2);
        foreach (var (name, count, _) in ways)
        {
            var (best, load) = results[name].MaxBy(result => result.PerSecond);
            var peer = name.Replace("POST /api/events", "bare ingest", StringComparison.Ordinal);
            var timed = load.Latencies.Length > 0;
            table.Add(name, count, best, Ratio(name, ways[0].Name), results.ContainsKey(peer) && peer != name ? Ratio(name, peer) : null, timed ? load.Percentile(.5) : null, timed ? load.Percentile(.99) : null);
        }

        Console.WriteLine($"Best events/s of {Rounds} rounds in turns; ratios are the median of the rounds' own.");
        table.Print();
        if (!times.IsEmpty)
        {
            var ofEach = new Table("subscription", "batches", "seconds at work");
            foreach (var (name, (seconds, batches)) in times.OrderByDescending(time => time.Value.Seconds))
            {
                ofEach.Add(name, batches, seconds);
            }

            ofEach.Print();
        }

        await bareApp.StopAsync();
        await host.App.StopAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    internal static List<byte[]> Bodies(int events, int batch, int seed)
    {
        var random = new Random(seed);
        var bodies = new List<byte[]>(events / batch);
        for (var start = 0; start < events; start += batch)
        {
            var visitor = random.Next(Visitors);
            var text = new StringBuilder("[");
            for (var i = 0; i < batch; i++)
            {
                text.Append(i == 0 ? "" : ",").Append(System.Globalization.CultureInfo.InvariantCulture, $$$"""
                    {"id":"{{{Guid.CreateVersion7()}}}","type":"item_viewed","occurredAt":"{{{DateTimeOffset.UtcNow:O}}}","anonymousId":"v{{{visitor}}}","sessionId":"s{{{visitor}}}-1","itemId":"car-{{{random.Next(20_000)}}}","context":{"page":"/vehiculos","device":"mobile"},"properties":{"visibleSeconds":{{{random.Next(1, 90)}}},"scrollDepth":0.{{{random.Next(10, 99)}}},"origin":"search"}}
                    """);
            }

            bodies.Add(Encoding.UTF8.GetBytes(text.Append(']').ToString()));
        }

        return bodies;
    }

    private static async Task<double> CopyAsync(NpgsqlDataSource database, int events, int seed)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, events).Select(i => (
            Id: Guid.CreateVersion7(), Stream: $"visitor-v{random.Next(Visitors)}",
            Data: Encoding.UTF8.GetBytes($$$"""{"anonymousId":"v{{{i % Visitors}}}","sessionId":"s{{{i % Visitors}}}-1","itemId":"car-{{{random.Next(20_000)}}}","context":{"page":"/vehiculos","device":"mobile"},"properties":{"visibleSeconds":{{{random.Next(1, 90)}}},"scrollDepth":0.{{{random.Next(10, 99)}}},"origin":"search"}}"""))).ToList();
        var clock = Stopwatch.StartNew();
        await using var connection = await database.OpenConnectionAsync();
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy bench.bare (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version) from stdin (format binary)");
        for (var i = 0; i < rows.Count; i++)
        {
            await copy.StartRowAsync();
            await copy.WriteAsync((seed * 100_000_000L) + i, NpgsqlDbType.Bigint);
            await copy.WriteAsync(rows[i].Id, NpgsqlDbType.Uuid);
            await copy.WriteAsync(rows[i].Stream, NpgsqlDbType.Varchar);
            await copy.WriteAsync((seed * 100_000_000L) + i, NpgsqlDbType.Bigint);
            await copy.WriteAsync(rows[i].Data, NpgsqlDbType.Jsonb);
            await copy.WriteAsync("item_viewed", NpgsqlDbType.Varchar);
            await copy.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz);
            await copy.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz);
            await copy.WriteAsync((short)1, NpgsqlDbType.Smallint);
        }

        await copy.CompleteAsync();
        return events / clock.Elapsed.TotalSeconds;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
