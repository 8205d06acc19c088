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
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Features;

/// <summary>
/// Features beside their limits, in one run over the same simulated log: serving beside bare endpoints, a training frame beside the time that
/// PostgreSQL needs to COPY the same events out once, and profiles beside the tastes that were planted.
/// </summary>
internal static class FeaturesBenchmark
{
    private const double PerSecond = 200;

    public static async Task RunAsync(int visitors, int frameRows)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var services = host.App.Services;
            var report = await services.GetRequiredService<IMessageBus>().InvokeAsync<SimulationReport>(new Simulate(visitors, Days: 60, Seed: 1, Listings: Math.Max(500, visitors / 5)));
            var events = report.Events.Values.Sum();
            var filling = Stopwatch.StartNew();
            await services.GetRequiredService<Subscriptions>().CatchUpAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{visitors:N0} visitors, {report.Items:N0} items, {events:N0} behaviour events; projections took {filling.Elapsed.TotalSeconds:0.0} s"));
            var database = services.GetRequiredService<NpgsqlDataSource>();
            await using (var analyze = database.CreateCommand("vacuum analyze"))
            {
                await analyze.ExecuteNonQueryAsync();
            }

            var people = await PeopleAsync(database, "person_id", 2_000);
            await FrameAsync(services, database, events, frameRows);
            await TastesAsync(services, report.Run, people.Take(1_000).ToList());
            await host.App.StartAsync();
            await ServeAsync(host.App, database, people);
            await host.App.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task ServeAsync(WebApplication app, NpgsqlDataSource database, List<string> people)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var token = await (await client.PostAsync("/api/auth/demo/admin", null)).Content.ReadFromJsonAsync<JsonElement>();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
        var names = string.Join(',', app.Services.GetRequiredService<FeatureRegistry>().Of(Entity.User).Take(50).Select(feature => feature.Id.Name));
        var all = await client.GetByteArrayAsync($"/api/features/user/{people[0]}");
        var fifty = await client.GetByteArrayAsync($"/api/features/user/{people[0]}?names={names}");

        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        await using var bare = builder.Build();
        bare.MapGet("/fifty", () => Results.Bytes(fifty, "application/json"));
        bare.MapGet("/all", () => Results.Bytes(all, "application/json"));
        bare.MapGet("/row/{id}", async (string id, CancellationToken ct) =>
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            await using var command = new NpgsqlCommand("select position, occurred_at from features.facts where person_id = $1 order by occurred_at desc limit 1", connection);
            command.Parameters.Add(new NpgsqlParameter { Value = id });
            await command.PrepareAsync(ct);
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            return Results.Bytes(all, "application/json");
        });
        await bare.StartAsync();
        using var bareClient = new HttpClient { BaseAddress = new Uri(bare.Urls.First()) };

        var table = new Table("endpoint", "requests", "p50 ms", "p99 ms", "p50 of bare", "p99 of bare");
        async Task CompareAsync(string name, Func<int, string> barePath, Func<int, string> path, int count, bool cold)
        {
            var rate = cold ? PerSecond / 4 : PerSecond;
            await Load.GetAsync(bareClient, [.. Enumerable.Range(0, 400).Select(barePath)], PerSecond);
            await Load.GetAsync(client, [.. Enumerable.Range(0, 400).Select(path)], PerSecond);
            var bareResult = await Load.GetAsync(bareClient, [.. Enumerable.Range(0, count).Select(barePath)], rate);
            if (cold)
            {
                await app.Services.GetRequiredService<HybridCache>().RemoveByTagAsync(OnlineStore.Tag);
            }

            var result = await Load.GetAsync(client, [.. Enumerable.Range(0, count).Select(path)], rate);
            table.Add($"bare, {name}", count, bareResult.Percentile(.5), bareResult.Percentile(.99), 1.0, 1.0);
            table.Add(name, count, result.Percentile(.5), result.Percentile(.99), result.Percentile(.5) / bareResult.Percentile(.5), result.Percentile(.99) / bareResult.Percentile(.99));
        }

        await CompareAsync("50 features warm", _ => "/fifty", i => $"/api/features/user/{people[i % 20]}?names={names}", 1_500, cold: false);
        await CompareAsync("all features of a user warm", _ => "/all", i => $"/api/features/user/{people[i % 20]}", 1_500, cold: false);
        await CompareAsync("all features of a user cold, beside one indexed row", i => $"/row/{people[i % people.Count]}", i => $"/api/features/user/{people[i % people.Count]}", Math.Min(1_000, people.Count), cold: true);
        table.Print();
        await bare.StopAsync();
    }

    private static async Task FrameAsync(IServiceProvider services, NpgsqlDataSource database, int events, int rows)
    {
        var registry = services.GetRequiredService<FeatureRegistry>();
        List<string> features = [.. registry.Of(Entity.User).Where(feature => feature.Type != FeatureType.Shares).Take(50).Select(feature => feature.Id.ToString())];
        var spine = new List<SpineRow>(rows);
        await using (var command = database.CreateCommand("select person_id, occurred_at from features.facts where person_id is not null order by md5(position::text) limit $1"))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = rows });
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                spine.Add(new SpineRow(reader.GetFieldValue<DateTimeOffset>(1), 1, reader.GetString(0)));
            }
        }

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

        var copy1 = copying.Elapsed.TotalSeconds;
        var frames = services.GetRequiredService<FrameStore>();
        var building = Stopwatch.StartNew();
        var frame = await frames.CreateAsync(new BuildFrame(spine, features, "benchmark"), default);
        var created = building.Elapsed.TotalSeconds;
        building.Restart();
        var bytes = 0L;
        await foreach (var part in frames.ReadCsvAsync(frame.Id, default))
        {
            bytes += part.Length;
        }

        var read = building.Elapsed.TotalSeconds;
        var table = new Table("training frame", "rows", "features", "events", "seconds", "of one COPY");
        table.Add("COPY of the events", 0, 0, events, copy1, 1.0);
        table.Add("spine stored, computed and hashed", spine.Count, features.Count, events, created, created / copy1);
        table.Add("computed and written as CSV", spine.Count, features.Count, events, read, read / copy1);
        table.Print();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0} MiB of CSV; working set {Environment.WorkingSet / 1048576.0:0} MiB at the end"));
    }

    /// <summary>Spearman's rank correlation of the shares of body types in a profile with the log-odds that the simulation planted, person by person.</summary>
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

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Profiles: rank correlation of body types with the planted tastes over {correlations.Count:N0} people: mean {correlations.Average():0.000}, median {correlations.Order().ElementAt(correlations.Count / 2):0.000}"));
    }

    private static double Spearman(double[] left, double[] right)
    {
        var (a, b) = (Ranks(left), Ranks(right));
        var (meanA, meanB) = (a.Average(), b.Average());
        return a.Zip(b).Sum(pair => (pair.First - meanA) * (pair.Second - meanB)) / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(x => (x - meanB) * (x - meanB)));
    }

    private static double[] Ranks(double[] values) => [.. values.Select(value => values.Count(other => other < value) + ((values.Count(other => other == value) - 1) / 2.0))];

    private static async Task<List<string>> PeopleAsync(NpgsqlDataSource database, string column, int limit)
    {
        await using var command = database.CreateCommand($"select {column} from (select distinct {column} from features.facts where {column} is not null) p order by md5({column}) limit {limit}");
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }
}
