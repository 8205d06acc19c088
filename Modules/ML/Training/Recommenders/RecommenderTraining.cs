using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training.Recommenders;

/// <summary>
/// Trains the recommender of a kind. Split: the newest share of interactions by event time is the test. Each person who had a history before
/// it and met an item for the first time in it is measured on those items, among all items that were live at the split and new to the
/// person; what is known of the person is the earlier history, as it is when serving. The weights of the parts come from the newest share of what lies before the test.
/// </summary>
internal sealed class RecommenderTraining(ItemKind kind, IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelTraining
{
    /// <summary>People asked the simulator about: each costs one true probability an item, of which there are so many at most.</summary>
    private const int MaxCeilingPeople = 300, MaxCeilingPairs = 10_000_000;

    /// <summary>True probabilities asked for at once: each question reads the catalogue, so that one a person would cost a large one hundreds of times.</summary>
    private const int CeilingPairsAtOnce = 2_500_000;

    private readonly RecommenderKnobs knobs = options.Recommender;
    private InteractionFrame frame = null!;
    private IReadOnlyList<ItemSnapshot> catalogue = [];
    private ItemRecommender measured = null!;
    private BlendWeights weights = null!;
    private DateTimeOffset now;
    private DateTimeOffset splitAt;
    private int trainRows;
    private HeldOutRows? heldOut;
    private FirstVisitMeasures first = null!;
    private float coldWeight;
    private IReadOnlyList<Action> questions = [];

    public override string Model => kind.Model;

    public override bool LargerIsBetter => true;

    public override HeldOutRows? HeldOutRows => heldOut;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        // Load.
        progress?.Report(new WorkProgress(0, "reading interactions"));
        now = clock.GetUtcNow();
        catalogue = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now, kind.Name), ct);
        frame = OfKind(await bus.InvokeAsync<InteractionFrame>(new GetInteractionFrame(now), ct), catalogue);
        if (frame.Count < knobs.MinInteractions || catalogue.Count == 0)
        {
            throw new TooLittleDataException($"There are {frame.Count} interactions with {catalogue.Count} items of kind {kind.Name}; {knobs.MinInteractions} are needed.");
        }

        // Split by time: the model sees the interactions and the catalogue exactly as they were known at the split.
        splitAt = frame.TimeOfShare(1 - options.HoldOutShare, DateTimeOffset.MaxValue);
        var then = frame.AsOf(splitAt);
        var before = then.RowsAsOf(splitAt).ToArray();
        trainRows = before.Length;
        var catalogueThen = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(splitAt, kind.Name), ct);
        if (before.Length == 0 || catalogueThen.All(item => item.Status != "live"))
        {
            throw new TooLittleDataException($"Nothing was known by {splitAt:u}, where the test begins.");
        }

        var people = Ranking.People(then, before, catalogueThen, splitAt, DateTimeOffset.MaxValue, knobs);
        if (people.Count < knobs.MinTestPeople)
        {
            throw new TooLittleDataException($"Only {people.Count} people met a new item after {splitAt:u}; {knobs.MinTestPeople} are needed to measure.");
        }

        // Weights of the parts and of what first visits tell, from the slice of time before the test.
        first = new FirstVisitMeasures(kind, frame, await bus.InvokeAsync<IReadOnlyList<FirstVisit>>(new GetFirstVisits(now), ct), knobs, rates);
        weights = await StackAsync(new ProgressPart(progress, 0.05, 0.35), ct);

        // Fit.
        var all = ItemRecommender.Fit(RecommenderData.Of(kind, then, before, catalogueThen, splitAt, knobs), knobs, rates, options.Threads, new Passes(new ProgressPart(progress, 0.35, 0.6)), ct);
        var spread = all.Spread(Tastes(all, people), knobs.Seed);
        var cold = first.At(splitAt, before, catalogueThen, coldWeight);
        measured = all.Weighted(weights.Parts, spread, weights.Context).With(cold);

        // Evaluate beside popularity, each part, the serving version and the ceiling.
        progress?.Report(new WorkProgress(0.6, "measuring on later interactions"));
        var ours = MeasureOf(measured, people, catalogueThen, ct);
        var popularity = BestPopularity(people, catalogueThen, before, ct);
        var parts = all.Parts.Select(part => (part.Name, MeasureOf(all.Weighted(new Dictionary<string, double> { [part.Name] = 1 }, spread, NoContext), people, catalogueThen, ct).Ndcg.Average())).ToList();
        parts.Add(("starting weights", MeasureOf(all.Weighted(new Dictionary<string, double>(knobs.StartWeights), spread, NoContext), people, catalogueThen, ct).Ndcg.Average()));
        var ceiling = await CeilingAsync(people, catalogueThen, ct);
        var cases = first.Cases(catalogueThen, splitAt, DateTimeOffset.MaxValue);
        var newcomers = await FirstVisitsAsync(cold, cases, catalogueThen, before, ct);
        var measures = new RecommenderMeasures(kind, weights, splitAt, rates);
        progress?.Report(new WorkProgress(0.9, "what matters, and to whom"));
        questions = Asked(people, catalogueThen);
        heldOut = measures.Met(measured, people, catalogueThen, ct);
        var importance = measures.Importance(all, measured, spread, people, catalogueThen, popularity.Figures.Ndcg, ct);
        progress?.Report(new WorkProgress(1, "measured"));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by time at {splitAt:yyyy-MM-dd HH:mm} UTC: {before.Length} interactions before it, {frame.Count - before.Length} after it; {people.Count} people measured on {people.Sum(person => person.Relevant.Count)} items new to them, among {catalogueThen.Count(item => item.Status == "live")} live ones; ceiling over {ceiling.People} people; {cases.Count} first visits; weights {string.Join(", ", weights.Parts.Where(pair => pair.Value > 0).Select(pair => $"{pair.Key} {pair.Value:0.00}"))}: {weights.Said}"),
            [
                .. ours.All.Zip(popularity.Figures.All, (row, baseline) => new MetricRow(
                    row.Name, row.Values.Average(), baseline.Values.Average(), popularity.Name, ceiling.Figures?.All.First(figure => figure.Name == row.Name).Values.Average()).Within(RangeOf(row.Values))),
                .. parts.Select(part => new MetricRow($"NDCG@10, {part.Name}", part.Item2, popularity.Figures.Ndcg.Average(), popularity.Name, ceiling.Figures?.Ndcg.Average())),
                .. newcomers,
            ],
            Serving(serving, people, catalogueThen, ct))
        {
            RowsLearned = before.Length,
            RowsMeasured = people.Sum(person => person.Relevant.Count),
            Importance = importance,
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var only = weights.Parts.Where(pair => pair.Value > 0).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var data = RecommenderData.Of(kind, frame, [.. Enumerable.Range(0, frame.Count)], catalogue, now, knobs, only);
        var all = ItemRecommender.Fit(data, knobs, rates, options.Threads, new Passes(progress), ct);
        var model = all.Weighted(weights.Parts, all.Spread(Tastes(all, Ranking.People(frame, Enumerable.Range(0, frame.Count), catalogue, DateTimeOffset.MinValue, now, knobs)), knobs.Seed), weights.Context);
        model = model.With(first.At(now, [.. Enumerable.Range(0, frame.Count)], catalogue, coldWeight));
        return new TrainedModel(model.Save(), knobs, Data(frame.Count), now, frame.Count);
    }

    public override TrainedModel Measured() => new(measured.Save(), knobs, Data(trainRows), splitAt, trainRows);

    private IReadOnlyList<double> NoContext => new double[kind.Context.Count];

    private object Data(int rows) => new { interactions = rows, people = frame.People.Length, items = catalogue.Count, splitAt, asOf = now, weights = weights.Parts, context = weights.Context, stacking = weights.Said, firstVisits = coldWeight };

    private async Task<BlendWeights> StackAsync(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        if (knobs.StackShare == 0)
        {
            return BlendWeights.Alone(AlsPart.Key, kind, "stacking is turned off");
        }

        var from = frame.TimeOfShare(1 - knobs.StackShare, splitAt);
        var then = frame.AsOf(from);
        var rows = then.RowsAsOf(from).ToArray();
        var items = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(from, kind.Name), ct);
        coldWeight = first.Learn(first.At(from, rows, items, 1), items, from, splitAt, ct);

        // The slice ends where the test begins, and knows nothing that became known later.
        var people = Ranking.People(then, rows, items, from, splitAt, knobs);
        if (people.Count < knobs.MinTestPeople)
        {
            return BlendWeights.Alone(AlsPart.Key, kind, $"{people.Count} people in the slice before the test are too few to learn weights from: ALS alone");
        }

        var early = ItemRecommender.Fit(RecommenderData.Of(kind, then, rows, items, from, knobs), knobs, rates, options.Threads, new Passes(progress), ct);
        return Stacking.Learn(early, early.Spread(Tastes(early, people), knobs.Seed), people, items, from, knobs, ct);
    }

    /// <summary>Figures of people who came for the first time after the split: with all that is known of how they came, and with what is known before they search.</summary>
    private async Task<IReadOnlyList<MetricRow>> FirstVisitsAsync(ColdStart cold, List<(TestPerson Person, FirstVisit Visit)> cases, IReadOnlyList<ItemSnapshot> items, int[] before, CancellationToken ct)
    {
        if (cases.Count < knobs.MinTestPeople)
        {
            return [];
        }

        List<TestPerson> people = [.. cases.Select(one => one.Person)];
        var (popular, ceiling) = (BestPopularity(people, items, before, ct), await CeilingAsync(people, items, ct));
        // Measured with a weight even where the words tell nothing, so that the figure says so.
        var tried = coldWeight > 0 ? cold : cold.Weighted(1);
        MetricRow Row(string name, Func<string, bool> told)
        {
            var values = first.Measure(tried, items, cases, told, ct).Ndcg;
            return new MetricRow($"NDCG@10 of first visits, {name}", values.Average(), popular.Figures.Ndcg.Average(), popular.Name, ceiling.Figures?.Ndcg.Average()).Within(RangeOf(values));
        }

        return
        [
            Row("what is known of how they came", _ => true), Row("device and campaign alone", word => word.StartsWith("device=", StringComparison.Ordinal) || word.StartsWith("campaign=", StringComparison.Ordinal)),
            Row("nothing but demand", _ => false),
        ];
    }

    /// <summary>The first ten for each of some people, with the reasons, as somebody who comes is answered.</summary>
    private IReadOnlyList<Action> Asked(IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items)
    {
        var (model, moment, allowed) = (measured, new ItemRecommender.Moment(splitAt), new ItemMask(measured.Ids.Count));
        foreach (var item in items.Where(item => item.Status == "live" && model.IndexOf(item.Item.Id) >= 0))
        {
            allowed[model.IndexOf(item.Item.Id)] = true;
        }

        return [.. people.Take(HeldOutQuestions.Most).Select(person => (Action)(() => model.Recommend(person.History, Ranking.K, allowed, person.Met.Select(i => items[i].Item.Id), moment)))];
    }

    /// <summary>The interval of a mean over people, each of whom is independent of the others.</summary>
    private MetricRange RangeOf(double[] values) => MetricRange.Of(Bootstrap.Mean(values, seed: knobs.Seed));

    private static PersonTaste[] Tastes(ItemRecommender model, IEnumerable<TestPerson> people) => [.. people.Take(200).Select(person => model.TasteOf(person.History))];

    private RankingFigures MeasureOf(ItemRecommender model, IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, CancellationToken ct) =>
        Ranking.Measure(people, items, Ranking.ScoresOf(model, items, splitAt), ct);

    private double? Serving((byte[] Artefact, DateTimeOffset Until)? serving, IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, CancellationToken ct)
    {
        if (serving is not { } old || old.Until > splitAt)
        {
            return null;
        }

        try
        {
            return MeasureOf(ItemRecommender.Load(old.Artefact, kind).With(items, rates), people, items, ct).Ndcg.Average();
        }
        catch (InvalidDataException)
        {
            // A version of an older format cannot answer, so any that can is better.
            return null;
        }
    }

    /// <summary>The interactions with items of the kind; lists shown stay as they are.</summary>
    private static InteractionFrame OfKind(InteractionFrame all, IReadOnlyList<ItemSnapshot> items)
    {
        var ids = items.Select(item => item.Item.Id).ToHashSet(StringComparer.Ordinal);
        var own = Array.ConvertAll(all.Items, ids.Contains);
        return all.Only([.. Enumerable.Range(0, all.Count).Where(row => own[all.Item[row]])]);
    }

    /// <summary>Popularity of the last week before the split, or of all time: whichever ranks better.</summary>
    private (string Name, RankingFigures Figures) BestPopularity(IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, int[] before, CancellationToken ct)
    {
        var (week, always) = (Popularity(items, before, splitAt.AddDays(-7)), Popularity(items, before, DateTimeOffset.MinValue));
        var (ofWeek, ofAlways) = (Ranking.Measure(people, items, _ => week, ct), Ranking.Measure(people, items, _ => always, ct));
        return ofWeek.Ndcg.Average() >= ofAlways.Ndcg.Average() ? ("popularity of the last week", ofWeek) : ("popularity", ofAlways);
    }

    private float[] Popularity(IReadOnlyList<ItemSnapshot> items, int[] before, DateTimeOffset from)
    {
        var sums = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach (var row in before.Where(row => frame.OccurredAt[row] > from.UtcTicks))
        {
            var id = frame.Items[frame.Item[row]];
            sums[id] = sums.GetValueOrDefault(id) + frame.Weight[row];
        }

        return [.. items.Select(item => item.Status == "live" ? sums.GetValueOrDefault(item.Item.Id) : float.NegativeInfinity)];
    }

    /// <summary>The same figures for a ranking by the true probabilities, where a simulation knows them.</summary>
    private async Task<(int People, RankingFigures? Figures)> CeilingAsync(List<TestPerson> people, IReadOnlyList<ItemSnapshot> items, CancellationToken ct)
    {
        var live = Enumerable.Range(0, items.Count).Where(i => items[i].Status == "live").ToArray();
        var truth = new Dictionary<TestPerson, float[]>();
        var asked = people.Take(Math.Min(MaxCeilingPeople, Math.Max(1, MaxCeilingPairs / Math.Max(1, live.Length))));
        foreach (var some in asked.Chunk(Math.Max(1, CeilingPairsAtOnce / Math.Max(1, live.Length))))
        {
            (string, string)[] pairs = [.. some.SelectMany(person => live.Select(i => (person.Id, items[i].Item.Id)))];
            var answer = await bus.InvokeAsync<TrueProbabilities>(new GetTrueProbabilities(pairs, splitAt), ct);
            for (var p = 0; p < some.Length && answer.Values.Length == pairs.Length; p++)
            {
                var values = answer.Values[(p * live.Length)..((p + 1) * live.Length)];
                if (values.Any(double.IsNaN))
                {
                    continue;
                }

                var scores = Enumerable.Repeat(float.NegativeInfinity, items.Count).ToArray();
                for (var i = 0; i < live.Length; i++)
                {
                    scores[live[i]] = (float)values[i];
                }

                truth.Add(some[p], scores);
            }
        }

        return truth.Count == 0 ? (0, null) : (truth.Count, Ranking.Measure([.. truth.Keys], items, person => truth[person], ct));
    }

    private sealed class Passes(IProgress<WorkProgress>? progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress?.Report(new WorkProgress((double)value.Iteration / value.Iterations, $"factorising, pass {value.Iteration} of {value.Iterations}"));
    }
}
