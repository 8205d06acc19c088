using System.Text.Json;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>Weights of what makes items alike.</summary>
/// <param name="CoViews">Of the share of people who looked at both, beside 1 for likeness of content.</param>
/// <param name="Price">Of |ln(price / price)|, counted against.</param>
internal sealed record SimilarityWeights(double CoViews, double Price);

/// <summary>
/// Which items somebody who looks at one would look at instead.
/// Entity: an item. Label: what the same person looked at within the hour after it. Features: attributes and words, and who looked at both before.
/// Trainer: cosine of tf-idf bags, item-item neighbours with shrinkage (Bell and Koren 2007), and the distance of prices; their weights are chosen on a later slice of time.
/// Gate: NDCG@10 on later visits above "the same make and model, nearest price". Answer: the most alike within the price band, then those outside it.
/// </summary>
internal sealed class SimilarItems
{
    private const int Format = 1;
    private const int Retrieved = 300;
    private const string Header = "OKLA.SimilarItems";
    private readonly string[] ids;
    private readonly Dictionary<string, int> index;
    private readonly ContentIndex content;
    private readonly ContentPart? axes;
    private readonly ItemToItemModel coViews;
    private readonly double[] logPrices;
    private readonly SimilarityWeights weights;
    private readonly QuantizedTopK? search;

    private SimilarItems(string[] ids, ContentIndex content, ContentPart? axes, ItemToItemModel coViews, double[] logPrices, SimilarityWeights weights)
    {
        this.ids = ids;
        this.content = content;
        this.axes = axes;
        this.coViews = coViews;
        this.logPrices = logPrices;
        this.weights = weights;
        index = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var i = 0; i < ids.Length; i++)
        {
            index.Add(ids[i], i);
        }

        search = axes is null ? null : new QuantizedTopK(axes.Vectors, axes.Dimension);
    }

    /// <summary>What vehicles are compared by: what the recommender knows, and the words of title and description.</summary>
    public static ItemKind Kind { get; } = ItemKind.Vehicle with { Content = [.. ItemKind.Vehicle.Content, ["title"], ["description"]] };

    /// <summary>Ids of the items, by index.</summary>
    public IReadOnlyList<string> Ids => ids;

    /// <summary>Index of an item, or -1.</summary>
    public int IndexOf(string id) => index.TryGetValue(id, out var i) ? i : -1;

    /// <summary>Learns what there is to compare by.</summary>
    public static SimilarItems Fit(IReadOnlyList<ItemSnapshot> items, SparseMatrix people, SimilarityWeights weights, RecommenderKnobs knobs, ExchangeRates rates, int threads, CancellationToken ct)
    {
        var content = ContentIndex.Learn(Kind, items, rates);
        var neighbours = ItemKnn.Fit(people, new ItemKnnOptions { Neighbours = 60, LeastCoOccurrence = 2, Shrinkage = 10, Threads = threads }, ct);
        return new SimilarItems([.. items.Select(item => item.Item.Id)], content, ContentPart.Fit(content, knobs), neighbours, [.. items.Select(item => LogPrice(item, rates))], weights);
    }

    /// <summary>The same with other weights.</summary>
    public SimilarItems Weighted(SimilarityWeights other) => new(ids, content, axes, coViews, logPrices, other);

    /// <summary>Names that items are compared by.</summary>
    public IReadOnlyList<string> ContentNames => [.. content.NamesOfTokens().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The same ranked as if items did not say a name, or nothing where it is null: what is considered at all stays the same.</summary>
    public SimilarItems WithoutContent(string? name) => new(ids, content.Without(name), axes, coViews, logPrices, weights);

    /// <summary>The same with items it has not met.</summary>
    public SimilarItems With(IEnumerable<ItemSnapshot> items, ExchangeRates rates)
    {
        var added = items.Where(item => !index.ContainsKey(item.Item.Id)).ToArray();
        if (added.Length == 0)
        {
            return this;
        }

        var longer = content.With(Kind, added, rates);
        return new SimilarItems(
            [.. ids, .. added.Select(item => item.Item.Id)], longer, (ContentPart?)axes?.With(new NewItems(added, longer, Kind, rates)), coViews, [.. logPrices, .. added.Select(item => LogPrice(item, rates))], weights);
    }

    /// <summary>How alike two items are.</summary>
    public double Score(int a, int b)
    {
        var apart = Math.Abs(logPrices[a] - logPrices[b]);
        return content.Cosine(a, b) + (weights.CoViews * Seen(a, b)) - (weights.Price * (double.IsNaN(apart) ? 0.5 : apart));
    }

    /// <summary>The items most alike, those within the price band first.</summary>
    /// <param name="item">The item.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="allowed">Those that may be shown.</param>
    /// <param name="band">How far prices may lie apart, as a share.</param>
    public Scored[] Find(int item, int limit, ItemMask allowed, double band)
    {
        var candidates = new HashSet<int>();
        if (search is not null)
        {
            candidates.UnionWith(search.Search(axes!.Item(item), Retrieved, [item], allowed).Select(found => found.Index));
        }

        if (item < coViews.Items)
        {
            candidates.UnionWith(coViews.SimilarItems(item, 60).Where(found => found.Score > 0 && allowed[found.Index]).Select(found => found.Index));
        }

        candidates.Remove(item);
        return [.. candidates.Select(other => new Scored(other, (float)Score(item, other)))
            .OrderByDescending(found => Within(item, found.Index, band)).ThenByDescending(found => found.Score).ThenBy(found => found.Index).Take(limit)];
    }

    /// <summary>Whether two prices lie within the band; a price that is not stated lies in every band.</summary>
    public bool Within(int a, int b, double band) => !(Math.Abs(logPrices[a] - logPrices[b]) > Math.Log(1 + band));

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Header);
        writer.Write(Format);
        writer.Write(JsonSerializer.Serialize(ids));
        writer.Write(JsonSerializer.Serialize(weights));
        content.Save(writer);
        Array.ForEach(logPrices, writer.Write);
        writer.Write(axes is not null);
        axes?.Save(writer);
        writer.Flush();
        coViews.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static SimilarItems Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != Header || reader.ReadInt32() != Format)
        {
            throw new InvalidDataException("This is not a model of similar items of a known format.");
        }

        var ids = JsonSerializer.Deserialize<string[]>(reader.ReadString())!;
        var weights = JsonSerializer.Deserialize<SimilarityWeights>(reader.ReadString())!;
        var content = ContentIndex.Load(reader);
        var prices = new double[ids.Length];
        for (var i = 0; i < prices.Length; i++)
        {
            prices[i] = reader.ReadDouble();
        }

        var axes = reader.ReadBoolean() ? ContentPart.Load(reader, content) : null;
        return content.Items == ids.Length ? new SimilarItems(ids, content, axes, ItemToItemModel.Load(stream), prices, weights) : throw new InvalidDataException("There is not one bag an item.");
    }

    private double Seen(int a, int b) => a < coViews.Items && b < coViews.Items ? coViews[a, b] : 0;

    private static double LogPrice(ItemSnapshot item, ExchangeRates rates) => rates.ToUsd(item.Item.Price, item.PricedAt) is > 0 and var usd ? Math.Log((double)usd) : double.NaN;
}
