using System.Numerics;
using System.Runtime.InteropServices;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// Factorisation machine of order two (Rendle 2010): ŝ(x) = w₀ + Σ w_i x_i + Σ_{i&lt;j} v_i·v_j x_i x_j, computed in O(features · k) by lemma 3.1 and learned by AdaGrad
/// (Duchi, Hazan, Singer 2011). Sequential and deterministic. The learned machine is immutable and safe for many threads.
/// </summary>
public sealed class FactorizationMachine
{
    private const string Kind = "OKLAFM";
    private readonly MachineLoss loss;
    private readonly bool normalize;
    private readonly int factors;
    private readonly float[] linear;
    private readonly float[] vectors;
    private float bias;

    private FactorizationMachine(MachineLoss loss, bool normalize, int factors, float bias, float[] linear, float[] vectors)
    {
        (this.loss, this.normalize, this.factors, this.bias, this.linear, this.vectors) = (loss, normalize, factors, bias, linear, vectors);
    }

    /// <summary>Number of features.</summary>
    public int Features => linear.Length;

    /// <summary>
    /// Learns from rows × features with one target a row (logistic: 0 or 1). With <paramref name="validation"/> the machine of the best pass on it is answered.
    /// The progress tells the mean loss of the pass, on the validation rows when there are any.
    /// </summary>
    public static FactorizationMachine Fit(SparseMatrix rows, float[] targets, MachineOptions? options = null, LabelledRows? validation = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new MachineOptions();
        options.Check();
        MachineTraining.Check(rows, targets, options.Loss);
        if (validation is not null) MachineTraining.Check(validation.Rows, validation.Targets, options.Loss);
        FactorModel.RequireSize(rows.Columns, options.Factors);
        int k = options.Factors;
        var random = new Random(options.Seed);
        var vectors = new float[rows.Columns * k];
        for (int i = 0; i < vectors.Length; i++) vectors[i] = options.InitialDeviation * ImplicitAls.Gaussian(random);
        var machine = new FactorizationMachine(options.Loss, options.Normalize, k, MachineTraining.InitialBias(targets, options.Loss), new float[rows.Columns], vectors);
        var linearSquares = new float[rows.Columns];
        var squares = new float[vectors.Length];
        Array.Fill(linearSquares, 1);
        Array.Fill(squares, 1);
        float biasSquares = 1;
        var sum = new float[k];
        MachineTraining.Run(rows, targets, options, validation, random, machine.Predict, Step, machine.linear, machine.vectors, ref machine.bias, progress, cancellation);
        return machine;

        double Step(int row)
        {
            var indices = rows.RowIndices(row);
            var values = rows.RowValues(row);
            float scale = machine.Scale(values);
            foreach (int i in indices)
            {
                MachineTraining.Prefetch(ref machine.vectors[i * k], k);
                MachineTraining.Prefetch(ref squares[i * k], k);
            }

            float score = machine.Score(indices, values, scale, sum);
            double lost = MachineTraining.Loss(options.Loss, score, targets[row], out float slope);
            biasSquares += slope * slope;
            machine.bias -= options.LearningRate * slope / MathF.Sqrt(biasSquares);
            for (int n = 0; n < indices.Length; n++)
            {
                float x = values[n] * scale;
                int i = indices[n];
                float g = slope * x + options.LinearRegularization * machine.linear[i];
                linearSquares[i] += g * g;
                machine.linear[i] -= options.LearningRate * g / MathF.Sqrt(linearSquares[i]);
                MachineTraining.Descend(ref machine.vectors[i * k], ref squares[i * k], ref sum[0], slope * x, -slope * x * x + options.Regularization, options.LearningRate, k);
            }

            return lost;
        }
    }

    /// <summary>Length of each factor vector, k.</summary>
    public int Factors => factors;

    /// <summary>w_i of a feature.</summary>
    public float WeightOf(int feature) => linear[feature];

    /// <summary>v_i of a feature, k values; features of one side of a pair add up to a vector whose products with those of the other side rank (Rendle 2010, section 5).</summary>
    public ReadOnlySpan<float> FactorsOf(int feature) => vectors.AsSpan(feature * factors, factors);

    /// <summary>A probability (logistic) or a number (squared) for one row; features beyond those learned are ignored.</summary>
    public float Predict(ReadOnlySpan<int> features, ReadOnlySpan<float> values)
    {
        if (features.Length != values.Length) throw new ArgumentException("Features and values must be equally many.", nameof(values));
        Span<float> sum = factors <= 256 ? stackalloc float[factors] : new float[factors];
        float score = Score(features, values, Scale(values), sum);
        return loss == MachineLoss.Logistic ? MachineTraining.Sigmoid(score) : score;
    }

    /// <summary>Writes the machine, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        to.Write((int)loss);
        to.Write(normalize ? 1 : 0);
        to.Write(factors);
        to.Write(bias);
        to.Write<float>(linear);
        to.Write<float>(vectors);
        to.Finish();
    }

    /// <summary>Reads a saved machine; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static FactorizationMachine Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        var machine = new FactorizationMachine((MachineLoss)from.ReadInt32(), from.ReadInt32() == 1, from.ReadInt32(), from.ReadSingle(), from.ReadArray<float>(), from.ReadArray<float>());
        from.Finish();
        return machine;
    }

    private float Scale(ReadOnlySpan<float> values) => normalize ? MachineTraining.UnitScale(values) : 1;

    /// <summary>Lemma 3.1: Σ_{i&lt;j} = ½ Σ_f ((Σ_i v_if x_i)² − Σ_i v_if² x_i²); leaves Σ_i v_i x_i in <paramref name="sum"/>.</summary>
    private float Score(ReadOnlySpan<int> features, ReadOnlySpan<float> values, float scale, Span<float> sum)
    {
        float score = bias;
        for (int n = 0; n < features.Length; n++)
            if ((uint)features[n] < (uint)linear.Length) score += linear[features[n]] * values[n] * scale;

        // A slice of the factors at a time: both sums of the lemma stay in registers over the whole row.
        ref float all = ref MemoryMarshal.GetArrayDataReference(vectors);
        var pairs = Vector<float>.Zero;
        int f = 0;
        for (; f <= factors - Vector<float>.Count; f += Vector<float>.Count)
        {
            Vector<float> together = default, own = default;
            for (int n = 0; n < features.Length; n++)
            {
                if ((uint)features[n] >= (uint)linear.Length) continue;
                var term = Vector.LoadUnsafe(ref all, (nuint)(features[n] * factors + f)) * (values[n] * scale);
                together += term;
                own = Vector.FusedMultiplyAdd(term, term, own);
            }

            together.CopyTo(sum[f..]);
            pairs += together * together - own;
        }

        float twice = Vector.Sum(pairs);
        for (; f < factors; f++)
        {
            float together = 0, own = 0;
            for (int n = 0; n < features.Length; n++)
            {
                if ((uint)features[n] >= (uint)linear.Length) continue;
                float term = vectors[features[n] * factors + f] * values[n] * scale;
                together += term;
                own += term * term;
            }

            sum[f] = together;
            twice += together * together - own;
        }

        return score + 0.5f * twice;
    }
}
