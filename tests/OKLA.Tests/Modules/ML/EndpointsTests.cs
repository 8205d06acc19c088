using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.ML;

/// <summary>The two modules behind HTTP, wired as the host does it.</summary>
public sealed class EndpointsTests : DatabaseTest, IAsyncDisposable
{
    private ServedHouse app = null!;
    private HttpClient http = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        app = await ServedHouse.StartAsync(Database);
        http = app.Http;

        var now = TimeProvider.System.GetUtcNow();
        await app.Services.GetRequiredService<EventWriter>().WriteAsync(
        [
            .. Town.Vehicles(20, now.AddDays(-9), 8, seed: 1).Select(v => Room.Listed(v.Item, v.At)), Room.View("ana", "car-0003", now.AddMinutes(-3)),
        ]);
        await UntilAsync(async () => (await GetAsync("/api/recommendations/users/ana")).GetProperty("items").GetArrayLength() > 0);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    [Test]
    public async Task Recommendations_have_the_shape_that_pages_read()
    {
        await UntilAsync(async () => (await GetAsync("/api/recommendations/users/new?limit=3")).GetProperty("items")[0].GetProperty("reason").GetString() == "Popular esta semana");
        var answer = await GetAsync("/api/recommendations/users/new?limit=3");

        Names(answer).ShouldBe(["userId", "items", "modelVersion", "source", "generatedAt"]);
        answer.GetProperty("items").GetArrayLength().ShouldBe(3);
        var first = answer.GetProperty("items")[0];
        Names(first).ShouldBe(["itemId", "score", "reason", "item", "verdict"]);
        Names(first.GetProperty("item")).ShouldBe(["title", "make", "model", "year", "bodyType", "fuel", "price", "priceUsd", "priceDop", "place", "sellerId", "image"]);
        first.GetProperty("itemId").GetString().ShouldBe("car-0003");
    }

    [Test]
    public async Task A_price_estimate_answers_by_median_before_a_model_is_trained_and_404_for_unknown_ids()
    {
        var answer = await GetAsync("/api/vehicles/car-0003/price-estimate");

        Names(answer).ShouldBe(["itemId", "estimate", "low", "high", "coverage", "verdict", "listed", "modelVersion", "source", "market", "reasons"]);
        answer.GetProperty("source").GetString().ShouldBe("median");
        var missing = await http.GetAsync("/api/vehicles/none/price-estimate");
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        missing.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [TestCase("/api/recommendations/users/ana?limit=0")]
    [TestCase("/api/recommendations/users/ana?limit=101")]
    [TestCase("/api/recommendations/users/ana?limit=many")]
    public async Task A_wrong_limit_is_refused_with_its_name(string path)
    {
        var refused = await http.GetAsync(path);

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").TryGetProperty("limit", out _).ShouldBeTrue();
    }

    [TestCase("/api/recommendations/users/ana?kind=boat", "kind")]
    [TestCase("/api/recommendations/users/ana?page=basement", "page")]
    [TestCase("/api/recommendations/users/ana?latitude=91", "latitude")]
    [TestCase("/api/recommendations/items/car-0003/similar?limit=51", "limit")]
    public async Task What_a_recommendation_cannot_be_asked_for_is_refused_with_its_name(string path, string name)
    {
        var refused = await http.GetAsync(path);

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").TryGetProperty(name, out _).ShouldBeTrue();
    }

    [TestCase("kind=boat", "kind", "The field kind must be one of vehicle, activity.")]
    [TestCase("page=basement", "page", "The field page must be one of home, item, favorites, email.")]
    [TestCase("device=fridge", "device", "The field device must be one of mobile, tablet, desktop.")]
    public async Task A_word_that_is_none_of_a_few_is_refused_with_those(string query, string name, string says)
    {
        var refused = await http.GetAsync($"/api/recommendations/users/ana?{query}");

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").GetProperty(name)[0].GetString().ShouldBe(says, StringCompareShould.IgnoreCase);
    }

    [Test]
    public async Task Similar_vehicles_are_told_by_a_rule_before_a_model_is_trained()
    {
        var answer = await GetAsync("/api/recommendations/items/car-0003/similar?limit=3");

        Names(answer).ShouldBe(["itemId", "items", "modelVersion", "source"]);
        answer.GetProperty("source").GetString().ShouldBe("rule");
        (await http.GetAsync("/api/recommendations/items/none/similar")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Activities_are_asked_for_by_their_kind()
    {
        var answer = await GetAsync("/api/recommendations/users/ana?kind=activity");

        answer.GetProperty("source").GetString().ShouldBe("popularity");
        answer.GetProperty("items").GetArrayLength().ShouldBe(0);
    }

    [Test]
    public async Task Buyers_rules_and_segments_are_for_those_who_may_ask()
    {
        (await http.GetAsync("/api/recommendations/items/car-0003/buyers")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/items/car-0003/buyers", "buyer")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/items/car-0003/buyers", "dealer")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/items/car-0003/buyers", "admin")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/rules", "dealer")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/rules", "admin")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/segments/comparing", "dealer")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(HttpMethod.Get, "/api/recommendations/segments/comparing", "admin")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Test]
    public async Task An_id_of_more_than_200_characters_is_refused()
    {
        (await http.GetAsync("/api/recommendations/users/" + new string('x', 200))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetAsync("/api/recommendations/users/" + new string('x', 201))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await http.GetAsync($"/api/vehicles/{new string('x', 201)}/price-estimate")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task Every_prediction_is_in_the_log()
    {
        await GetAsync("/api/recommendations/users/logged-person?limit=2");

        await UntilAsync(async () => await ScalarAsync<long>(
            "select count(*) from events.mt_events where type = 'prediction_served' and stream_id like 'prediction-vehicle-recommender-%' and data->>'subject' = 'logged-person'") == 1);
    }

    [Test]
    public async Task Models_and_trainings_are_for_admins()
    {
        (await http.GetAsync("/api/ml/models")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await http.PostAsync("/api/ml/models/price-predictor/train", null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(HttpMethod.Get, "/api/ml/models", "buyer")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        var models = await (await SendAsync(HttpMethod.Get, "/api/ml/models", "admin")).Content.ReadFromJsonAsync<JsonElement>();
        models.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).ShouldBe(ModelNames.All);
        (await SendAsync(HttpMethod.Post, "/api/ml/models/no-such-model/train", "admin")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync(HttpMethod.Post, "/api/ml/models/price-predictor/train", "admin")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Test]
    public async Task Features_are_for_those_who_may_read_them()
    {
        (await http.GetAsync("/api/features/user/ana")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(HttpMethod.Get, "/api/features/dog/ana", "admin")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var features = await (await SendAsync(HttpMethod.Get, "/api/features/user/ana", "admin")).Content.ReadFromJsonAsync<JsonElement>();
        features.GetProperty("values").GetProperty("views_total").GetInt64().ShouldBe(1);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string role)
    {
        var token = await (await http.PostAsync($"/api/auth/demo/{role}", null)).Content.ReadFromJsonAsync<JsonElement>();
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new("Bearer", token.GetProperty("accessToken").GetString());
        return await http.SendAsync(request);
    }

    private Task<JsonElement> GetAsync(string path) => http.GetFromJsonAsync<JsonElement>(path);

    private static string[] Names(JsonElement element) => [.. element.EnumerateObject().Select(property => property.Name)];

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, deadline.Token);
        }
    }
}
