using OKLA.Tracking.Catalog;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class ListingTextTests
{
    [TestCase("20990.0", 20990)]
    [TestCase("RD$ 1,250,000.00", 1250000)]
    [TestCase("1.250.000,50", 1250000.5)]
    [TestCase("1,250,000", 1250000)]
    [TestCase("20.990", 20990)]
    [TestCase("20,990", 20990)]
    [TestCase("12874.752", 12874.752)]
    [TestCase("0.125", 0.125)]
    [TestCase("US$12 500", 12500)]
    [TestCase("35,000 Mi", 35000)]
    [TestCase("-5", -5)]
    public void Numbers_are_read_with_the_separators_that_people_use(string text, decimal expected) => ListingText.Number(text).ShouldBe(expected);

    [TestCase("N/D Mi")]
    [TestCase("")]
    [TestCase(null)]
    [TestCase("10 a 20")]
    [TestCase("99999999999999999999999999999999999")]
    public void What_is_not_one_number_is_none(string? text) => ListingText.Number(text).ShouldBeNull();

    [TestCase("US", "USD")]
    [TestCase("us$", "USD")]
    [TestCase("USD", "USD")]
    [TestCase("U$", "USD")]
    [TestCase("Dólares", "USD")]
    [TestCase("RD", "DOP")]
    [TestCase("RD$", "DOP")]
    [TestCase("DOP", "DOP")]
    [TestCase("Pesos", "DOP")]
    [TestCase("EUR", null)]
    [TestCase("", null)]
    public void Currencies_go_by_many_names(string text, string? expected) => ListingText.Currency(text).ShouldBe(expected);

    [Test]
    public void Keys_ignore_case_accents_and_punctuation() =>
        ListingText.Key("  Mercedes-Benz  Clase C 63 (AMG) Híbrido ").ShouldBe("mercedes benz clase c 63 amg hibrido");
}
