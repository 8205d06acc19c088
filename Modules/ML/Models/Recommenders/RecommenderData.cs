using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>What a recommender learns from, as it was known at a time.</summary>
/// <param name="Kind">The kind of items.</param>
/// <param name="Items">The catalogue.</param>
/// <param name="Weights">People × items, see <see cref="ItemRecommender.Weights"/>.</param>
/// <param name="Order">By person the items of <paramref name="Weights"/> in the order of first meeting.</param>
/// <param name="Recent">By item the weight of the latest events.</param>
/// <param name="At">The time.</param>
/// <param name="Only">Parts wanted beside ALS; null for all.</param>
/// <param name="MostPairs">Pairs that machine and towers learn from at most; null for as many as the settings say.</param>
internal sealed record RecommenderData(
    ItemKind Kind, IReadOnlyList<ItemSnapshot> Items, SparseMatrix Weights, IReadOnlyList<List<int>> Order, double[] Recent, DateTimeOffset At, IReadOnlySet<string>? Only = null, int? MostPairs = null)
{
    /// <summary>Reads rows of a frame.</summary>
    public static RecommenderData Of(ItemKind kind, InteractionFrame frame, IReadOnlyList<int> rows, IReadOnlyList<ItemSnapshot> items, DateTimeOffset at, RecommenderKnobs knobs, IReadOnlySet<string>? only = null)
    {
        var ids = items.Select(item => item.Item.Id).ToArray();
        var weights = ItemRecommender.Weights(frame, rows, ids, knobs.CorrectPosition ? new PositionBias(frame, rows, knobs).Factor : null);
        var places = ids.Select((id, place) => (id, place)).ToDictionary(pair => pair.id, pair => pair.place, StringComparer.Ordinal);
        var column = Array.ConvertAll(frame.Items, id => places.GetValueOrDefault(id, -1));
        var order = Enumerable.Range(0, frame.People.Length).Select(_ => new List<int>()).ToArray();
        var met = new HashSet<(int, int)>();
        foreach (var row in rows.OrderBy(row => frame.OccurredAt[row]))
        {
            var (person, item) = (frame.Person[row], column[frame.Item[row]]);
            if (item < 0)
            {
                continue;
            }

            if (weights.Contains(person, item) && met.Add((person, item)))
            {
                order[person].Add(item);
            }
        }

        return new RecommenderData(kind, items, weights, order, RecentOf(frame, rows, places, at, knobs), at, only);
    }

    /// <summary>By item, the weight of the events of the last days before a time.</summary>
    public static double[] RecentOf(InteractionFrame frame, IReadOnlyList<int> rows, IReadOnlyDictionary<string, int> places, DateTimeOffset at, RecommenderKnobs knobs)
    {
        var (recent, since) = (new double[places.Count], at.AddDays(-knobs.TrendDays).UtcTicks);
        foreach (var row in rows.Where(row => frame.OccurredAt[row] > since))
        {
            if (places.TryGetValue(frame.Items[frame.Item[row]], out var place))
            {
                recent[place] += frame.Weight[row];
            }
        }

        return recent;
    }
}
