using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// Factorisation machine of order two over the tokens of the person's items, the tokens of the item and the item itself. Of its sum only what differs
/// between items counts in a ranking: the item's own part, and the product of the two sides' vectors.
/// </summary>
internal sealed class MachinePart : RecommenderPart
{
    public const string Key = "machine";

    /// <summary>Tokens of a person that are looked at, the weightiest ones.</summary>
    private const int MostTokens = 32;

    private readonly FactorizationMachine machine;
    private readonly int tokens;

    private MachinePart(FactorizationMachine machine, int tokens, float[] vectors)
        : base(machine.Factors + 1, vectors)
    {
        this.machine = machine;
        this.tokens = tokens;
    }

    public override string Name => Key;

    /// <summary>Null when there is nothing to learn from.</summary>
    public static MachinePart? Fit(TrainingCuts cuts, ContentIndex content, RecommenderKnobs knobs, IProgress<TrainingProgress>? progress, CancellationToken ct)
    {
        if (cuts.Pairs == 0 || content.Tokens == 0)
        {
            return null;
        }

        var random = new Random(knobs.Seed);
        var (rows, columns, values, targets) = (new List<int>(), new List<int>(), new List<float>(), new List<float>());
        var profile = new float[content.Tokens];
        foreach (var cut in cuts.All)
        {
            ct.ThrowIfCancellationRequested();
            for (var t = 0; t < cut.Earlier.Tokens.Length; t++)
            {
                profile[cut.Earlier.Tokens[t]] = cut.Earlier.Weights[t];
            }

            var person = Strongest(cut.Earlier);
            foreach (var item in cut.Later)
            {
                Add(person, item, 1);
                for (var n = 0; n < knobs.Negatives; n++)
                {
                    if (cuts.Negative(cut, knobs.NegativeSampling, content, profile, random) is >= 0 and var other)
                    {
                        Add(person, other, 0);
                    }
                }
            }

            Array.Clear(profile);
        }

        var matrix = SparseMatrix.FromTriples(
            targets.Count, (2 * content.Tokens) + content.Items, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(columns),
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
        var options = new MachineOptions { Factors = knobs.MachineFactors, Iterations = knobs.MachineIterations, Regularization = 1e-4f, LearningRate = 0.05f, Seed = knobs.Seed };
        var learned = FactorizationMachine.Fit(matrix, [.. targets], options, null, progress, ct);
        return new MachinePart(learned, content.Tokens, Place(learned, content, 0, new float[content.Items * (learned.Factors + 1)]));

        void Add((int[] Tokens, float[] Weights) person, int item, float target)
        {
            var row = targets.Count;
            Put(row, 0, person.Tokens, person.Weights);
            var (its, weights) = content.Bag(item);
            Put(row, content.Tokens, its, weights);
            rows.Add(row);
            columns.Add((2 * content.Tokens) + item);
            values.Add(1);
            targets.Add(target);
        }

        void Put(int row, int offset, int[] places, float[] weights)
        {
            for (var t = 0; t < places.Length; t++)
            {
                rows.Add(row);
                columns.Add(offset + places[t]);
                values.Add(weights[t]);
            }
        }
    }

    public override float[]? Person(PersonTaste taste)
    {
        if (taste.Tokens.Length == 0)
        {
            return null;
        }

        var vector = new float[Dimension];
        var sum = vector.AsSpan(0, machine.Factors);
        var (strongest, weights) = Strongest(taste);
        for (var t = 0; t < strongest.Length; t++)
        {
            TensorPrimitives.MultiplyAdd(machine.FactorsOf(strongest[t]), weights[t], sum, sum);
        }

        vector[^1] = 1;
        return vector;
    }

    public override RecommenderPart With(NewItems added) => new MachinePart(machine, tokens, Place(machine, added.Content, added.First, Extended(added.Items.Count)));

    public override void Save(BinaryWriter writer)
    {
        writer.Write(tokens);
        writer.Flush();
        machine.Save(writer.BaseStream);
    }

    public static MachinePart Load(BinaryReader reader, ContentIndex content)
    {
        var tokens = reader.ReadInt32();
        var machine = FactorizationMachine.Load(reader.BaseStream);
        return tokens == content.Tokens ? new MachinePart(machine, tokens, Place(machine, content, 0, new float[content.Items * (machine.Factors + 1)]))
            : throw new InvalidDataException("The machine does not fit the vocabulary.");
    }

    private static (int[] Tokens, float[] Weights) Strongest(PersonTaste taste)
    {
        if (taste.Tokens.Length <= MostTokens)
        {
            return (taste.Tokens, taste.Weights);
        }

        int[] places = [.. Enumerable.Range(0, taste.Tokens.Length).OrderByDescending(t => taste.Weights[t]).ThenBy(t => taste.Tokens[t]).Take(MostTokens)];
        return (Array.ConvertAll(places, t => taste.Tokens[t]), Array.ConvertAll(places, t => taste.Weights[t]));
    }

    /// <summary>The items' sides: Σ v_i x_i, and behind it Σ w_i x_i + Σ_{i&lt;j} v_i·v_j x_i x_j of the item alone (lemma 3.1).</summary>
    private static float[] Place(FactorizationMachine machine, ContentIndex content, int from, float[] vectors)
    {
        var d = machine.Factors + 1;
        for (var item = from; item < content.Items; item++)
        {
            var vector = vectors.AsSpan(item * d, d);
            var sum = vector[..^1];
            var (alone, own) = (0f, 0f);
            var (tokens, weights) = content.Bag(item);
            for (var t = 0; t <= tokens.Length; t++)
            {
                var feature = t < tokens.Length ? content.Tokens + tokens[t] : (2 * content.Tokens) + item;
                if (feature >= machine.Features)
                {
                    continue;
                }

                var x = t < tokens.Length ? weights[t] : 1;
                var v = machine.FactorsOf(feature);
                TensorPrimitives.MultiplyAdd(v, x, sum, sum);
                alone += machine.WeightOf(feature) * x;
                own += TensorPrimitives.Dot(v, v) * x * x;
            }

            vector[^1] = alone + (0.5f * (TensorPrimitives.Dot<float>(sum, sum) - own));
        }

        return vectors;
    }
}
