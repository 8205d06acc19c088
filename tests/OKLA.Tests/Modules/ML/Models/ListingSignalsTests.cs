using System.Globalization;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Models;

public class ListingSignalsTests
{
    private const string Lure = "Lo vendo barato porque me voy del país, escríbame solo por WhatsApp al 809-555-0123 y mande un depósito";
    private static readonly DateTimeOffset Monday = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private readonly ListingSignals signals = new(new ExchangeRates(new MoneyOptions()));

    [Test]
    public void A_price_stands_beside_its_kin_once_there_are_three()
    {
        for (var n = 0; n < 3; n++)
        {
            Judge($"a{n}", 20_000, $"seller-{n}").Price.ShouldBeNull();
        }

        Judge("cheap", 10_000, "seller-9").Price!.Value.ShouldBe(Math.Log(0.5), 1e-9);
    }

    [Test]
    public void A_text_that_another_seller_used_is_a_copy_and_ones_own_is_not()
    {
        Judge("a", 20_000, "one", Lure).Copied.ShouldBe(0);
        Judge("b", 20_000, "one", Lure).Copied.ShouldBe(0);
        Judge("c", 20_000, "two", Lure).Copied.ShouldBe(1);
        Judge("d", 20_000, "two", "Toyota Corolla en perfectas condiciones, único dueño, papeles al día").Copied.ShouldBe(0);
    }

    [Test]
    public void A_telephone_number_is_told_and_never_kept()
    {
        var told = Judge("a", 20_000, "one", Lure);

        told.Contact.ShouldBe("1");
        told.Text!.ShouldNotContain("0123");
        Judge("b", 20_000, "one", "Sin detalles").Contact.ShouldBe("0");
    }

    [Test]
    public void A_sellers_haste_is_counted_from_what_came_before()
    {
        Judge("a", 20_000, "one").Before.ShouldBe("0");
        Judge("b", 20_000, "one").Before.ShouldBe("1");
        Judge("c", 20_000, "two").Before.ShouldBe("0");
    }

    private (double? Price, double Copied, string? Contact, string? Text, string? Before) Judge(string id, decimal usd, string seller, string? text = null)
    {
        var told = signals.Judge(Room.Car(id, "Toyota", "Corolla", 2018, usd, "USD", "sedan") with { SellerId = seller, Description = text }, Monday);
        string? Of(string name) => told[Array.IndexOf(ListingSignals.Names, name)];
        double? Number(string name) => Of(name) is { } written ? double.Parse(written, CultureInfo.InvariantCulture) : null;
        return (Number("price_against_kin"), Number("copied_share")!.Value, Of("contact_in_text"), Of("description"), Of("seller_listings"));
    }
}
