using Microsoft.Extensions.Options;
using OKLA.ML.Models.Frames;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>
/// What somebody who types a query wants, and which vehicle.
/// Entity: a query. Label: its intent and its slots, known since a grammar makes the queries to learn from out of the catalogue's names. Features: the words, what
/// they may name, their neighbours. Trainer: structured perceptron for slots, logistic regression for intents. Gate: slot F1 on queries written by hand must beat
/// the match of known names. Answer: POST /api/search/intent.
/// </summary>
internal sealed class SearchIntentClassifier(FrameSource source, IOptions<MLOptions> options) : ModelDefinition
{
    public override string Name => ModelNames.SearchIntentClassifier;

    public override string Summary => "What somebody who types a query wants, and which vehicle: intent and slots.";

    public override IReadOnlyList<ModelTarget> Targets { get; } = [new("slot F1, by hand", 0.90), new("intent macro F1, by hand", 0.90)];

    public override ModelTraining NewTraining() => new SearchIntentTraining(source, options.Value);

    public override ModelTraining NewTraining(TrainingWorld world) => new SearchIntentTraining(source.In(world), world.Options);

    public override IServedModel Load(byte[] artefact) => SearchIntentModel.Load(artefact);
}

/// <summary>Trains <see cref="SearchIntentModel"/> on queries of a grammar and measures it on those written by hand, which nothing learns from.</summary>
internal sealed class SearchIntentTraining(FrameSource source, MLOptions options) : ModelTraining
{
    private const int Queries = 12_000, TestQueries = 2_000, Seed = 42;
    private Gazetteer gazetteer = null!;
    private SearchIntentModel measured = null!;
    private DateTimeOffset until;

    public override string Model => ModelNames.SearchIntentClassifier;

    public override bool LargerIsBetter => true;

    // Words are few; a slot of one word says nearly all there is to say.
    public override GateSettings Gates { get; } = new() { SingleColumn = 1 };

    public override ModelSignature? Signature => measured?.Signature;

    public override IReadOnlyList<Action> Questions => [.. WrittenQueries.Final.Select(query => (Action)(() => measured.Intents(QueryTokens.Of(query.Text), measured.Spans(query.Tokens))))];

    public override async Task<HeldOut> EvaluateAsync((byte[] Artefact, DateTimeOffset Until)? serving, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        progress?.Report(new WorkProgress(0, "reading the catalogue"));
        until = source.Now;
        gazetteer = Gazetteer.Of(await source.Bus.InvokeAsync<IReadOnlyList<ItemSnapshot>>(new GetItemFrame(until), ct));
        var grammar = new QueryGrammar(gazetteer, Seed);
        progress?.Report(new WorkProgress(0.1, "learning from queries of the grammar"));
        measured = SearchIntentModel.Fit(grammar.Make(Queries, test: false), gazetteer, Seed, ct);
        progress?.Report(new WorkProgress(0.9, "measuring on queries written by hand"));
        var (final, looked, made) = (QueryFigures.Of(measured, WrittenQueries.Final), QueryFigures.Of(measured, WrittenQueries.Looked), QueryFigures.Of(measured, grammar.Make(TestQueries, test: true)));
        const string Names = "match of known names", Majority = "always a search";
        return new HeldOut(
            $"{Queries:N0} queries of a grammar to learn from; {WrittenQueries.Final.Count} written by hand and {TestQueries:N0} of the grammar with phrases, makes and typing errors that none to learn from has to measure on; {WrittenQueries.Looked.Count} more by hand were looked at while features were chosen",
            [
                new MetricRow("slot F1, by hand", final.SlotF1, final.NamesF1, Names).Within(final.SlotRange), new MetricRow("intent macro F1, by hand", final.IntentF1, final.MajorityF1, Majority).Within(final.IntentRange),
                new MetricRow("intent accuracy, by hand", final.IntentAccuracy, final.MajorityAccuracy, Majority), new MetricRow("whole query right, by hand", final.Whole, final.NamesWhole, Names + ", " + Majority),
                new MetricRow("slot F1, looked at", looked.SlotF1, looked.NamesF1, Names), new MetricRow("intent macro F1, looked at", looked.IntentF1, looked.MajorityF1, Majority),
                new MetricRow("slot F1, unseen phrases", made.SlotF1, made.NamesF1, Names).Within(made.SlotRange), new MetricRow("intent macro F1, unseen phrases", made.IntentF1, made.MajorityF1, Majority).Within(made.IntentRange),
            ],
            serving is { } old && SearchIntentModel.Load(old.Artefact) is var theirs ? QueryFigures.Of(theirs, WrittenQueries.Final).SlotF1 : null)
        {
            Bytes = measured.Save().Length,
            RowsLearned = Queries,
            RowsMeasured = WrittenQueries.Final.Count,
        };
    }

