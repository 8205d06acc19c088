using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Host;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Serving;

/// <summary>
/// Recommendations from a catalogue of <c>listings</c> vehicles at 200 requests a second (open loop, client on the same machine),
/// beside a bare endpoint that answers the same bytes from memory under the same load in the same run.
/// </summary>
internal static class RecommendationBenchmark
{
    private const double PerSecond = 200;

    public static async Task RunAsync(int listings)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            await PrepareAsync(host.App.Services, listings);
            await host.App.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(host.App.Urls.First()) };
            var people = await PeopleAsync(host.App.Services.GetRequiredService<NpgsqlDataSource>());
            var answer = await WaitForModelAsync(client, people[0]);

            await using var bare = await BareHost.StartAsync(answer);
            var bareClient = bare.Client;
            var recommendations = Enumerable.Range(0, 4_000).Select(i => $"/api/recommendations/users/{people[i % people.Count]}?limit=10").ToList();
            var bareCalls = recommendations.ConvertAll(_ => BareHost.Path);
            await Load.GetAsync(client, recommendations.GetRange(0, 1_000), PerSecond);
            await Load.GetAsync(bareClient, bareCalls.GetRange(0, 1_000), PerSecond);

            var table = new Table("endpoint", "requests", "p50 ms", "p99 ms", "p99 of bare");
            var bareResult = await Load.GetAsync(bareClient, bareCalls, PerSecond);
            var result = await Load.GetAsync(client, recommendations, PerSecond);
            table.Add("bare, the same bytes from memory", bareResult.Requests, bareResult.Percentile(.5), bareResult.Percentile(.99), 1.0);
            table.Add($"recommendations from {listings:N0} items", result.Requests, result.Percentile(.5), result.Percentile(.99), result.Percentile(.99) / bareResult.Percentile(.99));
            table.Print();
            await host.App.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task PrepareAsync(IServiceProvider services, int listings)
    {
        var bus = services.GetRequiredService<IMessageBus>();
        await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 2_000, Days: 30, Seed: 1, Listings: listings));
        await services.GetRequiredService<Subscriptions>().CatchUpAsync();
        await bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.VehicleRecommender, "benchmark"));
        await bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.PricePredictor, "benchmark"));
    }

    private static async Task<List<string>> PeopleAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand(
            "select substr(id, 9) from events.mt_streams where id like 'visitor-%' order by version desc limit 500");
        await using var reader = await command.ExecuteReaderAsync();
        var people = new List<string>();
        while (await reader.ReadAsync())
        {
            people.Add(reader.GetString(0));
        }

        return people;
    }

    private static async Task<byte[]> WaitForModelAsync(HttpClient client, string person)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var answer = await client.GetAsync($"/api/recommendations/users/{person}?limit=10");
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            if (answer.IsSuccessStatusCode && System.Text.Encoding.UTF8.GetString(bytes).Contains("\"source\":\"model\"", StringComparison.Ordinal))
            {
                return bytes;
            }

            await Task.Delay(200);
        }

        throw new InvalidOperationException("The model did not begin to serve.");
    }
}
