using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>
/// The same answers as <see cref="ExactTopK"/> at an eighth of the memory traffic. Every vector is kept as 4-bit codes with a scale. Part by part, the codes are
/// scored against an 8-bit query; the k best so far by them, scored in float, give a floor that the true k best cannot fall under. Each true score is bounded by
/// Cauchy and Schwarz, |q·x − q̂·x̂| ≤ |q|·|x − x̂| + |q − q̂|·|x̂|; where the bound reaches the floor, the row is scored in float. Nothing is approximate.
/// Safe for many threads at once. Memory: about 0.6 bytes a value beside the float vectors.
/// </summary>
public sealed class QuantizedTopK
{
    // Eight rows lie interleaved, four bytes of each in turn: one multiply-add serves eight rows and leaves their sums in one register.
    // A byte holds the codes of two values four apart: bits 0-3 of the block's first four values, bits 4-7 of its second four.
    private const int Lanes = 8;
    private const int Values = 8;
    private const int BlockBytes = 32;
    private const int MostCode = 7;
    private const int AheadBytes = 4096;
    private const int PartPairs = 1024;
    private const int FirstPairs = 16;
    private const int MostReached = 4 * PartPairs * 2 * Lanes;
    private const int AheadRows = 12;
    private static readonly float[] Cuts = [1, 0.9f, 0.8f, 0.7f];
    private readonly ReadOnlyMemory<float> vectors;
    private readonly ExactTopK exact;
    private readonly int blocks;
    private readonly byte[] codes;
    private readonly float[] scales;
    private readonly Bounds[] bounds;

    /// <summary>Encodes <paramref name="vectors"/>: items × <paramref name="dimension"/>, row after row (kept, not copied). Dimensions up to 16,384.</summary>
    public QuantizedTopK(ReadOnlyMemory<float> vectors, int dimension, int threads = 1)
    {
        Require.Between(dimension, 1, 16_384);
        Require.Between(threads, 1, 1024);
        exact = new ExactTopK(vectors, dimension);
        this.vectors = vectors;
        blocks = (dimension + Values - 1) / Values;
        int groups = (Count + 2 * Lanes - 1) / (2 * Lanes) * 2;
        if ((long)groups * blocks * BlockBytes > Array.MaxLength) throw new ArgumentException($"{Count} vectors of {dimension} values do not fit into one array of codes.", nameof(vectors));
        codes = new byte[(long)groups * blocks * BlockBytes];
        scales = new float[groups * Lanes];
        bounds = new Bounds[groups / 2];
        Parallel.For(0, groups / 2, new ParallelOptions { MaxDegreeOfParallelism = threads }, Encode);
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
        int pairs = bounds.Length;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        var best = new TopK[threads];
        Parallel.For(0, threads, parallel, t =>
        {
            best[t] = new TopK(k);
            SearchPart(coded, input, (int)((long)pairs * t / threads), (int)((long)pairs * (t + 1) / threads), best[t], filter);
        });
        return Merge(best, k).ToSorted();
    }

