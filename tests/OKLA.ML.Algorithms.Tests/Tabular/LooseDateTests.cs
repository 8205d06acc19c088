using System.Globalization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Tabular;

internal sealed class LooseDateTests
{
    [TestCase("2021-05-12", "2021-05-12 00:00:00")]
    [TestCase("2021/5/2", "2021-05-02 00:00:00")]
    [TestCase("2021-05-12T14:30:05Z", "2021-05-12 14:30:05")]
    [TestCase("2021-05-12 14:30:05.123456+00:00", "2021-05-12 14:30:05")]
    [TestCase("12/05/2021", "2021-05-12 00:00:00")]
    [TestCase("31.12.99", "1999-12-31 00:00:00")]
    [TestCase("12/31/2021", "2021-12-31 00:00:00")]
    [TestCase("12 de marzo de 2021", "2021-03-12 00:00:00")]
    [TestCase("Mar 12, 2021", "2021-03-12 00:00:00")]
    [TestCase("12-ene-21", "2021-01-12 00:00:00")]
    [TestCase("March 2021", "2021-03-01 00:00:00")]
    [TestCase("5/12/2021 2:30 PM", "2021-12-05 14:30:00")]
    [TestCase("Monday, 3 May 2021", "2021-05-03 00:00:00")]
    public void A_date_is_read_in_many_forms(string text, string expected)
    {
        LooseDate.TryRead(text, DateStyle.DayFirst, out var date).ShouldBeTrue();
        date.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture).ShouldBe(expected);
    }

    [TestCase("2021-13-40")]
    [TestCase("12.5")]
    [TestCase("Toyota 2015")]
    [TestCase("1.2.3")]
    [TestCase("12:30")]
    public void What_is_no_date_is_refused(string text) => LooseDate.TryRead(text, DateStyle.DayFirst, out _).ShouldBeFalse();

    [Test]
    public void Day_or_month_first_is_told_by_the_column()
    {
        LooseDate.StyleOf(["01/02/2021", "31/12/2020", "05/06/2021"], 0.9).ShouldBe(DateStyle.DayFirst);
        LooseDate.StyleOf(["01/02/2021", "12/31/2020", "05/06/2021"], 0.9).ShouldBe(DateStyle.MonthFirst);
        LooseDate.TryRead("01/02/2021", DateStyle.MonthFirst, out var date).ShouldBeTrue();
        date.ShouldBe(new DateTime(2021, 1, 2, 0, 0, 0, DateTimeKind.Unspecified));
    }

    [Test]
    public void Digits_alone_are_dates_only_where_every_value_is_one()
    {
        LooseDate.StyleOf(["20210512", "20200101"], 0.9).ShouldBe(DateStyle.Compact);
        LooseDate.StyleOf(["1620777600", "1577836800"], 0.9).ShouldBe(DateStyle.UnixSeconds);
        LooseDate.StyleOf(["1620777600000"], 0.9).ShouldBe(DateStyle.UnixMilliseconds);
        LooseDate.StyleOf(["1620777600", "12"], 0.9).ShouldBeNull();
        LooseDate.StyleOf(["20210512", "20219999"], 0.9).ShouldBeNull();
    }
}
