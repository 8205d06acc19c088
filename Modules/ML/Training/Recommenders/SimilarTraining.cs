using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training.Recommenders;

/// <summary>
/// Trains <see cref="SimilarItems"/>. Split: the newest share of interactions is the test. A case is an item that somebody looked at then, live at the split, and
/// the other live items that the same person looked at within the hour after it. Weights are chosen on cases of the slice before the test.
/// </summary>
internal sealed class SimilarTraining(IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelTraining
{
    private const int MostCases = 2_000;

    /// <summary>Cases that what matters is measured on: each name that items are compared by ranks them once more.</summary>
    private const int ImportanceCases = 300;

    /// <summary>Name of the metric of how much the first ten have in common with what they are shown beside.</summary>
    public const string Alikeness = "traits in common of the first ten";

    private const string Baseline = "same make and model, nearest price";
    private static readonly double[] CoViewWeights = [0, 0.3, 1, 3];
    private static readonly double[] PriceWeights = [0, 0.1, 0.3, 1];
    private readonly RecommenderKnobs knobs = options.Recommender;
    private InteractionFrame frame = null!;
    private IReadOnlyList<ItemSnapshot> catalogue = [];
    private SimilarItems measured = null!;
    private SimilarityWeights weights = new(1, 0.3);
    private DateTimeOffset now;
    private DateTimeOffset splitAt;
    private int trainRows;
    private IReadOnlyList<Action> questions = [];
    private HeldOutRows? heldOut;

    public override string Model => ModelNames.SimilarVehicles;

    public override bool LargerIsBetter => true;

    public override HeldOutRows? HeldOutRows => heldOut;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        now = clock.GetUtcNow();
        (catalogue, frame, splitAt, var sliceAt) = await InteractionSplit.ReadVehiclesAsync(bus, now, options, progress, ct);

        // Weights, on the slice of time before the test.
        var (early, earlyItems) = await FitAsync(sliceAt, weights, ct);
        var slice = Cases(earlyItems, sliceAt, splitAt);
        if (slice.Count >= knobs.MinTestPeople)
        {
            weights = (from coViews in CoViewWeights from price in PriceWeights select new SimilarityWeights(coViews, price))
                .MaxBy(tried => Measure(early.Weighted(tried), earlyItems, slice, ct).Ndcg.Average())!;
        }

        progress?.Report(new WorkProgress(0.5, "measuring on later visits"));
        (measured, var items) = await FitAsync(splitAt, weights, ct);
        trainRows = frame.RowsAsOf(splitAt).Count();
        var cases = Cases(items, splitAt, DateTimeOffset.MaxValue);
        if (cases.Count < knobs.MinTestPeople)
        {
            throw new TooLittleDataException($"Only {cases.Count} vehicles were looked at after {splitAt:u} with others in the same hour; {knobs.MinTestPeople} are needed.");
        }

        var (ours, nearest) = (Measure(measured, items, cases, ct), MeasureNearest(items, cases, ct));
        double? old = null;
        if (serving is { } before && before.Until <= splitAt)
        {
            old = Measure(SimilarItems.Load(before.Artefact).With(items, rates), items, cases, ct).Ndcg.Average();
        }

        // Cases of one person are alike: intervals draw people.
        var units = HeldOutUnits.By([.. cases.Select(one => one.Of)], knobs.Seed);
        var find = Finder(measured, items);
        var likeness = new Likeness(items, rates);
        double[] AlikeOf(Func<TestPerson, int[]> finder) => [.. cases.Select(one => finder(one).Select(found => likeness.Of(one.Met[0], found)).DefaultIfEmpty().Average())];
        var (alike, nearestAlike) = (AlikeOf(find), AlikeOf(NearestFinder(items)));
        questions = [.. cases.Take(HeldOutQuestions.Most).Select(one => (Action)(() => find(one)))];
        progress?.Report(new WorkProgress(0.8, "what matters, and to whom"));
        heldOut = Pairs(measured, items, cases, ct);
        var importance = Importance(measured, items, [.. cases.Take(ImportanceCases)], ct);
        progress?.Report(new WorkProgress(1, "measured"));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by time at {splitAt:yyyy-MM-dd HH:mm} UTC: {cases.Count} vehicles looked at after it with {cases.Sum(one => one.Relevant.Count)} others in the same hour, among {items.Count(item => item.Status == "live")} live ones; co-views count {weights.CoViews:0.##}, ln of prices {weights.Price:0.##} (chosen on {slice.Count} cases before it)"),
            [
                .. ours.All.Where(row => row.Name != "AUC").Zip(nearest.All.Where(row => row.Name != "AUC"), (row, baseline) => new MetricRow(row.Name, row.Values.Average(), baseline.Values.Average(), Baseline).Within(units.Mean(row.Values))),
                new MetricRow(Alikeness, alike.Average(), nearestAlike.Average(), Baseline, AlikeOf(one => likeness.Most(one.Met[0], Ranking.K)).Average()).Within(units.Mean(alike)),
            ],
            old)
        {
            RowsLearned = trainRows,
            RowsMeasured = cases.Sum(one => one.Relevant.Count),
            Importance = importance,
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) =>
        new(Fit(catalogue, frame, [.. Enumerable.Range(0, frame.Count)], weights, ct).Save(), knobs, Data(frame.Count), now, frame.Count);

    public override TrainedModel Measured() => new(measured.Save(), knobs, Data(trainRows), splitAt, trainRows);

    private object Data(int rows) => new { interactions = rows, items = catalogue.Count, splitAt, asOf = now, weights };

    private async Task<(SimilarItems Model, IReadOnlyList<ItemSnapshot> Items)> FitAsync(DateTimeOffset at, SimilarityWeights by, CancellationToken ct)
    {
        var items = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(at), ct);
        return items.Count == 0 ? throw new TooLittleDataException($"No vehicle was known by {at:u}.") : (Fit(items, frame.AsOf(at), [.. frame.RowsAsOf(at)], by, ct), items);
    }

    private SimilarItems Fit(IReadOnlyList<ItemSnapshot> items, InteractionFrame then, int[] rows, SimilarityWeights by, CancellationToken ct) =>
        SimilarItems.Fit(items, ItemRecommender.Weights(then, rows, [.. items.Select(item => item.Item.Id)]), by, knobs, rates, options.Threads, ct);

    /// <summary>Items looked at in a span of time with what the same person looked at within the hour after.</summary>
    private List<TestPerson> Cases(IReadOnlyList<ItemSnapshot> items, DateTimeOffset from, DateTimeOffset until)
    {
        var places = items.Select((item, place) => (item, place)).Where(pair => pair.item.Status == "live").ToDictionary(pair => pair.item.Item.Id, pair => pair.place, StringComparer.Ordinal);
        var place = Array.ConvertAll(frame.Items, id => places.GetValueOrDefault(id, -1));
        var cases = new List<TestPerson>();
        foreach (var own in Enumerable.Range(0, frame.Count)
            .Where(row => frame.OccurredAt[row] > from.UtcTicks && frame.OccurredAt[row] <= until.UtcTicks && frame.KnownAt[row] <= until.UtcTicks && frame.Weight[row] > 0 && place[frame.Item[row]] >= 0)
            .GroupBy(row => frame.Person[row]))
        {
            var rows = own.OrderBy(row => frame.OccurredAt[row]).ToArray();
            var asked = new HashSet<int>();
            for (var i = 0; i < rows.Length; i++)
            {
                var item = place[frame.Item[rows[i]]];
                var others = rows.Skip(i + 1).TakeWhile(row => frame.OccurredAt[row] - frame.OccurredAt[rows[i]] <= TimeSpan.TicksPerHour).Select(row => place[frame.Item[row]]).Where(other => other != item).ToHashSet();
                if (others.Count > 0 && asked.Add(item))
                {
                    cases.Add(new TestPerson(items[item].Item.Id, [], [item], others) { Of = frame.People[own.Key] });
                }
            }
        }

        var drawn = cases.ToArray();
        new Random(knobs.Seed).Shuffle(drawn);
        return [.. drawn.Take(MostCases)];
    }

    /// <summary>By how much NDCG@10 falls without who looked at both, without the distance of prices, and without what items say of each name; the most important one first.</summary>
    private ColumnImportance[] Importance(SimilarItems model, IReadOnlyList<ItemSnapshot> items, IReadOnlyList<TestPerson> cases, CancellationToken ct)
    {
        double Worth(SimilarItems tried) => Measure(tried, items, cases, ct).Ndcg.Average();
        var whole = Worth(model);
        ColumnImportance[] found =
        [
            new("co-views", whole - Worth(model.Weighted(weights with { CoViews = 0 }))), new("price", whole - Worth(model.Weighted(weights with { Price = 0 }))),
            new("content", whole - Worth(model.WithoutContent(null))), .. model.ContentNames.Select(name => new ColumnImportance($"content {name}", whole - Worth(model.WithoutContent(name)))),
        ];
        return [.. found.OrderByDescending(one => one.LossIncrease)];
    }

    /// <summary>Every vehicle that was looked at after one in the same hour: whether it stood among the first ten (1) or not (0), beside 1 for the best there is. By traits of both and by the seller.</summary>
    private HeldOutRows Pairs(SimilarItems model, IReadOnlyList<ItemSnapshot> items, IReadOnlyList<TestPerson> cases, CancellationToken ct)
    {
        var (find, rows, hits) = (Finder(model, items), new List<string?[]>(), new List<float>());
        var traits = ItemKind.Vehicle.Traits;
        foreach (var one in cases)
        {
            ct.ThrowIfCancellationRequested();
            var (shown, of) = (find(one).ToHashSet(), items[one.Met[0]]);
            foreach (var other in one.Relevant.Order())
            {
                rows.Add([.. traits.Select(name => ItemKind.TraitOf(of, name, rates)), .. traits.Select(name => ItemKind.TraitOf(items[other], name, rates)), items[other].Item.SellerId]);
                hits.Add(shown.Contains(other) ? 1 : 0);
            }
        }

        string[] names = [.. traits.Select(name => $"asked {name}"), .. traits.Select(name => $"item {name}"), "seller"];
        return new HeldOutRows([.. names.Select((name, c) => new RawColumn(name, [.. rows.Select(row => row[c])]))], [.. hits.Select(_ => 1f)], [.. hits], 0);
    }

    private RankingFigures Measure(SimilarItems model, IReadOnlyList<ItemSnapshot> items, IReadOnlyList<TestPerson> cases, CancellationToken ct) => ListsOf(cases, Finder(model, items), ct);

    /// <summary>What a model finds for a case, by places.</summary>
    private Func<TestPerson, int[]> Finder(SimilarItems model, IReadOnlyList<ItemSnapshot> items)
    {
        var allowed = new ItemMask(model.Ids.Count);
        var placeOf = items.Select((item, place) => (item.Item.Id, place)).ToDictionary(pair => pair.Id, pair => pair.place, StringComparer.Ordinal);
        foreach (var item in items.Where(item => item.Status == "live"))
        {
            allowed[model.IndexOf(item.Item.Id)] = true;
        }

        return one => [.. model.Find(model.IndexOf(one.Id), Ranking.K, allowed, knobs.SimilarPriceBand).Where(found => placeOf.ContainsKey(model.Ids[found.Index])).Select(found => placeOf[model.Ids[found.Index]])];
    }

    private RankingFigures MeasureNearest(IReadOnlyList<ItemSnapshot> items, IReadOnlyList<TestPerson> cases, CancellationToken ct) => ListsOf(cases, NearestFinder(items), ct);

    private Func<TestPerson, int[]> NearestFinder(IReadOnlyList<ItemSnapshot> items)
    {
        var nearest = new NearestPrice(items, rates);
        return one => nearest.Find(one.Met[0], Ranking.K);
    }

    private static RankingFigures ListsOf(IReadOnlyList<TestPerson> cases, Func<TestPerson, int[]> find, CancellationToken ct)
    {
        var n = cases.Count;
        var figures = new RankingFigures(new double[n], new double[n], new double[n], new double[n], []);
        for (var i = 0; i < n; i++)
        {
            ct.ThrowIfCancellationRequested();
            var ranked = find(cases[i]);
            figures.Ndcg[i] = RankingMetrics.Ndcg(ranked, cases[i].Relevant, Ranking.K);
            figures.Map[i] = RankingMetrics.AveragePrecision(ranked, cases[i].Relevant, Ranking.K);
            figures.Mrr[i] = RankingMetrics.ReciprocalRank(ranked, cases[i].Relevant, Ranking.K);
            figures.Hit[i] = RankingMetrics.HitRate(ranked, cases[i].Relevant, Ranking.K);
        }

        return figures;
    }
}

