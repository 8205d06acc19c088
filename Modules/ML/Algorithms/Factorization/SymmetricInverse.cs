using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OKLA.ML.Algorithms.Factorization;

/// <summary>
/// In-place inverse of a large symmetric positive definite float matrix by the blocked sweep operator (Goodnight 1979): each step inverts one
/// diagonal block in double precision and updates the lower triangle by one rank-<see cref="Block"/> product, n³ FLOP in all and no second matrix.
/// </summary>
internal static class SymmetricInverse
{
    /// <summary>Pivot columns a step.</summary>
    public const int Block = 128;

    // A panel of 64 columns × 128 pivots is 32 KiB: it stays in the first-level cache while the rows stream past it.
    private const int PanelWidth = 64;

    /// <summary>Row length that <see cref="Invert"/> wants for n columns: the next multiple of 64.</summary>
    public static int Stride(int n) => (n + PanelWidth - 1) / PanelWidth * PanelWidth;

    /// <summary>
    /// Replaces the lower triangle (n × n in rows of <paramref name="stride"/>) by that of the NEGATIVE inverse. Throws when the matrix is not
    /// positive definite.
    /// </summary>
    public static void Invert(float[] a, int n, int stride, ParallelOptions parallel)
    {
        int panels = stride / PanelWidth;
        var w = new float[panels * Block * PanelWidth];
        var v = new float[(long)n * Block];
        for (int k = 0; k < n; k += Block)
        {
            int b = Math.Min(Block, n - k);
            var inverse = InvertBlock(a, stride, k, b);
            PackColumns(a, n, stride, k, b, w, parallel);
            MultiplyByInverse(w, inverse, n, b, v, parallel);
            int first = k, last = k + b;

            // Row bands, taken dynamically; every element is written by exactly one task in a fixed order of sums.
            const int Band = 32;
            int bands = (n + Band - 1) / Band;
            Parallel.For(0, bands, parallel, band =>
            {
                int from = band * Band, to = Math.Min(from + Band, n);
                for (int panel = 0; panel * PanelWidth < to; panel++)
                    UpdateTile(a, stride, v, w, panel, from, to, b);
            });

            // The pivot's own rows and columns were swept along with the rest and are set here.
            for (int i = 0; i < n; i++)
            {
                if (i < first)
                {
                    for (int p = 0; p < b; p++) a[(long)(first + p) * stride + i] = v[(long)i * Block + p];
                }
                else if (i >= last) v.AsSpan(i * Block, b).CopyTo(a.AsSpan((int)((long)i * stride + first), b));
                else
                {
                    for (int p = 0; p <= i - first; p++) a[(long)i * stride + first + p] = -(float)inverse[(i - first) * b + p];
                }
            }
        }
    }

    /// <summary>The inverse of the pivot block, b × b, in double precision.</summary>
    private static double[] InvertBlock(float[] a, int stride, int k, int b)
    {
        var d = new double[b * b];
        for (int i = 0; i < b; i++)
            for (int j = 0; j <= i; j++) d[i * b + j] = a[(long)(k + i) * stride + k + j];
        var cholesky = new Cholesky(d, b);
        var inverse = new double[b * b];
        for (int i = 0; i < b; i++)
        {
            inverse[i * b + i] = 1;
            cholesky.Solve(inverse.AsSpan(i * b, b));
        }

        return inverse;
    }

    /// <summary>w[panel][p][column in panel] = A[column, k + p], read from whichever triangle holds it.</summary>
    private static void PackColumns(float[] a, int n, int stride, int k, int b, float[] w, ParallelOptions parallel) =>
        Parallel.For(0, stride / PanelWidth, parallel, panel =>
        {
            for (int p = 0; p < b; p++)
            {
                var to = w.AsSpan((panel * Block + p) * PanelWidth, PanelWidth);
                for (int c = 0; c < PanelWidth; c++)
                {
                    int j = panel * PanelWidth + c;
                    to[c] = j >= n ? 0 : j <= k + p ? a[(long)(k + p) * stride + j] : a[(long)j * stride + k + p];
                }
            }
        });

    /// <summary>v[i, p] = Σ_q A[i, k + q]·D⁻¹[q, p].</summary>
    private static void MultiplyByInverse(float[] w, double[] inverse, int n, int b, float[] v, ParallelOptions parallel)
    {
        var d = Array.ConvertAll(inverse, x => (float)x);
        Parallel.For(0, (n + PanelWidth - 1) / PanelWidth, parallel, panel =>
        {
            for (int i = panel * PanelWidth; i < Math.Min((panel + 1) * PanelWidth, n); i++)
            {
                ref float row = ref v[(long)i * Block];
                v.AsSpan(i * Block, b).Clear();
                ref float column = ref w[panel * Block * PanelWidth + i % PanelWidth];
                int q = 0;
                for (; q <= b - 4; q += 4)
                    FloatKernels.AddScaled(ref d[q * b], ref d[(q + 1) * b], ref d[(q + 2) * b], ref d[(q + 3) * b],
                        Unsafe.Add(ref column, q * PanelWidth), Unsafe.Add(ref column, (q + 1) * PanelWidth),
                        Unsafe.Add(ref column, (q + 2) * PanelWidth), Unsafe.Add(ref column, (q + 3) * PanelWidth), ref row, b);
                for (; q < b; q++) FloatKernels.AddScaled(ref d[q * b], Unsafe.Add(ref column, q * PanelWidth), ref row, b);
            }
        });
    }

