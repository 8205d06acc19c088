using OKLA.ML.Models;

namespace OKLA.Tests.Modules.ML.Models;

public sealed class PriceReasonsTests
{
    private static readonly DateTimeOffset At = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public void Parts_are_the_shapley_values_of_a_product_and_add_up()
    {
        // log price = 0.1 · (year − 2010) + 0.5 if diesel + 0.2 · (year − 2010) · diesel. Against 2010 petrol, 2012 diesel: year alone adds 0.2, fuel alone
        // 0.5, together 0.7 + 0.4; each gets half of the 0.4: 0.4 and 0.7.
        static double[] Model(IReadOnlyList<PriceFeatures> ads) =>
            [.. ads.Select(ad => (0.1 * (ad.Year - 2010)) + (ad.Fuel == "diesel" ? 0.5 + (0.2 * (ad.Year - 2010)) : 0))];
        var ad = Ad(2012, "diesel");

        var parts = PriceReasons.Of(ad, [Ad(2010, "gasolina")], Model);

        parts.Base.ShouldBe(0, 1e-12);
        parts.Output.ShouldBe(1.1, 1e-12);
        parts.Adds[PriceReasons.Inputs.ToList().IndexOf("year")].ShouldBe(0.4, 1e-12);
        parts.Adds[PriceReasons.Inputs.ToList().IndexOf("fuel")].ShouldBe(0.7, 1e-12);
        parts.Adds.Sum().ShouldBe(1.1, 1e-12);
    }

    [Test]
    public void Against_several_ads_parts_are_the_means_of_those_against_each_and_no_vehicle_is_asked_about_twice()
    {
        static double[] Model(IReadOnlyList<PriceFeatures> ads) =>
            [.. ads.Select(ad => (0.1 * (ad.Year - 2010) * (ad.Fuel == "diesel" ? 3 : 1)) + (ad.Transmission == "automatica" ? 0.2 * (ad.Year - 2009) : 0))];
        var (ad, asked) = (Ad(2012, "diesel") with { Transmission = "automatica" }, new List<PriceFeatures>());
        PriceFeatures[] others = [Ad(2010, "diesel"), Ad(2011, "gasolina"), Ad(2012, "gasolina"), Ad(2010, "diesel")];

        var parts = PriceReasons.Of(ad, others, ads =>
        {
            asked.AddRange(ads);
            return Model(ads);
        });

        var each = others.Select(other => PriceReasons.Of(ad, [other], Model)).ToArray();
        parts.Base.ShouldBe(each.Average(one => one.Base), 1e-12);
        for (var input = 0; input < parts.Adds.Count; input++)
        {
            parts.Adds[input].ShouldBe(each.Average(one => one.Adds[input]), 1e-12);
        }

        (parts.Base + parts.Adds.Sum()).ShouldBe(parts.Output, 1e-12);
        asked.ShouldBeUnique();
    }

    [Test]
    public void What_the_ads_agree_in_adds_nothing()
    {
        var parts = PriceReasons.Of(Ad(2012, "diesel"), [Ad(2012, "gasolina")], ads => [.. ads.Select(ad => ad.Year / 1000)]);

        parts.Adds.ShouldAllBe(add => add == 0);
    }

    [Test]
    public void A_title_that_only_names_the_vehicle_belongs_to_its_name_and_one_that_says_more_stands_for_itself()
    {
        // 0.3 for the word "limited" in the title, 0.2 for the model of that name, 0.1 for "full".
        static double[] Model(IReadOnlyList<PriceFeatures> ads) =>
            [.. ads.Select(ad => (ad.Words.Contains("limited") ? 0.3 : 0) + (ad.Model == "corolla limited" ? 0.2 : 0) + (ad.Words.Contains("full") ? 0.1 : 0))];
        var (plain, named) = (Ad(2012, "gasolina"), Ad(2012, "gasolina") with { Model = "corolla limited", Words = ["toyota", "corolla", "limited", "2012"] });
        var (model, title) = (PriceReasons.Inputs.ToList().IndexOf("model"), PriceReasons.Inputs.ToList().IndexOf("title"));

        var byName = PriceReasons.Of(named, [plain], Model);
        var byMore = PriceReasons.Of(named with { Words = [.. named.Words, "full"] }, [plain], Model);

        (byName.Adds[model], byName.Adds[title]).ShouldBe((0.5, 0));
        byMore.Adds[model].ShouldBe(0.2, 1e-12);
        byMore.Adds[title].ShouldBe(0.4, 1e-12);
    }

    [Test]
    public void Parts_in_dollars_make_the_difference_of_the_prices()
    {
        var parts = new PriceReasons.Parts(9, 9.5, [0.7, -0.3, 0.1]);

        parts.Adds.Sum(add => PriceReasons.Usd(parts, add)).ShouldBe(Math.Exp(9.5) - Math.Exp(9), 1e-6);
    }

    [Test]
    public void A_model_year_that_was_never_seen_follows_the_line_of_the_others_and_one_absurd_price_does_not_bend_it()
    {
        // 40 ads of one model that lose a tenth a year, and one with three zeros too many.
        PriceFeatures[] ads = [.. Enumerable.Range(0, 40).Select(i => Ad(2010 + (i % 10), "gasolina")), Ad(2015, "gasolina")];
        double[] logs = [.. ads.Take(40).Select(ad => 10 + (0.1 * (ad.Year - 2010))), 10.5 + Math.Log(1000)];

        var line = PriceHedonics.Fit(ads, logs, 1);

        line.Predict(Ad(2020, "gasolina")).ShouldBe(11, 0.2);
        line.Predict(Ad(2015, "gasolina")).ShouldBe(10.5, 0.2);
    }

    private static readonly string[] Title = ["toyota", "corolla"];

    private static PriceFeatures Ad(double year, string fuel) => new("toyota", "corolla", "sedan", fuel, "usado", null, year, double.NaN, Title, At);
}