/// <summary>How much vehicles have in common: the share of the traits stated of both that are the same.</summary>
internal sealed class Likeness
{
    private readonly int[][] traits;
    private readonly int[] live;

    public Likeness(IReadOnlyList<ItemSnapshot> items, ExchangeRates rates)
    {
        var words = new Dictionary<string, int>(StringComparer.Ordinal);
        int Number(string? word) => word is null ? -1 : words.TryGetValue(word, out var known) ? known : words[word] = words.Count;
        traits = [.. items.Select(item => ItemKind.Vehicle.Traits.Select(name => Number(ItemKind.TraitOf(item, name, rates))).ToArray())];
        live = [.. Enumerable.Range(0, items.Count).Where(place => items[place].Status == "live")];
    }

    /// <summary>Of two items, by their places; 0 when nothing is stated of both.</summary>
    public double Of(int one, int other)
    {
        var (same, stated, a, b) = (0, 0, traits[one], traits[other]);
        for (var t = 0; t < a.Length; t++)
        {
            var both = a[t] >= 0 && b[t] >= 0;
            stated += both ? 1 : 0;
            same += both && a[t] == b[t] ? 1 : 0;
        }

        return stated == 0 ? 0 : (double)same / stated;
    }

    /// <summary>The live ones that have most in common with an item, whatever they cost and whoever looked at them: nothing that is found could have more.</summary>
    public int[] Most(int item, int limit) => [.. live.Where(other => other != item).OrderByDescending(other => Of(item, other)).Take(limit)];
}

