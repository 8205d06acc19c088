using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OKLA.ML.Serving.Batch;

namespace OKLA.Tests.Modules.ML.Serving;

public sealed class BatchAndQueueTests : ServingTest
{
    private const string Secret = "a secret of the test";
    private readonly ConcurrentQueue<(string Body, string Time, string Signature)> calls = new();
    private WebApplication receiver = null!;
    private int refusals;

    protected override (string Key, string Value)[] Settings =>
        [("ML:Serving:CallbackHosts:0", new Uri(receiver.Urls.First()).Authority), ("ML:Serving:CallbackSecret", Secret), ("ML:Serving:RetryAfter", "00:00:00.1")];

    protected override async Task BeforeHostAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        receiver = builder.Build();
        receiver.MapPost("/hook", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            calls.Enqueue((await reader.ReadToEndAsync(), request.Headers["X-Okla-Timestamp"].ToString(), request.Headers["X-Okla-Signature"].ToString()));
            return Interlocked.Decrement(ref refusals) >= 0 ? Results.StatusCode(500) : Results.Ok();
        });
        await receiver.StartAsync();
    }

    protected override async Task PrepareAsync() => await PublishAsync(await SaveAsync(new Line(2)));

    [OneTimeTearDown]
    public Task StopReceiverAsync() => receiver.DisposeAsync().AsTask();

    [Test]
    public async Task A_CSV_file_comes_back_with_answers_and_the_errors_of_its_bad_rows()
    {
        var text = new StringBuilder("name,size,district\n");
        for (var n = 0; n < 5_000; n++)
        {
            text.Append(n == 4_321 ? "\"bad, row\",none,naco\n" : $"row {n},{n % 100},naco\n");
        }

        var job = await PostAsync(text.ToString(), "text/csv");
        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}")).GetProperty("state").GetString() == "done");

        await Service<OKLA.ML.Monitoring.ServingMeter>().FlushAsync();
        (await ScalarAsync<long>("select sum(rows)::bigint from ml.serving_minutes where model = 'line' and arm = 'batch'")).ShouldBeGreaterThanOrEqualTo(5_000);
        var done = await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}");
        (done.GetProperty("rows").GetInt64(), done.GetProperty("failed").GetInt64(), done.GetProperty("progress").GetDouble()).ShouldBe((5_000, 1, 1));
        var lines = (await Http.GetStringAsync($"/api/ml/batches/{job}/result")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(5_001);
        lines[0].ShouldBe("name,size,district,prediction,low,high,label,error");
        // 2 · 50 + 100.
        lines[51].ShouldBe("row 50,50,naco,200,190,210,,");
        lines[4_322].ShouldStartWith("\"bad, row\",none,naco,,,,,");
        lines[4_322].ShouldContain("size: A number");
    }

    [Test]
    public async Task An_NDJSON_file_is_answered_line_by_line()
    {
        var job = await PostAsync("{\"size\":1}\n\n{\"size\":2,\"district\":\"naco\"}\nno json\n", "application/x-ndjson");
        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}")).GetProperty("state").GetString() == "done");

        var lines = (await Http.GetStringAsync($"/api/ml/batches/{job}/result")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        lines.Select(line => line.GetProperty("row").GetInt64()).ShouldBe([1, 2, 3]);
        lines[1].GetProperty("prediction").GetProperty("value").GetDouble().ShouldBe(104);
        lines[2].GetProperty("error").GetString().ShouldBe("row: No valid JSON.");
    }

    [Test]
    public async Task A_batch_whose_host_died_is_done_by_another_one()
    {
        var text = "size\n" + string.Join('\n', Enumerable.Range(0, 4_100).Select(n => n % 100)) + "\n";
        var job = await PostAsync(text, "text/csv");
        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}")).GetProperty("state").GetString() == "done");
        var whole = await Http.GetStringAsync($"/api/ml/batches/{job}/result");

        // As a killed host leaves it: one part done, one locked by a connection that breaks, one untouched.
        await ExecuteAsync($"update ml.batch_parts p set output = null, input = i.input from (select convert_to((select jsonb_agg(jsonb_build_array((n % 100)::text)) from generate_series(2000, 3999) n)::text, 'UTF8') as input) i where job_id = '{job}' and part = 1");
        await using (var dying = await Database.OpenConnectionAsync())
        {
            await using var transaction = await dying.BeginTransactionAsync();
            await using var locked = new Npgsql.NpgsqlCommand($"select 1 from ml.batch_parts where job_id = '{job}' and part = 1 for update", dying, transaction);
            await locked.ExecuteScalarAsync();
            await ExecuteAsync($"update ml.batch_jobs set state = 'queued', finished_at = null where id = '{job}'");
            (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}")).GetProperty("done").GetInt64().ShouldBe(2_100);
            (await Http.GetAsync($"/api/ml/batches/{job}/result")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        }

        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/batches/{job}")).GetProperty("state").GetString() == "done");
        (await Http.GetStringAsync($"/api/ml/batches/{job}/result")).ShouldBe(whole);
    }

    [Test]
    public async Task A_file_without_rows_or_without_a_needed_column_is_refused()
    {
        foreach (var (text, type) in new[] { ("name\nx\n", "text/csv"), ("size\n", "text/csv"), ("", "application/x-ndjson") })
        {
            (await Http.PostAsync("/api/ml/models/line/batch", new StringContent(text, Encoding.UTF8, type))).StatusCode.ShouldBe(HttpStatusCode.BadRequest, text);
        }

        (await ScalarAsync<long>("select count(*) from ml.batch_jobs where state = 'receiving'")).ShouldBe(0);
        (await Http.PostAsync("/api/ml/models/none/batch", new StringContent("size\n1\n", Encoding.UTF8, "text/csv"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task A_queued_question_is_answered_and_told_by_a_signed_call_back_that_is_tried_again()
    {
        refusals = 2;
        var asked = await Http.PostAsJsonAsync("/api/ml/models/line/predict-async", new { rows = new[] { new { size = 7 } }, callbackUrl = $"{receiver.Urls.First()}/hook" });
        asked.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var id = (await BodyAsync(asked)).GetProperty("id").GetGuid();

        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/predictions/async/{id}")).GetProperty("callback").GetString() == "delivered");

        var kept = await Http.GetFromJsonAsync<JsonElement>($"/api/ml/predictions/async/{id}");
        kept.GetProperty("state").GetString().ShouldBe("done");
        kept.GetProperty("answer").GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(114);
        calls.Count.ShouldBe(3);
        calls.ShouldAllBe(call => call.Signature == $"sha256={AsyncWorker.Sign(Secret, call.Time, call.Body)}");
        JsonSerializer.Deserialize<JsonElement>(calls.Last().Body).GetProperty("id").GetGuid().ShouldBe(id);
    }

    [TestCase("http://127.0.0.1:1/hook")]
    [TestCase("http://okla.example/hook")]
    [TestCase("file:///etc/passwd")]
    [TestCase("nowhere")]
    public async Task A_call_back_to_another_host_is_refused(string address) =>
        (await Http.PostAsJsonAsync("/api/ml/models/line/predict-async", new { rows = new[] { new { size = 7 } }, callbackUrl = address })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

    [Test]
    public async Task A_question_that_the_model_refuses_ends_as_failed_with_the_reasons()
    {
        var id = (await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/predict-async", new { rows = new[] { new { floors = 7 } } }))).GetProperty("id").GetGuid();

        await UntilAsync(async () => (await Http.GetFromJsonAsync<JsonElement>($"/api/ml/predictions/async/{id}")).GetProperty("state").GetString() == "failed");

        var kept = await Http.GetFromJsonAsync<JsonElement>($"/api/ml/predictions/async/{id}");
        kept.GetProperty("status").GetInt32().ShouldBe(400);
        kept.GetProperty("answer").GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe(["rows[0].size"]);
    }

    [Test]
    public async Task Counterfactuals_change_little_keep_what_is_fixed_and_hold_when_the_model_is_asked()
    {
        var answer = await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/counterfactuals", new { row = new { size = 40, floors = 1, district = "naco" }, want = new { from = 250 }, @fixed = new[] { "district" } }));

        // 2 · 40 + 100 · 1 = 180; 250 needs size 75 or floors 2 (280), each alone.
        var found = answer.GetProperty("found").EnumerateArray().Select(item => item.GetProperty("changes").EnumerateArray().Select(change => $"{change.GetProperty("input").GetString()}={change.GetProperty("to").GetString()}").ToArray()).ToList();
        found.ShouldContain(changes => changes.SequenceEqual(new[] { "floors=2" }));
        found.ShouldContain(changes => changes.SequenceEqual(new[] { "size=75" }));
        answer.GetProperty("found").EnumerateArray().ShouldAllBe(item => item.GetProperty("prediction").GetProperty("value").GetDouble() >= 250);
        answer.GetProperty("holds").GetBoolean().ShouldBeFalse();

        var tight = await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/counterfactuals", new { row = new { size = 40, floors = 1 }, want = new { from = 650 }, @fixed = new[] { "district" }, maxChanges = 2 }));
        // Floors 5 alone give 580 and size 100 alone 300: only both together reach 650.
        tight.GetProperty("found")[0].GetProperty("changes").GetArrayLength().ShouldBe(2);
        (await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/counterfactuals", new { row = new { size = 40 }, want = new { from = 5_000 } }))).GetProperty("found").GetArrayLength().ShouldBe(0);
        (await Http.PostAsJsonAsync("/api/ml/models/line/counterfactuals", new { row = new { size = 40 }, want = new { label = "yes" } })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Http.PostAsJsonAsync("/api/ml/models/line/counterfactuals", new { row = new { size = 40 } })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private async Task<Guid> PostAsync(string text, string type)
    {
        var answer = await Http.PostAsync("/api/ml/models/line/batch", new StringContent(text, Encoding.UTF8, type));
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return (await BodyAsync(answer)).GetProperty("id").GetGuid();
    }
}
