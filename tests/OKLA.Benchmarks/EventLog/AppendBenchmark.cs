using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using NpgsqlTypes;
using OKLA.Host;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.EventLog;

/// <summary>
/// Events per second from HTTP to disk (parsed, validated, deduplicated, acknowledged after the commit), client included, beside a
/// bare binary COPY of the same rows into an equally indexed table on the same server in the same run.
/// </summary>
internal static class AppendBenchmark
{
    private const int Visitors = 5_000;

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
            """);

        // Both ways warm up on rows of their own.
        await Load.PostAsync(client, "/api/events", Bodies(events: 20_000, batch: 100, seed: 1), workers: 8);
        await CopyAsync(database, 20_000, seed: 2);

        var table = new Table("way", "events", "events/s", "of bare COPY", "p50 ms", "p99 ms");
        var bare = 0.0;
        for (var round = 0; round < 3; round++)
        {
            bare = Math.Max(bare, await CopyAsync(database, events, seed: 10 + round));
        }

        table.Add("bare binary COPY (best of 3)", events, bare, 1.0, null, null);
        foreach (var (batch, workers, share) in new[] { (1, 64, 10), (100, 16, 1), (500, 8, 1) })
        {
            var best = 0.0;
            LoadResult? result = null;
            for (var round = 0; round < 3; round++)
            {
                var count = events / share;
                var now = await Load.PostAsync(client, "/api/events", Bodies(count, batch, seed: (batch * 100) + round), workers);
                if (count / now.Seconds > best)
                {
                    best = count / now.Seconds;
                    result = now;
                }
            }

            table.Add($"POST /api/events, {batch} a request", events / share, best, best / bare, result!.Percentile(.5), result.Percentile(.99));
        }

        table.Print();
        await host.App.StopAsync();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static List<byte[]> Bodies(int events, int batch, int seed)
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
