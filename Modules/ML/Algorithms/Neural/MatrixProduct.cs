using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Products of row-major matrices: panels of B are packed so that they stay in the first-level cache, and tiles of 4 rows × 2 vectors of C stay in
/// registers over the whole inner dimension (Goto and van de Geijn 2008). Each element is summed in one order, whatever the number of threads.
/// </summary>
internal static class MatrixProduct
{
    // 256 × 32 floats = 32 KiB, the packed panel.
    private const int Depth = 256;
    private const int TileRows = 4;

    // Below this many multiply-adds handing work to a second thread costs more than it saves.
    private const long WorthThreads = 1 << 19;

    /// <summary>
    /// C ← A·B, or C + A·B with <paramref name="add"/>. A is m × k (k × m when transposed), B is k × n (n × k when transposed), C is m × n; the arrays may
    /// be longer.
    /// </summary>
    public static void Multiply(float[] a, bool transposeA, float[] b, bool transposeB, float[] c, int m, int k, int n, bool add, int threads)
    {
        if (a.Length < (long)m * k || b.Length < (long)k * n || c.Length < (long)m * n)
            throw new ArgumentException($"{a.Length}, {b.Length} and {c.Length} elements do not hold {m} × {k}, {k} × {n} and {m} × {n}.", nameof(c));
        if (threads > 1 && (long)m * k * n >= WorthThreads) InParallel(a, transposeA, b, transposeB, c, m, k, n, add, threads);
        else Rows(a, transposeA, b, transposeB, c, m, k, n, add, 0, m);
    }

    private static void InParallel(float[] a, bool transposeA, float[] b, bool transposeB, float[] c, int m, int k, int n, bool add, int threads)
    {
        var tiles = (m + TileRows - 1) / TileRows;
        Workers.Ranges(Math.Min(threads, tiles), tiles,
            (_, from, to) => Rows(a, transposeA, b, transposeB, c, m, k, n, add, from * TileRows, Math.Min(m, to * TileRows)));
    }

    private static void Rows(float[] a, bool transposeA, float[] b, bool transposeB, float[] c, int m, int k, int n, bool add, int from, int to)
    {
        if (k == 0)
        {
            if (!add) c.AsSpan(from * n, (to - from) * n).Clear();
            return;
        }
        var wide = Vector512.IsHardwareAccelerated ? 32 : 16;
        var panel = ArrayPool<float>.Shared.Rent(Depth * wide);
        var (rowStride, columnStride) = transposeA ? (1, m) : (k, 1);
        for (var start = 0; start < k; start += Depth)
        {
            var depth = Math.Min(Depth, k - start);
            for (var column = 0; column < n;)
            {
                // A narrow rest takes the narrow tile, so that little of it is padding.
                var width = n - column <= 16 ? 16 : wide;
                var valid = Math.Min(width, n - column);
                Pack(b, transposeB, k, n, start, depth, column, valid, panel, width);
                var at = start * columnStride;
                if (width == 32) Panel<Lanes512, Vector512<float>>(a, at, rowStride, columnStride, panel, depth, c, n, column, valid, from, to, add || start > 0);
                else Panel<Lanes256, Vector256<float>>(a, at, rowStride, columnStride, panel, depth, c, n, column, valid, from, to, add || start > 0);
                column += valid;
            }
        }
        ArrayPool<float>.Shared.Return(panel);
    }

    /// <summary>Copies columns [column, column + valid) of rows [start, start + depth) of B, row after row of <paramref name="width"/>, zeros beyond.</summary>
    private static void Pack(float[] b, bool transposed, int k, int n, int start, int depth, int column, int valid, float[] panel, int width)
    {
        for (var p = 0; p < depth; p++)
        {
            var to = panel.AsSpan(p * width, width);
            if (!transposed) b.AsSpan((start + p) * n + column, valid).CopyTo(to);
            else
            {
                ref var first = ref b[column * k + start + p];
                for (var j = 0; j < valid; j++) to[j] = Unsafe.Add(ref first, (nint)j * k);
            }
            to[valid..].Clear();
        }
    }

