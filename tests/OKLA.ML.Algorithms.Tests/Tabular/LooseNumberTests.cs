using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class LooseNumberTests
{
    [TestCase("12", 12, "")]
    [TestCase("-1.5e3", -1500, "")]
    [TestCase("US$ 12,500", 12500, "us$")]
    [TestCase("RD$1,250,000.75", 1250000.75, "rd$")]
    [TestCase("$850 mil", 850000, "$")]
    [TestCase("1.5 millones", 1500000, "")]
    [TestCase("120,000 km", 120000, "km")]
    [TestCase("23.4 kmpl", 23.4, "kmpl")]
    [TestCase("1248 CC", 1248, "cc")]
    [TestCase("15 %", 15, "%")]
    [TestCase("(1,250)", -1250, "")]
    [TestCase("10,000+", 10000, "")]
    [TestCase("12k", 12000, "")]
    [TestCase("1.250.000", 1250000, "")]
    [TestCase("1,50,000", 150000, "")]
    [TestCase("12,5", 12.5, "")]
    [TestCase("12 500", 12500, "")]
    [TestCase("- 7", -7, "")]
    public void A_number_is_read_with_its_unit_whatever_parts_its_digits(string text, double value, string unit)
    {
        LooseNumber.TryRead(text, false, out var read, out var readUnit).ShouldBeTrue();
        read.ShouldBe(value, 1e-9);
        readUnit.ShouldBe(unit);
    }

    [TestCase("10-20")]
    [TestCase("12/05/2021")]
    [TestCase("2021-05-12")]
    [TestCase("abc")]
    [TestCase("A12")]
    [TestCase("")]
    [TestCase("3 de mayo 2021")]
    [TestCase("Infinity")]
    public void What_is_no_single_number_is_refused(string text) => LooseNumber.TryRead(text, false, out _, out _).ShouldBeFalse();

    [Test]
    public void A_comma_is_the_decimal_mark_where_the_column_shows_it()
    {
        LooseNumber.UsesDecimalComma(["1.250,50", "12,5", "900"]).ShouldBeTrue();
        LooseNumber.UsesDecimalComma(["1,250.50", "12.5", "900"]).ShouldBeFalse();
        LooseNumber.UsesDecimalComma(["1,250", "2,500"]).ShouldBeFalse();
        LooseNumber.TryRead("1.250", true, out var thousands, out _).ShouldBeTrue();
        thousands.ShouldBe(1250);
        LooseNumber.TryRead("1,250", true, out var fraction, out _).ShouldBeTrue();
        fraction.ShouldBe(1.25);
    }
}
