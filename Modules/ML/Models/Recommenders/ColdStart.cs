using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// What to show somebody of whom nothing is known but how they came. Learned from first visits: how much more often than all who came, those who came with a word
/// (a device, a campaign, something that the first search asked for) looked at items with a token. Few came with one word, so pairs of words and tokens of the same
/// names are a class, apart by whether the token has the word's value (who asks for <c>type=arte</c> looks at <c>type=arte</c>); a class tells the ratio to expect and
/// how far its pairs differ from it, and a pair is drawn towards the class by as much as that says (a gamma-Poisson model fitted by moments, DuMouchel 1999, "Bayesian
/// data mining in large frequency tables"). Words that tell nothing, as most devices, so come to a lift of 0, and a value that nobody asked for yet to its class.
/// An item's score is what is in demand now plus the lifts of its tokens, times a weight that is learned on later first visits; a weight of 0 says that
/// the words tell nothing, and then popularity answers.
/// </summary>
internal sealed class ColdStart
{
    private const int LeastVisits = 5, MostWords = 500;

    /// <summary>Visits that a class is drawn towards telling nothing by.</summary>
    private const double Prior = 5;

    /// <summary>Bounds of how alike pairs of a class are: the shape of their gamma distribution.</summary>
    private const double LeastShape = 0.5, MostShape = 1e6;

    private readonly string[] words;
    private readonly Dictionary<string, int> index;
    private readonly float[] lifts;
    private readonly int tokens;

    private ColdStart(string[] words, float[] lifts, int tokens, TrendPart trend, float weight)
    {
        (this.words, this.lifts, this.tokens, Trend, Weight) = (words, lifts, tokens, trend, weight);
        index = PlacesOf(words);
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
        var texts = Array.ConvertAll(content.TextsOfTokens(), text => text.Split('=', 2));
        var counted = visits.SelectMany(visit => visit.Entry).CountBy(word => word, StringComparer.Ordinal).Where(pair => pair.Value >= LeastVisits)
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(MostWords).Select(pair => pair.Key).ToArray();
        string[] known = [.. counted, .. AskedForNext(counted, texts).Take(MostWords - counted.Length)];
        var seen = Looks.Count(visits, counted, content, indexOf);
        var lifts = LiftsOf(known, texts, seen);
        return new ColdStart(known, lifts, content.Tokens, trend, weight);
    }

