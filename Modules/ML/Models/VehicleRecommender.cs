using System.Runtime.InteropServices;
using System.Text.Json;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>
/// Which vehicles a person will want to see.
/// Entity: a person and the items of the catalogue. Label: any later interaction with an item the person had not met before.
/// Features: the person's weighted interactions, and the item's kin (make and model, make and body, body and price band).
/// Trainer: implicit-feedback ALS; an item's vector is drawn towards the mean of its kin as far as few people met it, so that a vehicle
/// listed a minute ago has one too. Gate: NDCG@10 on later events above popularity and not below the serving version.
/// Answer: the items of largest inner product with a vector folded in from the person's latest history, each with the history item that gave most.
/// </summary>
internal sealed class VehicleRecommender
{
    private const int Format = 1;
    private readonly FactorModel factors;
    private readonly string[] ids;
    private readonly Dictionary<string, int> index;
    private readonly Dictionary<string, float[]> kin;

    private VehicleRecommender(FactorModel factors, string[] ids, Dictionary<string, float[]> kin)
    {
        this.factors = factors;
        this.ids = ids;
        this.kin = kin;
        index = new Dictionary<string, int>(ids.Length, StringComparer.Ordinal);
        for (var i = 0; i < ids.Length; i++)
        {
            index.Add(ids[i], i);
        }
    }

    /// <summary>A recommended item.</summary>
    /// <param name="Index">Its place in <see cref="Ids"/>.</param>
    /// <param name="Score">Inner product; about 1 for what the person surely wants, 0 for what the person does not know.</param>
    /// <param name="BecauseOf">The history item that gave most to the score; null when none gave anything.</param>
    public readonly record struct Pick(int Index, float Score, string? BecauseOf);

    /// <summary>Ids of the items, by index.</summary>
    public IReadOnlyList<string> Ids => ids;

    /// <summary>Index of an item, or -1.</summary>
    public int IndexOf(string id) => index.TryGetValue(id, out var i) ? i : -1;

    /// <summary>How much a sum of event weights counts: the tenth view says less than the first.</summary>
    public static float Strength(double weight) => weight > 0 ? (float)Math.Log2(1 + weight) : 0;

    /// <summary>Learns from the rows of a frame and the catalogue of the same time.</summary>
    public static VehicleRecommender Fit(
        InteractionFrame frame, IEnumerable<int> rows, IReadOnlyList<ItemSnapshot> items, RecommenderKnobs knobs, ExchangeRates rates, int threads,
        IProgress<TrainingProgress>? progress = null, CancellationToken ct = default)
    {
        var ids = items.Select(item => item.Item.Id).ToArray();
        var weights = Weights(frame, rows, ids);
        var options = new ImplicitAlsOptions
        {
            Factors = knobs.Factors, Regularization = (float)knobs.Regularization, Alpha = (float)knobs.Alpha, Iterations = knobs.Iterations, Seed = knobs.Seed, Threads = threads,
        };
        var learned = ImplicitAls.Fit(weights, options, progress, ct);
        var vectors = learned.ItemFactors.ToArray();
        var people = weights.ColumnCounts();
        var keys = items.Select(item => KinOf(item, rates)).ToArray();
        var kin = MeansOfKin(vectors, people, keys, knobs.Factors);
        var mean = people.Sum() / (double)Math.Max(1, people.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            DrawTowardsKin(vectors.AsSpan(i * knobs.Factors, knobs.Factors), people[i], keys[i], kin, knobs.PriorPeople, (people[i] + mean) / (2 * mean));
        }

        return new VehicleRecommender(new FactorModel([], vectors, knobs.Factors, learned.Settings), ids, kin);
    }

    /// <summary>The same model with vectors for items it has not met, from their kin. Itself when there are none.</summary>
    public VehicleRecommender With(IEnumerable<ItemSnapshot> items, ExchangeRates rates)
    {
        var added = items.Where(item => !index.ContainsKey(item.Item.Id)).ToArray();
        if (added.Length == 0)
        {
            return this;
        }

        var d = factors.Dimension;
        var vectors = new float[factors.ItemFactors.Length + added.Length * d];
        factors.ItemFactors.CopyTo(vectors);
        for (var i = 0; i < added.Length; i++)
        {
            DrawTowardsKin(vectors.AsSpan((ids.Length + i) * d, d), 0, KinOf(added[i], rates), kin, 1, 1);
        }

        return new VehicleRecommender(new FactorModel([], vectors, d, factors.Settings), [.. ids, .. added.Select(item => item.Item.Id)], kin);
    }

    /// <summary>The person's vector from a history; null when the history holds nothing that the model knows.</summary>
    public float[]? FoldIn(IReadOnlyList<HistoryItem> history) => Known(history) is { Indices.Length: > 0 } known ? factors.FoldIn(known.Indices, known.Weights) : null;

