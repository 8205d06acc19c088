using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Which items of a kind a person will want to see.
/// Entity: a person and the items of the catalogue. Label: any later interaction with an item the person had not met before.
/// Features: the person's weighted interactions, and what the kind declares of its items (<see cref="ItemKind"/>).
/// Trainer: implicit ALS, a factorisation machine, two towers, content and trend side by side, each scoring by an inner product; their weights are learned by
/// stacking on a later slice of time (<see cref="Training.Recommenders.Stacking"/>), and those that do not pay are dropped.
/// Gate: NDCG@10 on later events above popularity and not below the serving version.
/// Answer: the items of the largest weighted sum, each with the history item that gave most to it.
/// </summary>
internal sealed class ItemRecommender
{
    private const int Format = 3;

    /// <summary>The format before: without what first visits tell.</summary>
    private const int FormatBefore = 2;

    private const string Header = "OKLA.ItemRecommender";

    /// <summary>Candidates that the moment and the place may put in another order.</summary>
    private const int Candidates = 300;

    private readonly string[] ids;
    private readonly Dictionary<string, int> index;
    private readonly ContentIndex content;
    private readonly ItemContext[] contexts;
    private readonly RecommenderPart[] parts;
    private readonly float[] weights;
    private readonly float[] contextWeights;
    private readonly QuantizedTopK search;
    private readonly float[] vectors;

    private ItemRecommender(ItemKind kind, string[] ids, ContentIndex content, ItemContext[] contexts, RecommenderPart[] parts, float[] weights, float[] contextWeights, ColdStart? cold = null)
    {
        Kind = kind;
        Cold = cold;
        this.ids = ids;
        this.content = content;
        this.contexts = contexts;
        this.parts = parts;
        this.weights = weights;
        this.contextWeights = contextWeights;
        index = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var i = 0; i < ids.Length; i++)
        {
            index.Add(ids[i], i);
        }

