using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OKLA.ML.Serving;

namespace OKLA.Tests.Modules.ML.Serving;

public sealed class PredictRowsTests : ServingTest
{
    private int first, second;

    protected override async Task PrepareAsync()
    {
        (first, second) = (await SaveAsync(new Line(2)), await SaveAsync(new Line(3)));
        await PublishAsync(first);
        await PublishAsync(second);
    }

    [SetUp]
    public Task ServeSecondAsync() => PublishAsync(second);

    [Test]
    public async Task A_row_is_answered_with_version_source_interval_and_confidence()
    {
        var answer = await BodyAsync(AskAsync(new { size = 40, floors = 2, district = "Naco", furnished = true, built = "2020-05-01" }, requestId: "r-1"));

        answer.GetProperty("model").GetString().ShouldBe("line");
        answer.GetProperty("version").GetInt32().ShouldBe(second);
        answer.GetProperty("source").GetString().ShouldBe("model");
        answer.GetProperty("requestId").GetString().ShouldBe("r-1");
        var row = answer.GetProperty("predictions")[0];
        // 3 · 40 + 100 · 2 = 320, the interval 10 to either side: 1 / (1 + 10 / 320).
        row.GetProperty("value").GetDouble().ShouldBe(320);
        row.GetProperty("low").GetDouble().ShouldBe(310);
        row.GetProperty("high").GetDouble().ShouldBe(330);
        row.GetProperty("confidence").GetDouble().ShouldBe(1 / (1 + 10 / 320.0), 1e-12);
    }

    [TestCase("""{"rows":[{"size":1},{"floors":2}]}""", "rows[1].size")]
    [TestCase("""{"rows":[{"size":"many"}]}""", "rows[0].size")]
    [TestCase("""{"rows":[{"size":1,"colour":"red"}]}""", "rows[0].colour")]
    [TestCase("""{"rows":[{"size":1,"furnished":"perhaps"}]}""", "rows[0].furnished")]
    [TestCase("""{"rows":[{"size":1,"built":7}]}""", "rows[0].built")]
    [TestCase("""{"rows":[7]}""", "rows[0]")]
    [TestCase("""{"rows":[]}""", "rows")]
    [TestCase("""{"rows":{}}""", "rows")]
    [TestCase("""[]""", "rows")]
    [TestCase("""{"rows":[{"size":1}],"userKey":""}""", "userKey")]
    [TestCase("""{"rows":[{"size":1}],"entityIds":["a","b"]}""", "entityIds")]
    public async Task What_is_wrong_is_refused_by_its_path(string body, string path)
    {
        var refused = await PostAsync("/api/ml/models/line/predict", body);

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe([path]);
    }

