using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.Sdk;
using OKLA.Shared.Database;

namespace OKLA.Benchmarks.Platform;

/// <summary>
/// The platform of models from end to end, on two hosts over one PostgreSQL: unknown tables to served endpoints, a bad version, drift, a host killed in mid-training, and what
/// a training costs those who ask meanwhile.
/// </summary>
internal static class PlatformShow
{
    // What XGBoost's defaults reach on the same kind of split (80/20): xgboost 1.7.4, as written down with the data.
    private static readonly (string Name, string File, string Target, string? Positive, string Metric, string Peer)[] Tables =
    [
        ("telco", "telco_churn/WA_Fn-UseC_-Telco-Customer-Churn.csv", "Churn", "Yes", "AUC", "0.830 ± 0.013"),
        ("shoppers", "uci_online_shoppers/online_shoppers_intention.csv", "Revenue", "True", "AUC", "0.932 ± 0.004"),
        ("autos", "uci_automobile/imports-85.csv", "price", null, "R²", "0.824 ± 0.230"),
    ];

    private static readonly string[] Quick =
    [
        "--ML:TrainingLeaseSeconds=5", "--ML:RefreshSeconds=1", "--ML:Monitoring:CheckSeconds=2", "--ML:Monitoring:DriftSeconds=5", "--ML:Monitoring:CurrentRows=200", "--Jobs:Scheduled=false",
        "--Web:RequestsPerWindow=10000000",
    ];

