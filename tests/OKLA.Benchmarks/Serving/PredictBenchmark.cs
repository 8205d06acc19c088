using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Host;
using OKLA.Host.Demo;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Serving;

/// <summary>
/// The price model asked for rows by HTTP, every answer written down: one row at a time, by a process of its own, beside a bare endpoint that takes the same bodies and answers the
/// same bytes from memory, and lots of 2,000 rows beside the model's own rows a second in this process.
/// </summary>
internal static class PredictBenchmark
{
    private const string Path = "/api/ml/models/price-predictor/predict";
    private const int LotRows = 2_000;
    private const int MostPaced = 4_000;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(4);

    /// <summary>Requests before a measured one: the runtime compiles what is asked often a second time, on either side, and only then is an endpoint warm.</summary>
    private const int WarmUp = 20_000;

    private const int Rounds = 4;
    public static async Task RunAsync(int requests)
    {
        var folder = Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var bus = host.App.Services.GetRequiredService<IMessageBus>();
            await bus.InvokeAsync<SimulationReport>(new Simulate(Visitors: 50, Days: 5, Seed: 1, Listings: 3_000));
            await host.App.Services.GetRequiredService<Subscriptions>().CatchUpAsync();
            await bus.InvokeAsync<TrainingOutcome>(new TrainModel(ModelNames.PricePredictor, "benchmark"));
            await host.App.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(host.App.Urls.First()) };

            var okla = new Uri(client.BaseAddress, Path);
            var answer = await (await client.PostAsync(Path, Json(Body(Row(0))))).EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
            await using var bare = await BareHost.StartAsync(answer);
            var bareAt = new Uri(bare.Client.BaseAddress!, BareHost.Path);

            // Both are warm before the first is measured, and whatever the training left to do is done.
            await Caller.PostAsync(bareAt, [], Bodies(1_000_000, WarmUp));
            await Caller.PostAsync(okla, [], Bodies(1_000_000, 2 * WarmUp));
            await CompareAsync("one row, one caller that never rests", bareAt, okla, 4_000_000, requests, TimeSpan.Zero);

            // A caller that never rests keeps a core busy with what is written down of it; most callers do rest, and wait from when they send.
            await CompareAsync("one row, one caller that rests a while", bareAt, okla, 5_000_000, Math.Min(requests, MostPaced), Rest);
            var alone = await AloneAsync(host.App.Services);
            Console.WriteLine($"the model alone, in this process: p50 {alone.Percentile(.5):0.000} ms, p99 {alone.Percentile(.99):0.000} ms");
            Console.WriteLine();
            await LotsAsync(host.App.Services, client);
            await host.App.StopAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The bare endpoint, new rows (numbered from <paramref name="from"/>) and the same rows again, in turns, so that what the machine does meanwhile meets all three.</summary>
    private static async Task CompareAsync(string title, Uri bare, Uri okla, int from, int requests, TimeSpan rest)
    {
        var (bares, news, again) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
        var warmUp = Bodies(3_000_000, WarmUp / Rounds);
        for (var round = 0; round < Rounds; round++)
        {
            var bodies = Bodies(from + round * requests / Rounds, requests / Rounds);
            bares.Add(await Caller.PostAsync(bare, warmUp, bodies, rest));
            news.Add(await Caller.PostAsync(okla, warmUp, bodies, rest));
            again.Add(await Caller.PostAsync(okla, warmUp, bodies, rest));
        }

        var reference = LoadResult.Of(bares);
        var table = new Table(title, "requests", "p50 ms", "p99 ms", "p50 of bare", "p99 of bare");
        foreach (var (name, result) in new[] { ("bare, the same bytes from memory", reference), ("price of a new row", LoadResult.Of(news)), ("price of a row from the cache", LoadResult.Of(again)) })
        {
            table.Add(name, result.Requests, result.Percentile(.5), result.Percentile(.99), result.Percentile(.5) / reference.Percentile(.5), result.Percentile(.99) / reference.Percentile(.99));
        }

        table.Print();
        Console.WriteLine();
    }

    private static async Task LotsAsync(IServiceProvider services, HttpClient client)
    {
        var model = (await services.GetRequiredService<ServedModels>().BestAsync(ModelNames.PricePredictor))!.Answers;
        var names = model.Signature.Inputs.Select(input => input.Name).ToArray();
        var lots = Enumerable.Range(0, 16).Select(lot => Enumerable.Range(0, LotRows).Select(n => Row(lot * LotRows + n)).ToArray()).ToArray();
        var values = lots.Select(lot => lot.Select(row => Values(names, row)).ToArray()).ToArray();
        var bodies = lots.Select(lot => Body(lot)).ToList();

        model.Predict(values[0], Environment.ProcessorCount);
        await Load.PostAsync(client, Path, bodies.GetRange(0, 3), 2);
        var clock = Stopwatch.StartNew();
        foreach (var lot in values)
        {
            model.Predict(lot, Environment.ProcessorCount);
        }

        var own = lots.Length * LotRows / clock.Elapsed.TotalSeconds;
        var byHttp = await Load.PostAsync(client, Path, bodies, 2);
        var rate = byHttp.PerSecond * LotRows;
        var store = services.GetRequiredService<PredictionStore>();
        var table = new Table("lots of 2,000 rows", "rows", "rows/s", "of in-process", "unwritten requests");
        table.Add("in this process, all threads", lots.Length * LotRows, own, 1.0, 0);
        table.Add("by HTTP, two callers", lots.Length * LotRows, rate, rate / own, store.Lost);
        table.Print();
    }

    private static async Task<LoadResult> AloneAsync(IServiceProvider services)
    {
        var by = (await services.GetRequiredService<ServedModels>().BestAsync(ModelNames.PricePredictor))!;
        var latencies = new double[1_000];
        var clock = Stopwatch.StartNew();
        for (var n = 0; n < latencies.Length; n++)
        {
            var started = Stopwatch.GetTimestamp();
            by.Answers.Predict([Values(by.Names, Row(n + 3_000_000))]);
            latencies[n] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        return new LoadResult(latencies.Length, clock.Elapsed.TotalSeconds, latencies);
    }

    private static string?[] Values(string[] names, Dictionary<string, object> row) =>
        Array.ConvertAll(names, name => row.TryGetValue(name, out var value) ? Convert.ToString(value, CultureInfo.InvariantCulture) : null);

    private static Dictionary<string, object> Row(int n) => new()
    {
        ["make"] = n % 3 == 0 ? "Toyota" : n % 3 == 1 ? "Honda" : "Kia", ["model"] = n % 2 == 0 ? "Corolla LE" : "Civic EX", ["year"] = 2000 + n % 25, ["bodyType"] = n % 2 == 0 ? "sedan" : "jeepeta",
        ["fuel"] = "gasolina", ["condition"] = "usado", ["mileageKm"] = 10_000 + n, ["title"] = $"Toyota Corolla LE {2000 + n % 25}",
    };

    private static List<byte[]> Bodies(int from, int count) => [.. Enumerable.Range(from, count).Select(n => Body(Row(n)))];

    private static byte[] Body(params Dictionary<string, object>[] rows) => JsonSerializer.SerializeToUtf8Bytes(new { rows });

    private static ByteArrayContent Json(byte[] body) => new(body) { Headers = { ContentType = new("application/json") } };
}
