using System.Text.Json;
using OKLA.ML.Models.Language;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Models.Language;

public sealed class ListingFactsTests
{
    private static readonly DescriptionModel Model = DescriptionModel.Standing;

    [Test]
    public void Facts_are_read_by_what_stands_beside_them()
    {
        var facts = Model.Reader.Read(
            "Honda CR-V 2018", "Automática, gasolina, 62 mil millas, color blanca, interior negro, 4 puertas, gomas 2024, sin sunroof. US$ 21,500 negociable. Inicial desde RD$ 300 mil. Traiga su mecánico.");

        (facts.Make, facts.Model, facts.Year, facts.Transmission, facts.Fuel, facts.Color, facts.Doors).ShouldBe(("Honda", "CR-V", 2018, "automatica", "gasolina", "blanco", 4));
        facts.MileageKm!.Value.ShouldBe(62_000 * 1.609344, 0.5);
        facts.InMiles.ShouldBeTrue();
        facts.Price.ShouldBe(new Money(21_500, "USD"));
        facts.Negotiable.ShouldBeTrue();
        facts.Extras.ShouldBeEmpty();
    }

    [Test]
    public void Listings_written_by_hand_are_read_as_well_as_the_goal_asks()
    {
        var (right, said, truth) = (0, 0, 0);
        foreach (var listing in WrittenListings.Final)
        {
            var facts = Model.Reader.Read(listing.Title, listing.Text).Known().Distinct().ToArray();
            (right, said, truth) = (right + facts.Count(listing.Facts.Contains), said + facts.Length, truth + listing.Facts.Count);
        }

        (2.0 * right / (said + truth)).ShouldBeGreaterThan(0.9);
    }

    [Test]
    public void What_the_text_says_otherwise_than_what_is_stated_is_told_and_left_out_of_the_draft()
    {
        var item = Item("Toyota Corolla 2015", "Toyota Corolla 2015 mecánico, 120,000 km, papeles al día.", new { make = "Toyota", model = "Corolla LE", year = 2016, transmission = "automatica", mileageKm = 60_000 });
        var judged = Model.Judge(item);

        judged.Contradictions.Select(one => one.Fact).ShouldBe(["year", "transmission", "mileageKm"], ignoreOrder: true);
        var (title, text) = DescriptionModel.Draft(item, judged);
        title.ShouldBe("Toyota Corolla LE");
        text.ShouldNotContain("2015");
        text.ShouldNotContain("2016");
        text.ShouldNotContain("km");
        text.ShouldContain("papeles al día");
    }

    [Test]
    public void A_draft_says_known_facts_alone_and_no_contact_data()
    {
        var item = Item(
            "Kia K5 llamar 809-555-1234", "A gas, aire, llame al 809-555-1234 o escriba a ventas@ejemplo.com, IG @autosrd, www.autosrd.com",
            new { make = "Kia", model = "K5", year = 2014 }) with { Price = new Money(520_000, "DOP"), Place = "Santiago" };
        var judged = Model.Judge(item);
        var (title, text) = DescriptionModel.Draft(item, judged);

        title.ShouldBe("Kia K5 2014");
        text.ShouldBe("Se vende Kia K5 2014, gas (GLP). Incluye: aire acondicionado. Está en Santiago. Precio: RD$ 520,000. Escríbanos por la plataforma para verlo o coordinar una prueba.");
        judged.Facts.Contacts.Select(contact => contact.Kind).ShouldBe(["telefono", "correo", "red_social", "enlace"]);
        FactReader.Mask(item.Description!).ShouldBe("A gas, aire, llame al [telefono] o escriba a [correo], IG [red_social], [enlace]");
    }

    [Test]
    public void A_listing_that_says_more_is_worth_more_and_each_lost_point_has_a_reason()
    {
        var bare = Model.Judge(Item("Vendo carro", null, new { }));
        var whole = Model.Judge(Item(
            "Toyota Corolla 2018", "Toyota Corolla 2018 automático, gasolina, 85,000 km, color blanco, 4 puertas, cámara de reversa, único dueño, mantenimientos al día en la casa, papeles al día y gomas nuevas.",
            new { make = "Toyota", model = "Corolla", year = 2018, condition = "usado" }) with { Price = new Money(850_000, "DOP"), Images = ["1", "2", "3", "4", "5"] });

        whole.Quality.ShouldBe(100);
        bare.Quality.ShouldBeLessThan(30);
        (100 - bare.Lost.Sum(lost => lost.Points)).ShouldBeLessThanOrEqualTo(bare.Quality);
        bare.Missing.ShouldContain("year");
    }

    [Test]
    public void A_model_that_was_saved_judges_the_same()
    {
        var read = DescriptionModel.Load(Model.Save());
        var item = Item("Honda Fit 2012", "Automático, 90,000 km", new { make = "Honda" });

        read.Judge(item).Quality.ShouldBe(Model.Judge(item).Quality);
        Should.Throw<InvalidDataException>(() => DescriptionModel.Load("{}"u8.ToArray()));
    }

    private static CatalogItem Item(string title, string? text, object attributes) =>
        new("", "vehicle", title, null, JsonSerializer.SerializeToElement(attributes).EnumerateObject().ToDictionary(one => one.Name, one => one.Value)) { Description = text };
}
