using System.Text.Json;
using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Items as bags of tokens: weights are inverse document frequencies ln((1 + n) / (1 + d)) + 1, each item of unit length. What a person did is
/// the sum of the bags of their items, of unit length too.
/// </summary>
internal sealed class ContentIndex
{
    private const int LeastItems = 2;
    private readonly Dictionary<string, int> vocabulary;
    private readonly float[] idf;
    private readonly List<(int[] Tokens, float[] Weights)> bags;

    private ContentIndex(Dictionary<string, int> vocabulary, float[] idf, List<(int[] Tokens, float[] Weights)> bags)
    {
        this.vocabulary = vocabulary;
        this.idf = idf;
        this.bags = bags;
    }

    /// <summary>Number of tokens known.</summary>
    public int Tokens => idf.Length;

    /// <summary>Number of items.</summary>
    public int Items => bags.Count;

    /// <summary>By token, the names that it reads: <c>make</c> of <c>make=toyota</c>.</summary>
    public string[] NamesOfTokens() => Array.ConvertAll(TextsOfTokens(), text => text.Split('=', 2)[0]);

    /// <summary>By token, as it is written: <c>make=toyota</c>, <c>type+locality=arte|naco</c>.</summary>
    public string[] TextsOfTokens() => [.. vocabulary.OrderBy(pair => pair.Value).Select(pair => pair.Key)];

    /// <summary>Learns which tokens there are; those of a single item say nothing of others.</summary>
    public static ContentIndex Learn(ItemKind kind, IReadOnlyList<ItemSnapshot> items, ExchangeRates rates)
    {
        var tokens = items.Select(item => kind.TokensOf(item, rates)).ToArray();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in tokens.SelectMany(list => list))
        {
            counts[token] = counts.GetValueOrDefault(token) + 1;
        }

        var kept = counts.Where(pair => pair.Value >= LeastItems).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToArray();
        var vocabulary = kept.Select((pair, place) => (pair.Key, place)).ToDictionary(pair => pair.Key, pair => pair.place, StringComparer.Ordinal);
        var idf = Array.ConvertAll(kept, pair => (float)(Math.Log((1.0 + items.Count) / (1 + pair.Value)) + 1));
        var index = new ContentIndex(vocabulary, idf, []);
        index.bags.AddRange(tokens.Select(index.BagOf));
        return index;
    }

    /// <summary>The same with further items.</summary>
    public ContentIndex With(ItemKind kind, IEnumerable<ItemSnapshot> items, ExchangeRates rates) =>
        new(vocabulary, idf, [.. bags, .. items.Select(item => BagOf(kind.TokensOf(item, rates)))]);

    /// <summary>The same as if no item had tokens of a name, or any where it is null; what is left keeps its weight.</summary>
    public ContentIndex Without(string? name)
    {
        var names = NamesOfTokens();
        return new ContentIndex(vocabulary, idf, bags.ConvertAll(bag =>
        {
            int[] left = [.. Enumerable.Range(0, bag.Tokens.Length).Where(t => name is not null && names[bag.Tokens[t]] != name)];
            return (Array.ConvertAll(left, t => bag.Tokens[t]), Array.ConvertAll(left, t => bag.Weights[t]));
        }));
    }

    /// <summary>An item's tokens and their weights.</summary>
    public (int[] Tokens, float[] Weights) Bag(int item) => bags[item];

    /// <summary>Cosine of two items.</summary>
    public float Cosine(int a, int b)
    {
        var (x, y) = (bags[a], bags[b]);
        var sum = 0f;
        for (int i = 0, j = 0; i < x.Tokens.Length && j < y.Tokens.Length;)
        {
            if (x.Tokens[i] == y.Tokens[j]) sum += x.Weights[i++] * y.Weights[j++];
            else if (x.Tokens[i] < y.Tokens[j]) i++;
            else j++;
        }

        return sum;
    }

    /// <summary>What a history is about: tokens and weights of unit length, ascending.</summary>
    public (int[] Tokens, float[] Weights) Profile(ReadOnlySpan<int> items, ReadOnlySpan<float> strengths)
    {
        var sums = new SortedDictionary<int, float>();
        for (var n = 0; n < items.Length; n++)
        {
            var (tokens, weights) = bags[items[n]];
            for (var i = 0; i < tokens.Length; i++)
            {
                sums[tokens[i]] = sums.GetValueOrDefault(tokens[i]) + (strengths[n] * weights[i]);
            }
        }

        return Unit([.. sums.Keys], [.. sums.Values]);
    }

    /// <summary>All items as rows.</summary>
    public SparseMatrix Matrix() => SparseMatrix.FromTriples(
        bags.Count, Tokens, [.. bags.SelectMany((bag, item) => bag.Tokens.Select((token, i) => (item, token, bag.Weights[i])))]);

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(JsonSerializer.Serialize(vocabulary.OrderBy(pair => pair.Value).Select(pair => pair.Key)));
        Array.ForEach(idf, writer.Write);
        writer.Write(bags.Count);
        foreach (var (tokens, _) in bags)
        {
            writer.Write(tokens.Length);
            Array.ForEach(tokens, writer.Write);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static ContentIndex Load(BinaryReader reader)
    {
        var names = JsonSerializer.Deserialize<string[]>(reader.ReadString())!;
        var idf = new float[names.Length];
        for (var i = 0; i < idf.Length; i++)
        {
            idf[i] = reader.ReadSingle();
        }

        var index = new ContentIndex(names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place, StringComparer.Ordinal), idf, []);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var tokens = new int[reader.ReadInt32()];
            for (var i = 0; i < tokens.Length; i++)
            {
                tokens[i] = reader.ReadInt32() is >= 0 and var token && token < idf.Length ? token : throw new InvalidDataException("A token is not of the vocabulary.");
            }

            index.bags.Add(Unit(tokens, Array.ConvertAll(tokens, token => idf[token])));
        }

        return index;
    }

    private (int[] Tokens, float[] Weights) BagOf(IEnumerable<string> tokens)
    {
        int[] known = [.. tokens.Where(vocabulary.ContainsKey).Select(token => vocabulary[token]).Order()];
        return Unit(known, Array.ConvertAll(known, token => idf[token]));
    }

    private static (int[] Tokens, float[] Weights) Unit(int[] tokens, float[] weights)
    {
        var length = MathF.Sqrt(weights.Sum(weight => weight * weight));
        return (tokens, length > 0 ? Array.ConvertAll(weights, weight => weight / length) : weights);
    }
}