    /// <summary>Runs it.</summary>
    /// <param name="data">Folder of the tables.</param>
    /// <param name="budget">Seconds that a training may search.</param>
    public static async Task RunAsync(string data, int budget)
    {
        var folder = Directory.CreateTempSubdirectory("okla-show-").FullName;
        try
        {
            await using var server = await EmbeddedPostgres.StartAsync(new DatabaseOptions { DataFolder = folder }, AppContext.BaseDirectory, NullLogger.Instance);
            await using var first = await ShowHost.StartAsync(server.ConnectionString, Quick);
            await using var second = await ShowHost.StartAsync(server.ConnectionString, Quick);
            await TablesAsync(first, data, budget);
            await BadVersionAsync(first, budget);
            await DriftAsync(first);
            await LoadAsync(first, second, budget);
            await KillAsync(first, second, budget);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task TablesAsync(ShowHost host, string data, int budget)
    {
        var table = new Table("a table nobody has seen", "rows", "metric", "OKLA", "XGBoost's default", "seconds to serve", "explained", "requests seen");
        foreach (var (name, file, target, positive, metric, peer) in Tables)
        {
            var (header, train, test) = Split(Path.Combine(data, file));
            var clock = Stopwatch.StartNew();
            await host.Okla.UploadAsync(name, new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', [header, .. train]))));
            var job = await host.Okla.TrainAsync(new OklaTraining(name) { Dataset = name, Target = target, Positive = positive, BudgetSeconds = budget, Profile = "auto" });
            var done = await host.Okla.WaitAsync(job);
            if (done.Published != true)
            {
                Console.WriteLine($"{name} is not served: {done.Message}");
                continue;
            }

            var seconds = clock.Elapsed.TotalSeconds;
            var names = Cells(header);
            var inputs = (await host.GetAsync($"api/ml/models/{name}/signature")).GetProperty("inputs").EnumerateArray().Select(input => input.GetProperty("name").GetString()!).ToHashSet();
            var rows = test.Select(line => Row(names, Cells(line), inputs)).ToArray();
            var answers = new List<OklaPrediction>();
            foreach (var lot in rows.Chunk(100))
            {
                answers.AddRange((await host.Okla.PredictAsync(name, lot)).Predictions);
            }

            var truth = test.Select(line => Cells(line)[Array.IndexOf(names, target)]).ToArray();
            var known = Enumerable.Range(0, truth.Length).Where(i => truth[i].Length > 0).ToArray();
            var value = positive is null
                ? RegressionMetrics.R2([.. known.Select(i => double.Parse(truth[i], CultureInfo.InvariantCulture))], [.. known.Select(i => answers[i].Value)])
                : BinaryMetrics.RocAuc([.. known.Select(i => answers[i].Value)], [.. known.Select(i => string.Equals(truth[i], positive, StringComparison.OrdinalIgnoreCase))]);
            var why = (await host.Okla.PredictAsync(name, [rows[0]], explain: true)).Predictions[0].Explanation!;
            var adds = Math.Abs(why.Base + why.Contributions.Values.Sum() - why.Output) < 1e-3 * Math.Max(1, Math.Abs(why.Output));
            await Task.Delay(TimeSpan.FromSeconds(3));
            var seen = (await host.Okla.MonitoringAsync(name)).GetProperty("windows").EnumerateArray().Sum(window => window.GetProperty("requests").GetInt64());
            table.Add(name, train.Length, metric, value, peer, seconds, adds ? "adds up" : "DOES NOT ADD UP", (int)seen);
        }

        table.Print();
        Console.WriteLine();
    }

    /// <summary>A version that learned from shuffled answers: the gates; then the same with the gates off, which people turn away from: the guardrail.</summary>
    private static async Task BadVersionAsync(ShowHost host, int budget)
    {
        await ServeFlatsAsync(host, budget);
        await host.Okla.UploadAsync("flats-shuffled", Flats(1_500, 4, shuffled: true));
        var caught = Stopwatch.StartNew();
        var refused = await host.Okla.WaitAsync(await host.PostAsync(new { model = "flats", dataset = "flats-shuffled", target = "price", profile = "fast", budgetSeconds = Math.Max(5, budget / 2) }));
        Console.WriteLine($"a bad version: {(refused.Published == true ? "PUBLISHED" : "caught by its gates")} after {caught.Elapsed.TotalSeconds:0.0} s. {refused.Message}");

        var bad = await host.Okla.WaitAsync(await host.PostAsync(new
        {
            model = "flats", dataset = "flats-shuffled", target = "price", profile = "fast", budgetSeconds = Math.Max(5, budget / 2),
            gates = new { off = new[] { "baseline", "serving", "calibration", "latency", "size", "stability", "fairness", "invariance", "direction", "leakage" } },
            rollout = new { stages = new[] { new { name = "canary", share = 0.5, minutes = 60 } }, goal = new { eventTypes = new[] { "contacted" }, windowMinutes = 1 } },
        }));

        // Who sees a sensible price writes to the seller in four of ten cases, who sees a senseless one in one of twenty.
        var (clock, asked, random, status) = (Stopwatch.StartNew(), 0, new Random(5), "running");
        var rollouts = default(JsonElement);
        while (clock.Elapsed < TimeSpan.FromSeconds(180) && status == "running")
        {
            var contacts = new List<object>();
            for (var n = 0; n < 40; n++)
            {
                var person = $"flat-hunter-{asked++}";
                var answer = await host.Okla.PredictAsync("flats", [Flat(10_000 + asked, 0)], userKey: person);
                if (random.NextDouble() < (answer.Version == bad.Version ? 0.05 : 0.4))
                {
                    contacts.Add(new { id = Guid.CreateVersion7(), type = "contacted", occurredAt = DateTimeOffset.UtcNow, userId = person, itemId = "flat-1", properties = new { channel = "form" } });
                }
            }

            // A person is judged when the minute in which she may write is over.
            await Task.Delay(500);
            using var told = await host.Http.PostAsJsonAsync("api/events", contacts);
            told.EnsureSuccessStatusCode();
            rollouts = await host.GetAsync("api/ml/models/flats/rollouts");
            status = rollouts.GetProperty("rollouts")[0].GetProperty("status").GetString()!;
        }

        var reason = rollouts.GetProperty("steps").EnumerateArray().Select(step => $"{step.GetProperty("step").GetString()}: {step.GetProperty("reason").GetString()}").FirstOrDefault();
        Console.WriteLine($"version {bad.Version} with the gates off, let in for half of the people: {status} {clock.Elapsed.TotalSeconds:0.0} s and {asked} people after it began; version {await ServingAsync(host, "flats")} serves. {reason}");
        Console.WriteLine();
    }

    private static async Task DriftAsync(ShowHost host)
    {
        async Task<bool> AlertedAsync() => (await host.GetAsync("api/ml/alerts")).GetRawText().Contains("\"flats\"", StringComparison.Ordinal);
        for (var n = 0; n < 300; n++)
        {
            await host.Okla.PredictAsync("flats", [Flat(50_000 + n, 0)]);
        }

        await Task.Delay(TimeSpan.FromSeconds(12));
        var before = await AlertedAsync();
        var (planted, clock, asked) = (DateTime.UtcNow, Stopwatch.StartNew(), 0);
        while (clock.Elapsed < TimeSpan.FromSeconds(120) && !await AlertedAsync())
        {
            await host.Okla.PredictAsync("flats", [Flat(70_000 + asked++, 60)]);
            await Task.Delay(50);
        }

        Console.WriteLine($"drift: {(before ? "ALERT BEFORE IT WAS PLANTED; " : "")}planted {planted:HH:mm:ss} UTC (flats 60 m² larger), alert {DateTime.UtcNow:HH:mm:ss}, after {clock.Elapsed.TotalSeconds:0.0} s and {asked} drifted rows of the newest 200 that are held against training");
        Console.WriteLine();
    }

    private static async Task LoadAsync(ShowHost first, ShowHost second, int budget)
    {
        // Enough that one caller is at it for some seconds, beyond a trainer's own start, and few enough that two trainings of ten seconds overlap for as long.
        const int Asked = 50_000;
        static List<byte[]> Bodies(int from) => [.. Enumerable.Range(from, Asked).Select(n => JsonSerializer.SerializeToUtf8Bytes(new { rows = new[] { Flat(n, 0) } }))];
        await Load.PostAsync(first.Http, "/api/ml/models/flats/predict", Bodies(200_000), 1);
        var idle = await Load.PostAsync(first.Http, "/api/ml/models/flats/predict", Bodies(300_000), 1);
        var table = new Table("one row, one caller", "requests", "p50 ms", "p99 ms", "p99 of idle");
        table.Add("no training runs", idle.Requests, idle.Percentile(.5), idle.Percentile(.99), 1.0);
        var jobs = new List<Guid>();
        foreach (var (model, says) in new[] { ("busy-a", "a training runs, in a process of its own"), ("busy-b", "two run on the two cores, one of each host") })
        {
            jobs.Add(await first.PostAsync(new { model, dataset = "flats", target = "price", profile = "accurate", budgetSeconds = budget }));
            while ((await first.Okla.JobsAsync()).Count(job => job.State == "running") < jobs.Count)
            {
                await Task.Delay(200);
            }

            var busy = await Load.PostAsync(first.Http, "/api/ml/models/flats/predict", Bodies(300_000 + jobs.Count * Asked), 1);
            table.Add(says, busy.Requests, busy.Percentile(.5), busy.Percentile(.99), busy.Percentile(.99) / idle.Percentile(.99));
        }

        table.Print();
        foreach (var job in jobs)
        {
            await second.Okla.WaitAsync(job);
        }

        Console.WriteLine();
    }

    /// <summary>Five trainings on two hosts; the one whose training is under way is killed.</summary>
    private static async Task KillAsync(ShowHost first, ShowHost second, int budget)
    {
        var job = await second.PostAsync(new { model = "killed", dataset = "flats", target = "price", profile = "accurate", budgetSeconds = budget });
        var others = new List<Guid>();
        foreach (var model in new[] { "one", "two", "one" })
        {
            others.Add(await second.PostAsync(new { model, dataset = "flats", target = "price", profile = "fast", budgetSeconds = 5 }));
        }

        JsonElement at;
        do
        {
            await Task.Delay(200);
            at = await second.GetAsync($"api/ml/jobs/{job}");
        }
        while (at.GetProperty("state").GetString() == "queued" || at.GetProperty("fraction").GetDouble() < 0.1);

        var (victim, survivor) = first.Started(int.Parse(at.GetProperty("host").GetString()!.Split('-')[^2], CultureInfo.InvariantCulture)) ? (first, second) : (second, first);
        var serving = await ServingAsync(survivor, "flats");
        var clock = Stopwatch.StartNew();
        victim.Kill();
        var failed = 0;
        double? resumed = null;
        do
        {
            try
            {
                await survivor.Okla.PredictAsync("flats", [Flat(300_000 + (int)clock.ElapsedMilliseconds, 0)]);
            }
            catch (OklaRefusedException)
            {
                failed++;
            }

            at = await survivor.GetAsync($"api/ml/jobs/{job}");
            resumed ??= at.GetProperty("attempt").GetInt32() > 1 ? clock.Elapsed.TotalSeconds : null;
            await Task.Delay(200);
        }
        while (at.GetProperty("state").GetString() is "running" or "queued" && clock.Elapsed < TimeSpan.FromSeconds(300));

        foreach (var other in others)
        {
            await survivor.Okla.WaitAsync(other);
        }

        var runs = (await survivor.GetAsync("api/ml/runs?limit=200")).GetProperty("runs").EnumerateArray().GroupBy(run => run.GetProperty("job").GetGuid()).ToDictionary(group => group.Key, group => group.Count());
        Console.WriteLine($"kill -9 at {at.GetProperty("attempt").GetInt32() - 1} attempt(s): another host went on after {resumed:0.0} s (a lease of 5 s), {at.GetProperty("state").GetString()} after {clock.Elapsed.TotalSeconds:0.0} s; flats served version {serving} before and {await ServingAsync(survivor, "flats")} after, {failed} requests failed meanwhile");
        Console.WriteLine($"two hosts: {others.Count + 1} trainings queued, {others.Append(job).Count(id => runs.GetValueOrDefault(id) == 1)} carried through exactly once");
    }

    private static async Task ServeFlatsAsync(ShowHost host, int budget)
    {
        await host.Okla.UploadAsync("flats", Flats(1_500, 3, shuffled: false));
        var done = await host.Okla.WaitAsync(await host.PostAsync(new { model = "flats", dataset = "flats", target = "price", profile = "fast", budgetSeconds = Math.Max(5, budget / 2) }));
        if (done.Published != true)
        {
            throw new InvalidOperationException($"The flats are not served: {done.Message}");
        }
    }

    private static async Task<int?> ServingAsync(ShowHost host, string model) => (await host.Okla.ModelsAsync()).First(one => one.Name == model).ServingVersion;

    private static object Flat(int n, double larger)
    {
        var random = new Random(n);
        return new { size = Math.Round(30 + (120 * random.NextDouble()) + larger, 2), floor = random.Next(1, 12), district = new[] { "Naco", "Gazcue", "Piantini", "Bella Vista" }[random.Next(4)] };
    }

    private static MemoryStream Flats(int rows, int seed, bool shuffled)
    {
        var random = new Random(seed);
        var flats = Enumerable.Range(0, rows).Select(n => (Size: 30 + (120 * random.NextDouble()), Floor: random.Next(1, 12), District: random.Next(4))).ToArray();
        double[] prices = [.. flats.Select(flat => (1_500 * flat.Size) + (2_000 * flat.Floor) + (20_000 * flat.District) + (8_000 * random.NextDouble()))];
        if (shuffled)
        {
            random.Shuffle(prices);
        }

        string[] districts = ["Naco", "Gazcue", "Piantini", "Bella Vista"];
        return new MemoryStream(Encoding.UTF8.GetBytes("size,floor,district,price\n" + string.Concat(flats.Select((flat, i) =>
            string.Create(CultureInfo.InvariantCulture, $"{flat.Size:0.00},{flat.Floor},{districts[flat.District]},{prices[i]:0}\n")))));
    }

    private static (string Header, string[] Train, string[] Test) Split(string path)
    {
        var lines = File.ReadAllLines(path).Where(line => line.Length > 0).ToArray();
        var rows = lines[1..];
        new Random(42).Shuffle(rows);
        var cut = rows.Length * 8 / 10;
        return (lines[0], rows[..cut], rows[cut..]);
    }

    // The three files have no quotes.
    private static string[] Cells(string line) => [.. line.Split(',').Select(cell => cell.Trim())];

    private static Dictionary<string, string?> Row(string[] names, string[] cells, HashSet<string> inputs) =>
        names.Zip(cells).Where(pair => inputs.Contains(pair.First)).ToDictionary(pair => pair.First, pair => pair.Second.Length == 0 ? null : pair.Second);
}

/// <summary>A host in a process of its own.</summary>
internal sealed class ShowHost : IAsyncDisposable
{
    private readonly Process process;

    private ShowHost(Process process, HttpClient http, string token)
    {
        this.process = process;
        Http = http;
        Okla = new OklaModels(http, http.BaseAddress!, token);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    public HttpClient Http { get; }

    public OklaModels Okla { get; }

    /// <summary>Whether it started a process: the fourth field of its status, counted after the name in brackets.</summary>
    public bool Started(int child) => File.ReadAllText($"/proc/{child}/stat").Split(") ")[1].Split(' ')[1] == process.Id.ToString(CultureInfo.InvariantCulture);

    public static async Task<ShowHost> StartAsync(string database, IEnumerable<string> settings)
    {
        using var socket = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        socket.Start();
        var address = new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)socket.LocalEndpoint).Port}");
        socket.Stop();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "OKLA.Host.dll"), "serve", "--urls", address.ToString(), "--environment", "Development", $"--ConnectionStrings:Okla={database}", "--Logging:LogLevel:Default=Error", .. settings]);
        var process = Process.Start(start)!;
        var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        for (var deadline = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                using var answer = await http.PostAsync("/api/auth/demo/admin", null);
                if (answer.IsSuccessStatusCode)
                {
                    return new ShowHost(process, http, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!);
                }
            }
            catch (HttpRequestException) when (deadline.Elapsed < TimeSpan.FromSeconds(90) && !process.HasExited)
            {
                // It is still coming up.
                continue;
            }
        }
    }

    /// <summary>Ends it, and the process that trains for it, as a power cut would.</summary>
    public void Kill() => process.Kill(entireProcessTree: true);

    public Task<JsonElement> GetAsync(string path) => Http.GetFromJsonAsync<JsonElement>(path);

    /// <summary>Queues a training; answers the job.</summary>
    public async Task<Guid> PostAsync(object training)
    {
        using var answer = await Http.PostAsJsonAsync("api/ml/jobs", training);
        return answer.IsSuccessStatusCode
            ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid()
            : throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!process.HasExited)
        {
            process.Kill();
        }

        await process.WaitForExitAsync();
        process.Dispose();
    }
}
