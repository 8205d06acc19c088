using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Settings of <see cref="SequenceTagger"/>.</summary>
public sealed record SequenceTaggerOptions
{
    /// <summary>Passes over the sequences.</summary>
    public int Passes { get; init; } = 6;

    /// <summary>log₂ of the number of places that features are hashed to, 8 to 22.</summary>
    public int HashBits { get; init; } = 16;

    /// <summary>Seed of the order of sequences.</summary>
    public int Seed { get; init; } = 42;
}

/// <summary>A sequence to learn from: the features of each position as texts, and each position's tag.</summary>
public sealed record TaggedSequence(IReadOnlyList<IReadOnlyList<string>> Features, IReadOnlyList<string> Tags);

/// <summary>
/// A first-order sequence tagger: the averaged structured perceptron (Collins 2002, algorithm of figure 1 with the averaging of section 2.5). A sequence's score
/// is the sum over positions of w·φ(xᵢ, yᵢ) and of a weight for each pair (yᵢ₋₁, yᵢ); the best one is found by Viterbi. Tags of the form "I-x" follow "B-x" or "I-x"
/// only. Immutable, safe for many threads.
/// </summary>
public sealed class SequenceTagger
{
    private const string Kind = "OKST";
    private const float Never = -1e9f;
    private readonly int _bits;
    private readonly float[] _weights;
    private readonly float[] _moves;
    private readonly bool[] _allowed;

    private SequenceTagger(IReadOnlyList<string> tags, int bits, float[] weights, float[] moves)
    {
        (Tags, _bits, _weights, _moves) = (tags, bits, weights, moves);
        _allowed = Allowed(tags);
    }

    /// <summary>The tags, in ordinal order.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Learns from tagged sequences.</summary>
    /// <exception cref="ArgumentException">There is none, or one whose features and tags differ in number.</exception>
    public static SequenceTagger Fit(IReadOnlyList<TaggedSequence> sequences, SequenceTaggerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        var o = options ?? new SequenceTaggerOptions();
        Require.Between(o.HashBits, 8, 22);
        if (sequences.Count == 0) throw new ArgumentException("There is nothing to learn from.", nameof(sequences));
        if (sequences.FirstOrDefault(s => s.Features.Count != s.Tags.Count) is { } odd)
            throw new ArgumentException($"A sequence has {odd.Features.Count} positions and {odd.Tags.Count} tags.", nameof(sequences));
        string[] tags = [.. sequences.SelectMany(s => s.Tags).Distinct().Order(StringComparer.Ordinal)];
        var codes = tags.Select((tag, code) => (tag, code)).ToDictionary(pair => pair.tag, pair => pair.code, StringComparer.Ordinal);
        var (count, places) = (tags.Length, 1 << o.HashBits);
        // Weights and the sum that averages them: the average is w − u / c, u holding each change times the step it was made at (Daumé 2006).
        var (w, u) = (new float[places * count], new double[places * count]);
        var (moves, movesU) = (new float[(count + 1) * count], new double[(count + 1) * count]);
        int[][][] rows = [.. sequences.Select(s => s.Features.Select(f => Places(f, o.HashBits)).ToArray())];
        int[][] truth = [.. sequences.Select(s => s.Tags.Select(tag => codes[tag]).ToArray())];
        int[] order = [.. Enumerable.Range(0, sequences.Count)];
        var random = new Random(o.Seed);
        var allowed = Allowed(tags);
        double step = 1;
        for (var pass = 0; pass < o.Passes; pass++)
        {
            random.Shuffle(order);
            foreach (var s in order)
            {
                cancellation.ThrowIfCancellationRequested();
                var (found, gold) = (Viterbi(rows[s], w, moves, allowed, count), truth[s]);
                for (var i = 0; i < gold.Length; i++)
                {
                    if (found[i] != gold[i])
                    {
                        foreach (var place in rows[s][i])
                        {
                            Change(w, u, place * count + gold[i], 1, step);
                            Change(w, u, place * count + found[i], -1, step);
                        }
                    }
                    int from = i == 0 ? count : gold[i - 1], other = i == 0 ? count : found[i - 1];
                    if (from == other && found[i] == gold[i]) continue;
                    Change(moves, movesU, from * count + gold[i], 1, step);
                    Change(moves, movesU, other * count + found[i], -1, step);
                }
                step++;
            }
        }
        for (var i = 0; i < w.Length; i++) w[i] -= (float)(u[i] / step);
        for (var i = 0; i < moves.Length; i++) moves[i] -= (float)(movesU[i] / step);
        return new SequenceTagger(tags, o.HashBits, w, moves);
    }

