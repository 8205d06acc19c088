using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OKLA.ML.Algorithms.Factorization;

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

    /// <summary>Asks for the cache lines of the next <paramref name="length"/> floats: a row's features lie far apart, so their loads should overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(ref float from, int length)
    {
        if (!Sse.IsSupported) return;
        for (int f = 0; f < length; f += 16) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref from, f)));
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
