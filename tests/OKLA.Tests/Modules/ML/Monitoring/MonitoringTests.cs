using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using OKLA.ML.Monitoring;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Tests.Modules.ML.Serving;

namespace OKLA.Tests.Modules.ML.Monitoring;

public sealed class MonitoringTests : ServingTest
{
    private static readonly TcpListener Mail = Listening();

    protected override (string Key, string Value)[] Settings =>
    [
        ("ML:Monitoring:DriftSeconds", "1"), ("ML:Monitoring:ReferenceRows", "200"), ("ML:Monitoring:CurrentRows", "200"), ("ML:Rollout:WatchMinutes", "0"), ("ML:Monitoring:SmtpHost", "127.0.0.1"),
        ("ML:Monitoring:SmtpPort", ((IPEndPoint)Mail.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("ML:Monitoring:MailTo:0", "admin@okla.test"),
    ];

    [SetUp]
    public async Task ServeAsync()
    {
        await Service<PredictionStore>().FlushAsync();
        await Service<ServingMeter>().FlushAsync();
        await ExecuteAsync("delete from ml.predictions; delete from ml.outcomes; delete from ml.serving_minutes; delete from ml.alerts; delete from ml.goals; delete from ml.alert_rules; delete from ml.alert_silences");
        await PublishAsync(await SaveAsync(new Line(2)));
    }

    [OneTimeTearDown]
    public void StopMail() => Mail.Stop();

    [Test]
    public async Task Requests_errors_latency_and_cache_hits_are_counted_by_the_minute_and_the_hour()
    {
        foreach (var size in new[] { 1, 1, 2 })
        {
            await BodyAsync(AskAsync(new { size }));
        }

        await Service<ServingMeter>().FlushAsync();
        foreach (var window in new[] { "minute", "hour" })
        {
            var windows = (await Admin.GetFromJsonAsync<JsonElement>($"/api/ml/models/line/monitoring?window={window}")).GetProperty("windows").EnumerateArray().ToList();
            windows.Sum(item => item.GetProperty("requests").GetInt64()).ShouldBe(3);
            windows.Sum(item => item.GetProperty("cacheHits").GetInt64()).ShouldBe(1);
            windows.Sum(item => item.GetProperty("errors").GetInt64()).ShouldBe(0);
            windows[0].GetProperty("p95").GetDouble().ShouldBeGreaterThan(0);
        }

        (await Admin.GetAsync("/api/ml/models/line/monitoring?window=year")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Http.GetAsync("/api/ml/models/line/monitoring")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Test]
    public async Task Drift_of_the_planted_input_raises_an_alert_and_of_the_others_none()
    {
        await AskManyAsync(200, n => new { size = n % 100, district = n % 3 == 0 ? "naco" : "gazcue" });
        await AskManyAsync(200, n => new { size = 40 + n % 60, district = n % 3 == 0 ? "naco" : "gazcue" });

        var drift = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/line/monitoring")).GetProperty("drift");
        drift.GetProperty("reference").GetString().ShouldBe("first_served");
        var figures = drift.GetProperty("inputs").EnumerateArray().ToDictionary(input => input.GetProperty("name").GetString()!, input => input.GetProperty("drifted").GetBoolean());
        figures["size"].ShouldBeTrue();
        figures.Where(input => input.Key != "size").ShouldAllBe(input => !input.Value);

        await UntilAsync(async () => (await AlertsAsync()).Any(alert => alert.GetProperty("rule").GetString() == "input-drift"));
        (await AlertsAsync()).First(alert => alert.GetProperty("rule").GetString() == "input-drift").GetProperty("message").GetString()!.ShouldStartWith("Los datos que recibe line");
    }

    [Test]
    public async Task A_reference_of_the_training_stands_before_the_first_served_rows()
    {
        var sizes = Enumerable.Range(0, 200).Select(n => (string?)(n % 50).ToString(System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        await PublishAsync(await SaveAsync(new Line(2), data: new { reference = new ReferenceSample(new Dictionary<string, string?[]> { ["size"] = sizes }, [.. sizes.Select(size => 2 * double.Parse(size!, System.Globalization.CultureInfo.InvariantCulture) + 100)]) }));
        await AskManyAsync(200, n => new { size = n % 50 });

        var drift = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/line/monitoring")).GetProperty("drift");

        drift.GetProperty("reference").GetString().ShouldBe("training");
        drift.GetProperty("inputs").GetArrayLength().ShouldBe(1);
        drift.GetProperty("inputs")[0].GetProperty("drifted").GetBoolean().ShouldBeFalse();
        drift.GetProperty("predictions").GetProperty("drifted").GetBoolean().ShouldBeFalse();
    }

    [Test]
    public async Task Late_outcomes_give_the_quality_by_segment_and_unknown_rows_are_told()
    {
        await AskManyAsync(4, n => new { size = 10 * n, district = n < 2 ? "naco" : "gazcue" }, "late");

        var told = await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/outcomes", new
        {
            outcomes = new object[]
            {
                new { requestId = "late-0", outcome = 999 }, new { requestId = "late-0", outcome = 110 }, new { requestId = "late-1", outcome = 114 }, new { requestId = "late-2", outcome = 170 },
                new { requestId = "never", outcome = 1 },
            },
        }));
        (told.GetProperty("kept").GetInt32(), told.GetProperty("unknown").GetInt32()).ShouldBe((3, 1));
        var quality = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/line/monitoring?segment=district")).GetProperty("quality");

        // Answers 100, 120, 140; outcomes 110, 114, 170: errors 10, 6 and 30, the first two of naco.
        quality[0].GetProperty("cases").GetInt64().ShouldBe(3);
        quality[0].GetProperty("waiting").GetInt64().ShouldBe(1);
        quality[0].GetProperty("metrics").GetProperty("mae").GetDouble().ShouldBe(46 / 3.0, 1e-9);
        quality[0].GetProperty("metrics").GetProperty("coverage").GetDouble().ShouldBe(2 / 3.0, 1e-9);
        quality.EnumerateArray().Single(item => item.GetProperty("segment").GetString() == "naco").GetProperty("metrics").GetProperty("mae").GetDouble().ShouldBe(8, 1e-9);
        (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/predictions/late-0")).GetProperty("rows")[0].GetProperty("outcome").GetString().ShouldBe("110");
    }

    [Test]
    public async Task A_goal_of_the_log_makes_outcomes_and_what_is_younger_than_its_window_is_no_negative()
    {
        await PublishAsync(await SaveAsync(new Line(2, Classifies: true)));
        (await Admin.PutAsJsonAsync("/api/ml/models/line/goal", new { eventTypes = new[] { "contacted" }, windowMinutes = 60 })).EnsureSuccessStatusCode();
        (await Admin.PutAsJsonAsync("/api/ml/models/line/goal", new { eventTypes = new[] { "page_viewed" }, windowMinutes = 60 })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        foreach (var user in new[] { "old-yes", "old-no", "young-yes", "young-no" })
        {
            await BodyAsync(AskAsync(new { size = user.Length }, userKey: user));
        }

        await Service<PredictionStore>().FlushAsync();
        await ExecuteAsync("update ml.predictions set at = at - interval '3 hours' where user_key like 'old-%'");
        var now = TimeProvider.System.GetUtcNow();
        await Service<EventWriter>().WriteAsync(
        [
            Room.Behaviour(EventTypes.Contacted, "x", "old-yes", "car", now.AddHours(-2.5)), Room.Behaviour(EventTypes.Contacted, "young-yes", null, "car", now.AddMinutes(1)),
            Room.Behaviour(EventTypes.Contacted, "old-no", null, "car", now.AddHours(-1)),
        ]);
        await UntilAsync(async () => await ScalarAsync<long>("select count(*) from ml.goal_events") == 3);

        var all = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/models/line/monitoring")).GetProperty("quality")[0];
        (all.GetProperty("cases").GetInt64(), all.GetProperty("waiting").GetInt64()).ShouldBe((3, 1));
        all.GetProperty("metrics").GetProperty("positive_share").GetDouble().ShouldBe(2 / 3.0, 1e-9);
    }

    [Test]
    public async Task An_alert_is_mailed_kept_and_resolved_and_a_silenced_one_told_to_nobody()
    {
        var mail = TakeMailAsync();
        var rule = await BodyAsync(Admin.PostAsJsonAsync("/api/ml/alerts/rules", new { name = "few", model = "line", metric = "requests", threshold = 2, above = true, channels = new[] { "email", "page" } }));
        await AskManyAsync(3, n => new { size = n });
        await Service<ServingMeter>().FlushAsync();

        await UntilAsync(async () => (await AlertsAsync()).Count == 1);
        var alert = (await AlertsAsync())[0];
        alert.GetProperty("message").GetString().ShouldBe("line: requests está en 3.000; se admite hasta 2.000.");
        alert.GetProperty("deliveries").EnumerateArray().ShouldAllBe(delivery => delivery.GetProperty("delivered").GetBoolean());
        (await mail).ShouldContain("To: admin@okla.test");
        (await BodyAsync(Admin.PostAsync($"/api/ml/alerts/{alert.GetProperty("id").GetGuid()}/acknowledge", null))).GetProperty("acknowledgedBy").GetString().ShouldNotBeNullOrEmpty();

        await ExecuteAsync("delete from ml.serving_minutes");
        await UntilAsync(async () => (await AlertsAsync()).Count == 0);
        (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/alerts?state=resolved")).GetArrayLength().ShouldBe(1);

        (await Admin.PostAsJsonAsync("/api/ml/alerts/silences", new { minutes = 5, reason = "Mantenimiento", model = "line" })).EnsureSuccessStatusCode();
        await AskManyAsync(3, n => new { size = n });
        await Service<ServingMeter>().FlushAsync();
        await UntilAsync(async () => (await AlertsAsync()).Count == 1);
        (await AlertsAsync())[0].GetProperty("silenced").GetBoolean().ShouldBeTrue();
        (await Admin.DeleteAsync($"/api/ml/alerts/rules/{rule.GetProperty("id").GetGuid()}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await AlertsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_rule_waits_as_long_as_it_says()
    {
        await BodyAsync(Admin.PostAsJsonAsync("/api/ml/alerts/rules", new { name = "patient", model = "line", metric = "requests", threshold = 100, above = false, forSeconds = 3_600, channels = new[] { "page" } }));

        await UntilAsync(async () => await ScalarAsync<long>("select count(*) from ml.alerts where rule like 'patient-%' and raised_at is null") == 1);
        (await AlertsAsync()).ShouldBeEmpty();
        await ExecuteAsync("update ml.alerts set since = since - interval '1 hour'");
        await UntilAsync(async () => (await AlertsAsync()).Count == 1);
    }

    [Test]
    public async Task The_daily_report_says_in_Spanish_what_happened()
    {
        await AskManyAsync(5, n => new { size = n });
        await Service<ServingMeter>().FlushAsync();

        var report = await Admin.GetFromJsonAsync<JsonElement>("/api/ml/report");
        report.GetProperty("lines")[0].GetString()!.ShouldStartWith("line respondió 5 solicitudes (5 filas)");
        report.GetProperty("models")[0].GetProperty("requests").GetInt64().ShouldBe(5);
        (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/report?day=2020-02-29")).GetProperty("title").GetString().ShouldBe("Los modelos el 29 de febrero de 2020");
        (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/report?day=2020-02-29")).GetProperty("lines")[0].GetString().ShouldBe("No hubo solicitudes, cambios ni alertas.");
    }

    [Test]
    public void Latencies_of_several_counts_add_up_to_a_percentile_within_a_class()
    {
        var counts = Latency.Empty();
        for (var ms = 1; ms <= 1_000; ms++)
        {
            counts[Latency.ClassOf(ms)]++;
        }

        // Classes are 20 % wide.
        Latency.Percentile(counts, 0.5)!.Value.ShouldBeInRange(500, 600);
        Latency.Percentile(counts, 0.99)!.Value.ShouldBeInRange(990, 1_190);
        Latency.Percentile(Latency.Empty(), 0.5).ShouldBeNull();
    }

    [Test]
    public void The_same_distribution_is_no_drift_whatever_chance_makes_of_it()
    {
        var random = new Random(3);
        string?[] Draw(int rows, double missing) => [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble() < missing ? null : random.NextDouble().ToString(System.Globalization.CultureInfo.InvariantCulture))];

        for (var trial = 0; trial < 50; trial++)
        {
            DriftWatch.Judge("x", "number", Draw(100, 0.1), Draw(100, 0.1), 0.25).Drifted.ShouldBeFalse();
        }

        DriftWatch.Judge("x", "number", Draw(500, 0), Draw(500, 0.6), 0.25).Drifted.ShouldBeTrue();
        DriftWatch.Judge("c", "category", [.. Enumerable.Repeat("a", 300)], [.. Enumerable.Repeat("b", 300)], 0.25).Drifted.ShouldBeTrue();
    }

    private static TcpListener Listening()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    /// <summary>A mail server that takes one mail.</summary>
    private static async Task<string> TakeMailAsync()
    {
        using var client = await Mail.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\r\n" };
        await writer.WriteLineAsync("220 test");
        var text = new StringBuilder();
        var inside = false;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (inside && line != ".")
            {
                text.AppendLine(line);
                continue;
            }

            var begins = line.StartsWith("DATA", StringComparison.Ordinal);
            await writer.WriteLineAsync(begins ? "354 go on" : line.StartsWith("QUIT", StringComparison.Ordinal) ? "221 bye" : "250 ok");
            if (inside)
            {
                break;
            }

            inside = begins;
        }

        return text.ToString();
    }

    private async Task<List<JsonElement>> AlertsAsync() => [.. (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/alerts?model=line")).EnumerateArray()];

    private async Task AskManyAsync(int rows, Func<int, object> row, string? prefix = null)
    {
        for (var n = 0; n < rows; n++)
        {
            await BodyAsync(AskAsync(row(n), requestId: prefix is null ? null : $"{prefix}-{n}"));
        }

        await Service<PredictionStore>().FlushAsync();
    }
}
