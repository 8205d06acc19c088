using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Host;

namespace OKLA.Tests.Modules.Tracking.Schemas;

public sealed class CustomSchemasTests : HostTest
{
    private const string Calculator = """
        {"description":"A visitor computed an instalment.","type":"object","required":["months"],
         "properties":{"months":{"type":"integer","minimum":6,"maximum":84},"bank":{"type":"string","enum":["popular","bhd"]},"extras":{"type":"array","items":{"type":"string","maxLength":20},"maxItems":3}}}
        """;

    private HttpClient admin = null!;

    [OneTimeSetUp]
    public async Task SignInAsync() => admin = await SignInAsync("admin");

    [OneTimeTearDown]
    public void SignOut() => admin.Dispose();

    [Test]
    public async Task The_catalogue_is_served_as_json_schema_with_examples()
    {
        var list = await Client.GetFromJsonAsync<JsonElement>("/api/events/schemas");
        var viewed = list.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("type").GetString() == "item_viewed");
        viewed.GetProperty("schema").GetProperty("$schema").GetString().ShouldBe("https://json-schema.org/draft/2020-12/schema");
        viewed.GetProperty("schema").GetProperty("examples").GetArrayLength().ShouldBe(1);
        viewed.GetProperty("schema").GetProperty("properties").GetProperty("properties").GetProperty("properties").GetProperty("scrollDepth").GetProperty("maximum").GetDouble().ShouldBe(1);

        (await Client.GetFromJsonAsync<JsonElement>("/api/events/schemas/contacted")).GetProperty("version").GetInt32().ShouldBe(2);
        (await Client.GetFromJsonAsync<JsonElement>("/api/events/schemas/contacted?version=1")).GetProperty("version").GetInt32().ShouldBe(1);
        (await Client.GetAsync("/api/events/schemas/nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task The_docs_of_the_endpoint_hold_the_whole_catalogue()
    {
        var document = await Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

        var words = document.GetProperty("paths").GetProperty("/api/events").GetProperty("post").GetProperty("description").GetString()!;
        foreach (var type in OKLA.Tracking.Schemas.EventCatalogue.Types.Keys)
        {
            words.ShouldContain($"`{type}`");
        }
    }

    [Test]
    public async Task A_registered_type_is_recorded_by_its_schema_and_on_every_node()
    {
        var other = await OklaHost.BuildAsync(
            ["--urls", "http://127.0.0.1:0", "--environment", "Development", "--ConnectionStrings:Okla", ConnectionString, "--Logging:LogLevel:Default", "Warning"]);
        await other.App.StartAsync();
        try
        {
            using var there = new HttpClient { BaseAddress = new Uri(other.App.Urls.First()) };
            (await PostAsync(there, "custom_everywhere", """{"months":12}""")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

            (await PutAsync("custom_everywhere", Calculator)).StatusCode.ShouldBe(HttpStatusCode.Created);

            (await PostAsync(Client, "custom_everywhere", """{"months":12,"bank":"bhd","extras":["a"]}""")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
            foreach (var wrong in new[] { "{}", """{"months":5}""", """{"months":"12"}""", """{"months":12,"bank":"otro"}""", """{"months":12,"extras":[1]}""", """{"months":12,"extras":["a","b","c","d"]}""" })
            {
                (await PostAsync(Client, "custom_everywhere", wrong)).StatusCode.ShouldBe(HttpStatusCode.BadRequest, wrong);
            }

            // The other node hears of it by the cache's backplane.
            var deadline = TimeProvider.System.GetTimestamp();
            while ((await PostAsync(there, "custom_everywhere", """{"months":12}""")).StatusCode != HttpStatusCode.Accepted)
            {
                TimeProvider.System.GetElapsedTime(deadline).ShouldBeLessThan(TimeSpan.FromSeconds(10));
                await Task.Delay(50);
            }
        }
        finally
        {
            await other.App.StopAsync();
            await other.DisposeAsync();
        }
    }

    [Test]
    public async Task A_wider_schema_is_a_new_version_the_same_one_is_none_and_a_narrower_one_is_refused()
    {
        (await PutAsync("custom_versions", Calculator)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await PutAsync("custom_versions", Calculator)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var wider = await PutAsync("custom_versions", Calculator.Replace("84", "96").Replace("\"bhd\"", "\"bhd\",\"otro\""));
        wider.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await wider.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version").GetInt32().ShouldBe(2);

        foreach (var (narrower, pointer) in new[]
        {
            (Calculator, "/properties/months/maximum"),
            (Calculator.Replace("84", "96").Replace(",\"bhd\"", ""), "/properties/bank/enum"),
            (Calculator.Replace("84", "96").Replace("\"bhd\"", "\"bhd\",\"otro\"").Replace("[\"months\"]", "[\"months\",\"bank\"]"), "/required"),
            ("""{"description":"A visitor computed an instalment.","type":"object","properties":{}}""", "/properties/months"),
        })
        {
            using var refused = await PutAsync("custom_versions", narrower);
            refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
            (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(pointer);
        }
    }

    [TestCase("item_viewed", Calculator, "type")]
    [TestCase("custom_Bad", Calculator, "type")]
    [TestCase("custom_x", "[]", "")]
    [TestCase("custom_x", "{}", "/description")]
    [TestCase("custom_x", """{"description":"d","properties":{"a":{"type":"string","pattern":"x"}}}""", "/properties/a/pattern")]
    [TestCase("custom_x", """{"description":"d","properties":{"a":{"type":"object"}}}""", "/properties/a/type")]
    [TestCase("custom_x", """{"description":"d","properties":{"a":{"type":"array","items":{"type":"array"}}}}""", "/properties/a/items/type")]
    [TestCase("custom_x", """{"description":"d","properties":{"a":{"type":"integer","minimum":5,"maximum":4}}}""", "/properties/a/maximum")]
    [TestCase("custom_x", """{"description":"d","properties":{"a b":{"type":"integer"}}}""", "/properties")]
    [TestCase("custom_x", """{"description":"d","required":["b"],"properties":{"a":{"type":"integer"}}}""", "/required")]
    [TestCase("custom_x", """{"description":"d","$ref":"http://x"}""", "/$ref")]
    [TestCase("custom_x", """{"description":"d","allOf":[]}""", "/allOf")]
    [TestCase("custom_x", """{"description":"\ud800"}""", "")]
    public async Task What_is_not_understood_is_refused_with_the_place_of_the_keyword(string type, string schema, string place)
    {
        using var answer = await PutAsync(type, schema);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(place);
    }

    [Test]
    public async Task Only_an_admin_registers_types()
    {
        using var buyer = await SignInAsync("buyer");
        foreach (var (client, status) in new[] { (Client, HttpStatusCode.Unauthorized), (buyer, HttpStatusCode.Forbidden) })
        {
            using var answer = await client.PutAsync("/api/events/schemas/custom/custom_mine", new StringContent(Calculator, Encoding.UTF8, "application/json"));
            answer.StatusCode.ShouldBe(status);
        }
    }

    private Task<HttpResponseMessage> PutAsync(string type, string schema) =>
        admin.PutAsync($"/api/events/schemas/custom/{type}", new StringContent(schema, Encoding.UTF8, "application/json"));

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string type, string properties) => client.PostAsync("/api/events", new StringContent(
        $$"""{"id":"{{Guid.CreateVersion7()}}","type":"{{type}}","occurredAt":"2026-01-01T00:00:00Z","anonymousId":"a","properties":{{properties}}}""", Encoding.UTF8, "application/json"));
}
