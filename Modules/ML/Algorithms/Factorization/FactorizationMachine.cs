using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>What a factorisation machine minimises.</summary>
public enum MachineLoss
{
    /// <summary>ln(1 + e^(−yŝ)); targets are 0 or 1, predictions are probabilities.</summary>
    Logistic,

    /// <summary>½(y − ŝ)²; targets and predictions are numbers.</summary>
    Squared,
}

/// <summary>Settings of <see cref="FactorizationMachine"/> and <see cref="FieldAwareFactorizationMachine"/>.</summary>
public sealed record MachineOptions
{
    /// <summary>What is minimised.</summary>
    public MachineLoss Loss { get; init; } = MachineLoss.Logistic;

    /// <summary>Length of each factor vector, 1 to 1024; multiples of 8 are fastest.</summary>
    public int Factors { get; init; } = 16;

    /// <summary>Most passes over the rows.</summary>
    public int Iterations { get; init; } = 20;

    /// <summary>η of AdaGrad.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>λ on the linear weights.</summary>
    public float LinearRegularization { get; init; } = 1e-5f;

    /// <summary>λ on the factor vectors.</summary>
    public float Regularization { get; init; } = 2e-5f;

    /// <summary>Standard deviation of the initial factors.</summary>
    public float InitialDeviation { get; init; } = 0.05f;

    /// <summary>Each row is scaled to unit length first (Juan et al. 2016, section 3.2).</summary>
    public bool Normalize { get; init; }

    /// <summary>With validation rows: stops after this many passes without improvement and goes back to the best. 0 = never.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>Seed of the initial factors and of the order of rows.</summary>
    public int Seed { get; init; } = 42;

    internal void Check()
    {
        Require.Between(Factors, 1, 1024);
        Require.Between(Iterations, 1, 100_000);
        Require.Between(LearningRate, 1e-9f, 100);
        Require.Between(LinearRegularization, 0, 100);
        Require.Between(Regularization, 0, 100);
        Require.Between(InitialDeviation, 0, 10);
        Require.Between(Patience, 0, 100_000);
    }
}

/// <summary>Rows of features with their targets, kept for measuring while a machine learns.</summary>
/// <param name="Rows">Rows × features.</param>
/// <param name="Targets">One target a row.</param>
public sealed record LabelledRows(SparseMatrix Rows, float[] Targets);

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
        sum.Clear();
        float score = bias, own = 0;
        for (int n = 0; n < features.Length; n++)
        {
            int i = features[n];
            if ((uint)i >= (uint)linear.Length) continue;
            float x = values[n] * scale;
            score += linear[i] * x;
            ref float v = ref vectors[i * factors];
            own += x * x * FloatKernels.Dot(ref v, ref v, factors);
            FloatKernels.AddScaled(ref v, x, ref MemoryMarshal.GetReference(sum), factors);
        }

        return score + 0.5f * (FloatKernels.Dot(sum, sum) - own);
    }
}

/// <summary>What both machines share: losses, AdaGrad and the loop over passes with early stopping.</summary>
internal static class MachineTraining
{
    public static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    public static float UnitScale(ReadOnlySpan<float> values)
    {
        float squares = FloatKernels.Dot(values, values);
        return squares > 0 ? 1 / MathF.Sqrt(squares) : 0;
    }

    public static float InitialBias(float[] targets, MachineLoss loss)
    {
        double mean = targets.Average(t => (double)t);
        if (loss == MachineLoss.Squared) return (float)mean;
        double p = Math.Clamp(mean, 1e-6, 1 - 1e-6);
        return (float)Math.Log(p / (1 - p));
    }

    /// <summary>The loss of a score and its slope dLoss/dScore.</summary>
    public static double Loss(MachineLoss loss, float score, float target, out float slope)
    {
        if (loss == MachineLoss.Squared)
        {
            slope = score - target;
            return 0.5 * slope * slope;
        }

        slope = Sigmoid(score) - target;
        float margin = target > 0 ? score : -score;
        return margin > 0 ? Math.Log(1 + Math.Exp(-margin)) : -margin + Math.Log(1 + Math.Exp(margin));
    }

