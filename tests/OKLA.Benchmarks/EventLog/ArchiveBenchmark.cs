using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using OKLA.Host;
using OKLA.Shared.EventLog;

namespace OKLA.Benchmarks.EventLog;

/// <summary>
/// Events per second into files (written, read back, deleted) and back into the log, beside a bare COPY of the same rows out and in;
/// and the rate of appends while files are written and loaded beside their rate alone. All in one run on one server.
/// </summary>
internal static class ArchiveBenchmark
{
    private const int Streams = 5_000;

    public static async Task RunAsync(int events)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder), configure: builder => builder.Services.RemoveAll<Subscription>()))
        {
            await host.App.StartAsync();
            var database = host.App.Services.GetRequiredService<NpgsqlDataSource>();
            var writer = host.App.Services.GetRequiredService<EventWriter>();
            var archive = host.App.Services.GetRequiredService<Archive>();
            var old = TimeProvider.System.GetUtcNow().AddDays(-100);
            var rule = new ArchiveRule(["item_viewed"], DateOnly.FromDateTime(old.UtcDateTime).AddDays(1));
            await WriteAsync(writer, events, old, "item_viewed");
            await WriteAsync(writer, 1_000, null, "page_viewed");

            var table = new Table("way", "events", "events/s", "ratio");
            await CopyOutAsync(database);
            var (rows, copyOut) = await CopyOutAsync(database);
            table.Add("COPY out (binary, to nothing)", rows, copyOut, 1.0);
            var alone = await AppendRateAsync(writer, Task.Delay(4_000));

            var clock = Stopwatch.StartNew();
            var export = archive.ExportAsync([rule]);
            var during = await AppendRateAsync(writer, export);
            var exported = await export;
            var exportRate = exported.Events / clock.Elapsed.TotalSeconds;
            table.Add("export, verify, delete, with appends (of COPY out)", exported.Events, exportRate, exportRate / copyOut);
            table.Add("appends alone", null, alone, 1.0);
            table.Add("appends while exporting", null, during, during / alone);

            var copyIn = await CopyInAsync(database, events);
            table.Add("COPY in (binary, same indexes)", events, copyIn, 1.0);
            clock.Restart();
            var load = LoadAllAsync(archive);
            during = await AppendRateAsync(writer, load);
            var loadRate = await load / clock.Elapsed.TotalSeconds;
            table.Add("load, with appends (of COPY in)", await load, loadRate, loadRate / copyIn);
            table.Add("appends while loading", null, during, during / alone);

            // Nobody else on the machine.
            await ExecuteAsync(database, "update events.archives set changed_at = now() - interval '30 days'");
            clock.Restart();
            var again = await archive.ExportAsync([]);
            table.Add("delete again (of COPY in)", again.Events, again.Events / clock.Elapsed.TotalSeconds, again.Events / clock.Elapsed.TotalSeconds / copyIn);
            clock.Restart();
            var back = await LoadAllAsync(archive);
            table.Add("load alone (of COPY in)", back, back / clock.Elapsed.TotalSeconds, back / clock.Elapsed.TotalSeconds / copyIn);
            await ExecuteAsync(database, "delete from events.archives");
            clock.Restart();
            exported = await archive.ExportAsync([rule]);
            exportRate = exported.Events / clock.Elapsed.TotalSeconds;
            table.Add("export, verify, delete, alone (of COPY out)", exported.Events, exportRate, exportRate / copyOut);
            table.Print();
            await host.App.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<long> LoadAllAsync(Archive archive)
    {
        long events = 0;
        foreach (var file in await archive.ListAsync())
        {
            events += await archive.LoadAsync(file.Id) ?? 0;
        }

        return events;
    }

    private static async Task WriteAsync(EventWriter writer, int events, DateTimeOffset? known, string type)
    {
        var random = new Random(1);
        for (var written = 0; written < events; written += 1_000)
        {
            await writer.WriteAsync([.. Enumerable.Range(0, 1_000).Select(_ => Event(random, type, known))]);
        }
    }

    /// <summary>Appends in batches of 100 from four senders until something else is done.</summary>
    private static async Task<double> AppendRateAsync(EventWriter writer, Task until)
    {
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            var count = 0L;
            while (!until.IsCompleted)
            {
                await writer.WriteAsync([.. Enumerable.Range(0, 100).Select(_ => Event(random, "page_viewed", null))]);
                count += 100;
            }

            return count;
        })));
        return counts.Sum() / clock.Elapsed.TotalSeconds;
    }

    private static StreamEvent Event(Random random, string type, DateTimeOffset? known)
    {
        var visitor = random.Next(Streams);
        return new StreamEvent($"visitor-v{visitor}", new NewEvent(type, Encoding.UTF8.GetBytes($$$"""
            {"anonymousId":"v{{{visitor}}}","sessionId":"s{{{visitor}}}-1","itemId":"car-{{{random.Next(20_000)}}}","context":{"page":"/vehiculos","device":"mobile"},"properties":{"visibleSeconds":{{{random.Next(1, 90)}}},"scrollDepth":0.{{{random.Next(10, 99)}}},"origin":"search"}}
            """)) { KnownAt = known });
    }

    private static async Task<(long Rows, double Rate)> CopyOutAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync();
        var clock = Stopwatch.StartNew();
        long rows = 0;
        await using (var copy = await connection.BeginBinaryExportAsync(
            "copy (select seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version from events.mt_events where type = 'item_viewed' order by seq_id) to stdout (format binary)"))
        {
            while (await copy.StartRowAsync() > 0)
            {
                for (var column = 0; column < 9; column++)
                {
                    await copy.SkipAsync();
                }

                rows++;
            }
        }

        return (rows, rows / clock.Elapsed.TotalSeconds);
    }

    private static async Task<double> CopyInAsync(NpgsqlDataSource database, int events)
    {
        await ExecuteAsync(database, "create schema bench; create table bench.bare (like events.mt_events including defaults including indexes including storage)");
        var random = new Random(2);
        var rows = Enumerable.Range(1, events).Select(i => (Position: (long)i, Event: Event(random, "item_viewed", null))).ToList();
        await using var connection = await database.OpenConnectionAsync();
        var clock = Stopwatch.StartNew();
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy bench.bare (seq_id, id, stream_id, version, data, type, timestamp, occurred_at, schema_version) from stdin (format binary)");
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        foreach (var (position, item) in rows)
        {
            await copy.StartRowAsync();
            await copy.WriteAsync(position, NpgsqlTypes.NpgsqlDbType.Bigint);
            await copy.WriteAsync(item.Event.Id, NpgsqlTypes.NpgsqlDbType.Uuid);
            await copy.WriteAsync(item.StreamId, NpgsqlTypes.NpgsqlDbType.Varchar);
            await copy.WriteAsync(position, NpgsqlTypes.NpgsqlDbType.Bigint);
            await copy.WriteAsync(item.Event.Data, NpgsqlTypes.NpgsqlDbType.Jsonb);
            await copy.WriteAsync(item.Event.Type, NpgsqlTypes.NpgsqlDbType.Varchar);
            await copy.WriteAsync(now, NpgsqlTypes.NpgsqlDbType.TimestampTz);
            await copy.WriteAsync(now, NpgsqlTypes.NpgsqlDbType.TimestampTz);
            await copy.WriteAsync((short)1, NpgsqlTypes.NpgsqlDbType.Smallint);
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
