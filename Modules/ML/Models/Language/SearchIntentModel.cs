using OKLA.ML.Algorithms.Text;
using OKLA.ML.Serving;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>What somebody who types a query wants.</summary>
internal static class QueryIntents
{
    public const string Search = "search", Compare = "compare", Price = "price", Financing = "financing", Sell = "sell", Dealer = "dealer", TestDrive = "test_drive", AfterSales = "after_sales", Other = "other";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Search, Compare, Price, Financing, Sell, Dealer, TestDrive, AfterSales, Other];
}

/// <summary>A slot of an understood query.</summary>
/// <param name="Name">make, model, year, year_min, year_max, price, price_min, price_max, body, place, use, fuel, transmission or condition.</param>
/// <param name="Text">As it was typed.</param>
/// <param name="Value">What it means: a name as listings have it, or a year; null when that is not known.</param>
/// <param name="Amount">An amount of money; null for all else.</param>
internal sealed record QuerySlot(string Name, string Text, string? Value, Money? Amount = null);

/// <summary>A query that was understood.</summary>
/// <param name="Intent">One of <see cref="QueryIntents"/>.</param>
/// <param name="Confidence">Its probability.</param>
/// <param name="Slots">In the order of the query.</param>
internal sealed record UnderstoodQuery(string Intent, double Confidence, IReadOnlyList<QuerySlot> Slots);

/// <summary>
/// Intent and slots of Spanish queries: a tagger of words (<see cref="SequenceTagger"/>) marks the slots, a linear classifier tells the intent from the words with
/// slots by their names, and the gazetteer says what the marked words mean. Immutable.
/// </summary>
internal sealed class SearchIntentModel(Gazetteer gazetteer, SequenceTagger tagger, TextClassifier classifier) : IServedModel
{
    /// <summary>Longest query, in characters.</summary>
    public const int LongestQuery = 500;

    private const int Format = 1;

    public ModelSignature Signature { get; } = new("multiclass", [new("query", "text", Required: true, Example: "jeepeta toyota 2018 menos de 1.2 millones en santiago")], classifier.Classes);

    public Gazetteer Gazetteer => gazetteer;

    /// <summary>Learns from labelled queries.</summary>
    public static SearchIntentModel Fit(IReadOnlyList<TaggedQuery> queries, Gazetteer gazetteer, int seed, CancellationToken ct)
    {
        TaggedSequence[] sequences = [.. queries.Select(query => new TaggedSequence(QueryFeatures.Of(query.Tokens, gazetteer), query.Tags()))];
        var tagger = SequenceTagger.Fit(sequences, new SequenceTaggerOptions { Seed = seed }, ct);
        var classifier = TextClassifier.Fit(
            [.. queries.Select(query => Bare(query.Tokens, query.Slots))], [.. queries.Select(query => query.Intent)],
            new TextClassifierOptions { Vectorizer = new TextVectorizerOptions { HashBits = 16, Words = (1, 3), Chars = (3, 5), Threads = 1, Stem = false, FoldAccents = true, NormalizeSlang = false }, Seed = seed }, cancellation: ct);
        return new SearchIntentModel(gazetteer, tagger, classifier);
    }

    /// <summary>The slots of a query.</summary>
    public List<QuerySpan> Spans(IReadOnlyList<QueryToken> tokens) => tokens.Count == 0 ? [] : TaggedQuery.Spans(tagger.Tag(QueryFeatures.Of(tokens, gazetteer)));

    /// <summary>The probability of each intent, in the order of the signature's classes.</summary>
    public double[] Intents(IReadOnlyList<QueryToken> tokens, IReadOnlyList<QuerySpan> spans) => classifier.Probabilities(Bare(tokens, spans));

    /// <summary>Intent and slots of a query.</summary>
    public UnderstoodQuery Understand(string query)
    {
        var tokens = QueryTokens.Of(query);
        var spans = Spans(tokens);
        var intents = Intents(tokens, spans);
        var best = Array.IndexOf(intents, intents.Max());
        return new UnderstoodQuery(classifier.Classes[best], intents[best], Meanings(query, tokens, spans, gazetteer));
    }

    /// <summary>What a query says by its names and numbers alone: known names as they are spelt, years, and amounts as upper bounds. Speaks while no version serves.</summary>
    public static UnderstoodQuery ByNames(string query, Gazetteer gazetteer)
    {
        var tokens = QueryTokens.Of(query);
        return new UnderstoodQuery(QueryIntents.Search, 0, Meanings(query, tokens, SpansByNames(tokens, gazetteer), gazetteer));
    }

