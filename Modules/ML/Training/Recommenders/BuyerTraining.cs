using System.Globalization;
using OKLA.ML.Algorithms.Evaluation;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.ML.Models.Recommenders;
using OKLA.ML.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training.Recommenders;

/// <summary>
/// Trains <see cref="BuyerFinder"/>. Split: the newest share of interactions is the test. A case is a live vehicle that somebody met for the first time then; everybody
/// active in the weeks before the split who had not met it is ranked, and those who then met it should stand above the others.
/// </summary>
internal sealed class BuyerTraining(IMessageBus bus, MLOptions options, ExchangeRates rates, TimeProvider clock) : ModelTraining
{
    private const int MostItems = 300, MostPeople = 3_000;

    /// <summary>What is learned from, of people drawn by the seed: one order over people needs no more, and each of the three fits costs as much as a recommender's.</summary>
    private const int MostInteractions = 1_500_000, MostPairs = 100_000;

    /// <summary>Vehicles that what matters is measured on: each part ranks everybody for them once more.</summary>
    private const int ImportanceItems = 100;

    private static readonly double[] ActivityWeights = [0, 0.25, 0.5, 1, 2, 4];
    private readonly RecommenderKnobs knobs = options.Recommender;
    private InteractionFrame frame = null!;
    private IReadOnlyList<ItemSnapshot> catalogue = [];
    private BuyerFinder measured = null!;
    private (string Name, IReadOnlyDictionary<string, double> Parts, double Activity) chosen;
    private DateTimeOffset now;
    private DateTimeOffset splitAt;
    private int trainRows;
    private IReadOnlyList<Action> questions = [];
    private HeldOutRows? heldOut;

    public override string Model => ModelNames.BuyerRecommender;

    public override bool LargerIsBetter => true;

    public override HeldOutRows? HeldOutRows => heldOut;

    public override IReadOnlyList<Action> Questions => questions;

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        now = clock.GetUtcNow();
        (catalogue, frame, splitAt, var sliceAt) = await InteractionSplit.ReadVehiclesAsync(bus, now, options, progress, ct);
        frame = frame.OfSomePeople(MostInteractions, knobs.Seed);

        // Which parts, and how much a person's activity counts: on the slice of time before the test.
        var early = await WorldAsync(sliceAt, splitAt, null, ct);
        progress?.Report(new WorkProgress(0.3, "choosing the weights"));
        var tried = new List<(string Name, IReadOnlyDictionary<string, double> Parts, double Activity)>();
        foreach (var (name, parts) in new[] { ("ALS alone", new Dictionary<string, double> { [AlsPart.Key] = 1 }), ("the starting weights", new Dictionary<string, double>(knobs.StartWeights)) })
        {
            tried.AddRange(ActivityWeights.Select(weight => (name, (IReadOnlyDictionary<string, double>)parts, weight)));
        }

        chosen = early.Cases.Count < knobs.MinTestPeople ? tried[0] : tried.MaxBy(way => early.Auc(early.FinderOf(way.Parts, way.Activity, knobs)).Average());

        progress?.Report(new WorkProgress(0.4, "learning what was known before the test"));
        var world = await WorldAsync(splitAt, DateTimeOffset.MaxValue, Only, ct);
        progress?.Report(new WorkProgress(0.8, "measuring on later meetings"));
        if (world.Cases.Count < knobs.MinTestPeople)
        {
            throw new TooLittleDataException($"Only {world.Cases.Count} vehicles were met by somebody new after {splitAt:u}; {knobs.MinTestPeople} are needed.");
        }

        trainRows = world.Rows;
        measured = world.FinderOf(chosen.Parts, chosen.Activity, knobs);
        var ours = world.Auc(measured);
        var activity = world.Auc((person, _) => world.People[person].History.Sum(item => item.Events));
        var ceiling = await CeilingAsync(world, ct);
        var interval = Bootstrap.Mean(ours, seed: knobs.Seed);
        double? old = null;
        if (serving is { } before && before.Until <= splitAt)
        {
            old = world.Auc(BuyerFinder.Load(before.Artefact).With(world.Items, rates)).Average();
        }