    /// <summary>AdaGrad along g = a·x + b·v: s ← s + g², v ← v − η·g/√s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Descend(ref float v, ref float s, ref float x, float a, float b, float rate, int length)
    {
        int f = 0;
        if (Avx512F.IsSupported)
        {
            var (wa, wb, wr) = (Vector512.Create(a), Vector512.Create(b), Vector512.Create(-rate));
            for (; f <= length - 16; f += 16)
            {
                var old = Vector512.LoadUnsafe(ref v, (nuint)f);
                var g = Vector512.FusedMultiplyAdd(wa, Vector512.LoadUnsafe(ref x, (nuint)f), wb * old);
                var squares = Vector512.FusedMultiplyAdd(g, g, Vector512.LoadUnsafe(ref s, (nuint)f));
                squares.StoreUnsafe(ref s, (nuint)f);

                // One Newton step on the 14-bit estimate of 1/√s; a division and a root would take five times as long.
                var root = Avx512F.ReciprocalSqrt14(squares);
                root *= Vector512.FusedMultiplyAdd(squares * root, root * -0.5f, Vector512.Create(1.5f));
                Vector512.FusedMultiplyAdd(wr * g, root, old).StoreUnsafe(ref v, (nuint)f);
            }
        }

        var (va, vb, vr) = (new Vector<float>(a), new Vector<float>(b), new Vector<float>(rate));
        for (; f <= length - Vector<float>.Count; f += Vector<float>.Count)
        {
            var old = Vector.LoadUnsafe(ref v, (nuint)f);
            var g = Vector.FusedMultiplyAdd(va, Vector.LoadUnsafe(ref x, (nuint)f), vb * old);
            var squares = Vector.FusedMultiplyAdd(g, g, Vector.LoadUnsafe(ref s, (nuint)f));
            squares.StoreUnsafe(ref s, (nuint)f);
            (old - vr * g / Vector.SquareRoot(squares)).StoreUnsafe(ref v, (nuint)f);
        }

        for (; f < length; f++)
        {
            float g = a * Unsafe.Add(ref x, f) + b * Unsafe.Add(ref v, f);
            ref float squares = ref Unsafe.Add(ref s, f);
            squares += g * g;
            Unsafe.Add(ref v, f) -= rate * g / MathF.Sqrt(squares);
        }
    }

    public static void Check(SparseMatrix rows, float[] targets, MachineLoss loss)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(targets);
        if (rows.Rows != targets.Length || rows.Rows == 0) throw new ArgumentException("Rows and targets must be equally many and not empty.", nameof(targets));
        foreach (float t in targets)
            if (!float.IsFinite(t) || (loss == MachineLoss.Logistic && t is not 0 and not 1)) throw new ArgumentException($"{t} is not a valid target for this loss.", nameof(targets));
    }

    public delegate float Predictor(ReadOnlySpan<int> features, ReadOnlySpan<float> values);

    public static void Run(SparseMatrix rows, float[] targets, MachineOptions options, LabelledRows? validation, Random random, Predictor predict, Func<int, double> step,
        float[] linear, float[] vectors, ref float bias, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var order = Enumerable.Range(0, targets.Length).ToArray();
        double best = double.PositiveInfinity;
        int waited = 0;
        (float[] Linear, float[] Vectors, float Bias)? kept = null;
        for (int pass = 1; pass <= options.Iterations; pass++)
        {
            random.Shuffle(order);
            double loss = 0;
            for (int n = 0; n < order.Length; n++)
            {
                if ((n & 4095) == 0) cancellation.ThrowIfCancellationRequested();
                loss += step(order[n]);
            }

            loss /= order.Length;
            if (validation is not null) loss = Measure(validation, options.Loss, predict);
            progress?.Report(new TrainingProgress(pass, options.Iterations, loss));
            if (validation is null || options.Patience == 0) continue;
            if (loss < best)
            {
                (best, waited) = (loss, 0);
                kept ??= (new float[linear.Length], new float[vectors.Length], 0);
                linear.CopyTo(kept.Value.Linear, 0);
                vectors.CopyTo(kept.Value.Vectors, 0);
                kept = kept.Value with { Bias = bias };
            }
            else if (++waited >= options.Patience) break;
        }

        if (kept is null) return;
        kept.Value.Linear.CopyTo(linear, 0);
        kept.Value.Vectors.CopyTo(vectors, 0);
        bias = kept.Value.Bias;
    }

    private static double Measure(LabelledRows data, MachineLoss loss, Predictor predict)
    {
        double sum = 0;
        for (int row = 0; row < data.Targets.Length; row++)
        {
            double p = predict(data.Rows.RowIndices(row), data.Rows.RowValues(row)), y = data.Targets[row];
            if (loss == MachineLoss.Squared) sum += 0.5 * (p - y) * (p - y);
            else sum -= Math.Log(Math.Max(1e-7, y > 0 ? p : 1 - p));
        }

        return sum / data.Targets.Length;
    }
}
