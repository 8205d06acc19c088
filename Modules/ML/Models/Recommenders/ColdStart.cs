using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// What to show somebody of whom nothing is known but how they came. Learned from first visits: how much more often than all who came, those who came with a word
/// (a device, a campaign, a first search) looked at items with a token; the logarithm of that lift, drawn towards 0 as if <see cref="PriorLooks"/> more looks had
/// shown none. An item's score is what is in demand now plus the lifts of its tokens, times a weight that is learned on later first visits; a weight of 0 says that
/// the words tell nothing, and then popularity answers.
/// </summary>
internal sealed class ColdStart
{
    private const int LeastVisits = 20, MostWords = 500;
    private const double PriorLooks = 50;
    private readonly string[] words;
    private readonly Dictionary<string, int> index;
    private readonly float[] lifts;
    private readonly int tokens;

    private ColdStart(string[] words, float[] lifts, int tokens, TrendPart trend, float weight)
    {
        (this.words, this.lifts, this.tokens, Trend, Weight) = (words, lifts, tokens, trend, weight);
        index = words.Select((word, place) => (word, place)).ToDictionary(pair => pair.word, pair => pair.place, StringComparer.Ordinal);
    }

    /// <summary>What is in demand.</summary>
    public TrendPart Trend { get; }

    /// <summary>How much the lifts count.</summary>
    public float Weight { get; }

    /// <summary>Words that enough visits came with.</summary>
    public IReadOnlyList<string> Words => words;

    /// <summary>Learns from first visits.</summary>
    /// <param name="visits">The visits.</param>
    /// <param name="content">The items' tokens.</param>
    /// <param name="indexOf">An item's index there; -1 for one that it does not know.</param>
    /// <param name="trend">What is in demand.</param>
    /// <param name="weight">How much the lifts count.</param>
    public static ColdStart Fit(IReadOnlyList<FirstVisit> visits, ContentIndex content, Func<string, int> indexOf, TrendPart trend, float weight)
    {
        var known = visits.SelectMany(visit => visit.Entry).CountBy(word => word, StringComparer.Ordinal).Where(pair => pair.Value >= LeastVisits)
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(MostWords).Select(pair => pair.Key).ToArray();
        var places = known.Select((word, place) => (word, place)).ToDictionary(pair => pair.word, pair => pair.place, StringComparer.Ordinal);
        var (all, looks) = (new double[content.Tokens], 0.0);
        var (by, looksBy) = (new double[known.Length * content.Tokens], new double[known.Length]);
        foreach (var visit in visits)
        {
            int[] said = [.. visit.Entry.Where(places.ContainsKey).Select(word => places[word])];
            foreach (var item in visit.Items.Select(indexOf).Where(item => item >= 0))
            {
                looks++;
                foreach (var word in said)
                {
                    looksBy[word]++;
                }

                foreach (var token in content.Bag(item).Tokens)
                {
                    all[token]++;
                    foreach (var word in said)
                    {
                        by[(word * content.Tokens) + token]++;
                    }
                }
            }
        }

        var lifts = new float[by.Length];
        for (var i = 0; i < lifts.Length; i++)
        {
            var (word, share) = (i / content.Tokens, all[i % content.Tokens] / Math.Max(1, looks));
            lifts[i] = share > 0 ? (float)Math.Log((by[i] + (PriorLooks * share)) / (looksBy[word] + PriorLooks) / share) : 0;
        }

        return new ColdStart(known, lifts, content.Tokens, trend, weight);
    }

    /// <summary>The same with another weight of the lifts.</summary>
    public ColdStart Weighted(float other) => new(words, lifts, tokens, Trend, other);

    /// <summary>The same with another trend.</summary>
    public ColdStart With(TrendPart other) => new(words, lifts, tokens, other, Weight);

    /// <summary>Scores of all items for somebody who came with these words; null when they tell nothing.</summary>
    public float[]? Scores(IReadOnlyList<string> entry, ContentIndex content)
    {
        int[] said = [.. entry.Where(index.ContainsKey).Select(word => index[word]).Distinct()];
        if (said.Length == 0 || Weight == 0)
        {
            return null;
        }

        var sums = new float[tokens];
        foreach (var word in said)
        {
            System.Numerics.Tensors.TensorPrimitives.Add(sums, lifts.AsSpan(word * tokens, tokens), sums);
        }

        var scores = new float[content.Items];
        for (var item = 0; item < scores.Length; item++)
        {
            var (own, weights) = content.Bag(item);
            var sum = 0f;
            for (var t = 0; t < own.Length; t++)
            {
                sum += sums[own[t]] * weights[t];
            }

            scores[item] = Trend.Vectors[item] + (Weight * sum);
        }

        return scores;
    }

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(JsonSerializer.Serialize(words));
        writer.Write(tokens);
        writer.Write(Weight);
        foreach (var lift in lifts)
        {
            writer.Write(lift);
        }

        Trend.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is of other tokens or items.</exception>
    public static ColdStart Load(BinaryReader reader, ContentIndex content)
    {
        var words = JsonSerializer.Deserialize<string[]>(reader.ReadString())!;
        var (tokens, weight) = (reader.ReadInt32(), reader.ReadSingle());
        if (tokens != content.Tokens || words.Length > MostWords)
        {
            throw new InvalidDataException("The cold start is of another vocabulary.");
        }

        var lifts = new float[words.Length * tokens];
        for (var i = 0; i < lifts.Length; i++)
        {
            lifts[i] = reader.ReadSingle();
        }

        var trend = TrendPart.Load(reader);
        return trend.Vectors.Length == content.Items ? new ColdStart(words, lifts, tokens, trend, weight) : throw new InvalidDataException("The cold start has not one trend an item.");
    }
}
