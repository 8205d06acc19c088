using OKLA.Host.Demo;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Host.Demo;

public sealed class DominicanCatalogueTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 4, 0, 0, TimeSpan.Zero);
    private readonly IReadOnlyList<PlannedListing> planned = DominicanCatalogue.Generate(5, 4_000, Start, 60, 62);

    [Test]
    public void Half_of_it_is_there_at_the_start_and_nothing_ends_before_it_began()
    {
        planned.Count(listing => listing.ListedAt < Start).ShouldBe(2_000);
        planned.ShouldAllBe(listing => listing.EndsAt > listing.ListedAt && listing.EndsAt > Start);
        planned.ShouldAllBe(listing => listing.CutAt == null || listing.CutPrice!.Amount < listing.Item.Price!.Amount);
        planned.Select(listing => listing.Item.Id).ShouldBeUnique();
    }

    [Test]
    public void A_larger_size_begins_with_other_listings_but_the_same_arguments_give_the_same() =>
        DominicanCatalogue.Generate(5, 4_000, Start, 60, 62).Select(Text).ShouldBe(planned.Select(Text));

    [Test]
    public void Prices_fall_with_age_and_both_currencies_occur()
    {
        double MedianUsd(int from, int to) => Median(planned
            .Where(listing => listing.Item.Text("make") == "Toyota" && listing.Item.Number("year") is { } year && year >= from && year <= to)
            .Select(listing => (double)listing.Item.Price!.Amount / (listing.Item.Price.Currency == "DOP" ? 62 : 1)));

        MedianUsd(2025, 2026).ShouldBeGreaterThan(MedianUsd(2019, 2021));
        MedianUsd(2019, 2021).ShouldBeGreaterThan(MedianUsd(2011, 2014));
        planned.Count(listing => listing.Item.Price!.Currency == "DOP").ShouldBeInRange(1_200, 2_800);
    }

    [Test]
    public void The_capital_has_the_share_of_registrations_it_has() =>
        // 30.2 of 102.2 weights; four standard deviations of a binomial of 4,000 are 2.9 points.
        (planned.Count(listing => listing.Item.Place == "Distrito Nacional") / 4_000.0).ShouldBe(0.302 / 1.022, 0.029);

    [Test]
    public void Dear_ones_for_what_they_are_stay_longer_and_swindles_are_cheap_and_share_their_text()
    {
        var some = DominicanCatalogue.Generate(5, 4_000, Start, 60, 62, fraudShare: 0.05);
        var swindles = some.Where(listing => listing.Item.SellerId!.StartsWith("particular-5-m", StringComparison.Ordinal)).ToList();
        var honest = planned.ToDictionary(listing => listing.Item.Id);

        swindles.Count.ShouldBeInRange(40, 160);
        swindles.ShouldAllBe(listing => listing.Item.Price!.Amount < honest[listing.Item.Id].Item.Price!.Amount * 0.82m);
        swindles.GroupBy(listing => listing.Item.SellerId).Count().ShouldBeLessThan(swindles.Count);
        swindles.Count(listing => listing.Reason == ItemEnded.Fraud).ShouldBeInRange((int)(swindles.Count * 0.7), (int)(swindles.Count * 0.95));
        some.Except(swindles).ShouldAllBe(listing => listing.Reason == null);
        some.Count(listing => listing.Item.Description is null).ShouldBeInRange(100, 400);
    }

    private static string Text(PlannedListing listing) => System.Text.Json.JsonSerializer.Serialize(listing);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
