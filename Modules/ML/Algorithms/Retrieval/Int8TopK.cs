using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>
/// The same answers as <see cref="ExactTopK"/> at a seventh of the memory traffic. Every vector is kept as 8-bit codes with a scale, cut into a plane of high halves
/// and one of low halves (code = 16·high + low). The first pass scores the high halves; the k best by it, scored in float, give a floor
/// that the true k best cannot fall under. Then each true score is bounded by Cauchy and Schwarz, |q·x − q̂·x̂| ≤ |q|·|x − x̂| + |q − q̂|·|x̂|: where the bound reaches the
/// floor, the low halves are added and the bound tightened; what is left is scored in float. Nothing is approximate. Safe for many threads at once. Memory: about 1.1 bytes a value beside the float vectors.
/// </summary>
public sealed class Int8TopK
{
    // Eight rows lie interleaved, four bytes of each in turn: one multiply-add serves eight rows and leaves their sums in one register.
    // A byte holds the halves of two values four apart: bits 0-3 of the block's first four values, bits 4-7 of its second four.
    private const int Lanes = 8;
    private const int Values = 8;
    private const int BlockBytes = 32;
    private const int MostCode = 119;
    private const int AheadBytes = 4096;
    private readonly ReadOnlyMemory<float> vectors;
    private readonly ExactTopK exact;
    private readonly int blocks;
    private readonly byte[] high;
    private readonly byte[] low;
    private readonly float[] scales;
    private readonly GroupBounds[] bounds;

    /// <summary>Encodes <paramref name="vectors"/>: items × <paramref name="dimension"/>, row after row (kept, not copied). Dimensions up to 16,384.</summary>
    public Int8TopK(ReadOnlyMemory<float> vectors, int dimension, int threads = 1)
    {
        Require.Between(dimension, 1, 16_384);
        Require.Between(threads, 1, 1024);
        exact = new ExactTopK(vectors, dimension);
        this.vectors = vectors;
        blocks = (dimension + Values - 1) / Values;
        int groups = (Count + 2 * Lanes - 1) / (2 * Lanes) * 2;
        if ((long)groups * blocks * BlockBytes > Array.MaxLength) throw new ArgumentException($"{Count} vectors of {dimension} values do not fit into one array of codes.", nameof(vectors));
        high = new byte[(long)groups * blocks * BlockBytes];
        low = new byte[high.Length];
        scales = new float[groups * Lanes];
        bounds = new GroupBounds[groups];
        Parallel.For(0, groups, new ParallelOptions { MaxDegreeOfParallelism = threads }, Encode);
    }

    /// <summary>Number of vectors.</summary>
    public int Count => exact.Count;

    /// <summary>Length of each vector.</summary>
    public int Dimension => exact.Dimension;

    /// <summary>
    /// The k best items for one query vector by inner product, best first: exactly what <see cref="ExactTopK.Search"/> answers with the same filters.
    /// </summary>
    public Scored[] Search(ReadOnlySpan<float> query, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null, Func<int, bool>? predicate = null, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        if (query.Length != Dimension) throw new ArgumentException($"The query has {query.Length} values, the items have {Dimension}.", nameof(query));

        // Few allowed items, or a query that has no finite length: nothing is gained by codes.
        float norm = MathF.Sqrt(FloatKernels.Dot(query, query));
        if (Count < 4096 || (allowed is not null && allowed.Count < Count / 8) || !(norm > 0 && float.IsFinite(norm)))
            return exact.Search(query, k, exclude, allowed, predicate, threads);

        var coded = EncodeQuery(query, norm);
        var filter = new Candidates(exclude, allowed, predicate);
        var input = query.ToArray();
        k = Math.Min(k, Count);
        int pairs = bounds.Length / 2;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        var coarse = ArrayPool<float>.Shared.Rent(scales.Length);
        try
        {
            var likely = new TopK[threads];
            Parallel.For(0, threads, parallel, t =>
            {
                likely[t] = new TopK(k);
                ScoreCoarsely(coded, (int)((long)pairs * t / threads), (int)((long)pairs * (t + 1) / threads), coarse, likely[t], filter);
            });
            var merged = Merge(likely, k);
            var floor = new TopK(k);
            foreach (var item in merged.ToSorted()) floor.Offer(item.Index, Exact(item.Index, input));

            var best = new TopK[threads];
            Parallel.For(0, threads, parallel, t =>
            {
                best[t] = new TopK(k);
                Collect(coded, input, 2 * (int)((long)pairs * t / threads), 2 * (int)((long)pairs * (t + 1) / threads), coarse, floor.Threshold, best[t], filter);
            });
            return Merge(best, k).ToSorted();
        }
        finally
        {
            ArrayPool<float>.Shared.Return(coarse);
        }
    }