    /// <summary>The slots that names and numbers alone show.</summary>
    public static List<QuerySpan> SpansByNames(IReadOnlyList<QueryToken> tokens, Gazetteer gazetteer)
    {
        var spans = new List<QuerySpan>();
        var taken = new bool[tokens.Count];
        void Take(string slot, int first, int count)
        {
            if (!taken.AsSpan(first, count).Contains(true))
            {
                spans.Add(new QuerySpan(slot, first, count));
                taken.AsSpan(first, count).Fill(true);
            }
        }

        foreach (var found in gazetteer.Find(tokens).Where(found => found.Exact))
        {
            Take(found.Name.Slot, found.First, found.Count);
        }

        for (var i = 0; i < tokens.Count; i++)
        {
            if (QueryFeatures.Kind(tokens[i].Text) == "year")
            {
                Take("year", i, 1);
                continue;
            }

            var count = 0;
            while (i + count < tokens.Count && QueryFeatures.Kind(tokens[i + count].Text) is "amount" or "number" or "scale" or "currency")
            {
                count++;
            }

            if (count > 1 || (count == 1 && QueryFeatures.Kind(tokens[i].Text) == "amount"))
            {
                Take("price_max", i, count);
                i += count - 1;
            }
        }

        return [.. spans.OrderBy(span => span.First)];
    }

    public Prediction[] Predict(IReadOnlyList<string?[]> rows, int threads = 1) => [.. rows.Select(row =>
    {
        var tokens = QueryTokens.Of(row[0] is { } query ? query[..Math.Min(query.Length, LongestQuery)] : "");
        var intents = Intents(tokens, Spans(tokens));
        var best = Array.IndexOf(intents, intents.Max());
        return new Prediction(intents[best], Label: classifier.Classes[best], Probabilities: intents);
    })];

    public Explanation[]? Explain(IReadOnlyList<string?[]> rows, CancellationToken ct = default) => null;

    /// <summary>The model as bytes; its parts bear checksums.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Format);
            writer.Write(gazetteer.Names.Count);
            foreach (var name in gazetteer.Names)
            {
                writer.Write(name.Slot);
                writer.Write(name.Form);
                writer.Write(name.Value);
                writer.Write(name.Parent ?? "");
            }
        }

        tagger.Save(stream);
        classifier.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or damaged.</exception>
    public static SearchIntentModel Load(byte[] artefact)
    {
        try
        {
            using var stream = new MemoryStream(artefact);
            using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
            if (reader.ReadInt32() != Format)
            {
                throw new InvalidDataException("This is not a model of search intents of a known format.");
            }

            var names = new SlotName[reader.ReadInt32()];
            for (var i = 0; i < names.Length; i++)
            {
                names[i] = new SlotName(reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString() is { Length: > 0 } parent ? parent : null);
            }

            return new SearchIntentModel(new Gazetteer(names), SequenceTagger.Load(stream), TextClassifier.Load(stream));
        }
        catch (Exception cut) when (cut is EndOfStreamException or FormatException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException("This is not a model of search intents, or it is cut off.", cut);
        }
    }

    /// <summary>What marked words mean.</summary>
    private static QuerySlot[] Meanings(string query, IReadOnlyList<QueryToken> tokens, IReadOnlyList<QuerySpan> spans, Gazetteer gazetteer)
    {
        string[] Words(QuerySpan span) => [.. tokens.Skip(span.First).Take(span.Count).Select(token => token.Text)];
        var upper = spans.FirstOrDefault(span => span.Slot is "price_max" or "price");
        return [.. spans.Select(span =>
        {
            var words = Words(span);
            var text = query[tokens[span.First].Start..(tokens[span.First + span.Count - 1].Start + tokens[span.First + span.Count - 1].Length)];
            switch (span.Slot)
            {
                case "year" or "year_min" or "year_max":
                    return new QuerySlot(span.Slot, text, SlotValues.Year(words)?.ToString(System.Globalization.CultureInfo.InvariantCulture));
                case "price" or "price_max":
                    return new QuerySlot(span.Slot, text, null, SlotValues.Amount(words));
                case "price_min":
                    var other = upper is null ? [] : Words(upper);
                    return new QuerySlot(span.Slot, text, null, SlotValues.Amount(words, SlotValues.ScaleOf(other), SlotValues.CurrencyOf(other)));
                default:
                    return new QuerySlot(span.Slot, text, gazetteer.Resolve(span.Slot, string.Join(' ', words))?.Value);
            }
        })];
    }

    // The words with each slot by its name: "cuanto vale una xmake xmodel xyear".
    private static string Bare(IReadOnlyList<QueryToken> tokens, IReadOnlyList<QuerySpan> spans)
    {
        var words = tokens.Select(token => QueryFeatures.Kind(token.Text) is "amount" or "number" ? "xnumber" : token.Text).ToArray();
        foreach (var span in spans)
        {
            words.AsSpan(span.First, span.Count).Fill("");
            words[span.First] = "x" + span.Slot.Split('_')[0];
        }

        return string.Join(' ', words.Where(word => word.Length > 0));
    }
}