        progress?.Report(new WorkProgress(0.9, "what matters, and to whom"));
        questions = Asked(world);
        heldOut = Met(world, ct);
        var importance = Importance(world with { Cases = [.. world.Cases.Take(ImportanceItems)] }, ct);
        progress?.Report(new WorkProgress(1, "measured"));
        return new HeldOut(
            string.Create(CultureInfo.InvariantCulture, $"by time at {splitAt:yyyy-MM-dd HH:mm} UTC: {world.Cases.Count} live vehicles that somebody met for the first time after it, {world.People.Count} people active in the 30 days before it; {chosen.Name} with activity {chosen.Activity:0.##} (chosen on {early.Cases.Count} vehicles before it)"),
            [new MetricRow("AUC", ours.Average(), activity.Average(), "who is most active", ceiling).Within(MetricRange.Of(interval))], old)
        {
            RowsLearned = trainRows,
            RowsMeasured = world.Cases.Sum(one => one.Later.Count),
            Importance = importance,
        };
    }

    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var rows = Enumerable.Range(0, frame.Count).ToArray();
        var all = ItemRecommender.Fit(RecommenderData.Of(ItemKind.Vehicle, frame, rows, catalogue, now, knobs, Only) with { MostPairs = MostPairs }, knobs, rates, options.Threads, null, ct);
        var spread = all.Spread([.. HistoriesOf(frame, rows, now).Values.Take(200).Select(all.TasteOf)], knobs.Seed);
        var finder = new BuyerFinder(all.Weighted(chosen.Parts, spread, []), chosen.Activity);
        return new TrainedModel(finder.Save(), knobs, Data(frame.Count), now, frame.Count);
    }

    public override TrainedModel Measured() => new(measured.Save(), knobs, Data(trainRows), splitAt, trainRows);

    private object Data(int rows) => new { interactions = rows, items = catalogue.Count, splitAt, asOf = now, weights = chosen.Parts, activity = chosen.Activity };

    /// <summary>Who should hear of each of some vehicles, the first ten of everybody, whose tastes are known by then.</summary>
    private IReadOnlyList<Action> Asked(World world)
    {
        var (finder, readers) = (measured, world.People.Select(person => measured.Read(person.History)).ToArray());
        return [.. world.Cases.Select(one => finder.Recommender.IndexOf(world.Items[one.Item].Item.Id)).Select(item => (Action)(() => TopK.Of(Array.ConvertAll(readers, reader => (float)finder.Score(reader, item)), Ranking.K)))];
    }

    /// <summary>The parts that were chosen.</summary>
    private HashSet<string> Only => chosen.Parts.Keys.ToHashSet(StringComparer.Ordinal);

    /// <summary>By how much the AUC falls without a part (<c>part als</c>) and without how active a person is; a part that stands alone is held against activity. The most important one first.</summary>
    private ColumnImportance[] Importance(World some, CancellationToken ct)
    {
        double Worth(IReadOnlyDictionary<string, double> parts, double activity)
        {
            ct.ThrowIfCancellationRequested();
            return some.Auc(some.FinderOf(parts, activity, knobs)).Average();
        }

        var whole = Worth(chosen.Parts, chosen.Activity);
        string[] used = [.. chosen.Parts.Where(pair => pair.Value > 0).Select(pair => pair.Key)];
        return
        [
            .. used.Select(part => new ColumnImportance($"part {part}", whole - (used.Length == 1
                ? some.Auc((person, _) => some.People[person].History.Sum(item => item.Events)).Average()
                : Worth(chosen.Parts.ToDictionary(pair => pair.Key, pair => pair.Key == part ? 0 : pair.Value, StringComparer.Ordinal), chosen.Activity))))
                .Append(new ColumnImportance("activity", whole - Worth(chosen.Parts, 0))).OrderByDescending(one => one.LossIncrease),
        ];
    }

    /// <summary>Everybody who met a vehicle for the first time later: the share of the others who stand below, as the AUC counts it, beside 1 for the best there is.</summary>
    private HeldOutRows Met(World world, CancellationToken ct)
    {
        var meetings = new Meetings(ItemKind.Vehicle, world.Items, rates);
        foreach (var (person, item, below) in world.Foreseen(measured).OrderBy(one => one.Person).ThenBy(one => one.Item))
        {
            ct.ThrowIfCancellationRequested();
            meetings.Add(world.People[person].Id, world.People[person].History, item, (float)below);
        }

        return meetings.Table();
    }

    /// <summary>What was known at a time, and the items that somebody met for the first time until another.</summary>
    private async Task<World> WorldAsync(DateTimeOffset at, DateTimeOffset until, IReadOnlySet<string>? only, CancellationToken ct)
    {
        var items = await bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(at), ct);
        var frame = this.frame.AsOf(at);
        var rows = frame.RowsAsOf(at).ToArray();
        var model = ItemRecommender.Fit(RecommenderData.Of(ItemKind.Vehicle, frame, rows, items, at, knobs, only) with { MostPairs = MostPairs }, knobs, rates, options.Threads, null, ct);
        var histories = HistoriesOf(frame, rows, at).OrderBy(pair => pair.Key).ToArray();
        new Random(knobs.Seed).Shuffle(histories);
        histories = [.. histories.Take(MostPeople)];
        var placeOf = histories.Select((pair, place) => (pair.Key, place)).ToDictionary(pair => pair.Key, pair => pair.place);
        var met = rows.Select(row => (frame.Person[row], frame.Item[row])).ToHashSet();
        var index = Array.ConvertAll(frame.Items, model.IndexOf);
        var later = new Dictionary<int, HashSet<int>>();
        for (var row = 0; row < frame.Count; row++)
        {
            var item = index[frame.Item[row]];
            if (frame.OccurredAt[row] > at.UtcTicks && frame.OccurredAt[row] <= until.UtcTicks && frame.KnownAt[row] <= until.UtcTicks && frame.Weight[row] > 0 && item >= 0 && items[item].Status == "live"
                && placeOf.TryGetValue(frame.Person[row], out var person) && !met.Contains((frame.Person[row], frame.Item[row])))
            {
                (later.TryGetValue(item, out var known) ? known : later[item] = []).Add(person);
            }
        }

        var before = met.Where(pair => index[pair.Item2] >= 0 && placeOf.ContainsKey(pair.Item1)).ToLookup(pair => index[pair.Item2], pair => placeOf[pair.Item1]);
        var cases = later.Keys.Order().ToArray();
        new Random(knobs.Seed).Shuffle(cases);
        return new World(
            items, rows.Length, model, [.. histories.Select(pair => new RankedPerson(frame.People[pair.Key], pair.Value))],
            [.. cases.Take(MostItems).Select(item => new BuyerCase(item, later[item], before[item].ToHashSet()))], at);
    }

    /// <summary>What each person active in the 30 days before a time did in them.</summary>
    private static Dictionary<int, IReadOnlyList<HistoryItem>> HistoriesOf(InteractionFrame frame, int[] rows, DateTimeOffset at) =>
        rows.Where(row => frame.OccurredAt[row] > at.AddDays(-30).UtcTicks).GroupBy(row => frame.Person[row]).ToDictionary(own => own.Key, own => (IReadOnlyList<HistoryItem>)[.. own.GroupBy(row => frame.Item[row])
            .Select(same => new HistoryItem(frame.Items[same.Key], same.Sum(row => frame.Weight[row]), same.Count(), EventTypes.ItemViewed, at))]);

    private async Task<double?> CeilingAsync(World world, CancellationToken ct)
    {
        var values = new List<double>();
        foreach (var one in world.Cases.Take(100))
        {
            var asked = Enumerable.Range(0, world.People.Count).Where(person => !one.Known.Contains(person)).ToArray();
            var truth = await bus.InvokeAsync<TrueProbabilities>(new GetTrueProbabilities([.. asked.Select(person => (world.People[person].Id, world.Items[one.Item].Item.Id))], world.At), ct);
            var known = Enumerable.Range(0, Math.Min(asked.Length, truth.Values.Length)).Where(n => double.IsFinite(truth.Values[n])).ToArray();
            bool[] labels = [.. known.Select(n => one.Later.Contains(asked[n]))];
            if (labels.Contains(true) && labels.Contains(false))
            {
                values.Add(BinaryMetrics.RocAuc([.. known.Select(n => truth.Values[n])], labels));
            }
        }

        return values.Count == 0 ? null : values.Average();
    }

    /// <summary>A person of a time.</summary>
    private sealed record RankedPerson(string Id, IReadOnlyList<HistoryItem> History);

    /// <summary>An item, who met it for the first time later, and who had met it before.</summary>
    private sealed record BuyerCase(int Item, IReadOnlySet<int> Later, IReadOnlySet<int> Known);

    /// <summary>What was known at a time, and what came of it.</summary>
    private sealed record World(IReadOnlyList<ItemSnapshot> Items, int Rows, ItemRecommender Model, IReadOnlyList<RankedPerson> People, IReadOnlyList<BuyerCase> Cases, DateTimeOffset At)
    {
        /// <summary>The finder of some weights.</summary>
        public BuyerFinder FinderOf(IReadOnlyDictionary<string, double> parts, double activity, RecommenderKnobs knobs) =>
            new(Model.Weighted(parts, Model.Spread([.. People.Take(200).Select(person => Model.TasteOf(person.History))], knobs.Seed), []), activity);

        /// <summary>By person and item that met later, the share of the others who score lower, ties counting half.</summary>
        public IEnumerable<(int Person, int Item, double Below)> Foreseen(BuyerFinder finder)
        {
            var people = People.Select(person => finder.Read(person.History)).ToArray();
            foreach (var one in Cases)
            {
                var item = finder.Recommender.IndexOf(Items[one.Item].Item.Id);
                var scores = Array.ConvertAll(people, person => finder.Score(person, item));
                double[] others = [.. Enumerable.Range(0, scores.Length).Where(person => !one.Known.Contains(person) && !one.Later.Contains(person)).Select(person => scores[person])];
                if (others.Length == 0)
                {
                    continue;
                }

                foreach (var person in one.Later)
                {
                    yield return (person, one.Item, (others.Count(score => score < scores[person]) + (others.Count(score => score.Equals(scores[person])) / 2.0)) / others.Length);
                }
            }
        }

        /// <summary>AUC over people of each item.</summary>
        public double[] Auc(BuyerFinder finder)
        {
            var people = People.Select(person => finder.Read(person.History)).ToArray();
            return Auc((person, item) => finder.Score(people[person], finder.Recommender.IndexOf(Items[item].Item.Id)));
        }

        /// <summary>AUC over people of each item.</summary>
        public double[] Auc(Func<int, int, double> score)
        {
            var values = new List<double>();
            foreach (var one in Cases)
            {
                int[] asked = [.. Enumerable.Range(0, People.Count).Where(person => !one.Known.Contains(person))];
                bool[] labels = [.. asked.Select(one.Later.Contains)];
                if (labels.Contains(true) && labels.Contains(false))
                {
                    values.Add(BinaryMetrics.RocAuc([.. asked.Select(person => score(person, one.Item))], labels));
                }
            }

            return [.. values.DefaultIfEmpty(0.5)];
        }
    }
}