/// <summary>The baseline, and what answers before a model is trained: live vehicles of the same make and model by distance of price, then of the same make, then of the same body.</summary>
internal sealed class NearestPrice
{
    private readonly IReadOnlyList<ItemSnapshot> items;
    private readonly double[] prices;
    private readonly Dictionary<string, int[]> byKey;

    public NearestPrice(IReadOnlyList<ItemSnapshot> items, ExchangeRates rates)
    {
        this.items = items;
        prices = [.. items.Select(item => rates.ToUsd(item.Item.Price, item.PricedAt) is > 0 and var usd ? Math.Log((double)usd) : double.NaN)];
        byKey = items.Select((item, place) => (item, place)).Where(pair => pair.item.Status == "live").SelectMany(pair => Keys(pair.item.Item).Select(key => (key, pair.place)))
            .GroupBy(pair => pair.key, pair => pair.place, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Places of the nearest items.</summary>
    public int[] Find(int item, int limit)
    {
        var found = new List<int>();
        foreach (var key in Keys(items[item].Item))
        {
            if (found.Count >= limit)
            {
                break;
            }

            found.AddRange(byKey.GetValueOrDefault(key, []).Where(other => other != item && !found.Contains(other)).OrderBy(other => Math.Abs(prices[other] - prices[item]) is var apart && double.IsNaN(apart) ? 9 : apart)
                .ThenBy(other => items[other].Item.Id, StringComparer.Ordinal).Take(limit - found.Count));
        }

        return [.. found];
    }

    private static string[] Keys(CatalogItem item) => [$"model {item.Text("make")}|{item.Text("model")}", $"make {item.Text("make")}|{item.Text("bodyType")}", $"body {item.Text("bodyType")}"];
}