    private static TopK Merge(TopK[] parts, int k)
    {
        if (parts.Length == 1) return parts[0];
        var all = new TopK(k);
        foreach (var part in parts)
            foreach (var item in part.ToSorted()) all.Offer(item.Index, item.Score);
        return all;
    }

    private float Exact(int row, ReadOnlySpan<float> query) => FloatKernels.Dot(vectors.Span.Slice(row * Dimension, Dimension), query);

    private void Encode(int group)
    {
        var source = vectors.Span;
        int d = Dimension;
        double coarse = 0, fine = 0, norm = 0;
        high.AsSpan(group * blocks * BlockBytes, blocks * BlockBytes).Fill(0x88);
        low.AsSpan(group * blocks * BlockBytes, blocks * BlockBytes).Fill(0x88);
        for (int lane = 0; lane < Lanes; lane++)
        {
            int row = group * Lanes + lane;
            if (row >= Count) break;
            var x = source.Slice(row * d, d);
            float most = 0;
            foreach (float value in x) most = MathF.Max(most, MathF.Abs(value));
            if (!float.IsFinite(most))
            {
                // Bounds of an endless vector mean nothing: it always goes to the exact pass.
                coarse = fine = double.PositiveInfinity;
                continue;
            }

            float scale = most / MostCode;
            if (scale == 0)
            {
                (coarse, fine) = (Math.Max(coarse, most * Math.Sqrt(d)), Math.Max(fine, most * Math.Sqrt(d)));
                continue;
            }

            double coarseOff = 0, fineOff = 0, coarseNorm = 0, fineNorm = 0;
            for (int i = 0; i < d; i++)
            {
                int code = Math.Clamp((int)MathF.Round(x[i] / scale), -MostCode, MostCode), upper = (code + 8) >> 4;
                Store(high, group, lane, i, upper + 8);
                Store(low, group, lane, i, code - 16 * upper + 8);
                double rough = 16.0 * upper * scale, decoded = (double)code * scale;
                coarseOff += (x[i] - rough) * (x[i] - rough);
                fineOff += (x[i] - decoded) * (x[i] - decoded);
                coarseNorm += rough * rough;
                fineNorm += decoded * decoded;
            }

            scales[row] = scale;
            coarse = Math.Max(coarse, Math.Sqrt(coarseOff));
            fine = Math.Max(fine, Math.Sqrt(fineOff));
            norm = Math.Max(norm, Math.Sqrt(Math.Max(coarseNorm, fineNorm)));
        }

        bounds[group] = new GroupBounds(Up(coarse), Up(fine), Up(norm));

        // Rounded up, so that the bounds hold in float.
        static float Up(double value) => MathF.BitIncrement((float)(value * 1.000001));
    }

    private void Store(byte[] plane, int group, int lane, int i, int half)
    {
        int at = (group * blocks + i / Values) * BlockBytes + lane * 4 + i % 4;
        plane[at] = i % Values < 4 ? (byte)((plane[at] & 0xF0) | half) : (byte)((plane[at] & 0x0F) | half << 4);
    }

    private Query EncodeQuery(ReadOnlySpan<float> query, float norm)
    {
        float most = 0;
        foreach (float value in query) most = MathF.Max(most, MathF.Abs(value));
        float scale = most / 127;
        var codes = new sbyte[blocks * Values];
        double off = 0;
        int sum = 0;
        for (int i = 0; i < query.Length; i++)
        {
            int code = scale > 0 ? Math.Clamp((int)MathF.Round(query[i] / scale), -127, 127) : 0;
            codes[i] = (sbyte)code;
            sum += code;
            off += (query[i] - (double)code * scale) * (query[i] - (double)code * scale);
        }

        // The float scores of the exact pass are themselves rounded: d·2⁻²³ of |q||x| covers any order of summation.
        float rounding = query.Length * 1.2e-7f * norm;
        return new Query(codes, scale, 8 * sum, norm * 1.000001f + rounding, (float)(Math.Sqrt(off) * 1.000001) + 2 * rounding);
    }

