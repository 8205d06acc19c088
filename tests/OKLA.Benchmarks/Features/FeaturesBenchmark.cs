using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Features.Offline;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Host;
using OKLA.Host.Cli;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Features;

/// <summary>
/// Features beside their limits, over a simulated log: serving beside bare endpoints, training frames beside the time that PostgreSQL needs to
/// COPY the same events out once, and profiles beside the tastes that were planted. The log is made apart where it is large.
/// </summary>
internal static class FeaturesBenchmark
{
    private const double PerSecond = 200;
    private const ulong Seed = 1;
    private const int Rounds = 5, WarmUp = 1_500, Profiles = 1_000;

    /// <summary>Fills a folder: people are simulated, every projection catches up, the tables are vacuumed. One that is full already stays as it is.</summary>
    /// <param name="folder">Data folder of the database.</param>
    /// <param name="visitors">Simulated people.</param>
    /// <param name="days">Days that they browse.</param>
    /// <param name="listings">Listings made up for them.</param>
    public static async Task PrepareAsync(string folder, int visitors, int days, int listings)
    {
        await using var host = await HostAsync(folder);
        await FillAsync(host.App.Services, visitors, days, listings);
    }

    /// <summary>Measures.</summary>
    /// <param name="visitors">Simulated people, where they have to be made.</param>
    /// <param name="frameRows">Rows of each training frame.</param>
    /// <param name="keep">Folder to take the log from, or to make it in; a folder of its own that is deleted at the end when left out.</param>
    public static async Task RunAsync(int visitors, int frameRows, string? keep)
    {
        var folder = keep ?? Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await HostAsync(folder))
        {
            var services = host.App.Services;
            var (run, events) = await FillAsync(services, visitors, days: 60, Math.Max(500, visitors / 5));
            var database = services.GetRequiredService<NpgsqlDataSource>();
            var (people, items) = (await IdsAsync(database, "person_id", 2_000), await IdsAsync(database, "item_id", 2_000));
            await FramesAsync(services, database, events, frameRows);
            await TastesAsync(services, run, people);
            await host.App.StartAsync();
            await ServeAsync(host.App, database, people, items);
            await host.App.StopAsync();
        }

