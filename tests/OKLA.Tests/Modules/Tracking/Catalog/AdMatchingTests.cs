using FsCheck;
using FsCheck.Fluent;
using OKLA.Tracking.Catalog;

namespace OKLA.Tests.Modules.Tracking.Catalog;

public sealed class AdMatchingTests
{
    [Test]
    public void The_sale_of_one_car_does_not_read_as_price_changes_of_the_others() =>
        AdMatching.Match([new(1, 20_000, true), new(2, 22_000, true), new(3, 24_000, true)], [22_000, 24_000], 0.3m).ShouldBe([2, 3]);

    [Test]
    public void A_small_move_is_the_same_ad_and_a_large_one_is_another() =>
        AdMatching.Match([new(1, 20_000, true)], [19_000], 0.3m).ShouldBe([1]);

    [Test]
    public void A_price_that_jumps_too_far_belongs_to_a_new_ad() =>
        AdMatching.Match([new(1, 20_000, true)], [12_000], 0.3m).ShouldBe([2]);

    [Test]
    public void An_ad_that_had_gone_comes_back_at_its_old_price_only() =>
        AdMatching.Match([new(1, 20_000, false), new(2, 30_000, false)], [29_900, 20_000], 0.3m).ShouldBe([3, 1]);

    [Test]
    public void New_ads_are_numbered_in_order_of_price() => AdMatching.Match([], [30, 10, 20], 0.3m).ShouldBe([3, 1, 2]);

    [Test]
    public void No_two_rows_ever_become_the_same_ad() => Prop.ForAll<byte[], byte[]>((before, now) =>
    {
        var known = before.Select((price, i) => new KnownAd(i + 1, price + 1, price % 3 != 0)).ToList();
        var numbers = AdMatching.Match(known, [.. now.Select(price => price + 1m)], 0.3m);
        return numbers.Length == now.Length && numbers.Distinct().Count() == numbers.Length && numbers.All(number => number >= 1);
    }).QuickCheckThrowOnFailure();
}