    /// <summary>Scores of the high halves for pairs of groups into <paramref name="coarse"/>, and the best allowed rows by them.</summary>
    // Called seldom with long loops: compiled fully at once, since the tiers would count calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScoreCoarsely(Query query, int fromPair, int toPair, float[] coarse, TopK likely, in Candidates filter)
    {
        ref byte highs = ref MemoryMarshal.GetArrayDataReference(high);
        ref sbyte codes = ref MemoryMarshal.GetArrayDataReference(query.Codes);
        ref float allScales = ref MemoryMarshal.GetArrayDataReference(scales);
        ref float scores = ref MemoryMarshal.GetArrayDataReference(coarse);
        var queryScale = Vector256.Create(16 * query.Scale);
        var shift = Vector256.Create(query.Shift);
        for (int pair = fromPair; pair < toPair; pair++)
        {
            ref byte two = ref Unsafe.Add(ref highs, (nint)pair * 2 * blocks * BlockBytes);

            // The processor's own look-ahead stops at every page.
            MachineTraining.Prefetch(ref Unsafe.As<byte, float>(ref Unsafe.Add(ref two, AheadBytes)), 2 * blocks * BlockBytes / sizeof(float));
            DotsOfTwo(ref two, ref codes, blocks, out var dots0, out var dots1);
            nuint at = (nuint)(pair * 2 * Lanes);
            var scores0 = Vector256.ConvertToSingle(dots0 - shift) * (Vector256.LoadUnsafe(ref allScales, at) * queryScale);
            var scores1 = Vector256.ConvertToSingle(dots1 - shift) * (Vector256.LoadUnsafe(ref allScales, at + Lanes) * queryScale);
            scores0.StoreUnsafe(ref scores, at);
            scores1.StoreUnsafe(ref scores, at + Lanes);
            var threshold = Vector256.Create(likely.Threshold);
            if (!Vector256.GreaterThanOrEqualAny(Vector256.Max(scores0, scores1), threshold)) continue;
            for (int row = (int)at; row < Math.Min((int)at + 2 * Lanes, Count); row++)
                if (likely.Accepts(row, coarse[row]) && filter.Contains(row)) likely.Offer(row, coarse[row]);
        }
    }

    /// <summary>The best rows of some groups in float; those whose bounds stay under the floor are passed over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Collect(Query query, float[] input, int from, int to, float[] coarse, float floor, TopK best, in Candidates filter)
    {
        ref float scores = ref MemoryMarshal.GetArrayDataReference(coarse);
        for (int group = from; group < to; group++)
        {
            // An endless slack makes the right side −∞ or NaN; the comparison is turned round so that such groups go on to the next stage.
            var bound = bounds[group];
            float threshold = MathF.Max(floor, best.Threshold);
            float least = threshold - (bound.Coarse * query.Norm + bound.Norm * query.Error);
            if (Vector256.LessThanAll(Vector256.LoadUnsafe(ref scores, (nuint)(group * Lanes)), Vector256.Create(least))) continue;

            var fine = FineScores(group, query);
            least = threshold - (bound.Fine * query.Norm + bound.Norm * query.Error);
            uint hits = ~Vector256.LessThan(fine, Vector256.Create(least)).ExtractMostSignificantBits() & ((1u << Lanes) - 1);
            for (; hits != 0; hits &= hits - 1)
            {
                int row = group * Lanes + BitOperations.TrailingZeroCount(hits);
                if (row < Count && filter.Contains(row)) best.Offer(row, Exact(row, input));
            }
        }
    }

    /// <summary>Scores of a group's whole codes, 16·high + low.</summary>
    private Vector256<float> FineScores(int group, Query query)
    {
        int at = group * blocks * BlockBytes;
        var dots = Dots(ref high[at], ref query.Codes[0], blocks) * 16 + Dots(ref low[at], ref query.Codes[0], blocks) - Vector256.Create(17 * query.Shift);
        return Vector256.ConvertToSingle(dots) * (Vector256.LoadUnsafe(ref scales[group * Lanes]) * query.Scale);
    }