    /// <summary>Scores of all items for a person's vector, by index.</summary>
    public float[] Scores(ReadOnlySpan<float> person)
    {
        var scores = new float[ids.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = factors.Score(person, i);
        }

        return scores;
    }

    /// <summary>The best items for a history, best first: those of <paramref name="allowed"/> without <paramref name="hidden"/>. Empty when the history holds nothing known.</summary>
    public Pick[] Recommend(IReadOnlyList<HistoryItem> history, int limit, ItemMask allowed, IEnumerable<string> hidden)
    {
        var (indices, weights) = Known(history);
        if (indices.Length == 0)
        {
            return [];
        }

        var person = factors.FoldIn(indices, weights);
        var best = factors.Recommend(person, limit, hidden.Select(IndexOf).Where(i => i >= 0).ToArray(), allowed);
        return Array.ConvertAll(best, item =>
        {
            var most = factors.Explain(indices, weights, item.Index).MaxBy(part => part.Value);
            return new Pick(item.Index, item.Score, most.Value > 0 ? ids[most.Item] : null);
        });
    }

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("OKLA.VehicleRecommender");
        writer.Write(Format);
        writer.Write(factors.Dimension);
        writer.Write(JsonSerializer.Serialize(ids));
        writer.Write(kin.Count);
        foreach (var (key, vector) in kin.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Write(key);
            writer.Write(MemoryMarshal.AsBytes(vector.AsSpan()));
        }

        writer.Flush();
        factors.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static VehicleRecommender Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != "OKLA.VehicleRecommender" || reader.ReadInt32() != Format)
        {
            throw new InvalidDataException("This is not a vehicle recommender of a known format.");
        }

        var dimension = reader.ReadInt32();
        var ids = JsonSerializer.Deserialize<string[]>(reader.ReadString())!;
        var kin = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var key = reader.ReadString();
            var vector = new float[dimension];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(vector.AsSpan()));
            kin.Add(key, vector);
        }

        return new VehicleRecommender(FactorModel.Load(stream), ids, kin);
    }

    /// <summary>People × items with the strength of what happened between them; items that the catalogue does not hold are left out.</summary>
    internal static SparseMatrix Weights(InteractionFrame frame, IEnumerable<int> rows, string[] ids)
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
                weights.Add(frame.Weight[row]);
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

    private (int[] Indices, float[] Weights) Known(IReadOnlyList<HistoryItem> history)
    {
        var known = history.Select(item => (Index: IndexOf(item.ItemId), Strength: Strength(item.Weight))).Where(item => item.Index >= 0 && item.Strength > 0).ToArray();
        return (Array.ConvertAll(known, item => item.Index), Array.ConvertAll(known, item => item.Strength));
    }

    /// <summary>The kin of an item, closest first. The price band is half an octave of dollars wide.</summary>
    private static string[] KinOf(ItemSnapshot snapshot, ExchangeRates rates)
    {
        var item = snapshot.Item;
        var (make, model, body) = (item.Text("make"), item.Text("model"), item.Text("bodyType"));
        var band = rates.ToUsd(item.Price, snapshot.PricedAt) is > 0 and var usd ? Math.Floor(2 * Math.Log2((double)usd)) : -1;
        return [FormattableString.Invariant($"model {make}|{model}"), FormattableString.Invariant($"make {make}|{body}"), FormattableString.Invariant($"price {body}|{band}")];
    }

    private static Dictionary<string, float[]> MeansOfKin(float[] vectors, int[] people, string[][] keys, int d)
    {
        var sums = new Dictionary<string, (float[] Sum, int Items)>(StringComparer.Ordinal);
        for (var i = 0; i < keys.Length; i++)
        {
            if (people[i] == 0)
            {
                continue;
            }

            foreach (var key in keys[i])
            {
                ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out var known);
                group = known ? (group.Sum, group.Items + 1) : (new float[d], 1);
                for (var k = 0; k < d; k++)
                {
                    group.Sum[k] += vectors[i * d + k];
                }
            }
        }

        return sums.ToDictionary(pair => pair.Key, pair => Array.ConvertAll(pair.Value.Sum, value => value / pair.Value.Items), StringComparer.Ordinal);
    }

    private static void DrawTowardsKin(Span<float> vector, int people, string[] keys, Dictionary<string, float[]> kin, double priorPeople, double popularity)
    {
        var known = keys.Where(kin.ContainsKey).Select(key => kin[key]).ToArray();
        if (known.Length == 0 || people + priorPeople == 0)
        {
            return;
        }

        var own = (float)(people / (people + priorPeople));
        for (var k = 0; k < vector.Length; k++)
        {
            var mean = 0f;
            foreach (var group in known)
            {
                mean += group[k] / known.Length;
            }

            vector[k] = own * vector[k] + (1 - own) * (float)popularity * mean;
        }
    }
}
