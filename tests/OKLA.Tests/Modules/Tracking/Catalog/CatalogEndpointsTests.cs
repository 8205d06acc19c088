using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;
using OKLA.Tests.Host.Demo;
using OKLA.Tracking.Catalog;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class CatalogEndpointsTests : DatabaseTest
{
    private static readonly ItemBody Good = new("vehicle", "Kia Rio", new Money(14_000, "USD"), Attributes("""{"year":2019,"make":"Kia","used":true,"color":null}"""), null, ["a"], "d1", "Azua", null);
    private ServiceProvider services = null!;
    private IMessageBus bus = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
        services = DemoServices.Build(Database, TimeProvider.System);
        bus = services.GetRequiredService<IMessageBus>();
    }

    [TearDown]
    public ValueTask DisposeAsync() => services.DisposeAsync();

    [Test]
    public async Task An_item_that_was_put_can_be_read_and_ended()
    {
        (await CatalogEndpoints.PutAsync("k 1/ñ", Good, Database, bus, default)).Result.ShouldBeOfType<Ok<CatalogChanges>>().Value.ShouldBe(new CatalogChanges(1, 0, 0, 0));

        var entry = (await CatalogEndpoints.GetAsync("k 1/ñ", bus, default)).Result.ShouldBeOfType<Ok<CatalogEntry>>().Value!;
        (entry.Item.Title, entry.Item.Number("year"), entry.Item.Attributes.ContainsKey("color")).ShouldBe(("Kia Rio", 2019.0, false));
        (await CatalogEndpoints.EndAsync("k 1/ñ", new(true, "sold"), bus, default)).Result.ShouldBeOfType<Ok<CatalogChanges>>().Value!.Ended.ShouldBe(1);
        (await CatalogEndpoints.GetAsync("k 1/ñ", bus, default)).Result.ShouldBeOfType<Ok<CatalogEntry>>().Value!.Status.ShouldBe("sold");
    }

    [Test]
    public async Task What_is_not_there_is_404_even_with_an_id_that_cannot_be_stored()
    {
        (await CatalogEndpoints.GetAsync("nothing", bus, default)).Result.ShouldBeOfType<NotFound>();
        (await CatalogEndpoints.GetAsync("a\0b", bus, default)).Result.ShouldBeOfType<NotFound>();
        (await CatalogEndpoints.EndAsync("nothing", new(false, null), bus, default)).Result.ShouldBeOfType<NotFound>();
    }

    [Test]
    public async Task The_list_is_walked_page_by_page()
    {
        for (var i = 0; i < 5; i++)
        {
            await CatalogEndpoints.PutAsync($"car-{i}", Good, Database, bus, default);
        }

        var ids = new List<string>();
        string? after = null;
        do
        {
            var page = (await CatalogEndpoints.ListAsync(bus, default, "vehicle", after, 2)).Result.ShouldBeOfType<Ok<Page<CatalogEntry>>>().Value!;
            page.Items.Count.ShouldBeInRange(1, 2);
            ids.AddRange(page.Items.Select(entry => entry.Item.Id));
            after = page.Next;
        }
        while (after is not null);

        ids.ShouldBe(["car-0", "car-1", "car-2", "car-3", "car-4"]);
    }

    [TestCase(0, "vehicle", null, "limit")]
    [TestCase(1_001, "vehicle", null, "limit")]
    [TestCase(10, "", null, "kind")]
    [TestCase(10, "vehicle", "a\0", "after")]
    public async Task A_page_that_cannot_be_is_refused_by_field(int limit, string kind, string? after, string field) =>
        (await CatalogEndpoints.ListAsync(bus, default, kind, after, limit)).Result.ShouldBeOfType<ValidationProblem>().ProblemDetails.Errors.Keys.ShouldBe([field]);

    [Test]
    public void Each_bad_field_is_named_once()
    {
        var bad = new ItemBody(
            " ", new string('x', 501), new Money(0, "EUR"), Attributes("""{"a":[1],"b":{"c":1},"n":1e999999,"tiny":1e-999999,"half":"\ud800","zero":"\u0000","ok":1e5}"""),
            null, [null!], "s\0", null, [.. Enumerable.Repeat("u", 51)]);

        ItemBody.Check("", bad, null).Keys.Order(StringComparer.Ordinal).ShouldBe(
        [
            "attributes.a", "attributes.b", "attributes.half", "attributes.n", "attributes.tiny", "attributes.zero",
            "id", "images", "kind", "price.amount", "price.currency", "sellerId", "tags[0]", "title",
        ]);
        ItemBody.Check("car-1", Good, null).ShouldBeEmpty();
    }

    private static Dictionary<string, JsonElement> Attributes(string json) => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(json)!;
}