        if (keep is null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A host whose weekly trainings and demo do not work beside what is measured.</summary>
    private static Task<BuiltHost> HostAsync(string folder) => OklaHost.BuildAsync(BenchHost.Settings(folder));

    /// <summary>The simulation that is in the log, made first where none is or a broken one has to go on, and how many events the log holds.</summary>
    private static async Task<(SimulationRun Run, long Events)> FillAsync(IServiceProvider services, int visitors, int days, int listings)
    {
        var (log, database) = (services.GetRequiredService<Shared.EventLog.EventLog>(), services.GetRequiredService<NpgsqlDataSource>());
        var known = await SimulationRuns.FindAsync(log, Seed, default);
        if (known is null || known.Value.FinishedDays < known.Value.Run.Days)
        {
            var simulating = Stopwatch.StartNew();
            await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(visitors, days, Seed, listings));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"simulated in {simulating.Elapsed.TotalSeconds:0} s"));
            known = await SimulationRuns.FindAsync(log, Seed, default);
        }

        var subscriptions = services.GetRequiredService<Subscriptions>();
        // A host would do it when it starts, beside what is measured.
        await subscriptions.RebuildOutdatedAsync();
        if ((await subscriptions.StatusAsync()).Any(status => status.Lag > 0))
        {
            var filling = Stopwatch.StartNew();
            await subscriptions.CatchUpAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"projections took {filling.Elapsed.TotalSeconds:0.0} s"));
            await using var analyze = database.CreateCommand("vacuum analyze");
            analyze.CommandTimeout = 0;
            await analyze.ExecuteNonQueryAsync();
        }

        await using var count = database.CreateCommand("select count(*) from events.mt_events");
        count.CommandTimeout = 0;
        var (run, events) = (known!.Value.Run, (long)(await count.ExecuteScalarAsync())!);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Visitors:N0} visitors, {run.Listings:N0} listings at first, {run.Days} days, {events:N0} events"));
        return (run, events);
    }

    private static async Task ServeAsync(WebApplication app, NpgsqlDataSource database, List<string> people, List<string> items)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var token = await (await client.PostAsync("/api/auth/demo/admin", null)).Content.ReadFromJsonAsync<JsonElement>();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
        var table = new Table("endpoint", "requests", "p50 ms", "p99 ms", "p50 of bare", "p99 of bare");
        foreach (var (entity, column, ids) in new[] { (Entity.User, "person_id", people), (Entity.Item, "item_id", items) })
        {
            var names = string.Join(',', app.Services.GetRequiredService<FeatureRegistry>().Of(entity).Take(50).Select(feature => feature.Id.Name));
            string Path(int i) => $"/api/features/{entity.Name}/{Uri.EscapeDataString(ids[i])}";
            var (all, fifty) = (await client.GetByteArrayAsync(Path(0)), await client.GetByteArrayAsync($"{Path(0)}?names={names}"));

            var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
            builder.Logging.ClearProviders();
            await using var bare = builder.Build();
            bare.MapGet("/fifty", () => Results.Bytes(fifty, "application/json"));
            bare.MapGet("/all", () => Results.Bytes(all, "application/json"));
            bare.MapGet("/row/{id}", async (string id, CancellationToken ct) =>
            {
                await using var connection = await database.OpenConnectionAsync(ct);
                await using var command = new NpgsqlCommand($"select position, occurred_at from features.facts where {column} = $1 order by occurred_at desc limit 1", connection);
                command.Parameters.Add(new NpgsqlParameter { Value = id });
                await command.PrepareAsync(ct);
                await using var reader = await command.ExecuteReaderAsync(ct);
                await reader.ReadAsync(ct);
                return Results.Bytes(all, "application/json");
            });
            await bare.StartAsync();
            using var bareClient = new HttpClient { BaseAddress = new Uri(bare.Urls.First()) };

            // The two take turns, so that a restless minute falls on both. What is compiled while it is asked for the first times is not counted.
            async Task CompareAsync(string name, Func<int, string> barePath, Func<int, string> path, int count, bool cold)
            {
                var rate = cold ? PerSecond / 4 : PerSecond;
                await Load.GetAsync(bareClient, [.. Enumerable.Range(0, WarmUp).Select(barePath)], PerSecond);
                await Load.GetAsync(client, [.. Enumerable.Range(0, WarmUp).Select(path)], PerSecond);
                var (bareParts, parts) = (new List<LoadResult>(), new List<LoadResult>());
                for (var round = 0; round < Rounds; round++)
                {
                    var range = Enumerable.Range(round * count / Rounds, count / Rounds).ToList();
                    bareParts.Add(await Load.GetAsync(bareClient, [.. range.Select(barePath)], rate));
                    if (cold)
                    {
                        await app.Services.GetRequiredService<HybridCache>().RemoveByTagAsync(OnlineStore.Tag);
                    }

                    parts.Add(await Load.GetAsync(client, [.. range.Select(path)], rate));
                }

                var (bareResult, result) = (LoadResult.Of(bareParts), LoadResult.Of(parts));
                table.Add($"bare, {name}", bareResult.Requests, bareResult.Percentile(.5), bareResult.Percentile(.99), 1.0, 1.0);
                table.Add(name, result.Requests, result.Percentile(.5), result.Percentile(.99), result.Percentile(.5) / bareResult.Percentile(.5), result.Percentile(.99) / bareResult.Percentile(.99));
            }

            await CompareAsync($"50 features of {entity.Name}s warm", _ => "/fifty", i => $"{Path(i % 20)}?names={names}", 1_500, cold: false);
            await CompareAsync($"all features of {entity.Name}s warm", _ => "/all", i => Path(i % 20), 1_500, cold: false);
            await CompareAsync($"all features of {entity.Name}s cold, beside one indexed row", i => $"/row/{Uri.EscapeDataString(ids[i % ids.Count])}", i => Path(i % ids.Count), Math.Min(1_000, ids.Count), cold: true);
            await bare.StopAsync();
        }

        table.Print();
    }

    private static async Task FramesAsync(IServiceProvider services, NpgsqlDataSource database, long events, int rows)
    {
        var copying = Stopwatch.StartNew();
        await using (var connection = await database.OpenConnectionAsync())
        {
            using var copy = await connection.BeginTextExportAsync("copy (select seq_id, type, data, occurred_at, timestamp from events.mt_events) to stdout");
            var buffer = new char[1 << 16];
            while (await copy.ReadAsync(buffer) > 0)
            {
                // Only the time counts.
            }
        }

        var copied = copying.Elapsed.TotalSeconds;
        var table = new Table("training frame", "rows", "features", "events", "seconds", "of one COPY");
        table.Add("COPY of the events", 0, 0, events, copied, 1.0);
        var frames = services.GetRequiredService<FrameStore>();
        var bytes = 0L;
        foreach (var (entity, column) in new[] { (Entity.User, "person_id"), (Entity.Item, "item_id") })
        {
            List<string> features = [.. services.GetRequiredService<FeatureRegistry>().Of(entity).Where(feature => feature.Type != FeatureType.Shares).Take(50).Select(feature => feature.Id.ToString())];
            var spine = new List<SpineRow>(rows);
            await using (var command = database.CreateCommand($"select {column}, occurred_at from features.facts where {column} is not null order by md5(position::text) limit $1"))
            {
                command.CommandTimeout = 0;
                command.Parameters.Add(new NpgsqlParameter { Value = rows });
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                {
                    var row = new SpineRow(reader.GetFieldValue<DateTimeOffset>(1), 1);
                    spine.Add(entity == Entity.User ? row with { UserId = reader.GetString(0) } : row with { ItemId = reader.GetString(0) });
                }
            }

            var building = Stopwatch.StartNew();
            var frame = await frames.CreateAsync(new BuildFrame(spine, features, "benchmark"), default);
            var created = building.Elapsed.TotalSeconds;
            building.Restart();
            await foreach (var part in frames.ReadCsvAsync(frame.Id, default))
            {
                bytes += part.Length;
            }

            var read = building.Elapsed.TotalSeconds;
            table.Add($"of {entity.Name}s: spine stored, computed and hashed", spine.Count, features.Count, events, created, created / copied);
            table.Add($"of {entity.Name}s: computed and written as CSV", spine.Count, features.Count, events, read, read / copied);
            await using var forget = database.CreateCommand("delete from features.frames where id = $1");
            forget.CommandTimeout = 0;
            forget.Parameters.Add(new NpgsqlParameter { Value = frame.Id });
            await forget.ExecuteNonQueryAsync();
        }

        table.Print();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB of CSV; working set {Environment.WorkingSet / 1048576.0:0} MiB at the end"));
    }

    /// <summary>Spearman's rank correlation of the shares of body types in a profile with the log-odds that the simulation planted, over a thousand people of whom it can be told.</summary>
    private static async Task TastesAsync(IServiceProvider services, SimulationRun run, List<string> people)
    {
        var store = services.GetRequiredService<OnlineStore>();
        var place = store.Registry.Of(Entity.User).ToList().FindIndex(feature => feature.Id.Name == "body_shares");
        var numbers = new Dictionary<string, int>();
        for (var person = 0; person < run.Visitors; person++)
        {
            foreach (var id in new[] { run.AnonymousId(person, 1), run.AnonymousId(person, 2), run.UserId(person) })
            {
                numbers[id] = person;
            }
        }

        var correlations = new List<double>();
        foreach (var chunk in people.Where(numbers.ContainsKey).Chunk(500))
        {
            var vectors = await store.GetAsync(Entity.User, chunk, default);
            correlations.AddRange(chunk.Zip(vectors).Where(pair => pair.Second.Values[place].Shares is not null).Select(pair =>
            {
                var taste = Taste.Of(run.Seed, numbers[pair.First]);
                return Spearman([.. Taste.Bodies.Select(taste.ForBody)], [.. Taste.Bodies.Select(body => pair.Second.Values[place].Shares!.Of(body))]);
            }).Where(double.IsFinite));
        }

        correlations = [.. correlations.Take(Profiles)];

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Profiles: rank correlation of body types with the planted tastes over {correlations.Count:N0} people: mean {correlations.Average():0.000}, median {correlations.Order().ElementAt(correlations.Count / 2):0.000}"));
    }

    private static double Spearman(double[] left, double[] right)
    {
        var (a, b) = (Ranks(left), Ranks(right));
        var (meanA, meanB) = (a.Average(), b.Average());
        return a.Zip(b).Sum(pair => (pair.First - meanA) * (pair.Second - meanB)) / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(x => (x - meanB) * (x - meanB)));
    }

    private static double[] Ranks(double[] values) => [.. values.Select(value => values.Count(other => other < value) + ((values.Count(other => other == value) - 1) / 2.0))];

    private static async Task<List<string>> IdsAsync(NpgsqlDataSource database, string column, int limit)
    {
        await using var command = database.CreateCommand($"select {column} from (select distinct {column} from features.facts where {column} is not null) p order by md5({column}) limit {limit}");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }
}
