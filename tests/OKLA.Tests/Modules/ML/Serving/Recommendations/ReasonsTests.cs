using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Serving.Recommendations;

/// <summary>What people read about why they see something.</summary>
public sealed class ReasonsTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ExchangeRates Rates = new(new MoneyOptions());

    [Test]
    public void Three_alike_are_counted_and_their_price_is_said()
    {
        var shown = Car("Toyota", "jeepeta", 1_200_000);

        Reasons.Of(shown, [Met(Car("Toyota", "jeepeta", 1_100_000), 3), Met(Car("Toyota", "jeepeta", 1_420_000), 2), Met(Car("Toyota", "jeepeta", 900_000), 1)])
            .ShouldBe("Porque viste tres jeepetas Toyota bajo RD$1.5 M");
    }

    [Test]
    public void A_price_above_all_of_theirs_is_not_promised() =>
        Reasons.Of(Car("Toyota", "jeepeta", 2_000_000), [Met(Car("Toyota", "jeepeta", 700_000), 3), Met(Car("Toyota", "jeepeta", 710_000), 2)]).ShouldBe("Porque viste dos jeepetas Toyota");

    [Test]
    public void What_cost_much_more_does_not_raise_the_price_that_is_said() =>
        Reasons.Of(Car("Toyota", "jeepeta", 1_200_000), [Met(Car("Toyota", "jeepeta", 1_100_000), 3), Met(Car("Toyota", "jeepeta", 1_250_000), 2), Met(Car("Toyota", "jeepeta", 6_900_000), 2)])
            .ShouldBe("Porque viste dos jeepetas Toyota bajo RD$1.3 M");

    [Test]
    public void More_than_ten_are_not_counted_one_by_one() =>
        Reasons.Of(Car("Kia", "sedan", 500_000), [.. Enumerable.Range(0, 23).Select(n => Met(Car("Kia", "sedan", 520_000 + n), 1))]).ShouldBe("Porque viste más de diez sedanes Kia bajo RD$550,000");

    [Test]
    public void What_all_of_them_were_is_said_by_its_own_verb() =>
        Reasons.Of(Car("Kia", "sedan", 500_000), [Met(Car("Kia", "sedan", 480_000), 3, EventTypes.FavoriteAdded), Met(Car("Kia", "sedan", 620_000), 2, EventTypes.FavoriteAdded)])
            .ShouldBe("Porque guardaste dos sedanes Kia bajo RD$650,000");

    [Test]
    public void Where_make_differs_the_body_alone_is_said() =>
        Reasons.Of(Car("Kia", "camioneta", 5_000_000), [Met(Car("Ford", "camioneta", 480_000), 3), Met(Car("Nissan", "camioneta", 620_000), 2)]).ShouldBe("Porque viste dos camionetas");

    [Test]
    public void One_strong_ground_is_named_rather_than_a_weak_group() =>
        Reasons.Of(Car("Kia", "sedan", 500_000), [Met(Car("Ford", "motores", 480_000, "Ford Motor"), 9, EventTypes.Contacted), Met(Car("Kia", "sedan", 1), 1), Met(Car("Kia", "sedan", 2), 1)])
            .ShouldBe("Porque contactaste al vendedor de Ford Motor 2020");

    [Test]
    public void Without_a_ground_nothing_is_claimed() => Reasons.Of(Car("Kia", "sedan", 1), [Met(Car("Kia", "sedan", 1), 0)]).ShouldBe("Parecido a lo que estás buscando");

    [TestCase(849_000, "RD$850,000")]
    [TestCase(1_000_000, "RD$1 M")]
    [TestCase(1_010_000, "RD$1.1 M")]
    public void Caps_are_round(decimal most, string said) => Reasons.Pesos(Reasons.CapOf(most)).ShouldBe(said);

    private static Ground Met(Card card, double gave, string type = EventTypes.ItemViewed) => new(new HistoryItem(card.Snapshot.Item.Id, 1, 1, type, Now), card, gave);

    private static Card Car(string make, string body, decimal pesos, string? title = null)
    {
        var item = Room.Car($"{make}-{body}-{pesos}", make, "m", 2020, pesos, "DOP", body);
        return new Card(new ItemSnapshot(title is null ? item : item with { Title = title }, "live", Now, Now, Now, 1), Rates);
    }
}