    /// <summary>The best tags of a sequence, one a position.</summary>
    /// <param name="features">The features of each position.</param>
    public IReadOnlyList<string> Tag(IReadOnlyList<IReadOnlyList<string>> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        return [.. Viterbi([.. features.Select(f => Places(f, _bits))], _weights, _moves, _allowed, Tags.Count).Select(code => Tags[code])];
    }

    /// <summary>Writes the tagger (versioned, with a checksum): its weights that are not zero.</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(Tags.Count);
        foreach (var tag in Tags) writer.Write(tag);
        writer.Write(_bits);
        writer.WriteArray(_moves);
        writer.Write(_weights.Count(weight => weight != 0));
        for (var i = 0; i < _weights.Length; i++)
        {
            if (_weights[i] == 0) continue;
            writer.Write(i);
            writer.Write(_weights[i]);
        }
    });

    /// <summary>Reads a tagger that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static SequenceTagger Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var tags = new string[reader.ReadInt32()];
        for (var t = 0; t < tags.Length; t++) tags[t] = reader.ReadString();
        var bits = reader.ReadInt32();
        var moves = reader.ReadSingles();
        var weights = new float[(1 << bits) * tags.Length];
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var at = reader.ReadInt32();
            weights[at] = reader.ReadSingle();
        }
        return new SequenceTagger(tags, bits, weights, moves);
    });

    private static void Change(float[] w, double[] u, int at, float by, double step)
    {
        w[at] += by;
        u[at] += by * step;
    }

    private static int[] Places(IReadOnlyList<string> features, int bits)
    {
        var places = new int[features.Count];
        for (var f = 0; f < places.Length; f++) places[f] = (int)(Characters.Mix(Characters.Hash(features[f])) & ((1UL << bits) - 1));
        return places;
    }

    /// <summary>Which tag may follow which; the last row is the start.</summary>
    private static bool[] Allowed(IReadOnlyList<string> tags)
    {
        var allowed = new bool[(tags.Count + 1) * tags.Count];
        for (var from = 0; from <= tags.Count; from++)
        {
            for (var to = 0; to < tags.Count; to++)
            {
                allowed[from * tags.Count + to] = !tags[to].StartsWith("I-", StringComparison.Ordinal)
                    || (from < tags.Count && tags[from].Length > 2 && tags[from][0] is 'B' or 'I' && tags[from].AsSpan(2).SequenceEqual(tags[to].AsSpan(2)));
            }
        }
        return allowed;
    }

    private static int[] Viterbi(int[][] rows, float[] w, float[] moves, bool[] allowed, int count)
    {
        if (rows.Length == 0) return [];
        var back = new int[rows.Length * count];
        var (before, now) = (new float[count], new float[count]);
        for (var i = 0; i < rows.Length; i++)
        {
            Array.Clear(now);
            foreach (var place in rows[i])
            {
                var part = w.AsSpan(place * count, count);
                for (var t = 0; t < count; t++) now[t] += part[t];
            }
            for (var t = 0; t < count; t++)
            {
                var (best, from) = (Never, 0);
                if (i == 0) best = allowed[count * count + t] ? moves[count * count + t] : Never;
                for (var p = 0; i > 0 && p < count; p++)
                {
                    var score = allowed[p * count + t] ? before[p] + moves[p * count + t] : Never;
                    if (score > best) (best, from) = (score, p);
                }
                now[t] += best;
                back[i * count + t] = from;
            }
            (before, now) = (now, before);
        }
        var tags = new int[rows.Length];
        tags[^1] = Array.IndexOf(before, before.Max());
        for (var i = rows.Length - 1; i > 0; i--) tags[i - 1] = back[i * count + tags[i]];
        return tags;
    }
}
