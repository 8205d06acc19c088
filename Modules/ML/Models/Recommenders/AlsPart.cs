using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Factorization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Implicit-feedback ALS: the person's vector is folded in from the latest history; an item's vector is drawn towards the mean of its kin as far as few
/// people met it, so that one listed a minute ago has a vector too.
/// </summary>
internal sealed class AlsPart : RecommenderPart
{
    public const string Key = "als";
    private readonly FactorModel factors;
    private readonly Dictionary<string, float[]> kin;

    private AlsPart(FactorModel factors, float[] vectors, Dictionary<string, float[]> kin)
        : base(factors.Dimension, vectors)
    {
        this.factors = factors;
        this.kin = kin;
    }

    public override string Name => Key;

    public static AlsPart Fit(
        SparseMatrix weights, IReadOnlyList<ItemSnapshot> items, ItemKind kind, RecommenderKnobs knobs, ExchangeRates rates, int threads, IProgress<TrainingProgress>? progress, CancellationToken ct)
    {
        var options = new ImplicitAlsOptions
        {
            Factors = knobs.Factors, Regularization = (float)knobs.Regularization, Alpha = (float)knobs.Alpha, Iterations = knobs.Iterations, Seed = knobs.Seed, Threads = threads,
        };
        var learned = ImplicitAls.Fit(weights, options, progress, ct);
        var vectors = learned.ItemFactors.ToArray();
        var people = weights.ColumnCounts();
        var keys = items.Select(item => kind.KinOf(item, rates)).ToArray();
        var kin = MeansOfKin(vectors, people, keys, knobs.Factors);
        var mean = people.Sum() / (double)Math.Max(1, people.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            DrawTowardsKin(vectors.AsSpan(i * knobs.Factors, knobs.Factors), people[i], keys[i], kin, knobs.PriorPeople, (people[i] + mean) / (2 * mean));
        }

        return new AlsPart(new FactorModel([], vectors, knobs.Factors, learned.Settings), vectors, kin);
    }

    public override float[]? Person(PersonTaste taste) => taste.Items.Length == 0 ? null : factors.FoldIn(taste.Items, taste.Strengths);

    public override float[] Because(PersonTaste taste, int item) => Array.ConvertAll(factors.Explain(taste.Items, taste.Strengths, item), part => (float)part.Value);

    public override RecommenderPart With(NewItems added)
    {
        var vectors = Extended(added.Items.Count);
        for (var i = 0; i < added.Items.Count; i++)
        {
            DrawTowardsKin(vectors.AsSpan((added.First + i) * Dimension, Dimension), 0, added.Kind.KinOf(added.Items[i], added.Rates), kin, 1, 1);
        }

        return new AlsPart(new FactorModel([], vectors, Dimension, factors.Settings), vectors, kin);
    }

    public override void Save(BinaryWriter writer)
    {
        writer.Write(Dimension);
        writer.Write(kin.Count);
        foreach (var (key, vector) in kin.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.Write(key);
            writer.Write(MemoryMarshal.AsBytes(vector.AsSpan()));
        }

        writer.Flush();
        factors.Save(writer.BaseStream);
    }

    public static AlsPart Load(BinaryReader reader)
    {
        var dimension = reader.ReadInt32();
        var kin = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var key = reader.ReadString();
            var vector = new float[dimension];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(vector.AsSpan()));
            kin.Add(key, vector);
        }

        var factors = FactorModel.Load(reader.BaseStream);
        return factors.Dimension == dimension ? new AlsPart(factors, factors.ItemFactors.ToArray(), kin) : throw new InvalidDataException("The vectors of kin and items differ in length.");
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
