using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Recommenders;

/// <summary>What matters to a recommender and whom it serves how well, on what people met after its split.</summary>
internal sealed class RecommenderMeasures(ItemKind kind, BlendWeights weights, DateTimeOffset at, ExchangeRates rates)
{
    /// <summary>People asked for each part and feature.</summary>
    private const int MostPeople = 300;

    /// <summary>
    /// By how much NDCG@10 falls without a part (<c>part als</c>), without a context feature (<c>context daysUntil</c>), or when the person's liking of a trait is not
    /// told to the parts that read it (<c>content make</c>); a part that stands alone is held against popularity. The most important one first.
    /// </summary>
    public IReadOnlyList<ColumnImportance> Importance(
        ItemRecommender all, ItemRecommender served, IReadOnlyDictionary<string, double> spread, IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, double[] popular, CancellationToken ct)
    {
        TestPerson[] some = [.. people.Take(MostPeople)];
        double Worth(ItemRecommender model, Func<PersonTaste, PersonTaste>? told = null) =>
            Ranking.Measure(some, items, Ranking.ScoresOf(model, items, at, told), ct).Ndcg.Average();
        var whole = Worth(served);
        var found = new List<ColumnImportance>();
        foreach (var part in served.Parts)
        {
            var others = weights.Parts.ToDictionary(pair => pair.Key, pair => pair.Key == part.Name ? 0 : pair.Value, StringComparer.Ordinal);
            var without = served.Parts.Count == 1 ? popular.Take(some.Length).Average() : Worth(all.Weighted(others, spread, weights.Context));
            found.Add(new ColumnImportance($"part {part.Name}", whole - without));
        }

        foreach (var c in Enumerable.Range(0, kind.Context.Count).Where(c => weights.Context[c] != 0))
        {
            double[] others = [.. weights.Context.Select((weight, i) => i == c ? 0 : weight)];
            found.Add(new ColumnImportance($"context {kind.Context[c]}", whole - Worth(all.Weighted(weights.Parts, spread, others))));
        }

        if (served.Parts.Any(part => part.Name is MachinePart.Key or TowerPart.Key))
        {
            var names = served.Content.NamesOfTokens();
            found.AddRange(names.Distinct().Order(StringComparer.Ordinal).Select(name => new ColumnImportance($"content {name}", whole - Worth(served, taste => Without(taste, token => names[token] == name)))));
        }

        return [.. found.OrderByDescending(one => one.LossIncrease)];
    }

    /// <summary>
    /// Every item that somebody met for the first time after the split: whether it stood among the first ten (1) or not (0), beside 1 for the best there is. By what the person
    /// usually looks at, by traits of the item and by its seller.
    /// </summary>
    public HeldOutRows Met(ItemRecommender served, IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, CancellationToken ct)
    {
        var meetings = new Meetings(kind, items, rates);
        int[] ended = [.. Enumerable.Range(0, items.Count).Where(i => items[i].Status != "live")];
        var scores = Ranking.ScoresOf(served, items, at);
        foreach (var person in people)
        {
            ct.ThrowIfCancellationRequested();
            var shown = TopK.Of(scores(person), Ranking.K, [.. person.Met, .. ended]).Select(item => item.Index).ToHashSet();
            foreach (var met in person.Relevant.Order())
            {
                meetings.Add(person.Id, person.History, met, shown.Contains(met) ? 1 : 0);
            }
        }

        return meetings.Table();
    }

    private static PersonTaste Without(PersonTaste taste, Func<int, bool> left)
    {
        int[] kept = [.. Enumerable.Range(0, taste.Tokens.Length).Where(t => !left(taste.Tokens[t]))];
        return taste with { Tokens = Array.ConvertAll(kept, t => taste.Tokens[t]), Weights = Array.ConvertAll(kept, t => taste.Weights[t]) };
    }
}