    private static void Panel<TLanes, TVector>(
        float[] a, int at, int rowStride, int columnStride, float[] panel, int depth, float[] c, int n, int column, int valid, int from, int to, bool add)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var width = 2 * TLanes.Count;
        Span<float> partial = stackalloc float[TileRows * 32];
        ref var packed = ref MemoryMarshal.GetArrayDataReference(panel);
        for (var row = from; row < to; row += TileRows)
        {
            var rows = Math.Min(TileRows, to - row);
            ref var left = ref a[at + row * rowStride];
            var whole = rows == TileRows && valid == width;
            if (whole)
            {
                Tile<TLanes, TVector>(ref left, rowStride, 2 * rowStride, 3 * rowStride, columnStride, ref packed, depth, ref c[row * n + column], n, add);
                continue;
            }
            // Beyond the last row the tile reads the last row again; what it computes there is not copied out.
            if (add)
                for (var r = 0; r < rows; r++) c.AsSpan((row + r) * n + column, valid).CopyTo(partial[(r * width)..]);
            Tile<TLanes, TVector>(
                ref left, Math.Min(1, rows - 1) * rowStride, Math.Min(2, rows - 1) * rowStride, (rows - 1) * rowStride, columnStride, ref packed, depth,
                ref partial[0], width, add);
            for (var r = 0; r < rows; r++) partial.Slice(r * width, valid).CopyTo(c.AsSpan((row + r) * n + column));
        }
    }

    // Called seldom with long loops: compiled fully at once, since the tiers would count calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TLanes, TVector>(
        ref float a, int row1, int row2, int row3, int columnStride, ref float packed, int depth, ref float c, int stride, bool add)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var lanes = TLanes.Count;
        TVector s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        ref var a1 = ref Unsafe.Add(ref a, row1);
        ref var a2 = ref Unsafe.Add(ref a, row2);
        ref var a3 = ref Unsafe.Add(ref a, row3);
        nint at = 0;
        for (var p = 0; p < depth; p++)
        {
            var b0 = TLanes.Load(ref packed, 0);
            var b1 = TLanes.Load(ref packed, lanes);
            packed = ref Unsafe.Add(ref packed, 2 * lanes);
            var x = TLanes.Fill(Unsafe.Add(ref a, at));
            s00 = TLanes.MultiplyAdd(x, b0, s00);
            s01 = TLanes.MultiplyAdd(x, b1, s01);
            x = TLanes.Fill(Unsafe.Add(ref a1, at));
            s10 = TLanes.MultiplyAdd(x, b0, s10);
            s11 = TLanes.MultiplyAdd(x, b1, s11);
            x = TLanes.Fill(Unsafe.Add(ref a2, at));
            s20 = TLanes.MultiplyAdd(x, b0, s20);
            s21 = TLanes.MultiplyAdd(x, b1, s21);
            x = TLanes.Fill(Unsafe.Add(ref a3, at));
            s30 = TLanes.MultiplyAdd(x, b0, s30);
            s31 = TLanes.MultiplyAdd(x, b1, s31);
            at += columnStride;
        }
        Put<TLanes, TVector>(s00, s01, ref c, add);
        Put<TLanes, TVector>(s10, s11, ref Unsafe.Add(ref c, stride), add);
        Put<TLanes, TVector>(s20, s21, ref Unsafe.Add(ref c, 2 * stride), add);
        Put<TLanes, TVector>(s30, s31, ref Unsafe.Add(ref c, 3 * stride), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TLanes, TVector>(TVector first, TVector second, ref float to, bool add)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        if (add)
        {
            first = TLanes.Add(first, TLanes.Load(ref to, 0));
            second = TLanes.Add(second, TLanes.Load(ref to, TLanes.Count));
        }
        TLanes.Store(first, ref to, 0);
        TLanes.Store(second, ref to, TLanes.Count);
    }

    /// <summary>One vector width, so that the tile is written once for both.</summary>
    private interface ILanes<TVector> where TVector : struct
    {
        public static abstract int Count { get; }

        public static abstract TVector Load(ref float from, int at);

        public static abstract TVector Fill(float value);

        public static abstract TVector MultiplyAdd(TVector a, TVector b, TVector sum);

        public static abstract TVector Add(TVector a, TVector b);

        public static abstract void Store(TVector value, ref float to, int at);
    }

    private readonly struct Lanes512 : ILanes<Vector512<float>>
    {
        public static int Count => 16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Load(ref float from, int at) => Vector512.LoadUnsafe(ref from, (nuint)at);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Fill(float value) => Vector512.Create(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> sum) => Vector512.FusedMultiplyAdd(a, b, sum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> value, ref float to, int at) => value.StoreUnsafe(ref to, (nuint)at);
    }

    private readonly struct Lanes256 : ILanes<Vector256<float>>
    {
        public static int Count => 8;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Load(ref float from, int at) => Vector256.LoadUnsafe(ref from, (nuint)at);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Fill(float value) => Vector256.Create(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> sum) => Vector256.FusedMultiplyAdd(a, b, sum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector256<float> value, ref float to, int at) => value.StoreUnsafe(ref to, (nuint)at);
    }
}