    // Part by part: the floor rises with every part, and what was listed under a low floor is looked through again under the last one.
    private void SearchPart(Query query, float[] input, int fromPair, int toPair, TopK best, in Candidates filter)
    {
        var reached = new Reached(ArrayPool<int>.Shared.Rent(MostReached), ArrayPool<float>.Shared.Rent(MostReached));
        var news = ArrayPool<int>.Shared.Rent(best.Capacity);
        TopK likely = new(best.Capacity), floor = new(best.Capacity);
        for (int from = fromPair, to; from < toPair; from = to)
        {
            // Short parts first: under no floor every row is listed.
            to = (int)Math.Min(from + Math.Clamp((from - fromPair) / 2L, FirstPairs, PartPairs), toPair);
            int count = 0;
            Score(query, from, to, MathF.Max(floor.Threshold, best.Threshold), likely, reached, filter);
            foreach (var item in likely.Items)
                if (item.Index >= from * 2 * Lanes) news[count++] = item.Index;
            OfferExact(news.AsSpan(0, count), input, floor);
            if (to == toPair || reached.Count > MostReached - PartPairs * 2 * Lanes)
            {
                Narrow(query, reached, MathF.Max(floor.Threshold, best.Threshold));
                OfferExact(reached.Rows.AsSpan(0, reached.Count), input, best);
                reached.Count = 0;
            }
        }

        ArrayPool<int>.Shared.Return(reached.Rows);
        ArrayPool<float>.Shared.Return(reached.Scores);
        ArrayPool<int>.Shared.Return(news);
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

    private void Encode(int pair)
    {
        var source = vectors.Span;
        int d = Dimension;
        double error = 0, norm = 0;
        codes.AsSpan(pair * 2 * blocks * BlockBytes, 2 * blocks * BlockBytes).Fill(0x88);
        for (int row = pair * 2 * Lanes; row < (pair + 1) * 2 * Lanes; row++)
        {
            if (row >= Count) break;
            var x = source.Slice(row * d, d);
            float most = 0;
            foreach (float value in x) most = MathF.Max(most, MathF.Abs(value));
            if (!float.IsFinite(most))
            {
                // Bounds of an endless vector mean nothing: it always goes to the exact pass.
                error = double.PositiveInfinity;
                continue;
            }

            // A few large values may be cut off where the others gain more by finer steps.
            var (scale, off) = (0f, most * Math.Sqrt(d));
            foreach (float share in Cuts)
            {
                float step = most * share / MostCode;
                if (step == 0) continue;
                double distance = Distance(x, step);
                if (distance < off) (scale, off) = (step, distance);
            }

            error = Math.Max(error, off);
            if (scale == 0) continue;
            double length = 0;
            for (int i = 0; i < d; i++)
            {
                int code = Code(x[i], scale);
                int at = (row / Lanes * blocks + i / Values) * BlockBytes + row % Lanes * 4 + i % 4;
                codes[at] = i % Values < 4 ? (byte)((codes[at] & 0xF0) | (code + 8)) : (byte)((codes[at] & 0x0F) | (code + 8) << 4);
                length += (double)code * scale * ((double)code * scale);
            }

            scales[row] = scale;
            norm = Math.Max(norm, Math.Sqrt(length));
        }

        bounds[pair] = new Bounds(Up(error), Up(norm));

        // Rounded up, so that the bounds hold in float.
        static float Up(double value) => MathF.BitIncrement((float)(value * 1.000001));
    }

    private static int Code(float value, float scale) => Math.Clamp((int)MathF.Round(value / scale), -MostCode, MostCode);

    private static double Distance(ReadOnlySpan<float> x, float scale)
    {
        double sum = 0;
        foreach (float value in x)
        {
            double off = value - (double)Code(value, scale) * scale;
            sum += off * off;
        }

        return Math.Sqrt(sum);
    }

    private Query EncodeQuery(ReadOnlySpan<float> query, float norm)
    {
        float most = 0;
        foreach (float value in query) most = MathF.Max(most, MathF.Abs(value));
        float scale = most / 127;
        var coded = new sbyte[blocks * Values];
        double off = 0;
        int sum = 0;
        for (int i = 0; i < query.Length; i++)
        {
            int code = scale > 0 ? Math.Clamp((int)MathF.Round(query[i] / scale), -127, 127) : 0;
            coded[i] = (sbyte)code;
            sum += code;
            off += (query[i] - (double)code * scale) * (query[i] - (double)code * scale);
        }

        // The float scores of the exact pass are themselves rounded: d·2⁻²³ of |q||x| covers any order of summation.
        float rounding = query.Length * 1.2e-7f * norm;
        return new Query(coded, scale, 8 * sum, norm * 1.000001f + rounding, (float)(Math.Sqrt(off) * 1.000001) + 2 * rounding);
    }

    /// <summary>Lists the allowed rows of pairs of groups whose codes say that they may reach a floor, and offers them by those scores.</summary>
    // Called seldom with long loops: compiled fully at once, since the tiers would count calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Score(Query query, int fromPair, int toPair, float floor, TopK likely, Reached reached, in Candidates filter)
    {
        ref byte rows = ref MemoryMarshal.GetArrayDataReference(codes);
        ref sbyte coded = ref MemoryMarshal.GetArrayDataReference(query.Codes);
        ref float allScales = ref MemoryMarshal.GetArrayDataReference(scales);
        ref var allBounds = ref MemoryMarshal.GetArrayDataReference(bounds);
        var queryScale = Vector256.Create(query.Scale);
        var shift = Vector256.Create(query.Shift);
        var (norm, error) = (query.Norm, query.Error);
        for (int pair = fromPair; pair < toPair; pair++)
        {
            ref byte two = ref Unsafe.Add(ref rows, (nint)pair * 2 * blocks * BlockBytes);

            // The processor's own look-ahead stops at every page.
            MachineTraining.Prefetch(ref Unsafe.As<byte, float>(ref Unsafe.Add(ref two, AheadBytes)), 2 * blocks * BlockBytes / sizeof(float));
            DotsOfTwo(ref two, ref coded, blocks, out var dots0, out var dots1);
            nuint at = (nuint)(pair * 2 * Lanes);
            var scores0 = Vector256.ConvertToSingle(dots0 - shift) * (Vector256.LoadUnsafe(ref allScales, at) * queryScale);
            var scores1 = Vector256.ConvertToSingle(dots1 - shift) * (Vector256.LoadUnsafe(ref allScales, at + Lanes) * queryScale);

            // An endless slack makes the floor −∞ or NaN; the comparison is turned round so that such groups are listed.
            var bound = Unsafe.Add(ref allBounds, pair);
            var least = Vector256.Create(floor - (bound.Error * norm + bound.Norm * error));
            var under0 = Vector256.LessThan(scores0, least);
            var under1 = Vector256.LessThan(scores1, least);
            uint over = ~(under0.ExtractMostSignificantBits() | under1.ExtractMostSignificantBits() << Lanes) & ((1u << (2 * Lanes)) - 1);
            if (over != 0) List((int)at, over, scores0, scores1, likely, reached, filter);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void List(int firstRow, uint hits, Vector256<float> scores0, Vector256<float> scores1, TopK likely, Reached reached, in Candidates filter)
    {
        for (; hits != 0; hits &= hits - 1)
        {
            int lane = BitOperations.TrailingZeroCount(hits), row = firstRow + lane;
            if (row >= Count || !filter.Contains(row)) continue;
            float score = lane < Lanes ? scores0[lane] : scores1[lane - Lanes];
            reached.Rows[reached.Count] = row;
            reached.Scores[reached.Count++] = score;
            likely.Offer(row, score);
        }
    }

    /// <summary>Leaves of what was listed what may reach a higher floor.</summary>
    private void Narrow(Query query, Reached reached, float floor)
    {
        int count = 0;
        for (int i = 0; i < reached.Count; i++)
        {
            int row = reached.Rows[i];
            var bound = bounds[row / (2 * Lanes)];
            if (!(reached.Scores[i] < floor - (bound.Error * query.Norm + bound.Norm * query.Error))) reached.Rows[count++] = row;
        }

        reached.Count = count;
    }

    /// <summary>Offers rows by their scores in float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OfferExact(ReadOnlySpan<int> rows, float[] query, TopK best)
    {
        ref float values = ref MemoryMarshal.GetReference(vectors.Span);
        for (int i = 0; i < rows.Length; i++)
        {
            // The rows lie scattered: what will be read is called for ahead.
            if (i + AheadRows < rows.Length) MachineTraining.Prefetch(ref Unsafe.Add(ref values, (nint)rows[i + AheadRows] * Dimension), Dimension);
            best.Offer(rows[i], Exact(rows[i], query));
        }
    }

    /// <summary>Σ (code + 8)·query code of two neighbouring groups, eight rows each; the query's codes are loaded once for both.</summary>
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
            var bytes0 = Vector256.LoadUnsafe(ref plane, (nuint)(b * BlockBytes));
            var bytes1 = Vector256.LoadUnsafe(ref next, (nuint)(b * BlockBytes));
            var q0 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.Add(ref codes, b * Values))).AsSByte();
            var q1 = Vector256.Create(Unsafe.ReadUnaligned<int>(ref Unsafe.Add(ref codes, b * Values + 4))).AsSByte();
            lower0 = AvxVnni.MultiplyWideningAndAdd(lower0, bytes0 & lowMask, q0);
            upper0 = AvxVnni.MultiplyWideningAndAdd(upper0, bytes0 & highMask, q1);
            lower1 = AvxVnni.MultiplyWideningAndAdd(lower1, bytes1 & lowMask, q0);
            upper1 = AvxVnni.MultiplyWideningAndAdd(upper1, bytes1 & highMask, q1);
        }

