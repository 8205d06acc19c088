using Microsoft.Extensions.DependencyInjection;
using OKLA.ML;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;
using OKLA.Tracking.Identity;

namespace OKLA.Tests.Modules.ML.Serving;

/// <summary>With whom a price is compared, and what is not worth a line.</summary>
public sealed class PriceMarketTests : DatabaseTest, IAsyncDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private Room room = null!;
    private LiveModels live = null!;

    [OneTimeSetUp]
    public async Task OfferAsync()
    {
        room = MLRoom.Open(Database, Now, [typeof(FindPersonHandler)]);
        await room.TellAsync(
        [
            .. Enumerable.Range(0, 6).Select(n => Offered($"sedan-{n}", 2018, 10_000 + (1_000 * n), "sedan")),
            .. Enumerable.Range(0, 6).Select(n => Offered($"cross-{n}", 2018, 30_000, "jeepeta")),
            .. Enumerable.Range(0, 4).Select(n => Offered($"old-{n}", 2008, 5_000, "sedan")),
            Room.Listed(Bodiless(Room.Car("unsaid", "Toyota", "Corolla", 2018, 10_500)), Now.AddDays(-9)),
        ]);
        live = room.Services.GetRequiredService<LiveModels>();
        await live.RefreshAsync();
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    [Test]
    public void A_sedan_is_compared_with_sedans_of_its_years_and_with_what_does_not_tell_its_body()
    {
        var position = PriceMarket.PositionOf(Card("sedan-0"), live).ShouldNotBeNull();

        // The five other sedans of 2018 and the one without a body; the jeepetas of the same name and the sedans of 2008 stay out.
        position.Comparables.ShouldBe(6);
        position.Percentile.ShouldBe(0);
        position.MedianUsd.ShouldBe(12_500);
    }

    [Test]
    public void A_vehicle_that_does_not_tell_its_body_is_compared_with_all_of_its_name() => PriceMarket.PositionOf(Card("unsaid"), live).ShouldNotBeNull().Comparables.ShouldBe(12);

    [Test]
    public void Fewer_than_five_others_are_no_market() => PriceMarket.PositionOf(Card("old-0"), live).ShouldBeNull();

    [TestCase("nuevo", null)]
    [TestCase("usado", "silence")]
    public void Nobody_expects_a_mileage_of_a_new_vehicle(string condition, string? said)
    {
        var car = Room.Car("one", "Toyota", "Corolla", 2026, 20_000);
        var item = car with { Attributes = car.Attributes.Where(pair => pair.Key != "mileageKm").Append(new("condition", System.Text.Json.JsonSerializer.SerializeToElement(condition))).ToDictionary() };
        var card = new Card(new ItemSnapshot(item, "live", Now, Now, Now, 1), new ExchangeRates(new MoneyOptions()));

        var part = PriceMarket.PartOf(card, "mileageKm", null, 1_000, 0.05, 60);

        (part.Adds.Usd, part.Effect).ShouldBe((1_000, 0.05));
        part.Text.ShouldBe(said is null ? null : Texts.Spanish["price.up", Texts.Spanish["price.unsaid.mileageKm"], 0.05]);
    }

    [Test]
    public void An_effect_below_half_a_percent_is_not_worth_a_line() => PriceMarket.PartOf(Card("sedan-0"), "fuel", "Gasolina", 10, 0.004, 60).Text.ShouldBeNull();

    private Card Card(string id) => live.TryGetCard(id, out var card) ? card : throw new InvalidOperationException($"{id} is not on offer.");

    private static OKLA.Shared.EventLog.StreamEvent Offered(string id, int year, decimal usd, string body) => Room.Listed(Room.Car(id, "Toyota", "Corolla", year, usd, body: body), Now.AddDays(-9));

    private static CatalogItem Bodiless(CatalogItem item) => item with { Attributes = item.Attributes.Where(pair => pair.Key != "bodyType").ToDictionary() };
}