    /// <summary>Values that items have and nobody, or hardly anybody, came with yet, of the names that came with such values: of <c>type</c>, which asks for types, every other type.</summary>
    private static IEnumerable<string> AskedForNext(string[] counted, string[][] texts)
    {
        var values = texts.Where(text => !text[0].Contains('+')).GroupBy(text => text[0], text => text[1], StringComparer.Ordinal)
            .Select(group => (Name: group.Key, Values: group.ToHashSet(StringComparer.Ordinal))).OrderBy(group => group.Name, StringComparer.Ordinal).ToArray();
        foreach (var name in counted.Select(word => word.Split('=', 2)).GroupBy(word => word[0], word => word[1], StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            // Titles hold many of the same words; the names with the fewest other values are meant.
            var (_, meant) = values.Where(group => name.Any(group.Values.Contains)).OrderByDescending(group => name.Count(group.Values.Contains)).ThenBy(group => group.Values.Count).FirstOrDefault();
            foreach (var value in (meant ?? []).Except(name, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                yield return $"{name.Key}={value}";
            }
        }
    }

    private static float[] LiftsOf(string[] known, string[][] texts, Looks seen)
    {
        // The class of a pair: names of word and token, and whether they have the value in common.
        var (names, parts) = (known.Select(word => word.Split('=', 2)).ToArray(), Array.ConvertAll(texts, text => text[1].Split('|')));
        var (ofWord, ofToken) = (PlacesOf(names.Select(name => name[0])), PlacesOf(texts.Select(text => text[0])));
        var (n, classOf) = (texts.Length, new int[known.Length * texts.Length]);
        for (var word = 0; word < known.Length; word++)
        {
            for (var token = 0; token < n; token++)
            {
                classOf[(word * n) + token] = (2 * ((ofWord[names[word][0]] * ofToken.Count) + ofToken[texts[token][0]])) + (parts[token].Contains(names[word][1]) ? 1 : 0);
            }
        }

        var classes = 2 * ofWord.Count * ofToken.Count;
        var (looks, expected) = (new double[classes], new double[classes]);
        for (var i = 0; i < seen.By.Length; i++)
        {
            looks[classOf[i]] += seen.By[i];
            expected[classOf[i]] += seen.Expected(i);
        }

        // The mean of a class's ratios, and by how much more they vary than counts of so many visits do.
        var ratios = looks.Zip(expected, (some, usual) => (some + Prior) / (usual + Prior)).ToArray();
        var (squares, excess) = (new double[classes], new double[classes]);
        for (var i = 0; i < seen.By.Length; i++)
        {
            var (own, mean) = (classOf[i], seen.Expected(i) * ratios[classOf[i]]);
            squares[own] += mean * mean;
            excess[own] += ((seen.By[i] - mean) * (seen.By[i] - mean)) - seen.Squares[i];
        }

        var shapes = squares.Zip(excess, (square, more) => more <= 0 ? MostShape : Math.Clamp(square / more, LeastShape, MostShape)).ToArray();
        var lifts = new float[classOf.Length];
        for (var i = 0; i < lifts.Length; i++)
        {
            var (ratio, shape) = (ratios[classOf[i]], shapes[classOf[i]]);
            var (some, usual) = i < seen.By.Length ? (seen.By[i], seen.Expected(i)) : (0, 0);
            lifts[i] = (float)Math.Log((shape + some) / ((shape / ratio) + usual));
        }

        return lifts;
    }

    /// <summary>The place of each among those that differ, in their order.</summary>
    private static Dictionary<string, int> PlacesOf(IEnumerable<string> names) =>
        names.Distinct(StringComparer.Ordinal).Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place, StringComparer.Ordinal);

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

    /// <summary>What those who came with a word looked at: every visit counts once, shared among the items that it looked at.</summary>
    /// <param name="By">By word and token, visits.</param>
    /// <param name="Squares">By word and token, the sum of their squared shares.</param>
    /// <param name="Came">By word, visits.</param>
    /// <param name="Usual">By token, share of all visits.</param>
    private sealed record Looks(double[] By, double[] Squares, double[] Came, double[] Usual)
    {
        /// <summary>Visits that a pair would have if the word told nothing.</summary>
        public double Expected(int pair) => Came[pair / Usual.Length] * Usual[pair % Usual.Length];

        public static Looks Count(IReadOnlyList<FirstVisit> visits, string[] words, ContentIndex content, Func<string, int> indexOf)
        {
            var places = PlacesOf(words);
            var (n, total) = (content.Tokens, 0);
            var seen = new Looks(new double[words.Length * n], new double[words.Length * n], new double[words.Length], new double[n]);
            foreach (var visit in visits)
            {
                int[] items = [.. visit.Items.Select(indexOf).Where(item => item >= 0)];
                if (items.Length == 0)
                {
                    continue;
                }

                int[] said = [.. visit.Entry.Where(places.ContainsKey).Select(word => places[word]).Distinct()];
                total++;
                Array.ForEach(said, word => seen.Came[word]++);
                foreach (var (token, count) in items.SelectMany(item => content.Bag(item).Tokens).CountBy(token => token))
                {
                    var share = (double)count / items.Length;
                    seen.Usual[token] += share;
                    foreach (var word in said)
                    {
                        seen.By[(word * n) + token] += share;
                        seen.Squares[(word * n) + token] += share * share;
                    }
                }
            }

            System.Numerics.Tensors.TensorPrimitives.Divide(seen.Usual, Math.Max(1, total), seen.Usual);
            return seen;
        }
    }
}