        // The upper codes were left in place, 16 times too large; their sums divide without remainder.
        group0 = lower0 + (upper0 >> 4);
        group1 = lower1 + (upper1 >> 4);
    }

    /// <summary>Σ (code + 8)·query code of eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Dots(ref byte plane, ref sbyte query, int blocks)
    {
        if (!Avx2.IsSupported) return DotsPortable(ref plane, ref query, blocks);
        Vector256<int> first = default, second = default;
        var mask = Vector256.Create((byte)0x0F);
        var ones = Vector256.Create((short)1);
        for (int b = 0; b < blocks; b++)
        {
            var bytes = Vector256.LoadUnsafe(ref plane, (nuint)(b * BlockBytes));
            var lower = bytes & mask;
            var upper = (bytes.AsUInt16() >> 4).AsByte() & mask;
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
                    int two = Unsafe.Add(ref plane, b * BlockBytes + lane * 4 + i);
                    sum += (two & 0x0F) * Unsafe.Add(ref query, b * Values + i) + (two >> 4) * Unsafe.Add(ref query, b * Values + 4 + i);
                }

            sums = sums.WithElement(lane, sum);
        }

        return sums;
    }

    /// <summary>Of two neighbouring groups: the largest distance of a vector from what its codes say, and the largest coded length.</summary>
    private readonly record struct Bounds(float Error, float Norm);

    /// <summary>Rows listed with the scores of their codes.</summary>
    private sealed class Reached(int[] rows, float[] scores)
    {
        public int[] Rows { get; } = rows;

        public float[] Scores { get; } = scores;

        public int Count { get; set; }
    }

    /// <summary>A query's codes; Shift takes out that codes are stored plus 8.</summary>
    private sealed record Query(sbyte[] Codes, float Scale, int Shift, float Norm, float Error);
}
