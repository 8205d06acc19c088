using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Tracking.Catalog;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class CatalogTests : DatabaseTest
{
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private Log log = null!;

    [SetUp]
    public async Task EmptyAsync()
    {
        log = new Log(Database, TimeProvider.System);
        await ExecuteAsync("truncate events.mt_streams, tracking.items, tracking.imports cascade");
    }

    [Test]
    public async Task An_item_that_comes_twice_unchanged_leaves_one_event()
    {
        (await PutAsync(Monday, Corolla())).ShouldBe(new CatalogChanges(1, 0, 0, 0));
        (await PutAsync(Monday.AddDays(1), Corolla())).ShouldBe(new CatalogChanges(0, 0, 0, 1));

        var events = await log.ReadStreamAsync("item-car-1").ToListAsync();
        events.Select(e => (e.Type, e.OccurredAt)).ShouldBe([(EventTypes.ItemListed, Monday)]);
        var entry = await SingleAsync("car-1");
        (entry.Status, entry.ListedAt, entry.UpdatedAt).ShouldBe(("live", Monday, Monday));
        entry.Item.Price.ShouldBe(new Money(950_000, "DOP"));
        entry.Item.Number("year").ShouldBe(2018);
        entry.Item.Tags.ShouldBe(["certificado"]);
    }

    [Test]
    public async Task A_change_of_price_and_a_change_of_attributes_are_events_of_their_own()
    {
        await PutAsync(Monday, Corolla());

        (await PutAsync(Monday.AddDays(1), Corolla(price: 900_000))).ShouldBe(new CatalogChanges(0, 0, 1, 0));
        (await PutAsync(Monday.AddDays(2), Corolla(price: 900_000, km: 80_000))).ShouldBe(new CatalogChanges(0, 1, 0, 0));
        (await PutAsync(Monday.AddDays(3), Corolla(price: 890_000, km: 81_000))).ShouldBe(new CatalogChanges(0, 1, 1, 0));

        var events = await log.ReadStreamAsync("item-car-1").ToListAsync();
        events.Select(e => e.Type).ShouldBe(
            [EventTypes.ItemListed, EventTypes.ItemPriceChanged, EventTypes.ItemUpdated, EventTypes.ItemPriceChanged, EventTypes.ItemUpdated]);
        events[1].Read<ItemPriceChanged>().ShouldBe(new ItemPriceChanged("car-1", new Money(950_000, "DOP"), new Money(900_000, "DOP")));
        events[4].Read<ItemListed>().Item.Number("mileageKm").ShouldBe(81_000);
        (await SingleAsync("car-1")).ListedAt.ShouldBe(Monday);
    }

    [Test]
    public async Task A_sold_item_leaves_the_live_list_and_a_new_listing_starts_a_new_life()
    {
        await PutAsync(Monday, Corolla());

        (await WithdrawAsync(Monday.AddDays(1), sold: true, "car-1", "nobody")).ShouldBe(new CatalogChanges(0, 0, 0, 1, 1));
        (await WithdrawAsync(Monday.AddDays(2), sold: false, "car-1")).Ended.ShouldBe(0);
        (await ListCatalogItemsHandler.HandleAsync(new ListCatalogItems("vehicle"), Database, default)).ShouldBeEmpty();
        (await SingleAsync("car-1")).Status.ShouldBe("sold");

        await PutAsync(Monday.AddDays(9), Corolla());
        var again = await SingleAsync("car-1");
        (again.Status, again.ListedAt).ShouldBe(("live", Monday.AddDays(9)));
        (await log.ReadStreamAsync("item-car-1").Select(e => e.Type).ToListAsync()).ShouldBe([EventTypes.ItemListed, EventTypes.ItemSold, EventTypes.ItemListed]);
    }

    [Test]
    public async Task Two_descriptions_of_an_item_in_one_command_apply_in_order()
    {
        (await PutAsync(Monday, Corolla(), Corolla(price: 1), Corolla(price: 1))).ShouldBe(new CatalogChanges(1, 0, 1, 1));
        (await SingleAsync("car-1")).Item.Price!.Amount.ShouldBe(1);
    }

    [Test]
    public async Task Pages_follow_the_ids_in_byte_order_and_keep_kinds_apart()
    {
        var ids = new[] { "b", "B", "a", "á", "ab" };
        await PutAsync(Monday, [.. ids.Select(id => Corolla() with { Id = id }), Corolla() with { Id = "0", Kind = "activity" }]);

        var first = await ListCatalogItemsHandler.HandleAsync(new ListCatalogItems("vehicle", Limit: 2), Database, default);
        var rest = await ListCatalogItemsHandler.HandleAsync(new ListCatalogItems("vehicle", first[^1].Item.Id), Database, default);

        first.Concat(rest).Select(entry => entry.Item.Id).ShouldBe(["B", "a", "ab", "b", "á"]);
    }

    [Test]
    public async Task Writers_at_the_same_time_list_an_item_once()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => PutAsync(Monday, Corolla())));

        results.Sum(changes => changes.Listed).ShouldBe(1);
        (await log.ReadStreamAsync("item-car-1").CountAsync()).ShouldBe(1);
    }

    [Test]
    public async Task A_failure_on_the_way_leaves_neither_item_nor_event()
    {
        var bad = Corolla() with { Id = "car-2", Title = "with a \0 in it" };

        await Should.ThrowAsync<Npgsql.PostgresException>(() => PutAsync(Monday, Corolla(), bad));

        (await GetCatalogItemsHandler.HandleAsync(new GetCatalogItems(["car-1"]), Database, default)).ShouldBeEmpty();
        (await log.HighWaterMarkAsync()).ShouldBe(0);
    }

    private Task<CatalogChanges> PutAsync(DateTimeOffset at, params CatalogItem[] items) =>
        PutCatalogItemsHandler.HandleAsync(new PutCatalogItems(items, at, at), Database, log, TimeProvider.System, default);

    private Task<CatalogChanges> WithdrawAsync(DateTimeOffset at, bool sold, params string[] ids) =>
        WithdrawCatalogItemsHandler.HandleAsync(new WithdrawCatalogItems(ids, sold, null, at, at), Database, log, TimeProvider.System, default);

    private async Task<CatalogEntry> SingleAsync(string id) => (await GetCatalogItemsHandler.HandleAsync(new GetCatalogItems([id]), Database, default)).ShouldHaveSingleItem();

    private static CatalogItem Corolla(decimal price = 950_000, int km = 70_000) => new("car-1", "vehicle", "Toyota Corolla LE", new Money(price, "DOP"), new Dictionary<string, JsonElement>
    {
        ["make"] = JsonSerializer.SerializeToElement("Toyota"),
        ["year"] = JsonSerializer.SerializeToElement(2018),
        ["mileageKm"] = JsonSerializer.SerializeToElement(km),
    })
    {
        Tags = ["certificado"],
        Place = "Santiago",
    };
}
