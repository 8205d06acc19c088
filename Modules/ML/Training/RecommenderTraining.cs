using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training;

/// <summary>
/// Trains the vehicle recommender. Split: the newest share of interactions by event time is the test. Each person who had a history before
/// it and met an item for the first time in it is measured on those items, among all items that were live at the split and new to the
/// person; the vector is folded in from the earlier history, as it is when serving.
/// </summary>
internal sealed class RecommenderTraining(IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelTraining
{
    private const int K = 10;

    /// <summary>People asked the simulator about: each costs one true probability an item.</summary>
    private const int MaxCeilingPeople = 300;

    private readonly RecommenderKnobs knobs = options.Recommender;
    private InteractionFrame frame = null!;
    private IReadOnlyList<ItemSnapshot> catalogue = [];
    private VehicleRecommender measured = null!;
    private DateTimeOffset now;
    private DateTimeOffset splitAt;
    private int trainRows;

    public override string Model => ModelNames.VehicleRecommender;

    public override bool LargerIsBetter => true;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        // Load.
        progress?.Report(new WorkProgress(0, "reading interactions"));
        now = clock.GetUtcNow();
        frame = await bus.InvokeAsync<InteractionFrame>(new GetInteractionFrame(now), ct);
        catalogue = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(now), ct);
        if (frame.Count < knobs.MinInteractions || catalogue.Count == 0)
        {
            throw new TooLittleDataException($"There are {frame.Count} interactions with {catalogue.Count} vehicles; {knobs.MinInteractions} are needed.");
        }

        // Split by time: the model sees the interactions and the catalogue exactly as they were known at the split.
        splitAt = SplitTime();
        var before = frame.RowsAsOf(splitAt).ToArray();
        trainRows = before.Length;
        var catalogueThen = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(splitAt), ct);
        if (before.Length == 0 || catalogueThen.All(item => item.Status != "live"))
        {
            throw new TooLittleDataException($"Nothing was known by {splitAt:u}, where the test begins.");
        }

        // Fit.
        var fitting = new ProgressPart(progress, 0.1, 0.6);
        measured = VehicleRecommender.Fit(frame, before, catalogueThen, knobs, rates, options.Threads, new Passes(fitting), ct);

        // Evaluate beside popularity, the serving version and the ceiling.
        progress?.Report(new WorkProgress(0.6, "measuring on later interactions"));
        var people = TestPeople(before, catalogueThen);
        if (people.Count < knobs.MinTestPeople)
        {
            throw new TooLittleDataException($"Only {people.Count} people met a new vehicle after {splitAt:u}; {knobs.MinTestPeople} are needed to measure.");
        }

        var ours = Measure(people, catalogueThen, person => ScoresOf(measured, person, catalogueThen), ct);
        var popularity = BestPopularity(people, catalogueThen, before, ct);
        double? servingNdcg = null;
        if (serving is { } old && old.Until <= splitAt)
        {
            var oldModel = VehicleRecommender.Load(old.Artefact).With(catalogueThen, rates);
            servingNdcg = Measure(people, catalogueThen, person => ScoresOf(oldModel, person, catalogueThen), ct).Ndcg;
        }

        var ceiling = await CeilingAsync(people, catalogueThen, ct);
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by time at {splitAt:yyyy-MM-dd HH:mm} UTC: {before.Length} interactions before it, {frame.Count - before.Length} after it; {people.Count} people measured on {people.Sum(person => person.Relevant.Count)} vehicles new to them, among {catalogueThen.Count(item => item.Status == "live")} live ones; ceiling over {ceiling.People} people"),
            [
                new MetricRow("NDCG@10", ours.Ndcg, popularity.Figures.Ndcg, popularity.Name, ceiling.Figures?.Ndcg),
                new MetricRow("AUC", ours.Auc, popularity.Figures.Auc, popularity.Name, ceiling.Figures?.Auc),
                new MetricRow("MAP@10", ours.Map, popularity.Figures.Map, popularity.Name, ceiling.Figures?.Map),
                new MetricRow("MRR@10", ours.Mrr, popularity.Figures.Mrr, popularity.Name, ceiling.Figures?.Mrr),
                new MetricRow("Hit@10", ours.Hit, popularity.Figures.Hit, popularity.Name, ceiling.Figures?.Hit),
            ],
            servingNdcg);
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var model = VehicleRecommender.Fit(frame, Enumerable.Range(0, frame.Count), catalogue, knobs, rates, options.Threads, new Passes(progress), ct);
        return new TrainedModel(model.Save(), knobs, Data(frame.Count), now, frame.Count);
    }

    public override TrainedModel Measured() => new(measured.Save(), knobs, Data(trainRows), splitAt, trainRows);

    private object Data(int rows) => new { interactions = rows, people = frame.People.Length, items = catalogue.Count, splitAt, asOf = now };

    /// <summary>The event time after which the newest share of interactions of positive weight lies.</summary>
    private DateTimeOffset SplitTime()
    {
        var times = Enumerable.Range(0, frame.Count).Where(row => frame.Weight[row] > 0).Select(row => frame.OccurredAt[row]).Order().ToArray();
        if (times.Length < 2)
        {
            throw new TooLittleDataException("There are no interactions of positive weight.");
        }

        return new DateTimeOffset(times[Math.Clamp((int)(times.Length * (1 - options.HoldOutShare)) - 1, 0, times.Length - 2)], TimeSpan.Zero);
    }

    /// <summary>People with a history before the split and a first meeting with a then live item after it; drawn by the seed when there are many.</summary>
    private List<TestPerson> TestPeople(int[] before, IReadOnlyList<ItemSnapshot> items)
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
        var split = splitAt.UtcTicks;
        for (var row = 0; row < frame.Count; row++)
        {
            var (person, item) = (frame.Person[row], frame.Item[row]);
            if (frame.OccurredAt[row] > split && frame.Weight[row] > 0 && place[item] >= 0
                && history.TryGetValue(person, out var met) && met.Values.Any(weight => weight > 0) && !met.ContainsKey(item))
            {
                (later.TryGetValue(person, out var found) ? found : later[person] = []).Add(place[item]);
            }
        }

        var people = later.Keys.Order().ToArray();
        new Random(knobs.Seed).Shuffle(people);
        return [.. people.Take(knobs.MaxTestPeople).Select(person => new TestPerson(
            frame.People[person],
            [.. history[person].Select(pair => new HistoryItem(frame.Items[pair.Key], (float)pair.Value, 1, EventTypes.ItemViewed, splitAt))],
            [.. history[person].Keys.Select(item => place[item]).Where(at => at >= 0)],
            later[person]))];
    }

    /// <summary>A model's scores in the order of the catalogue; items that were not live are out of the race.</summary>
    private static float[] ScoresOf(VehicleRecommender model, TestPerson person, IReadOnlyList<ItemSnapshot> items)
    {
        var vector = model.FoldIn(person.History);
        var byModel = vector is null ? null : model.Scores(vector);
        var scores = new float[items.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = items[i].Status != "live" ? float.NegativeInfinity : byModel is not null && model.IndexOf(items[i].Item.Id) is >= 0 and var at ? byModel[at] : 0;
        }

        return scores;
    }

    private static Figures Measure(IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, Func<TestPerson, float[]> score, CancellationToken ct)
    {
        var ended = Enumerable.Range(0, items.Count).Where(i => items[i].Status != "live").ToArray();
        var sum = default(Figures);
        foreach (var person in people)
        {
            ct.ThrowIfCancellationRequested();
            var scores = score(person);
            var ranked = Array.ConvertAll(TopK.Of(scores, K, [.. person.Met, .. ended]), item => item.Index);
            sum = new Figures(
                sum.Ndcg + RankingMetrics.Ndcg(ranked, person.Relevant, K), sum.Map + RankingMetrics.AveragePrecision(ranked, person.Relevant, K),
                sum.Mrr + RankingMetrics.ReciprocalRank(ranked, person.Relevant, K), sum.Hit + RankingMetrics.HitRate(ranked, person.Relevant, K),
                sum.Auc + Auc(scores, person));
        }

        return new Figures(sum.Ndcg / people.Count, sum.Map / people.Count, sum.Mrr / people.Count, sum.Hit / people.Count, sum.Auc / people.Count);
    }

    /// <summary>Share of pairs of a relevant and another live, new item in the right order, ties counting half.</summary>
    private static double Auc(float[] scores, TestPerson person)
    {
        var met = person.Met.ToHashSet();
        var others = new List<float>(scores.Length);
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] > float.NegativeInfinity && !met.Contains(i) && !person.Relevant.Contains(i))
            {
                others.Add(scores[i]);
            }
        }

        others.Sort();
        double right = 0;
        foreach (var item in person.Relevant)
        {
            var (below, upTo) = (LowerBound(others, scores[item], strict: false), LowerBound(others, scores[item], strict: true));
            right += below + (upTo - below) / 2.0;
        }

        return others.Count == 0 ? 0.5 : right / ((double)others.Count * person.Relevant.Count);
    }

    /// <summary>Number of values below <paramref name="limit"/>, or with <paramref name="strict"/> up to and including it.</summary>
    private static int LowerBound(List<float> sorted, float limit, bool strict)
    {
        var (low, high) = (0, sorted.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < limit || (strict && sorted[middle] == limit)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    /// <summary>Popularity of the last week before the split, or of all time: whichever ranks better.</summary>
    private (string Name, Figures Figures) BestPopularity(IReadOnlyList<TestPerson> people, IReadOnlyList<ItemSnapshot> items, int[] before, CancellationToken ct)
    {
        var (week, always) = (Popularity(items, before, splitAt.AddDays(-7)), Popularity(items, before, DateTimeOffset.MinValue));
        var (ofWeek, ofAlways) = (Measure(people, items, _ => week, ct), Measure(people, items, _ => always, ct));
        return ofWeek.Ndcg >= ofAlways.Ndcg ? ("popularity of the last week", ofWeek) : ("popularity", ofAlways);
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
    private async Task<(int People, Figures? Figures)> CeilingAsync(List<TestPerson> people, IReadOnlyList<ItemSnapshot> items, CancellationToken ct)
    {
        var live = Enumerable.Range(0, items.Count).Where(i => items[i].Status == "live").ToArray();
        var truth = new Dictionary<TestPerson, float[]>();
        foreach (var person in people.Take(MaxCeilingPeople))
        {
            var pairs = Array.ConvertAll(live, i => (person.Id, items[i].Item.Id));
            var answer = await bus.InvokeAsync<TrueProbabilities>(new GetTrueProbabilities(pairs, splitAt), ct);
            if (answer.Values.Length != pairs.Length || answer.Values.Any(double.IsNaN))
            {
                continue;
            }

            var scores = Enumerable.Repeat(float.NegativeInfinity, items.Count).ToArray();
            for (var i = 0; i < live.Length; i++)
            {
                scores[live[i]] = (float)answer.Values[i];
            }

            truth.Add(person, scores);
        }

        return truth.Count == 0 ? (0, null) : (truth.Count, Measure([.. truth.Keys], items, person => truth[person], ct));
    }

    private readonly record struct Figures(double Ndcg, double Map, double Mrr, double Hit, double Auc);

    /// <summary>A person to be measured: earlier history, places of items already met, places of those met first after the split.</summary>
    private sealed record TestPerson(string Id, IReadOnlyList<HistoryItem> History, int[] Met, IReadOnlySet<int> Relevant);

    private sealed class Passes(IProgress<WorkProgress>? progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress?.Report(new WorkProgress((double)value.Iteration / value.Iterations, $"factorising, pass {value.Iteration} of {value.Iterations}"));
    }
}
