using OKLA.ML.Training.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.Tests.Modules.ML.Training.Recommenders;

[TestFixture]
public sealed class RankingTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void The_area_under_the_curve_is_the_share_of_pairs_in_the_right_order_ties_counting_half()
    {
        var random = new Random(11);
        for (var round = 0; round < 50; round++)
        {
            // Few levels, so that many tie; some items are no longer on offer, and what was met already does not count.
            var items = Enumerable.Range(0, 40).Select(n => Item($"i{n}", n % 7 == 0 ? "sold" : "live")).ToArray();
            var scores = items.Select(item => item.Status == "live" ? random.Next(6) : float.NegativeInfinity).ToArray();
            int[] live = [.. Enumerable.Range(0, 40).Where(i => items[i].Status == "live")];
            random.Shuffle(live);
            var (relevant, met) = (live[..(1 + random.Next(6))].ToHashSet(), live[30..]);

            var auc = Ranking.Measure([new TestPerson("ana", [], met, relevant)], items, _ => scores, default).Auc.ShouldHaveSingleItem();

            var pairs = relevant.SelectMany(good => live.Except(met).Except(relevant).Select(other => scores[good] > scores[other] ? 1 : scores[good] == scores[other] ? 0.5 : 0)).ToArray();
            auc.ShouldBe(pairs.Average(), 1e-12);
        }
    }

    private static ItemSnapshot Item(string id, string status) =>
        new(new CatalogItem(id, "vehicle", id, null, new Dictionary<string, System.Text.Json.JsonElement>()), status, Now, Now, Now, 1);
}
