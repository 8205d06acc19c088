using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training.Recommenders;

/// <summary>A person to be measured: earlier history, places of items already met, places of those met first afterwards.</summary>
internal sealed record TestPerson(string Id, IReadOnlyList<HistoryItem> History, int[] Met, IReadOnlySet<int> Relevant)
{
    /// <summary>Whose it is, where several are of one person; null where it stands for itself.</summary>
    public string? Of { get; init; }
}

/// <summary>Figures of rankings, one value a person.</summary>
internal sealed record RankingFigures(double[] Ndcg, double[] Map, double[] Mrr, double[] Hit, double[] Auc)
{
    /// <summary>The figures by name, the deciding one first.</summary>
    public IReadOnlyList<(string Name, double[] Values)> All => [("NDCG@10", Ndcg), ("AUC", Auc), ("MAP@10", Map), ("MRR@10", Mrr), ("Hit@10", Hit)];
}

/// <summary>People of a span of time and what a ranking is worth to them.</summary>
internal static class Ranking
{
    public const int K = 10;

    /// <summary>People with a history before <paramref name="from"/> and a first meeting with a then live item until <paramref name="until"/>; drawn by the seed when there are many.</summary>
    public static List<TestPerson> People(InteractionFrame frame, IEnumerable<int> before, IReadOnlyList<ItemSnapshot> items, DateTimeOffset from, DateTimeOffset until, RecommenderKnobs knobs)
    {
        var places = items.Select((item, place) => (item, place)).Where(pair => pair.item.Status == "live").ToDictionary(pair => pair.item.Item.Id, pair => pair.place, StringComparer.Ordinal);
        var place = Array.ConvertAll(frame.Items, id => places.GetValueOrDefault(id, -1));
        var history = new Dictionary<int, Dictionary<int, double>>();
        foreach (var row in before)
        {
            var items1 = history.TryGetValue(frame.Person[row], out var known) ? known : history[frame.Person[row]] = [];
            items1[frame.Item[row]] = items1.GetValueOrDefault(frame.Item[row]) + frame.Weight[row];
        }

        var later = new Dictionary<int, HashSet<int>>();
        var (after, upTo) = (from.UtcTicks, until.UtcTicks);
        for (var row = 0; row < frame.Count; row++)
        {
            var (person, item) = (frame.Person[row], frame.Item[row]);
            if (frame.OccurredAt[row] > after && frame.OccurredAt[row] <= upTo && frame.KnownAt[row] <= upTo && frame.Weight[row] > 0 && place[item] >= 0
                && history.TryGetValue(person, out var met) && met.Values.Any(weight => weight > 0) && !met.ContainsKey(item))
            {
                (later.TryGetValue(person, out var found) ? found : later[person] = []).Add(place[item]);
            }
        }

        var people = later.Keys.Order().ToArray();
        new Random(knobs.Seed).Shuffle(people);
        return [.. people.Take(knobs.MaxTestPeople).Select(person => new TestPerson(
            frame.People[person],
            [.. history[person].Select(pair => new HistoryItem(frame.Items[pair.Key], (float)pair.Value, 1, EventTypes.ItemViewed, from))],
            [.. history[person].Keys.Select(item => place[item]).Where(at => at >= 0)],
            later[person]))];
    }

    /// <summary>A model's scores for people in the order of the catalogue; items that were not live are out of the race. Which item is which is looked up once for all of them.</summary>
    public static Func<TestPerson, float[]> ScoresOf(ItemRecommender model, IReadOnlyList<ItemSnapshot> items, DateTimeOffset at, Func<PersonTaste, PersonTaste>? told = null)
    {
        const int Gone = -2;
        int[] places = [.. items.Select(item => item.Status == "live" ? model.IndexOf(item.Item.Id) : Gone)];
        return person =>
        {
            var taste = model.TasteOf(person.History);
            var byModel = model.Scores(told?.Invoke(taste) ?? taste, new ItemRecommender.Moment(at));
            return Array.ConvertAll(places, place => place == Gone ? float.NegativeInfinity : byModel is not null && place >= 0 ? byModel[place] : 0);
        };
    }

    /// <summary>Measures a ranking.</summary>
    public static RankingFigures Measure(IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, Func<TestPerson, float[]> score, CancellationToken ct)
    {
        var ended = Enumerable.Range(0, items.Count).Where(i => items[i].Status != "live").ToArray();
        var n = people.Count;
        var figures = new RankingFigures(new double[n], new double[n], new double[n], new double[n], new double[n]);
        for (var p = 0; p < n; p++)
        {
            ct.ThrowIfCancellationRequested();
            var person = people[p];
            var scores = score(person);
            var ranked = Array.ConvertAll(TopK.Of(scores, K, [.. person.Met, .. ended]), item => item.Index);
            figures.Ndcg[p] = RankingMetrics.Ndcg(ranked, person.Relevant, K);
            figures.Map[p] = RankingMetrics.AveragePrecision(ranked, person.Relevant, K);
            figures.Mrr[p] = RankingMetrics.ReciprocalRank(ranked, person.Relevant, K);
            figures.Hit[p] = RankingMetrics.HitRate(ranked, person.Relevant, K);
            figures.Auc[p] = Auc(scores, person);
        }

        return figures;
    }

    /// <summary>Share of pairs of a relevant and another live, new item in the right order, ties counting half.</summary>
    private static double Auc(float[] scores, TestPerson person)
    {
        // Few are relevant and many are not: the few are sorted, and each of the others counts below those that it stands under.
        var met = person.Met.ToHashSet();
        float[] relevant = [.. person.Relevant.Select(item => scores[item]).Order()];
        var (above, level) = (new long[relevant.Length + 1], new long[relevant.Length + 1]);
        var others = 0L;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] > float.NegativeInfinity && !met.Contains(i) && !person.Relevant.Contains(i))
            {
                others++;
                above[LowerBound(relevant, scores[i], strict: true)]++;
                level[LowerBound(relevant, scores[i], strict: false)]++;
            }
        }

        // From the first relevant one that is higher on, all are; from the first that is as high on, all are that or higher.
        double right = 0;
        var (lower, upTo) = (0L, 0L);
        for (var n = 0; n < relevant.Length; n++)
        {
            (lower, upTo) = (lower + above[n], upTo + level[n]);
            right += lower + ((upTo - lower) / 2.0);
        }

        return others == 0 ? 0.5 : right / ((double)others * person.Relevant.Count);
    }

    /// <summary>Number of values below <paramref name="limit"/>, or with <paramref name="strict"/> up to and including it.</summary>
    private static int LowerBound(float[] sorted, float limit, bool strict)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < limit || (strict && sorted[middle] == limit)) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
