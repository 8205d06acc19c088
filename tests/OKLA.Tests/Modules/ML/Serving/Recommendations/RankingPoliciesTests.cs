using OKLA.ML.Serving;
using OKLA.ML.Serving.Recommendations;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Serving.Recommendations;

/// <summary>Each policy by itself on a ranking made by hand.</summary>
public sealed class RankingPoliciesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ExchangeRates Rates = new(new MoneyOptions());
    private static readonly RecommendationKnobs Plain = new() { SellerCap = 0, Diversity = 0, ExplorationShare = 0, SellerFairness = 0 };

    [Test]
    public void Without_policies_the_ranking_stays_as_it_is() => Ids(Apply(Ranking(10), Plain, 4)).ShouldBe(["i0", "i1", "i2", "i3"]);

    [Test]
    public void What_is_sold_or_over_is_not_shown()
    {
        var over = Activity("over", Now.AddDays(-1));
        var coming = Activity("coming", Now.AddDays(1));
        var sold = Car("sold", "Kia", "s", status: "sold");

        Ids(Apply([At(over, 3), At(sold, 2), At(coming, 1)], Plain, 5)).ShouldBe(["coming"]);
    }

    [Test]
    public void A_seller_fills_no_more_than_its_cap_while_others_are_left()
    {
        var ranked = Enumerable.Range(0, 6).Select(n => At(Car($"big{n}", "Kia", "big"), 10 - n)).Append(At(Car("small", "Kia", "small"), 1)).ToList();
        var knobs = With(k => k.SellerCap = 2);

        Ids(Apply(ranked, knobs, 3)).ShouldBe(["big0", "big1", "small"]);
        Ids(Apply(ranked, knobs, 5)).ShouldBe(["big0", "big1", "small", "big2", "big3"]);
    }

    [Test]
    public void Diversity_puts_another_kind_before_the_fourth_of_the_same()
    {
        var ranked = Enumerable.Range(0, 5).Select(n => At(Car($"kia{n}", "Kia", $"s{n}"), 10 - n)).Append(At(Car("ford", "Ford", "f"), 5)).ToList();

        Ids(Apply(ranked, Plain, 3)).ShouldNotContain("ford");
        Ids(Apply(ranked, With(k => k.Diversity = 0.5), 3)).ShouldContain("ford");
    }

    [Test]
    public void The_most_popular_item_gives_way_when_popularity_counts_against_it()
    {
        var ranked = new List<Candidate> { At(Car("hit", "Kia", "a"), 1.0), At(Car("niche", "Kia", "b"), 0.9), At(Car("last", "Kia", "c"), 0) };

        Ids(Apply(ranked, With(k => k.PopularityPenalty = 0.3), 3, popularity: item => item.Card.Snapshot.Item.Id == "hit" ? 1 : 0)).ShouldBe(["niche", "hit", "last"]);
    }

    [Test]
    public void A_seller_who_was_shown_too_little_moves_up()
    {
        var ranked = new List<Candidate> { At(Car("a", "Kia", "known"), 1.0), At(Car("b", "Kia", "forgotten"), 0.95), At(Car("c", "Kia", "known"), 0) };

        Ids(Apply(ranked, With(k => k.SellerFairness = 0.1), 3, deficit: seller => seller == "forgotten" ? 1 : 0)).ShouldBe(["b", "a", "c"]);
    }

    [Test]
    public void Exploration_takes_its_share_of_the_lower_places_and_says_with_what_chance()
    {
        var knobs = With(k => k.ExplorationShare = 0.2);
        var pages = Enumerable.Range(0, 2_000).Select(seed => Apply(Ranking(50), knobs, 8, seed: seed)).ToList();

        pages.ShouldAllBe(page => page.Take(3).All(item => item.Why == "ranked" && item.Propensity == 1));
        var lower = pages.SelectMany(page => page.Skip(3)).ToList();
        (lower.Count(item => item.Why == "explored") / (double)lower.Count).ShouldBe(0.2, 0.02);
        lower.Where(item => item.Why == "ranked").ShouldAllBe(item => item.Propensity == 0.8);
        pages.Select(page => page[3]).Where(item => item.Why == "explored").ShouldAllBe(item => Math.Abs(item.Propensity - (0.2 / 42)) < 1e-12);
        pages.ShouldAllBe(page => page.Select(item => item.Candidate.Card.Snapshot.Item.Id).Distinct().Count() == 8);
        Ids(Apply(Ranking(50), knobs, 8, seed: 7)).ShouldBe(Ids(Apply(Ranking(50), knobs, 8, seed: 7)));
        Apply(Ranking(50), knobs, 8, seed: 7, explores: false).ShouldAllBe(item => item.Propensity == 1);
    }

    [Test]
    public void Operators_boost_a_make_block_a_seller_and_pin_an_item()
    {
        var ranked = new List<Candidate> { At(Car("a", "Kia", "s1"), 1.0), At(Car("b", "Ford", "s2"), 0.6), At(Car("c", "Kia", "s3"), 0) };

        Ids(Apply(ranked, Plain, 3, rules: [Rule("boost", "make", "ford", 0.5)])).ShouldBe(["b", "a", "c"]);
        Ids(Apply(ranked, Plain, 3, rules: [Rule("block", "seller", "s1")])).ShouldBe(["b", "c"]);
        Ids(Apply(ranked, Plain, 2, pins: [(At(Car("pinned", "Seat", "s9"), 0), 1)])).ShouldBe(["a", "pinned"]);
        Ids(Apply(ranked, Plain, 2, pins: [(At(Car("pinned", "Seat", "s1"), 0), 0)], rules: [Rule("block", "seller", "s1")])).ShouldBe(["b", "c"]);
    }

    [Test]
    public void A_rule_holds_from_its_beginning_until_its_end_and_on_its_page()
    {
        var rule = Rule("boost", "make", "Kia", 0.1) with { From = Now, Until = Now.AddHours(1), Page = "home" };

        rule.Holds("vehicle", "home", Now.AddSeconds(-1)).ShouldBeFalse();
        rule.Holds("vehicle", "home", Now).ShouldBeTrue();
        rule.Holds("vehicle", "home", Now.AddHours(1)).ShouldBeFalse();
        rule.Holds("vehicle", "email", Now).ShouldBeFalse();
        rule.Holds("activity", "home", Now).ShouldBeFalse();
        (rule with { EndedAt = Now }).Holds("vehicle", "home", Now).ShouldBeFalse();
    }

    [Test]
    public void A_seller_with_half_the_listings_and_no_page_lacks_all_of_its_share()
    {
        var exposure = new SellerExposure(new Room.StillClock(Now));
        exposure.Take(new Dictionary<string, double> { ["shown"] = 0.5, ["hidden"] = 0.5 });
        for (var n = 0; n < 10; n++)
        {
            exposure.Show(["shown", "shown"]);
        }

        exposure.Deficit("hidden").ShouldBe(1);
        exposure.Deficit("shown").ShouldBe(0);
        exposure.Deficit("unknown").ShouldBe(0);
    }

    private static IReadOnlyList<Placed> Apply(
        IReadOnlyList<Candidate> ranked, RecommendationKnobs knobs, int limit, IReadOnlyList<OperatorRule>? rules = null, IReadOnlyList<(Candidate, int)>? pins = null,
        Func<Candidate, double>? popularity = null, Func<string, double>? deficit = null, int seed = 1, bool explores = true) =>
        RankingPolicies.Apply(ranked, pins ?? [], new PolicyCase(
            limit, knobs, rules ?? [], Now, (a, b) => a.Card.View.Make == b.Card.View.Make ? 1 : 0, popularity ?? (_ => 0), deficit ?? (_ => 0), seed, explores));

    private static RecommendationKnobs With(Action<RecommendationKnobs> change)
    {
        var knobs = new RecommendationKnobs { SellerCap = 0, Diversity = 0, ExplorationShare = 0, SellerFairness = 0 };
        change(knobs);
        return knobs;
    }

    private static List<Candidate> Ranking(int count) => [.. Enumerable.Range(0, count).Select(n => At(Car($"i{n}", $"m{n}", $"s{n}"), count - n))];

    private static Candidate At(Card card, double score) => new(0, card, score);

    private static OperatorRule Rule(string action, string target, string value, double strength = 0) =>
        new(Guid.Empty, "vehicle", action, target, value, strength, 0, null, Now.AddDays(-1), null, "test", "test", Now.AddDays(-1));

    private static Card Car(string id, string make, string seller, string status = "live") =>
        new(new ItemSnapshot(Room.Car(id, make, "m", 2020, 10_000) with { SellerId = seller }, status, Now, Now, Now, 1), Rates);

    private static Card Activity(string id, DateTimeOffset begins) => new(
        new ItemSnapshot(new CatalogItem(id, "activity", id, null, new Dictionary<string, System.Text.Json.JsonElement>()) { Window = new TimeWindow(begins, null) }, "live", Now, Now, Now, 1), Rates);

    private static string[] Ids(IReadOnlyList<Placed> page) => [.. page.Select(item => item.Candidate.Card.Snapshot.Item.Id)];
}
