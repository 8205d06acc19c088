using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>The few inner loops that factorisation and retrieval share, written so that sums stay in registers.</summary>
internal static class FloatKernels
{
    /// <summary>Inner product of the first <paramref name="length"/> elements behind both references.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot(ref float a, ref float b, int length)
    {
        int i = 0;
        float sum = 0;
        if (Vector512.IsHardwareAccelerated && length >= 16)
        {
            Vector512<float> s0 = default, s1 = default;
            for (; i <= length - 32; i += 32)
            {
                s0 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref a, (nuint)i), Vector512.LoadUnsafe(ref b, (nuint)i), s0);
                s1 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref a, (nuint)i + 16), Vector512.LoadUnsafe(ref b, (nuint)i + 16), s1);
            }

            if (i <= length - 16)
            {
                s0 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref a, (nuint)i), Vector512.LoadUnsafe(ref b, (nuint)i), s0);
                i += 16;
            }

            sum = Vector512.Sum(s0 + s1);
        }
        else if (Vector256.IsHardwareAccelerated && length >= 8)
        {
            Vector256<float> s0 = default, s1 = default;
            for (; i <= length - 16; i += 16)
            {
                s0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, (nuint)i), Vector256.LoadUnsafe(ref b, (nuint)i), s0);
                s1 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, (nuint)i + 8), Vector256.LoadUnsafe(ref b, (nuint)i + 8), s1);
            }

            if (i <= length - 8)
            {
                s0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref a, (nuint)i), Vector256.LoadUnsafe(ref b, (nuint)i), s0);
                i += 8;
            }

            sum = Vector256.Sum(s0 + s1);
        }

        for (; i < length; i++) sum += Unsafe.Add(ref a, i) * Unsafe.Add(ref b, i);
        return sum;
    }

    /// <summary>Inner product of two spans of equal length.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length) throw new ArgumentException("Both vectors must have the same length.", nameof(b));
        return Dot(ref MemoryMarshal.GetReference(a), ref MemoryMarshal.GetReference(b), a.Length);
    }

    /// <summary>y ← y + scale·x for the first <paramref name="length"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(ref float x, float scale, ref float y, int length)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var s = Vector512.Create(scale);
            for (; i <= length - 16; i += 16)
                Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x, (nuint)i), s, Vector512.LoadUnsafe(ref y, (nuint)i)).StoreUnsafe(ref y, (nuint)i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            var s = Vector256.Create(scale);
            for (; i <= length - 8; i += 8)
                Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x, (nuint)i), s, Vector256.LoadUnsafe(ref y, (nuint)i)).StoreUnsafe(ref y, (nuint)i);
        }

        for (; i < length; i++) Unsafe.Add(ref y, i) += scale * Unsafe.Add(ref x, i);
    }

    /// <summary>y ← y + s0·x0 + s1·x1 + s2·x2 + s3·x3; one load and store of y for four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(ref float x0, ref float x1, ref float x2, ref float x3, float s0, float s1, float s2, float s3, ref float y, int length)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> v0 = Vector512.Create(s0), v1 = Vector512.Create(s1), v2 = Vector512.Create(s2), v3 = Vector512.Create(s3);
            for (; i <= length - 16; i += 16)
            {
                var t = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x0, (nuint)i), v0, Vector512.LoadUnsafe(ref y, (nuint)i));
                var u = Vector512.LoadUnsafe(ref x1, (nuint)i) * v1;
                t = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x2, (nuint)i), v2, t);
                u = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x3, (nuint)i), v3, u);
                (t + u).StoreUnsafe(ref y, (nuint)i);
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Vector256<float> v0 = Vector256.Create(s0), v1 = Vector256.Create(s1), v2 = Vector256.Create(s2), v3 = Vector256.Create(s3);
            for (; i <= length - 8; i += 8)
            {
                var t = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x0, (nuint)i), v0, Vector256.LoadUnsafe(ref y, (nuint)i));
                var u = Vector256.LoadUnsafe(ref x1, (nuint)i) * v1;
                t = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x2, (nuint)i), v2, t);
                u = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref x3, (nuint)i), v3, u);
                (t + u).StoreUnsafe(ref y, (nuint)i);
            }
        }

        for (; i < length; i++)
            Unsafe.Add(ref y, i) += s0 * Unsafe.Add(ref x0, i) + s1 * Unsafe.Add(ref x1, i) + s2 * Unsafe.Add(ref x2, i) + s3 * Unsafe.Add(ref x3, i);
    }

    /// <summary>
    /// y ← scale·M·x for a symmetric M of n × n, row-major. Rows are summed (not dotted), so four registers hold the result and
    /// each element of M is loaded once without a horizontal sum.
    /// </summary>
    public static void SymmetricMultiply(ReadOnlySpan<float> matrix, float scale, ReadOnlySpan<float> x, Span<float> y)
    {
        int n = x.Length;
        ref float m = ref MemoryMarshal.GetReference(matrix);
        ref float input = ref MemoryMarshal.GetReference(x);
        int j = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; j <= n - 64; j += 64)
            {
                Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
                for (int k = 0; k < n; k++)
                {
                    var v = Vector512.Create(Unsafe.Add(ref input, k));
                    nuint at = (nuint)k * (nuint)n + (nuint)j;
                    s0 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref m, at), v, s0);
                    s1 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref m, at + 16), v, s1);
                    s2 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref m, at + 32), v, s2);
                    s3 = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref m, at + 48), v, s3);
                }

                var by = Vector512.Create(scale);
                ref float to = ref y[j];
                (s0 * by).StoreUnsafe(ref to);
                (s1 * by).StoreUnsafe(ref to, 16);
                (s2 * by).StoreUnsafe(ref to, 32);
                (s3 * by).StoreUnsafe(ref to, 48);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; j <= n - 16; j += 16)
            {
                Vector256<float> s0 = default, s1 = default;
                for (int k = 0; k < n; k++)
                {
                    var v = Vector256.Create(Unsafe.Add(ref input, k));
                    nuint at = (nuint)k * (nuint)n + (nuint)j;
                    s0 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref m, at), v, s0);
                    s1 = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref m, at + 8), v, s1);
                }

                ref float to = ref y[j];
                (s0 * scale).StoreUnsafe(ref to);
                (s1 * scale).StoreUnsafe(ref to, 8);
            }
        }

        for (; j < n; j++)
        {
            float sum = 0;
            for (int k = 0; k < n; k++) sum += Unsafe.Add(ref m, (nint)k * n + j) * Unsafe.Add(ref input, k);
            y[j] = scale * sum;
        }
    }

    /// <summary>
    /// FᵀF of <paramref name="rows"/> × <paramref name="dimension"/> factors in double precision, over fixed blocks added in order,
    /// so that the result does not depend on the number of threads.
    /// </summary>
    public static double[] Gram(float[] factors, int rows, int dimension, ParallelOptions parallel)
    {
        // 64 blocks bound the memory (64·d² floats); a block's float sums are short enough at the sizes met here.
        int blocks = Math.Clamp(rows / 512, 1, 64);
        var partial = new double[blocks][];
        Parallel.For(0, blocks, parallel, b =>
        {
            int from = (int)((long)rows * b / blocks), to = (int)((long)rows * (b + 1) / blocks);
            var sum = new double[dimension * dimension];
            var small = new float[dimension * dimension];
            for (int start = from; start < to; start += 256)
            {
                int end = Math.Min(start + 256, to);
                Array.Clear(small);
                for (int i = 0; i < dimension; i++)
                {
                    ref float row = ref small[i * dimension];
                    int r = start;
                    for (; r <= end - 4; r += 4)
                    {
                        int at = r * dimension;
                        AddScaled(ref factors[at], ref factors[at + dimension], ref factors[at + 2 * dimension], ref factors[at + 3 * dimension],
                            factors[at + i], factors[at + dimension + i], factors[at + 2 * dimension + i], factors[at + 3 * dimension + i], ref row, i + 1);
                    }

                    for (; r < end; r++) AddScaled(ref factors[r * dimension], factors[r * dimension + i], ref row, i + 1);
                }

                for (int i = 0; i < sum.Length; i++) sum[i] += small[i];
            }

            partial[b] = sum;
        });
        var total = partial[0];
        for (int b = 1; b < blocks; b++)
            for (int i = 0; i < total.Length; i++) total[i] += partial[b][i];
        for (int i = 0; i < dimension; i++)
            for (int j = i + 1; j < dimension; j++) total[i * dimension + j] = total[j * dimension + i];
        return total;
    }
}
