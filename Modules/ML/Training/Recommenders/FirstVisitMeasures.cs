using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Recommenders;

/// <summary>
/// Learns and measures what to show to somebody new. A case is a visitor whose first look at an item falls into a span of time and meets something then on offer;
/// what they looked at in the hour from then should stand first, for whoever knows no more than how they came.
/// </summary>
internal sealed class FirstVisitMeasures(ItemKind kind, InteractionFrame frame, IReadOnlyList<FirstVisit> visits, RecommenderKnobs knobs, ExchangeRates rates)
{
    private const int MostCases = 2_000;
    private static readonly TimeSpan Visit = TimeSpan.FromHours(1);
    private static readonly float[] Weights = [0, 0.5f, 1, 2, 4, 8, 16];

    /// <summary>What the items of the latest question tell: several are about the same ones.</summary>
    private (IReadOnlyList<ItemSnapshot> Items, ContentIndex Content)? latest;

    /// <summary>What was known of first visits, items and demand at a time.</summary>
    public ColdStart At(DateTimeOffset at, IReadOnlyList<int> rows, IReadOnlyList<ItemSnapshot> items, float weight)
    {
        var places = items.Select((item, place) => (item.Item.Id, place)).ToDictionary(pair => pair.Id, pair => pair.place, StringComparer.Ordinal);
        return ColdStart.Fit(
            [.. visits.Where(visit => visit.At <= at - Visit)], ContentOf(items), id => places.GetValueOrDefault(id, -1),
            TrendPart.Fit(RecommenderData.RecentOf(frame, rows, places, at, knobs), items, at, knobs), weight);
    }

    /// <summary>First visitors of a span of time and what they looked at, drawn by the seed when there are many.</summary>
    public List<(TestPerson Person, FirstVisit Visit)> Cases(IReadOnlyList<ItemSnapshot> items, DateTimeOffset from, DateTimeOffset until)
    {
        var live = items.Select((item, place) => (item, place)).Where(pair => pair.item.Status == "live").ToDictionary(pair => pair.item.Item.Id, pair => pair.place, StringComparer.Ordinal);
        var cases = visits.Where(visit => visit.At > from && visit.At <= until).Select(visit => (Visit: visit, Looked: visit.Items.Where(live.ContainsKey).Select(id => live[id]).ToHashSet()))
            .Where(one => one.Looked.Count > 0).Select(one => (new TestPerson(one.Visit.PersonId, [], [], one.Looked), one.Visit)).ToArray();
        new Random(knobs.Seed).Shuffle(cases);
        return [.. cases.Take(Math.Min(MostCases, knobs.MaxTestPeople))];
    }

    /// <summary>The weight that ranks the first looks of a span best; 0 where the words tell nothing or there are too few cases.</summary>
    public float Learn(ColdStart cold, IReadOnlyList<ItemSnapshot> items, DateTimeOffset from, DateTimeOffset until, CancellationToken ct)
    {
        var cases = Cases(items, from, until);
        return cases.Count < knobs.MinTestPeople ? 0 : Weights.MaxBy(weight => Measure(cold.Weighted(weight), items, cases, _ => true, ct).Ndcg.Average());
    }

    /// <summary>What the ranking is worth to them when only some words are told.</summary>
    public RankingFigures Measure(ColdStart cold, IReadOnlyList<ItemSnapshot> items, IReadOnlyList<(TestPerson Person, FirstVisit Visit)> cases, Func<string, bool> told, CancellationToken ct)
    {
        var content = ContentOf(items);
        var (entries, by) = (cases.ToDictionary(one => one.Person, one => one.Visit.Entry), new Dictionary<string, float[]>(StringComparer.Ordinal));
        return Ranking.Measure([.. cases.Select(one => one.Person)], items, person =>
        {
            string[] entry = [.. entries[person].Where(told)];
            var key = string.Join('\n', entry);
            if (!by.TryGetValue(key, out var scores))
            {
                // Who came with nothing that tells anything is shown what is in demand.
                var own = cold.Scores(entry, content) ?? cold.Trend.Vectors;
                by[key] = scores = [.. items.Select((item, i) => item.Status == "live" ? own[i] : float.NegativeInfinity)];
            }

            return scores;
        }, ct);
    }

    private ContentIndex ContentOf(IReadOnlyList<ItemSnapshot> items)
    {
        if (latest is not { } known || !ReferenceEquals(known.Items, items))
        {
            latest = known = (items, ContentIndex.Learn(kind, items, rates));
        }

        return known.Content;
    }
}
