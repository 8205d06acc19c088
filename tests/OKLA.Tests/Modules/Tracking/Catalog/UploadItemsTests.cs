using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class UploadItemsTests : HostTest
{
    private HttpClient admin = null!;

    [OneTimeSetUp]
    public async Task SignInAsync() => admin = await SignInAsync("admin");

    [OneTimeTearDown]
    public void DisposeClient() => admin.Dispose();

    [SetUp]
    public Task EmptyAsync() => ExecuteAsync("delete from tracking.set_aside_rows; delete from tracking.imported_ads; delete from tracking.imported_snapshots; delete from tracking.imports; delete from tracking.items; delete from tracking.kinds");

    [Test]
    public async Task Good_lines_become_items_and_bad_ones_are_kept_with_their_reasons()
    {
        const string File = """
            {"id":"a1","kind":"activity","title":"Yoga en el parque","place":"Santo Domingo","location":{"latitude":18.47,"longitude":-69.9},"window":{"from":"2026-12-01T10:00:00-04:00","until":null},"tags":["aire libre"],"attributes":{"category":"sports","capacity":30}}
            {"id":"a2","kind":"activity","title":"Sin cupo","attributes":{"capacity":"treinta"}}
            {"id":"a3","title":
            [1,2]

            {"id":"","title":"Sin id"}
            {"id":"a4","kind":"activity","title":"Lejos","location":{"latitude":118,"longitude":0}}
            {"id":"c1","title":"Kia Rio 2019","price":{"amount":14000,"currency":"USD"},"attributes":{"make":"Kia","year":2019}}
            {"id":"c1","title":"Kia Rio 2019","price":{"amount":13500,"currency":"USD"},"attributes":{"make":"Kia","year":2019}}
            """;
        var receipt = await UploadAsync(File, "application/x-ndjson");

        (receipt.GetProperty("rows").GetInt64(), receipt.GetProperty("kept").GetInt64(), receipt.GetProperty("changes").GetProperty("listed").GetInt32()).ShouldBe((8, 3, 2));
        receipt.GetProperty("problems").EnumerateArray().Select(p => (p.GetProperty("row").GetInt64(), p.GetProperty("field").GetString())).ShouldBe(
            [(2, "attributes.capacity"), (3, ""), (4, ""), (5, "id"), (6, "location")]);
        var kept = await Database.CreateCommand("select count(*) from tracking.set_aside_rows").ExecuteScalarAsync();
        kept.ShouldBe(5L);
        var found = (await Service<IMessageBus>().InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems(["a1", "c1"]))).ToDictionary(entry => entry.Item.Id, entry => entry.Item);
        found["a1"].Location.ShouldBe(new GeoPoint(18.47, -69.9));
        found["a1"].Window.ShouldBe(new TimeWindow(new DateTimeOffset(2026, 12, 1, 14, 0, 0, TimeSpan.Zero), null));
        found["c1"].Price.ShouldBe(new Money(13_500, "USD"));

        var again = await UploadAsync(File, "application/x-ndjson");
        again.GetProperty("changes").GetProperty("unchanged").GetInt32().ShouldBe(2);
        again.GetProperty("importId").GetGuid().ShouldBe(receipt.GetProperty("importId").GetGuid());
    }

    [Test]
    public async Task A_preview_writes_nothing_and_shows_what_would_be_kept()
    {
        const string File = "id,title,kind,price,currency,latitude,longitude,from,level,Capacity\n"
            + "a1,Caminata,activity,\"RD$ 1,500\",,18.9,-70.7,2026-12-05,beginner,12\n"
            + "a2,Buceo,activity,90,EUR,,,,,\n"
            + "a3,Vela,activity,,,,,mañana,,\n";
        var receipt = await UploadAsync(File, "text/csv", "?preview=true&kind=activity");

        receipt.GetProperty("format").GetString().ShouldBe("csv");
        receipt.GetProperty("kept").GetInt64().ShouldBe(1);
        receipt.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("field").GetString()).ShouldBe(["price.currency", "from"]);
        var item = receipt.GetProperty("sample")[0];
        (item.GetProperty("price").GetProperty("amount").GetDecimal(), item.GetProperty("price").GetProperty("currency").GetString()).ShouldBe((1_500m, "DOP"));
        (await Database.CreateCommand("select (select count(*) from tracking.items) + (select count(*) from tracking.imports)").ExecuteScalarAsync()).ShouldBe(0L);
    }

    [Test]
    public async Task A_file_of_listings_is_previewed_and_imported_as_by_the_command_line()
    {
        const string File = "make,model,year,price,currency\nKia,Rio,2019,14000,US\nKia,Rio,2019,14000,US\nKia,Rio,1700,1,US\n";
        var preview = await UploadAsync(File, "text/csv", "?preview=true");
        (preview.GetProperty("format").GetString(), preview.GetProperty("rows").GetInt64(), preview.GetProperty("kept").GetInt64()).ShouldBe(("listings", 3, 1));

        var done = await UploadAsync(File, "text/csv", "?source=mine");
        done.GetProperty("setAside").EnumerateObject().Select(p => (p.Name, p.Value.GetInt64())).ShouldBe([("duplicate_row", 1), ("implausible_year", 1)]);
        done.GetProperty("changes").GetProperty("listed").GetInt32().ShouldBe(1);

        using var wrong = await SendAsync("a,b\n1,2\n", "text/csv", "?map=make=nothing");
        wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await wrong.Content.ReadAsStringAsync()).ShouldNotContain("okla-upload");
    }

    [Test]
    public async Task A_line_without_end_is_set_aside_and_the_next_ones_are_read()
    {
        var file = "{\"id\":\"big\",\"title\":\"" + new string('x', 3 << 20) + "\"}\n{\"id\":\"small\",\"title\":\"Kia\"}";
        var receipt = await UploadAsync(file, "application/x-ndjson");

        receipt.GetProperty("kept").GetInt64().ShouldBe(1);
        receipt.GetProperty("problems")[0].GetProperty("reason").GetString()!.ShouldContain("longer than");
    }

    [Test]
    public async Task Nobody_without_the_right_uploads_and_other_formats_are_refused()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/x-ndjson");
        (await Client.PostAsync("/api/catalog/imports", content)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync("x", "image/png")).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await SendAsync("", "text/csv")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task A_kind_is_held_to_its_schema_from_the_moment_it_is_put()
    {
        var schema = new { description = "Apartamento", attributes = new { rooms = new { type = "number", required = true, min = 1, max = 50 }, zone = new { type = "text", values = new[] { "norte", "sur" } } }, closed = true };
        (await admin.PutAsJsonAsync("/api/catalog/kinds/flat", schema)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Client.GetFromJsonAsync<JsonElement>("/api/catalog/kinds/flat")).GetProperty("version").GetInt32().ShouldBe(1);
        (await Client.GetFromJsonAsync<JsonElement>("/api/catalog/kinds")).EnumerateArray().Select(kind => kind.GetProperty("kind").GetString()).ShouldBe(["activity", "flat", "job_ad", "vehicle"]);

        async Task<string[]> PutAsync(object attributes)
        {
            using var answer = await admin.PutAsJsonAsync("/api/catalog/items/f1", new { kind = "flat", title = "Piso", attributes });
            return answer.IsSuccessStatusCode ? [] : [.. (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name)];
        }

        (await PutAsync(new { zone = "sur" })).ShouldBe(["attributes.rooms"]);
        (await PutAsync(new { rooms = 99, zone = "este", garden = true })).ShouldBe(["attributes.rooms", "attributes.zone", "attributes.garden"]);
        (await PutAsync(new { rooms = 3, zone = "sur" })).ShouldBeEmpty();
    }

    [TestCase("""{"description":"x","attributes":{"a":{"type":"date"}}}""", "attributes.a.type")]
    [TestCase("""{"description":"x","attributes":{"a":null}}""", "attributes.a.type")]
    [TestCase("""{"description":"x","attributes":{"a":{"type":"number","min":5,"max":1}}}""", "attributes.a.max")]
    [TestCase("""{"description":"x","attributes":{"a":{"type":"number","values":["1"]}}}""", "attributes.a.values")]
    [TestCase("""{"attributes":{}}""", "description")]
    public async Task A_schema_that_cannot_be_is_refused_by_field(string schema, string field)
    {
        using var answer = await admin.PutAsync("/api/catalog/kinds/odd", new StringContent(schema, Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldContain(field);
    }

    private async Task<JsonElement> UploadAsync(string file, string format, string query = "")
    {
        using var answer = await SendAsync(file, format, query);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpResponseMessage> SendAsync(string file, string format, string query = "")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(file));
        content.Headers.ContentType = new(format);
        return await admin.PostAsync($"/api/catalog/imports{query}", content);
    }
}