    /// <summary>Σ (half + 8)·query code of two neighbouring groups, eight rows each; the query's codes are loaded once for both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DotsOfTwo(ref byte plane, ref sbyte query, int blocks, out Vector256<int> group0, out Vector256<int> group1)
    {
        ref byte next = ref Unsafe.Add(ref plane, blocks * BlockBytes);
        if (!AvxVnni.IsSupported)
        {
            group0 = Dots(ref plane, ref query, blocks);
            group1 = Dots(ref next, ref query, blocks);
            return;
        }

        Vector256<int> lower0 = default, upper0 = default, lower1 = default, upper1 = default;
        var lowMask = Vector256.Create((byte)0x0F);
        var highMask = Vector256.Create((byte)0xF0);
        ref byte codes = ref Unsafe.As<sbyte, byte>(ref query);
        for (int b = 0; b < blocks; b++)
        {
            var halves0 = Vector256.LoadUnsafe(ref plane, (nuint)(b * BlockBytes));
            var halves1 = Vector256.LoadUnsafe(ref next, (nuint)(b * BlockBytes));
            var q0 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.Add(ref codes, b * Values))).AsSByte();
            var q1 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.Add(ref codes, b * Values + 4))).AsSByte();
            lower0 = AvxVnni.MultiplyWideningAndAdd(lower0, halves0 & lowMask, q0);
            upper0 = AvxVnni.MultiplyWideningAndAdd(upper0, halves0 & highMask, q1);
            lower1 = AvxVnni.MultiplyWideningAndAdd(lower1, halves1 & lowMask, q0);
            upper1 = AvxVnni.MultiplyWideningAndAdd(upper1, halves1 & highMask, q1);
        }

        // The upper halves were left in place, 16 times too large; their sums divide without remainder.
        group0 = lower0 + (upper0 >> 4);
        group1 = lower1 + (upper1 >> 4);
    }

    /// <summary>Σ (half + 8)·query code of eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Dots(ref byte plane, ref sbyte query, int blocks)
    {
        if (!Avx2.IsSupported) return DotsPortable(ref plane, ref query, blocks);
        Vector256<int> first = default, second = default;
        var mask = Vector256.Create((byte)0x0F);
        var ones = Vector256.Create((short)1);
        for (int b = 0; b < blocks; b++)
        {
            var halves = Vector256.LoadUnsafe(ref plane, (nuint)(b * BlockBytes));
            var lower = halves & mask;
            var upper = (halves.AsUInt16() >> 4).AsByte() & mask;
            var q0 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref query, b * Values)))).AsSByte();
            var q1 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref query, b * Values + 4)))).AsSByte();

            // A pair of products is at most 2·15·127: the 16-bit sums never saturate.
            first += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(lower, q0), ones);
            second += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(upper, q1), ones);
        }

        return first + second;
    }

    /// <summary>The same one by one.</summary>
    internal static Vector256<int> DotsPortable(ref byte plane, ref sbyte query, int blocks)
    {
        Vector256<int> sums = default;
        for (int lane = 0; lane < Lanes; lane++)
        {
            int sum = 0;
            for (int b = 0; b < blocks; b++)
                for (int i = 0; i < 4; i++)
                {
                    int halves = Unsafe.Add(ref plane, b * BlockBytes + lane * 4 + i);
                    sum += (halves & 0x0F) * Unsafe.Add(ref query, b * Values + i) + (halves >> 4) * Unsafe.Add(ref query, b * Values + 4 + i);
                }

            sums = sums.WithElement(lane, sum);
        }

        return sums;
    }

    /// <summary>Largest distances of a group's vectors from what their high halves and their whole codes say, and the largest coded length.</summary>
    private readonly record struct GroupBounds(float Coarse, float Fine, float Norm);

    /// <summary>A query's codes; Shift takes out that halves are stored plus 8.</summary>
    private sealed record Query(sbyte[] Codes, float Scale, int Shift, float Norm, float Error);
}