        vectors = Joined();
        Dimension = parts.Sum(part => part.Dimension);
        search = new QuantizedTopK(vectors, Dimension);
    }

    /// <summary>A recommended item.</summary>
    /// <param name="Index">Its place in <see cref="Ids"/>.</param>
    /// <param name="Score">Weighted sum; larger is better, comparable within one answer.</param>
    /// <param name="BecauseOf">The history item that gave most to the score; null when none gave anything.</param>
    public readonly record struct Pick(int Index, float Score, string? BecauseOf);

    /// <summary>Where and when an item takes place; NaN and 0 where it does not say.</summary>
    public readonly record struct ItemContext(long BeginsAt, double Latitude, double Longitude);

    /// <summary>What a question is asked with: the time, and where the person is when that is known.</summary>
    public readonly record struct Moment(DateTimeOffset At, GeoPoint? Place = null);

    /// <summary>The kind of its items.</summary>
    public ItemKind Kind { get; }

    /// <summary>Ids of the items, by index.</summary>
    public IReadOnlyList<string> Ids => ids;

    /// <summary>The ways of scoring that it holds.</summary>
    public IReadOnlyList<RecommenderPart> Parts => parts;

    /// <summary>The weight of each way, already divided by how far its scores spread.</summary>
    public IReadOnlyList<float> PartWeights => weights;

    /// <summary>Length of the vectors that are searched.</summary>
    public int Dimension { get; }

    /// <summary>What the items say of themselves.</summary>
    public ContentIndex Content => content;

    /// <summary>What is shown to somebody new; null where that was not learned.</summary>
    public ColdStart? Cold { get; }

    /// <summary>Index of an item, or -1.</summary>
    public int IndexOf(string id) => index.TryGetValue(id, out var i) ? i : -1;

    /// <summary>How much a sum of event weights counts: the tenth view says less than the first.</summary>
    public static float Strength(double weight) => weight > 0 ? (float)Math.Log2(1 + weight) : 0;

    /// <summary>Learns every way of scoring from the rows of a frame and the catalogue of the same time; all have the same weight yet.</summary>
    public static ItemRecommender Fit(RecommenderData data, RecommenderKnobs knobs, ExchangeRates rates, int threads, IProgress<TrainingProgress>? progress = null, CancellationToken ct = default)
    {
        var content = ContentIndex.Learn(data.Kind, data.Items, rates);
        var parts = new List<RecommenderPart>();
        if (Wanted(AlsPart.Key)) parts.Add(AlsPart.Fit(data.Weights, data.Items, data.Kind, knobs, rates, threads, progress, ct));
        var cuts = Wanted(MachinePart.Key) || Wanted(TowerPart.Key) ? TrainingCuts.Of(data.Order, data.Weights, content, data.Items, knobs, data.MostPairs) : null;
        if (Wanted(MachinePart.Key) && MachinePart.Fit(cuts!, content, knobs, null, ct) is { } machine) parts.Add(machine);
        if (Wanted(TowerPart.Key) && TowerPart.Fit(cuts!, content, knobs, threads, null, ct) is { } towers) parts.Add(towers);
        if (Wanted(ContentPart.Key) && ContentPart.Fit(content, knobs) is { } likeness) parts.Add(likeness);
        if (Wanted(TrendPart.Key)) parts.Add(TrendPart.Fit(data.Recent, data.Items, data.At, knobs));
        return new ItemRecommender(
            data.Kind, [.. data.Items.Select(item => item.Item.Id)], content, [.. data.Items.Select(item => ContextOf(item.Item))], [.. parts], [.. parts.Select(_ => 1f)], new float[data.Kind.Context.Count]);

        bool Wanted(string part) => part == AlsPart.Key || data.Only is null || data.Only.Contains(part);
    }

    /// <summary>The same parts with other weights, by name; those of weight 0 are dropped.</summary>
    /// <param name="by">Weight of each part for scores of the same spread.</param>
    /// <param name="spread">How far each part's scores spread, see <see cref="Spread"/>.</param>
    /// <param name="context">Weights of the kind's context features.</param>
    public ItemRecommender Weighted(IReadOnlyDictionary<string, double> by, IReadOnlyDictionary<string, double> spread, IReadOnlyList<double> context)
    {
        var kept = parts.Where(part => by.GetValueOrDefault(part.Name) > 0).ToArray();
        return kept.Length == 0 ? throw new ArgumentException("No part has a weight.", nameof(by))
            : new ItemRecommender(
                Kind, ids, content, contexts, kept, Array.ConvertAll(kept, part => (float)(by[part.Name] / Math.Max(1e-9, spread.GetValueOrDefault(part.Name, 1)))), [.. context.Select(weight => (float)weight)], Cold);
    }

    /// <summary>The same with what first visits tell.</summary>
    public ItemRecommender With(ColdStart cold) => new(Kind, ids, content, contexts, parts, weights, contextWeights, cold);

    /// <summary>The same with what is in demand now: where nothing of it reads the trend, itself.</summary>
    /// <param name="trend">The trend of its items, in the order of <see cref="Ids"/>.</param>
    public ItemRecommender With(TrendPart trend) => trend.Vectors.Length != ids.Length ? throw new ArgumentException("Not one trend an item.", nameof(trend))
        : parts.All(part => part is not TrendPart) && Cold is null ? this
        : new ItemRecommender(Kind, ids, content, contexts, Array.ConvertAll(parts, part => part is TrendPart ? trend : part), weights, contextWeights, Cold?.With(trend));

    /// <summary>How far the scores of each part spread for a person: the root mean square about each person's own mean, over people and items drawn by a seed.</summary>
    public IReadOnlyDictionary<string, double> Spread(IReadOnlyList<PersonTaste> people, int seed)
    {
        var random = new Random(seed);
        var spread = new Dictionary<string, double>(StringComparer.Ordinal);
        var drawn = Enumerable.Range(0, Math.Min(500, ids.Length)).Select(_ => random.Next(ids.Length)).ToArray();
        foreach (var part in parts)
        {
            var (sum, count) = (0.0, 0);
            foreach (var taste in people.Take(200))
            {
                if (part.Person(taste) is { } person)
                {
                    var scores = Array.ConvertAll(drawn, item => (double)TensorPrimitives.Dot(part.Item(item), person));
                    var mean = scores.Average();
                    sum += scores.Sum(score => (score - mean) * (score - mean));
                    count += scores.Length;
                }
            }

            spread[part.Name] = count > 0 && sum > 0 ? Math.Sqrt(sum / count) : 1;
        }

        return spread;
    }

    /// <summary>The same model with items it has not met. Itself when there are none.</summary>
    public ItemRecommender With(IEnumerable<ItemSnapshot> items, ExchangeRates rates)
    {
        var added = items.Where(item => !index.ContainsKey(item.Item.Id)).ToArray();
        if (added.Length == 0)
        {
            return this;
        }

        var longer = content.With(Kind, added, rates);
        var news = new NewItems(added, longer, Kind, rates);
        return new ItemRecommender(
            Kind, [.. ids, .. added.Select(item => item.Item.Id)], longer, [.. contexts, .. added.Select(item => ContextOf(item.Item))], Array.ConvertAll(parts, part => part.With(news)), weights, contextWeights,
            Cold?.With((TrendPart)Cold.Trend.With(news)));
    }

    /// <summary>What the model knows of a history.</summary>
    public PersonTaste TasteOf(IReadOnlyList<HistoryItem> history)
    {
        var known = history.Select(item => (Index: IndexOf(item.ItemId), Strength: Strength(item.Weight))).Where(item => item.Index >= 0 && item.Strength > 0).ToArray();
        var (items, strengths) = (Array.ConvertAll(known, item => item.Index), Array.ConvertAll(known, item => item.Strength));
        var (tokens, shares) = content.Profile(items, strengths);
        return new PersonTaste(items, strengths, tokens, shares);
    }

    /// <summary>The person's vector in the space that is searched; null when no part but the trend can tell anything of the person.</summary>
    public float[]? VectorOf(PersonTaste taste)
    {
        if (taste.Items.Length == 0)
        {
            return null;
        }

        var vector = new float[Dimension];
        var at = 0;
        for (var p = 0; p < parts.Length; p++)
        {
            if (parts[p].Person(taste) is { } own)
            {
                TensorPrimitives.Multiply(own, weights[p], vector.AsSpan(at, own.Length));
            }

            at += parts[p].Dimension;
        }

        return vector;
    }

    /// <summary>An item's vector in the space that is searched.</summary>
    public ReadOnlySpan<float> Vector(int item) => vectors.AsSpan(item * Dimension, Dimension);

    /// <summary>Scores of all items for a person, by index; null when nothing is known of the person.</summary>
    public float[]? Scores(PersonTaste taste, Moment moment)
    {
        if (VectorOf(taste) is not { } person)
        {
            return null;
        }

        var scores = new float[ids.Length];
        var place = HasContext ? PlaceOf(taste, moment) : null;
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = TensorPrimitives.Dot(Vector(i), person) + (HasContext ? Context(i, moment.At, place) : 0);
        }

        return scores;
    }

    /// <summary>The best items for a history, best first: those of <paramref name="allowed"/> without <paramref name="hidden"/>. Empty when the history holds nothing known.</summary>
    public Pick[] Recommend(IReadOnlyList<HistoryItem> history, int limit, ItemMask allowed, IEnumerable<string> hidden, Moment moment = default)
    {
        var taste = TasteOf(history);
        return Array.ConvertAll(Best(taste, limit, allowed, hidden, moment), item => new Pick(item.Index, item.Score, MostOf(taste, item.Index)));
    }

    /// <summary>The same without the reasons.</summary>
    public Scored[] Best(PersonTaste taste, int limit, ItemMask allowed, IEnumerable<string> hidden, Moment moment = default)
    {
        if (VectorOf(taste) is not { } person)
        {
            return [];
        }

        var without = hidden.Select(IndexOf).Where(i => i >= 0).ToArray();
        if (!HasContext)
        {
            return search.Search(person, limit, without, allowed);
        }

        var place = PlaceOf(taste, moment);
        var found = search.Search(person, Math.Max(limit, Candidates), without, allowed);
        var again = Array.ConvertAll(found, item => item with { Score = item.Score + Context(item.Index, moment.At, place) });
        Array.Sort(again);
        return again[..Math.Min(limit, again.Length)];
    }

    /// <summary>The best items for somebody new who came with these words, best first; empty when they tell nothing.</summary>
    public Scored[] First(IReadOnlyList<string> entry, int limit, ItemMask allowed, IEnumerable<string> hidden) =>
        Cold?.Scores(entry, content) is { } scores ? TopK.Of(scores, limit, [.. hidden.Select(IndexOf).Where(i => i >= 0)], allowed) : [];

    /// <summary>What each item of the history gave to an item's score, over the parts that are sums over the history; in the order of the taste.</summary>
    public float[] Because(PersonTaste taste, int item)
    {
        var sum = new float[taste.Items.Length];
        for (var p = 0; p < parts.Length; p++)
        {
            if (parts[p].Because(taste, item) is { } gave)
            {
                TensorPrimitives.MultiplyAdd(gave, weights[p], sum, sum);
            }
        }

        // Towers and machines are no sums over the history: where nothing else speaks, likeness of content does.
        return sum.Any(value => value != 0) ? sum : Array.ConvertAll(taste.Items, met => content.Cosine(met, item));
    }

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Header);
        writer.Write(Format);
        writer.Write(Kind.Name);
        writer.Write(JsonSerializer.Serialize(ids));
        content.Save(writer);
        writer.Write(MemoryMarshal.AsBytes(contexts.AsSpan()));
        writer.Write(JsonSerializer.Serialize(contextWeights));
        writer.Write(parts.Length);
        for (var p = 0; p < parts.Length; p++)
        {
            using var inner = new MemoryStream();
            using var to = new BinaryWriter(inner);
            parts[p].Save(to);
            to.Flush();
            writer.Write(parts[p].Name);
            writer.Write(weights[p]);
            writer.Write((int)inner.Length);
            writer.Write(inner.GetBuffer().AsSpan(0, (int)inner.Length));
        }

        writer.Write(Cold is not null);
        Cold?.Save(writer);
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, of another format or another kind.</exception>
    public static ItemRecommender Load(byte[] artefact, ItemKind kind)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != Header || (reader.ReadInt32() is var format && format is not (Format or FormatBefore)) || reader.ReadString() != kind.Name)
        {
            throw new InvalidDataException($"This is not a recommender of kind {kind.Name} and of a known format.");
        }

        var ids = JsonSerializer.Deserialize<string[]>(reader.ReadString())!;
        var content = ContentIndex.Load(reader);
        var contexts = new ItemContext[ids.Length];
        stream.ReadExactly(MemoryMarshal.AsBytes(contexts.AsSpan()));
        var contextWeights = JsonSerializer.Deserialize<float[]>(reader.ReadString())!;
        var (parts, weights) = (new RecommenderPart[reader.ReadInt32()], new List<float>());
        for (var p = 0; p < parts.Length; p++)
        {
            var name = reader.ReadString();
            weights.Add(reader.ReadSingle());
            using var inner = new BinaryReader(new MemoryStream(reader.ReadBytes(reader.ReadInt32())));
            parts[p] = name switch
            {
                AlsPart.Key => AlsPart.Load(inner),
                MachinePart.Key => MachinePart.Load(inner, content),
                TowerPart.Key => TowerPart.Load(inner),
                ContentPart.Key => ContentPart.Load(inner, content),
                TrendPart.Key => TrendPart.Load(inner),
                _ => throw new InvalidDataException($"There is no part named {name}."),
            };
            if (parts[p].Vectors.Length != ids.Length * parts[p].Dimension)
            {
                throw new InvalidDataException($"The part {name} has not one vector an item.");
            }
        }

        var cold = format == Format && reader.ReadBoolean() ? ColdStart.Load(reader, content) : null;
        return stream.Position != stream.Length || content.Items != ids.Length ? throw new InvalidDataException("The recommender is longer or shorter than it says.")
            : new ItemRecommender(kind, ids, content, contexts, parts, [.. weights], contextWeights, cold);
    }

    /// <summary>People × items with the strength of what happened between them; items that the catalogue does not hold are left out.</summary>
    internal static SparseMatrix Weights(InteractionFrame frame, IEnumerable<int> rows, string[] ids, Func<int, float>? factor = null)
    {
        var places = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var i = 0; i < ids.Length; i++)
        {
            places.Add(ids[i], i);
        }

        var column = Array.ConvertAll(frame.Items, id => places.GetValueOrDefault(id, -1));
        var (people, items, weights) = (new List<int>(), new List<int>(), new List<float>());
        foreach (var row in rows)
        {
            if (column[frame.Item[row]] >= 0)
            {
                people.Add(frame.Person[row]);
                items.Add(column[frame.Item[row]]);
                weights.Add(frame.Weight[row] * (factor?.Invoke(row) ?? 1));
            }
        }

        var sums = SparseMatrix.FromTriples(
            frame.People.Length, ids.Length, CollectionsMarshal.AsSpan(people), CollectionsMarshal.AsSpan(items), CollectionsMarshal.AsSpan(weights));

        // A pair whose weights cancel out was not observed: it must not stay as an entry of weight 0.
        var kept = new List<(int Row, int Column, float Value)>(sums.Count);
        for (var person = 0; person < sums.Rows; person++)
        {
            for (var k = 0; k < sums.RowCount(person); k++)
            {
                if (Strength(sums.RowValues(person)[k]) is > 0 and var strength)
                {
                    kept.Add((person, sums.RowIndices(person)[k], strength));
                }
            }
        }

        return SparseMatrix.FromTriples(sums.Rows, sums.Columns, kept);
    }

    /// <summary>The kind's context features of an item, larger for what suits: −ln(1 + days until it begins), −ln(1 + kilometres); NaN where not known.</summary>
    internal double[] ContextFeatures(int item, DateTimeOffset at, GeoPoint? place) => [.. Kind.Context.Select(name => name switch
    {
        "daysUntil" => contexts[item].BeginsAt == 0 ? double.NaN : -Math.Log(1 + Math.Max(0, (contexts[item].BeginsAt - at.UtcTicks) / (double)TimeSpan.TicksPerDay)),
        "distanceKm" => place is null || double.IsNaN(contexts[item].Latitude) ? double.NaN
            : -Math.Log(1 + ItemKind.Kilometres(place, new GeoPoint(contexts[item].Latitude, contexts[item].Longitude))),
        _ => throw new InvalidOperationException($"There is no context feature {name}."),
    })];

    /// <summary>Where the person is: as the question says, else the middle of what they looked at.</summary>
    internal GeoPoint? PlaceOf(PersonTaste taste, Moment moment)
    {
        if (moment.Place is not null)
        {
            return moment.Place;
        }

        var known = Enumerable.Range(0, taste.Items.Length).Where(n => !double.IsNaN(contexts[taste.Items[n]].Latitude)).ToArray();
        var total = known.Sum(n => taste.Strengths[n]);
        return known.Length == 0 ? null : new GeoPoint(
            known.Sum(n => taste.Strengths[n] * contexts[taste.Items[n]].Latitude) / total, known.Sum(n => taste.Strengths[n] * contexts[taste.Items[n]].Longitude) / total);
    }

    private bool HasContext => contextWeights.Any(weight => weight != 0);

    private float Context(int item, DateTimeOffset at, GeoPoint? place)
    {
        var features = ContextFeatures(item, at, place);
        var sum = 0.0;
        for (var i = 0; i < features.Length; i++)
        {
            sum += double.IsNaN(features[i]) ? 0 : contextWeights[i] * features[i];
        }

        return (float)sum;
    }

    private string? MostOf(PersonTaste taste, int item)
    {
        var gave = Because(taste, item);
        var most = gave.Length == 0 ? -1 : TensorPrimitives.IndexOfMax(gave);
        return most >= 0 && gave[most] > 0 ? ids[taste.Items[most]] : null;
    }

    private static ItemContext ContextOf(CatalogItem item)
    {
        var point = ItemKind.PointOf(item);
        return new ItemContext(ItemKind.BeginsAt(item)?.UtcTicks ?? 0, point?.Latitude ?? double.NaN, point?.Longitude ?? double.NaN);
    }

    /// <summary>The parts' vectors end to end, item after item; the weights stand on the person's side.</summary>
    private float[] Joined()
    {
        if (parts is [var only])
        {
            return only.Vectors;
        }

        var joined = new float[parts.Sum(part => part.Vectors.Length)];
        var at = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            foreach (var part in parts)
            {
                part.Item(i).CopyTo(joined.AsSpan(at));
                at += part.Dimension;
            }
        }

        return joined;
    }
}
