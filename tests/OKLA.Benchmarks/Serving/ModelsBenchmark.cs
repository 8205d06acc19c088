using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Host;
using OKLA.Host.Demo;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Benchmarks.Serving;

/// <summary>
/// All models on one host: how long each is trained, how long each question waits at a steady rate, asked for the first time and again, beside a bare endpoint that
/// answers the same bytes in the same run, and how often people who come by a law of Zipf are answered from memory.
/// </summary>
internal static class ModelsBenchmark
{
    private const double PerSecond = 100;
    private const int Requests = 500, WarmUp = 50, Rounds = 5, PagesOfZipf = 6_000, Days = 120;
    private const double Bar = 3;

    /// <summary>Runs it.</summary>
    /// <param name="data">A folder with a filled database, whose models are asked as they serve and trained where none does; null: a marketplace is simulated. Views that nobody's taste explains are left in it: what it is to say of quality is measured before.</param>
    /// <param name="visitors">People to simulate.</param>
    /// <param name="listings">Listings to simulate.</param>
    /// <param name="refusedToo">Whether versions that their gates refused are put in place, for their speed alone; the table says so.</param>
    /// <param name="only">Parts of names of models or questions; only such questions are asked, of what a folder holds already, and nothing by Zipf's law. Null asks all.</param>
    public static async Task RunAsync(string? data, int visitors, int listings, bool refusedToo, string[]? only)
    {
        var folder = data ?? Directory.CreateTempSubdirectory("okla-bench-").FullName;
        await using (var host = await OklaHost.BuildAsync(BenchHost.Settings(folder)))
        {
            var services = host.App.Services;
            if (data is null)
            {
                var bus = services.GetRequiredService<IMessageBus>();
                await bus.InvokeAsync<SimulationReport>(new Simulate(visitors, Days: Days, Seed: 1, Listings: listings, Campaigns: 6));
                await bus.InvokeAsync<SimulationReport>(new Simulate(Math.Max(50, visitors / 4), Days: Days, Seed: 2, Listings: Math.Max(200, listings / 4), Kind: SimulationRun.Activities));
            }

            await services.GetRequiredService<Subscriptions>().CatchUpAsync();
            var trained = await TrainAsync(services, data is null || refusedToo, mayTrain: data is null || only is null);
            await host.App.StartAsync();
            using var admin = new HttpClient { BaseAddress = new Uri(host.App.Urls.First()) };
            var token = await (await admin.PostAsync("/api/auth/demo/admin", null)).Content.ReadFromJsonAsync<JsonElement>();
            admin.DefaultRequestHeaders.UserAgent.ParseAdd("Mozilla/5.0 (Linux; Android 14) Firefox/130.0");
            admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
            var questions = await ModelQuestions.ReadAsync(admin, services.GetRequiredService<IMessageBus>(), await CampaignsAsync(services.GetRequiredService<NpgsqlDataSource>()), seed: 1);
            await LatencyAsync(admin, questions, trained, only);
            await (only is null ? ZipfAsync(admin, questions) : Task.CompletedTask);
            await host.App.StopAsync();
        }

        if (data is null)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Trains what does not serve and was not refused yet; answers the seconds that each model took.</summary>
    private static async Task<Dictionary<string, string>> TrainAsync(IServiceProvider services, bool refusedToo, bool mayTrain)
    {
        var (bus, registry, seconds) = (services.GetRequiredService<IMessageBus>(), services.GetRequiredService<ModelRegistry>(), new Dictionary<string, string>());
        var serving = await registry.ServingAsync(default);
        foreach (var model in ModelNames.All)
        {
            var known = await registry.VersionsAsync(model, 1_000, default);
            var version = serving.TryGetValue(model, out var now) ? known.First(one => one.Version == now.Version) : known.MaxBy(one => one.Version);
            var (number, took, isRefused) = version is null ? (0, 0, false) : (version.Version, version.Seconds, !serving.ContainsKey(model));
            if (version is null && mayTrain)
            {
                var outcome = await bus.InvokeAsync<TrainingOutcome>(new TrainModel(model, "benchmark"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}: {outcome.Rows:N0} rows, {outcome.Seconds:0.0} s. {outcome.Decision}"));
                (number, took, isRefused) = (outcome.Version, outcome.Seconds, !outcome.Published);
            }

            if (isRefused && refusedToo && number > 0)
            {
                await registry.PublishAsync(model, number, default);
            }

            seconds[model] = took.ToString("0.0", CultureInfo.InvariantCulture) + (isRefused ? " refused" : "");
        }

        // A host that serves trains in a process of its own; what these trainings left in memory is not its own to clear away while it is asked.
        GC.Collect();
        Console.WriteLine();
        return seconds;
    }

    private static bool IsAsked(string[]? only, ModelQuestion question) =>
        only?.Any(part => question.Name.Contains(part, StringComparison.OrdinalIgnoreCase) || question.Model.Contains(part, StringComparison.OrdinalIgnoreCase)) != false;

    private static async Task LatencyAsync(HttpClient admin, ModelQuestions questions, Dictionary<string, string> trained, string[]? only)
    {
        var table = new Table($"{PerSecond:0} a second (open loop)", "model", "train s", "bytes", "bare p50", "bare p99", "new p50", "new p99", "of bare", "again p50", "again p99", "of bare", $"within {Bar:0}");
        var (within, againWithin, asked) = (0, 0, 0);

        // What a host compiles in its first seconds, whatever it is asked, belongs to no question: least of all to the first one.
        await Load.SendAsync(admin, Requests, _ => new HttpRequestMessage(HttpMethod.Get, "/api/ml/models"), PerSecond);
        foreach (var question in (await questions.AllAsync(admin)).Where(question => IsAsked(only, question)))
        {
            using var first = question.Request(0);
            using var sample = await admin.SendAsync(first);
            if (!sample.IsSuccessStatusCode)
            {
                table.Add(question.Name, question.Model, trained[question.Model], null, null, null, null, null, null, null, null, null, $"{(int)sample.StatusCode}");
                continue;
            }

            var bytes = await sample.Content.ReadAsByteArrayAsync();
            await using var bare = await BareHost.StartAsync(bytes);
            HttpRequestMessage Bare(int n)
            {
                var real = question.Request(n);
                return new HttpRequestMessage(real.Method, BareHost.Path) { Content = real.Content };
            }

            await Load.SendAsync(bare.Client, WarmUp, Bare, PerSecond);
            await Load.SendAsync(admin, WarmUp, n => question.Request(Requests + n), PerSecond);
            var (bares, own, again) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
            for (var round = 0; round < Rounds; round++)
            {
                // Turn by turn, so that whatever else this machine does meets both.
                var from = round * Requests / Rounds;
                bares.Add(await Load.SendAsync(bare.Client, Requests / Rounds, n => Bare(from + n), PerSecond));
                own.Add(await Load.SendAsync(admin, Requests / Rounds, n => question.Request(from + n), PerSecond));
                again.Add(await Load.SendAsync(admin, Requests / Rounds, n => question.Request(from + n), PerSecond));
            }

            var (beside, fresh, known) = (LoadResult.Of(bares), LoadResult.Of(own), LoadResult.Of(again));
            double Ratio(LoadResult result) => result.Percentile(.99) / beside.Percentile(.99);
            (within, againWithin, asked) = (within + (Ratio(fresh) <= Bar ? 1 : 0), againWithin + (Ratio(known) <= Bar ? 1 : 0), asked + 1);
            table.Add(
                question.Name, question.Model, trained[question.Model], bytes.Length, beside.Percentile(.5), beside.Percentile(.99), fresh.Percentile(.5), fresh.Percentile(.99), Ratio(fresh),
                known.Percentile(.5), known.Percentile(.99), Ratio(known), Ratio(fresh) <= Bar ? "yes" : Ratio(known) <= Bar ? "again" : "NO");
        }

        table.Print();
        Console.WriteLine($"Of {asked} questions {within} stay within {Bar:0} times a bare endpoint at p99 when they are asked about somebody or something for the first time, {againWithin} when asked again.");
        Console.WriteLine();
    }

    /// <summary>People and vehicles by a law of Zipf with exponent 1 (Breslau et al. 1999 found 0.6 to 0.8 on the web): pages alone, then with a view for every ten pages.</summary>
    private static async Task ZipfAsync(HttpClient admin, ModelQuestions questions)
    {
        var table = new Table("people by Zipf", "people", "pages", "p50 ms", "p99 ms", "from memory", "over 80 %");
        foreach (var viewEvery in new[] { 0, 10 })
        {
            var (random, people, vehicles) = (new Random(7 + viewEvery), new Zipf(questions.People), new Zipf(questions.Vehicles));
            var viewing = new List<Task>();
            HttpRequestMessage Page(int n)
            {
                var person = people.Draw(random);
                if (viewEvery > 0 && n % viewEvery == 0)
                {
                    viewing.Add(ViewAsync(admin, person, vehicles.Draw(random)));
                }

                return new HttpRequestMessage(HttpMethod.Get, $"/api/recommendations/users/{Uri.EscapeDataString(person)}?limit=10");
            }

            // People who were never met before cannot be in memory: the rate is that of a host that has run for a while.
            await Load.SendAsync(admin, PagesOfZipf / 2, Page, 2 * PerSecond);
            using var hits = new Hits(ModelNames.VehicleRecommender);
            var pages = await Load.SendAsync(admin, PagesOfZipf, Page, 2 * PerSecond);
            await Task.WhenAll(viewing);
            var share = (double)hits.Count / pages.Requests;
            table.Add(
                viewEvery == 0 ? "nobody does anything else" : $"one views a vehicle before every {viewEvery}th page", questions.People.Length, pages.Requests, pages.Percentile(.5), pages.Percentile(.99),
                share, share > 0.8 ? "yes" : "NO");
        }

        table.Print();
    }

    private static async Task ViewAsync(HttpClient client, string person, string item)
    {
        using var answer = await client.PostAsJsonAsync("/api/events", new { id = Guid.CreateVersion7(), type = EventTypes.ItemViewed, occurredAt = TimeProvider.System.GetUtcNow(), anonymousId = person, itemId = item });
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<List<string>> CampaignsAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select distinct campaign_id from ml.campaign_hours order by campaign_id");
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }

    /// <summary>Draws the n-th of a list with a chance of 1 / n.</summary>
    private sealed class Zipf
    {
        private readonly string[] among;
        private readonly double[] sums;

        public Zipf(string[] among)
        {
            (this.among, sums) = (among, new double[among.Length]);
            for (var n = 0; n < sums.Length; n++)
            {
                sums[n] = (n > 0 ? sums[n - 1] : 0) + (1.0 / (n + 1));
            }
        }

        public string Draw(Random random)
        {
            var place = Array.BinarySearch(sums, random.NextDouble() * sums[^1]);
            return among[Math.Min(place < 0 ? ~place : place, among.Length - 1)];
        }
    }

    /// <summary>Counts the answers of a model that came from memory.</summary>
    private sealed class Hits : IDisposable
    {
        private readonly MeterListener listener = new();
        private long count;

        public Hits(string model)
        {
            listener.InstrumentPublished = (instrument, heard) =>
            {
                if (instrument.Name == "okla.ml.cache.hits")
                {
                    heard.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag is { Key: "model", Value: string name } && name == model)
                    {
                        Interlocked.Add(ref count, value);
                    }
                }
            });
            listener.Start();
        }

        public long Count => Interlocked.Read(ref count);

        public void Dispose() => listener.Dispose();
    }
}