    [Test]
    public async Task What_the_model_has_not_learned_from_is_answered_with_a_warning()
    {
        var answer = await BodyAsync(AskAsync(new { size = 400, district = "Piantini" }));

        answer.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!.Split(':')[0]).ShouldBe(["rows[0].size", "rows[0].district"]);
        answer.GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(1_300);
    }

    [Test]
    public async Task More_rows_than_allowed_a_broken_body_and_unknown_models_are_refused()
    {
        (await PostAsync("/api/ml/models/line/predict", "{")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync("/api/ml/models/none/predict", """{"rows":[{}]}""")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await PostAsync("/api/ml/models/vehicle-recommender/predict", """{"rows":[{}]}""")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await PostAsync("/api/ml/models/price-predictor/predict", """{"rows":[{}]}""")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var many = JsonSerializer.Serialize(new { rows = Enumerable.Repeat(new { size = 1 }, 2_001) });
        (await PostAsync("/api/ml/models/line/predict", many)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task A_version_that_fails_or_is_damaged_falls_back_to_the_one_before_it_and_says_so()
    {
        foreach (var bad in new[] { await SaveAsync(new Line(9, Fails: true)), await SaveAsync(new Line(9), artefact: "no line at all") })
        {
            await PublishAsync(second);
            await PublishAsync(bad);

            var answer = await BodyAsync(AskAsync(new { size = 10 }));

            answer.GetProperty("source").GetString().ShouldBe("previous");
            answer.GetProperty("version").GetInt32().ShouldBe(second);
            answer.GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(130);
        }
    }

    [Test]
    public async Task Without_any_version_that_answers_the_stored_baseline_does_or_503()
    {
        var bare = await SaveAsync(new Line(1, Fails: true));
        var withBaseline = await SaveAsync(new Line(1, Fails: true), data: new { baseline = new Prediction(77, 70, 80) });
        await PublishAsync(withBaseline);
        await PublishAsync(bare);

        (await AskAsync(new { size = 10 })).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await PublishAsync(withBaseline);
        var answer = await BodyAsync(AskAsync(new { size = 10 }));

        answer.GetProperty("source").GetString().ShouldBe("fallback");
        answer.GetProperty("version").ValueKind.ShouldBe(JsonValueKind.Null);
        answer.GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(77);
    }

    [Test]
    public async Task One_query_tells_which_version_answered_a_request_with_its_feature_vector()
    {
        await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/predict", new
        {
            rows = new object[] { new { size = 10, district = "naco" }, new { size = 20.5 } }, entityIds = new[] { "flat-1", "flat-2" }, userKey = "ana", requestId = "asked-1",
        }));
        await Service<PredictionStore>().FlushAsync();

        (await Http.GetAsync("/api/ml/predictions/asked-1")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var known = await Admin.GetFromJsonAsync<JsonElement>("/api/ml/predictions/asked-1");

        known.GetProperty("version").GetInt32().ShouldBe(second);
        known.GetProperty("userKey").GetString().ShouldBe("ana");
        var rows = known.GetProperty("rows");
        rows.GetArrayLength().ShouldBe(2);
        rows[1].GetProperty("entityId").GetString().ShouldBe("flat-2");
        rows[1].GetProperty("inputs").GetProperty("size").GetString().ShouldBe("20.5");
        rows[1].GetProperty("inputs").GetProperty("district").ValueKind.ShouldBe(JsonValueKind.Null);
        rows[1].GetProperty("value").GetDouble().ShouldBe(161.5);
        (await Admin.GetAsync("/api/ml/predictions/never")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task A_request_id_that_comes_again_is_written_down_once_and_costs_nobody_else_in_its_lot()
    {
        await BodyAsync(AskAsync(new { size = 12 }, requestId: "twice"));
        await Service<PredictionStore>().FlushAsync();
        await BodyAsync(AskAsync(new { size = 13 }, requestId: "twice"));
        await BodyAsync(AskAsync(new { size = 14 }, requestId: "beside"));
        await Service<PredictionStore>().FlushAsync();

        var twice = (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/predictions/twice")).GetProperty("rows");
        twice.GetArrayLength().ShouldBe(1);
        twice[0].GetProperty("inputs").GetProperty("size").GetString().ShouldBe("12");
        (await Admin.GetFromJsonAsync<JsonElement>("/api/ml/predictions/beside")).GetProperty("rows").GetArrayLength().ShouldBe(1);
        Service<PredictionStore>().Lost.ShouldBe(0);
    }

    [Test]
    public async Task A_repeated_row_comes_from_the_cache_until_another_version_serves()
    {
        var row = new { size = 33, floors = 3 };
        var before = await HitsAsync();
        await BodyAsync(AskAsync(row));
        await BodyAsync(AskAsync(row));
        (await HitsAsync()).ShouldBe(before + 1);

        await PublishAsync(first);
        // 2 · 33 + 300 of the first version, not 3 · 33 + 300 out of the cache.
        (await BodyAsync(AskAsync(row))).GetProperty("predictions")[0].GetProperty("value").GetDouble().ShouldBe(366);
        (await HitsAsync()).ShouldBe(before + 1);
    }

    [Test]
    public async Task The_signature_tells_what_a_row_may_hold()
    {
        var signature = await Http.GetFromJsonAsync<JsonElement>("/api/ml/models/line/signature");

        signature.GetProperty("inputs").EnumerateArray().Select(input => input.GetProperty("name").GetString()).ShouldBe(["size", "floors", "district", "furnished", "built"]);
        signature.GetProperty("inputs")[0].GetProperty("required").GetBoolean().ShouldBeTrue();
    }

    [Test]
    public async Task An_explanation_names_what_each_input_adds_and_one_that_does_not_add_up_is_a_fault()
    {
        var answer = await BodyAsync(AskAsync(new { size = 40, floors = 2 }, explain: true));
        var why = answer.GetProperty("predictions")[0].GetProperty("explanation");
        why.GetProperty("base").GetDouble().ShouldBe(100);
        why.GetProperty("output").GetDouble().ShouldBe(320);
        why.GetProperty("contributions").GetProperty("size").GetDouble().ShouldBe(120);
        why.GetProperty("contributions").GetProperty("floors").GetDouble().ShouldBe(100);

        var rows = await BodyAsync(Http.PostAsJsonAsync("/api/ml/models/line/explain", new { rows = new[] { new { size = 40, floors = 2 } } }));
        rows.GetProperty("rows")[0].GetProperty("explanation").GetProperty("output").GetDouble().ShouldBe(320);

        await PublishAsync(await SaveAsync(new Line(3, Lies: true)));
        (await Http.PostAsJsonAsync("/api/ml/models/line/explain", new { rows = new[] { new { size = 40 } } })).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    private async Task<long> HitsAsync()
    {
        await Service<OKLA.ML.Monitoring.ServingMeter>().FlushAsync();
        return await ScalarAsync<long>("select coalesce(sum(cache_hits), 0)::bigint from ml.serving_minutes where model = 'line'");
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) => Http.PostAsync(path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
}