    // What was measured is what serves: more queries of the same grammar would teach nothing new.
    public override TrainedModel Refit(IProgress<WorkProgress>? progress, CancellationToken ct) => Measured();

    public override TrainedModel Measured() => new(
        measured.Save(), new { queries = Queries, seed = Seed, threads = options.Threads },
        new { names = gazetteer.Names.Count, grammar = Queries, writtenByHand = WrittenQueries.Final.Count, lookedAt = WrittenQueries.Looked.Count }, until, Queries);
}

/// <summary>How well queries are understood.</summary>
/// <param name="SlotF1">Micro F1 of slots: name and words exactly as labelled.</param>
/// <param name="NamesF1">The same of the match of known names.</param>
/// <param name="IntentF1">Macro F1 of intents.</param>
/// <param name="MajorityF1">The same of always answering a search.</param>
/// <param name="IntentAccuracy">Share of intents told right.</param>
/// <param name="MajorityAccuracy">Share of searches.</param>
/// <param name="Whole">Share of queries with intent and every slot right.</param>
/// <param name="NamesWhole">The same of the two baselines together.</param>
internal sealed record QueryFigures(double SlotF1, double NamesF1, double IntentF1, double MajorityF1, double IntentAccuracy, double MajorityAccuracy, double Whole, double NamesWhole)
{
    /// <summary>Interval of <see cref="SlotF1"/>, drawing queries.</summary>
    public MetricRange? SlotRange { get; private init; }

    /// <summary>Interval of <see cref="IntentF1"/>.</summary>
    public MetricRange? IntentRange { get; private init; }

    /// <summary>Measures a model.</summary>
    public static QueryFigures Of(SearchIntentModel model, IReadOnlyList<TaggedQuery> queries)
    {
        var spans = queries.Select(query => model.Spans(query.Tokens)).ToArray();
        var named = queries.Select(query => SearchIntentModel.SpansByNames(query.Tokens, model.Gazetteer)).ToArray();
        var classes = model.Signature.Classes;
        string[] intents = [.. queries.Select((query, q) => model.Intents(query.Tokens, spans[q]) is var told ? classes[Array.IndexOf(told, told.Max())] : "")];
        string[] truth = [.. queries.Select(query => query.Intent)], majority = [.. truth.Select(_ => QueryIntents.Search)];
        double Accuracy(string[] told) => truth.Zip(told).Count(pair => pair.First == pair.Second) / (double)truth.Length;
        double Whole(string[] told, List<QuerySpan>[] found) => Enumerable.Range(0, truth.Length).Count(q => told[q] == truth[q] && found[q].ToHashSet().SetEquals(queries[q].Slots)) / (double)truth.Length;
        var units = HeldOutUnits.Rows(truth.Length);
        return new QueryFigures(F1(queries, spans), F1(queries, named), MacroF1(truth, intents), MacroF1(truth, majority), Accuracy(intents), Accuracy(majority), Whole(intents, spans), Whole(majority, named))
        {
            SlotRange = units.Ratio([.. queries.Select((query, q) => 2.0 * spans[q].Count(query.Slots.Contains))], [.. queries.Select((query, q) => (double)(spans[q].Count + query.Slots.Count))]),
            IntentRange = units.OfRows(rows => [MacroF1(Array.ConvertAll(rows, q => truth[q]), Array.ConvertAll(rows, q => intents[q]))])[0],
        };
    }

    private static double F1(IReadOnlyList<TaggedQuery> queries, List<QuerySpan>[] found)
    {
        var (right, said, true_) = (0, 0, 0);
        for (var q = 0; q < queries.Count; q++)
        {
            right += found[q].Count(queries[q].Slots.Contains);
            said += found[q].Count;
            true_ += queries[q].Slots.Count;
        }

        return said + true_ == 0 ? 1 : 2.0 * right / (said + true_);
    }

    private static double MacroF1(string[] truth, string[] told) => truth.Distinct().Average(one =>
    {
        var both = truth.Zip(told).Count(pair => pair.First == one && pair.Second == one);
        return 2.0 * both / (truth.Count(label => label == one) + told.Count(label => label == one));
    });
}
