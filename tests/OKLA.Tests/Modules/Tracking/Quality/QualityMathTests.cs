using System.Text;
using System.Text.Json;
using OKLA.Shared.EventLog;
using OKLA.Tracking.Catalog;
using OKLA.Tracking.Quality;
using OKLA.Tracking.Schemas;

namespace OKLA.Tests.Modules.Tracking.Quality;

public sealed class QualityMathTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly Watch Watch = new(EventCatalogue.Types.Values.Select(versions => versions[^1]), KindSchema.BuiltIn, []);

    [Test]
    public void Psi_is_what_the_formula_gives_by_hand()
    {
        // Half a row more in each group: p = (80.5, 19.5) / 100 and q = (50.5, 49.5) / 100, so Σ (p - q) ln(p / q) with differences of 0.3.
        Judge.Psi([(80, 50), (19, 49)], 99, 99).ShouldBe((0.3 * Math.Log(0.805 / 0.505)) + (-0.3 * Math.Log(0.195 / 0.495)), 1e-12);
        Judge.Psi([(50, 50), (50, 50)], 100, 100).ShouldBe(0, 1e-12);
    }

    [Test]
    public void Numbers_are_grouped_by_tenths_of_the_usual_in_the_order_of_their_size()
    {
        var usual = Enumerable.Range(1, 20).ToDictionary(i => FieldProfile.Bucket(Math.Pow(2, i)), _ => 5L);

        var groups = Judge.Groups(new() { [FieldProfile.Bucket(-3)] = 7 }, usual, numeric: true);

        groups[0].ShouldBe((7L, 10L));
        groups.Count.ShouldBe(10);
        groups.Skip(1).Distinct().ShouldBe([(0L, 10L)]);
    }

    [Test]
    public void A_change_of_unit_moves_every_number_to_another_place() =>
        new[] { 0.01, 1, 3, 12.5, 86_400, 1e12 }.ShouldAllBe(number => FieldProfile.Bucket(number) != FieldProfile.Bucket(number * 1_000) && FieldProfile.Bucket(number) != FieldProfile.Bucket(-number));

    [TestCase(10)]
    [TestCase(300)]
    [TestCase(20_000)]
    public void Different_values_are_estimated_within_three_standard_errors(int different)
    {
        var profile = new FieldProfile();
        for (var i = 0; i < different * 2; i++)
        {
            profile.Add(new Observation(Finding.Right, Identity: $"visitor-{i % different}"));
        }

        // Standard error of HyperLogLog: 1.04 / sqrt(64) = 0.13.
        profile.Distinct.ShouldBeInRange(different * 0.61, different * 1.39);
    }

    [Test]
    public void Parts_add_up_to_the_whole_in_any_order()
    {
        var events = Enumerable.Range(0, 400).Select(i => Event(i, i % 7 == 0 ? """{"origin":"nowhere"}""" : $$"""{"visibleSeconds":{{i * 3}},"origin":"search","extra{{i % 3}}":1}""")).ToList();
        var options = new QualityOptions();

        var whole = QualitySubscription.Count(Watch, events, options);
        var added = new Dictionary<ProfileKey, FieldProfile>();
        foreach (var part in events.Chunk(37).Reverse().Select(part => QualitySubscription.Count(Watch, part, options)).SelectMany(part => part))
        {
            if (!added.TryAdd(part.Key, part.Value))
            {
                added[part.Key].Merge(part.Value);
            }
        }

        added.OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal).Select(Say).ShouldBe(whole.OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal).Select(Say));
        whole.Keys.ShouldContain(new ProfileKey(24, Noon.UtcDateTime.Date, "item_viewed", "origin", false));
        whole[new ProfileKey(24, Noon.UtcDateTime.Date, "item_viewed", "origin", false)].OutOfSet.ShouldBe(58);
    }

    [Test]
    public void Words_of_people_and_ids_leave_no_trace_in_a_profile()
    {
        var body = """{"anonymousId":"ana-perez","properties":{"query":"llamar a Ana 809-555-1234","resultCount":4,"clickedItemIds":["ana-1"]}}""";

        var profiles = QualitySubscription.Count(Watch, [Event(1, body, "searched", whole: true)], new QualityOptions());

        JsonSerializer.Serialize(profiles.Values.Select(profile => profile.Shape)).ShouldNotContain("ana", Case.Insensitive);
        JsonSerializer.Serialize(profiles.Values.Select(profile => profile.Shape)).ShouldNotContain("809");
    }

    [TestCase("0000000011111111", 8)]
    [TestCase("0001000011110111", 8)]
    [TestCase("1111", 0)]
    [TestCase("0000", null)]
    public void The_turn_of_a_series_is_where_it_splits_best(string series, int? turn) =>
        FailingRows.Change([.. series.Select((letter, i) => ((long)i, Noon.AddMinutes(i), letter == '1'))]).ShouldBe(turn);

    private static string Say(KeyValuePair<ProfileKey, FieldProfile> pair) =>
        JsonSerializer.Serialize(new
        {
            pair.Key, pair.Value.Rows, pair.Value.Missing, pair.Value.Mistyped, pair.Value.OutOfRange, pair.Value.OutOfSet, pair.Value.Total, pair.Value.FirstPosition, pair.Value.LastPosition,
            Shape = pair.Value.Shape.OrderBy(value => value.Key, StringComparer.Ordinal), pair.Value.Distinct,
        });

    private static RecordedEvent Event(int i, string properties, string type = "item_viewed", bool whole = false) => new(
        i + 1, Guid.NewGuid(), "visitor-v", i + 1, type, 1, Encoding.UTF8.GetBytes(whole ? properties : $$"""{"anonymousId":"v{{i % 9}}","itemId":"car","properties":{{properties}}}"""),
        Noon.AddMinutes(i), Noon.AddMinutes(i));
}