    /// <summary>A[i, j] −= Σ_p v[i, p]·w[p, j] for rows from … to − 1 and the 64 columns of a panel.</summary>
    private static void UpdateTile(float[] a, int stride, float[] v, float[] w, int panel, int from, int to, int b)
    {
        ref float columns = ref w[panel * Block * PanelWidth];
        int i = from;
        for (; i <= to - 4; i += 4)
        {
            ref float v0 = ref v[(long)i * Block];
            ref float to0 = ref a[(long)i * stride + panel * PanelWidth];
            if (Vector512.IsHardwareAccelerated) FourRows512(ref to0, stride, ref v0, ref columns, b);
            else FourRows256(ref to0, stride, ref v0, ref columns, b);
        }

        for (; i < to; i++)
            for (int p = 0; p < b; p++)
                FloatKernels.AddScaled(ref Unsafe.Add(ref columns, p * PanelWidth), -v[(long)i * Block + p], ref a[(long)i * stride + panel * PanelWidth], PanelWidth);
    }

    private static void FourRows512(ref float to, int stride, ref float v, ref float w, int b)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default, d0 = default, d1 = default, d2 = default, d3 = default;
        for (int p = 0; p < b; p++)
        {
            nuint at = (nuint)(p * PanelWidth);
            var w0 = Vector512.LoadUnsafe(ref w, at);
            var w1 = Vector512.LoadUnsafe(ref w, at + 16);
            var w2 = Vector512.LoadUnsafe(ref w, at + 32);
            var w3 = Vector512.LoadUnsafe(ref w, at + 48);
            var s = Vector512.Create(Unsafe.Add(ref v, p));
            a0 = Vector512.FusedMultiplyAdd(s, w0, a0);
            a1 = Vector512.FusedMultiplyAdd(s, w1, a1);
            a2 = Vector512.FusedMultiplyAdd(s, w2, a2);
            a3 = Vector512.FusedMultiplyAdd(s, w3, a3);
            s = Vector512.Create(Unsafe.Add(ref v, p + Block));
            b0 = Vector512.FusedMultiplyAdd(s, w0, b0);
            b1 = Vector512.FusedMultiplyAdd(s, w1, b1);
            b2 = Vector512.FusedMultiplyAdd(s, w2, b2);
            b3 = Vector512.FusedMultiplyAdd(s, w3, b3);
            s = Vector512.Create(Unsafe.Add(ref v, p + 2 * Block));
            c0 = Vector512.FusedMultiplyAdd(s, w0, c0);
            c1 = Vector512.FusedMultiplyAdd(s, w1, c1);
            c2 = Vector512.FusedMultiplyAdd(s, w2, c2);
            c3 = Vector512.FusedMultiplyAdd(s, w3, c3);
            s = Vector512.Create(Unsafe.Add(ref v, p + 3 * Block));
            d0 = Vector512.FusedMultiplyAdd(s, w0, d0);
            d1 = Vector512.FusedMultiplyAdd(s, w1, d1);
            d2 = Vector512.FusedMultiplyAdd(s, w2, d2);
            d3 = Vector512.FusedMultiplyAdd(s, w3, d3);
        }

        Subtract(ref to, a0, a1, a2, a3);
        Subtract(ref Unsafe.Add(ref to, stride), b0, b1, b2, b3);
        Subtract(ref Unsafe.Add(ref to, 2 * stride), c0, c1, c2, c3);
        Subtract(ref Unsafe.Add(ref to, 3 * stride), d0, d1, d2, d3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Subtract(ref float to, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2, Vector512<float> x3)
    {
        (Vector512.LoadUnsafe(ref to) - x0).StoreUnsafe(ref to);
        (Vector512.LoadUnsafe(ref to, 16) - x1).StoreUnsafe(ref to, 16);
        (Vector512.LoadUnsafe(ref to, 32) - x2).StoreUnsafe(ref to, 32);
        (Vector512.LoadUnsafe(ref to, 48) - x3).StoreUnsafe(ref to, 48);
    }

    private static void FourRows256(ref float to, int stride, ref float v, ref float w, int b)
    {
        for (int j = 0; j < PanelWidth; j += 16)
        {
            Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
            for (int p = 0; p < b; p++)
            {
                nuint at = (nuint)(p * PanelWidth + j);
                var w0 = Vector256.LoadUnsafe(ref w, at);
                var w1 = Vector256.LoadUnsafe(ref w, at + 8);
                var s = Vector256.Create(Unsafe.Add(ref v, p));
                a0 = Vector256.FusedMultiplyAdd(s, w0, a0);
                a1 = Vector256.FusedMultiplyAdd(s, w1, a1);
                s = Vector256.Create(Unsafe.Add(ref v, p + Block));
                b0 = Vector256.FusedMultiplyAdd(s, w0, b0);
                b1 = Vector256.FusedMultiplyAdd(s, w1, b1);
                s = Vector256.Create(Unsafe.Add(ref v, p + 2 * Block));
                c0 = Vector256.FusedMultiplyAdd(s, w0, c0);
                c1 = Vector256.FusedMultiplyAdd(s, w1, c1);
                s = Vector256.Create(Unsafe.Add(ref v, p + 3 * Block));
                d0 = Vector256.FusedMultiplyAdd(s, w0, d0);
                d1 = Vector256.FusedMultiplyAdd(s, w1, d1);
            }

            Subtract(ref Unsafe.Add(ref to, j), a0, a1);
            Subtract(ref Unsafe.Add(ref to, stride + j), b0, b1);
            Subtract(ref Unsafe.Add(ref to, 2 * stride + j), c0, c1);
            Subtract(ref Unsafe.Add(ref to, 3 * stride + j), d0, d1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Subtract(ref float to, Vector256<float> x0, Vector256<float> x1)
    {
        (Vector256.LoadUnsafe(ref to) - x0).StoreUnsafe(ref to);
        (Vector256.LoadUnsafe(ref to, 8) - x1).StoreUnsafe(ref to, 8);
    }
}
