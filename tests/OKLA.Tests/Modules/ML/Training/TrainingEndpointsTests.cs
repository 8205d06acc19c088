using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Datasets;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.ML.Training;

/// <summary>The queue, runs and versions behind HTTP, with a worker that runs.</summary>
public sealed class TrainingEndpointsTests : DatabaseTest, IAsyncDisposable
{
    private ServedHouse app = null!;
    private HttpClient http = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        app = await ServedHouse.StartAsync(Database, ("ML:TrainingThreads", "1"), ("ML:BudgetSeconds", "1"));
        http = app.Http;
        await app.Services.GetRequiredService<DatasetStore>().AddAsync("cars", SmallTables.Csv(SmallTables.Cars(300, 31)), default);
        var token = await (await http.PostAsync("/api/auth/demo/admin", null)).Content.ReadFromJsonAsync<JsonElement>();
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.GetProperty("accessToken").GetString());
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    [Test]
    public async Task An_unknown_table_is_trained_followed_to_its_end_and_described()
    {
        var queued = await http.PostAsJsonAsync("/api/ml/jobs", new { model = "sold-soon", dataset = "cars", target = "sold", columns = new[] { "age", "transmission" }, profile = "fast", budgetSeconds = 5 });
        queued.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var job = await (await http.GetAsync($"{queued.Headers.Location}/events", HttpCompletionOption.ResponseHeadersRead)).Content.ReadAsStringAsync();

        var last = JsonDocument.Parse(job.Split("data: ")[^1]).RootElement;
        job.ShouldContain("event: over");
        (last.GetProperty("state").GetString(), last.GetProperty("published").GetBoolean()).ShouldBe(("succeeded", true), job);
        var run = await http.GetFromJsonAsync<JsonElement>($"/api/ml/runs/{last.GetProperty("runId").GetString()}");
        run.GetProperty("metrics").GetArrayLength().ShouldBeGreaterThan(5);
        (await http.GetFromJsonAsync<JsonElement>("/api/ml/runs?model=sold-soon")).GetProperty("runs").GetArrayLength().ShouldBe(1);
        (await http.GetFromJsonAsync<JsonElement>("/api/ml/jobs?state=succeeded")).GetProperty("jobs")[0].GetProperty("model").GetString().ShouldBe("sold-soon");

        using var ask = new HttpRequestMessage(HttpMethod.Get, "/api/ml/models/sold-soon/versions/1/card");
        ask.Headers.Accept.ParseAdd("text/markdown");
        (await (await http.SendAsync(ask)).Content.ReadAsStringAsync()).ShouldStartWith("# sold-soon, version 1");
        (await http.PatchAsJsonAsync("/api/ml/models/sold-soon/versions/1", new { tags = new[] { "first" }, notes = "De prueba." })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var version = (await http.GetFromJsonAsync<JsonElement>("/api/ml/models/sold-soon/versions/1")).GetProperty("version");
        (version.GetProperty("tags")[0].GetString(), version.GetProperty("notes").GetString(), version.GetProperty("stage").GetString()).ShouldBe(("first", "De prueba.", "serving"));
        (await http.DeleteAsync("/api/ml/models/sold-soon/versions/1")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await http.GetFromJsonAsync<JsonElement>("/api/ml/models/sold-soon/history")).GetProperty("served").GetArrayLength().ShouldBe(1);
        (await http.GetFromJsonAsync<JsonElement>("/api/ml/models")).GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).ShouldContain("sold-soon");
        (await http.PostAsync("/api/ml/models/sold-soon/train", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Test]
    public async Task A_run_of_the_house_is_made_again_from_the_table_that_it_learned_from_though_the_log_went_on()
    {
        var (writer, now) = (app.Services.GetRequiredService<EventWriter>(), TimeProvider.System.GetUtcNow());
        await writer.WriteAsync([.. Town.Vehicles(300, now.AddDays(-40), 30, seed: 5).Select(v => Room.Listed(v.Item, v.At))]);
        var first = await OverAsync(await http.PostAsJsonAsync("/api/ml/jobs", new { model = ModelNames.VehicleClassifier }));
        first.GetProperty("state").GetString().ShouldBe("succeeded", first.GetRawText());
        await writer.WriteAsync([.. Town.Vehicles(20, now.AddDays(-2), 1, seed: 6).Select((v, i) => Room.Listed(v.Item with { Id = $"late-{i}" }, v.At))]);

        var again = await OverAsync(await http.PostAsync($"/api/ml/runs/{first.GetProperty("runId").GetString()}/reproduce", null));

        again.GetProperty("message").GetString()!.ShouldStartWith("Bit for bit the same artefact", customMessage: again.GetRawText());
        await ExecuteAsync($"update ml.runs set learned = null where id = '{first.GetProperty("runId").GetString()}'");
        (await http.PostAsync($"/api/ml/runs/{first.GetProperty("runId").GetString()}/reproduce", null)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    private async Task<JsonElement> OverAsync(HttpResponseMessage queued)
    {
        queued.StatusCode.ShouldBe(HttpStatusCode.Accepted, await queued.Content.ReadAsStringAsync());
        var told = await (await http.GetAsync($"{queued.Headers.Location}/events", HttpCompletionOption.ResponseHeadersRead)).Content.ReadAsStringAsync();
        return JsonDocument.Parse(told.Split("data: ")[^1]).RootElement;
    }

    [TestCase("""{"dataset":"cars"}""", "model")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","budgetSeconds":1}""", "budgetSeconds")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","gates":{"fairness":1,"calibrationError":7}}""", "gates.calibrationError")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","gates":{"off":["luck"]}}""", "gates.off")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","columns":["age","colour"]}""", "columns[1]")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","surrogate":"colour"}""", "surrogate")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","surrogate":"price"}""", "surrogate")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","objective":{"quality":0}}""", "objective")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","objective":{"size":-1}}""", "objective.size")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","objective":{"fairness":1}}""", "objective.fairness")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","rollout":{"stages":[{"name":"party","share":0.5,"minutes":1}]}}""", "rollout.stages")]
    [TestCase("""{"model":"x-y","dataset":"cars","target":"price","rollout":{"goal":{"eventTypes":["sneezed"],"windowMinutes":5}}}""", "rollout.goal")]
    [TestCase("""{"model":"price-predictor","objective":{"size":1}}""", "objective")]
    public async Task A_wrong_field_is_refused_by_its_name(string body, string field)
    {
        var refused = await http.PostAsync("/api/ml/jobs", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);
    }

    [Test]
    public async Task What_is_not_there_is_not_found_and_strangers_are_kept_out()
    {
        foreach (var path in new[] { $"jobs/{Guid.Empty}", $"jobs/{Guid.Empty}/events", $"runs/{Guid.Empty}", "models/none/versions/1", "models/none/versions/1/card" })
        {
            (await http.GetAsync($"/api/ml/{path}")).StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }

        (await http.PostAsync($"/api/ml/jobs/{Guid.Empty}/cancel", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.GetAsync($"/api/ml/runs/compare?ids={Guid.Empty}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var stranger = new HttpClient { BaseAddress = http.BaseAddress };
        foreach (var path in new[] { "jobs", "runs", "models/price-predictor/history" })
        {
            (await stranger.GetAsync($"/api/ml/{path}")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }
    }
}
