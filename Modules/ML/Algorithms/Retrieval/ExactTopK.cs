using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>
/// Exact search for the k vectors with the largest inner product: every vector is scored. Safe for many threads at once.
/// The answer is the same for any number of threads (equal scores: the lower index first).
/// </summary>
public sealed class ExactTopK
{
    // 1,024 rows × 64 floats = 256 KiB: an item block stays in the second-level cache while a batch of queries passes over it.
    private const int BlockRows = 1024;

    // 4 KiB.
    private const int AheadValues = 1024;
    private readonly ReadOnlyMemory<float> vectors;

    /// <summary>Searches <paramref name="vectors"/>: items × <paramref name="dimension"/>, row after row. Kept, not copied.</summary>
    public ExactTopK(ReadOnlyMemory<float> vectors, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        if (vectors.Length % dimension != 0) throw new ArgumentException($"{vectors.Length} values are not rows of {dimension}.", nameof(vectors));
        this.vectors = vectors;
        Dimension = dimension;
        Count = vectors.Length / dimension;
    }

    /// <summary>Number of vectors.</summary>
    public int Count { get; }

    /// <summary>Length of each vector.</summary>
    public int Dimension { get; }

    /// <summary>
    /// The k best items for one query vector, best first; fewer when fewer are allowed.
    /// <paramref name="exclude"/> is a list in any order; <paramref name="allowed"/> a bitmap; <paramref name="predicate"/> is asked only about
    /// items that would otherwise be answered. <paramref name="threads"/> above 1 splits the scan.
    /// </summary>
    public Scored[] Search(ReadOnlySpan<float> query, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null,
        Func<int, bool>? predicate = null, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        RequireDimension(query.Length);
        if (Count == 0) return [];
        var filter = new Candidates(exclude, allowed, predicate);
        k = Math.Min(k, Count);
        if (allowed is not null && allowed.Count < Count / 8)
        {
            var few = new TopK(k);
            var span = vectors.Span;
            foreach (int item in allowed.Items())
            {
                if (item >= Count) break;
                float score = FloatKernels.Dot(span.Slice(item * Dimension, Dimension), query);
                if (few.Accepts(item, score) && filter.Contains(item)) few.Offer(item, score);
            }

            return few.ToSorted();
        }

        threads = Math.Min(threads, (Count + BlockRows - 1) / BlockRows);
        if (threads == 1)
        {
            var best = new TopK(k);
            Scan(query, 0, Count, best, filter);
            return best.ToSorted();
        }

        var copy = query.ToArray();
        var parts = new TopK[threads];
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t =>
        {
            parts[t] = new TopK(k);
            Scan(copy, (int)((long)Count * t / threads), (int)((long)Count * (t + 1) / threads), parts[t], filter);
        });
        var all = parts.SelectMany(p => p.ToSorted()).ToArray();
        Array.Sort(all);
        return all.AsSpan(0, Math.Min(k, all.Length)).ToArray();
    }

    /// <summary>
    /// The k best items for each of many queries (queries × dimension, row after row). <paramref name="exclude"/> answers the items to leave out of
    /// a query's list. Four queries share each load of an item, and item blocks stay in the cache.
    /// </summary>
    public Scored[][] SearchBatch(ReadOnlyMemory<float> queries, int k, Func<int, ReadOnlyMemory<int>>? exclude = null, ItemMask? allowed = null,
        int threads = 1, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (queries.Length % Dimension != 0) throw new ArgumentException($"{queries.Length} values are not rows of {Dimension}.", nameof(queries));
        int count = queries.Length / Dimension;
        var answers = new Scored[count][];
        if (Count == 0)
        {
            Array.Fill(answers, []);
            return answers;
        }

        const int Group = 64;
        int groups = (count + Group - 1) / Group;
        Parallel.For(0, groups, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, g =>
        {
            int first = g * Group, size = Math.Min(Group, count - first);
            var best = new TopK[size];
            var filters = new Candidates[size];
            for (int q = 0; q < size; q++)
            {
                best[q] = new TopK(Math.Min(k, Count));
                filters[q] = new Candidates(exclude is null ? default : exclude(first + q).Span, allowed, null);
            }

            var scores = new float[4 * BlockRows];
            var input = queries.Span;
            for (int block = 0; block < Count; block += BlockRows)
            {
                int rows = Math.Min(BlockRows, Count - block);
                for (int q = 0; q < size; q += 4)
                {
                    if (q + 4 > size)
                    {
                        for (; q < size; q++) Scan(input.Slice((first + q) * Dimension, Dimension), block, block + rows, best[q], filters[q]);
                        break;
                    }

                    ScoreFour(input.Slice((first + q) * Dimension, 4 * Dimension), block, rows, scores);
                    for (int n = 0; n < 4; n++) Collect(scores.AsSpan(n * BlockRows, rows), block, best[q + n], filters[q + n]);
                }
            }

            for (int q = 0; q < size; q++) answers[first + q] = best[q].ToSorted();
        });
        return answers;
    }

    // Called seldom with long loops: compiled fully at once, since the tiers would count calls.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scan(ReadOnlySpan<float> query, int from, int to, TopK best, in Candidates filter)
    {
        ref float items = ref MemoryMarshal.GetReference(vectors.Span);
        ref float q = ref MemoryMarshal.GetReference(query);
        float threshold = best.Threshold;
        for (int r = from; r < to; r++)
        {
            ref float row = ref Unsafe.Add(ref items, (nint)r * Dimension);

            // The processor's own look-ahead stops at every page; asking for later lines keeps the memory busy.
            MachineTraining.Prefetch(ref Unsafe.Add(ref row, AheadValues), Dimension);
            float score = FloatKernels.Dot(ref row, ref q, Dimension);
            if (!(score >= threshold) || !filter.Contains(r)) continue;
            best.Offer(r, score);
            threshold = best.Threshold;
        }
    }

    private static void Collect(ReadOnlySpan<float> scores, int first, TopK best, in Candidates filter)
    {
        // Most runs of eight hold nothing good enough.
        int r = 0;
        for (; r <= scores.Length - 8; r += 8)
        {
            if (!Vector256.GreaterThanOrEqualAny(Vector256.Create(scores.Slice(r, 8)), Vector256.Create(best.Threshold))) continue;
            for (int n = r; n < r + 8; n++)
                if (best.Accepts(first + n, scores[n]) && filter.Contains(first + n)) best.Offer(first + n, scores[n]);
        }

        for (; r < scores.Length; r++)
            if (best.Accepts(first + r, scores[r]) && filter.Contains(first + r)) best.Offer(first + r, scores[r]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScoreFour(ReadOnlySpan<float> four, int from, int rows, float[] scores)
    {
        int d = Dimension;
        ref float items = ref MemoryMarshal.GetReference(vectors.Span);
        ref float q0 = ref MemoryMarshal.GetReference(four);
        ref float q1 = ref Unsafe.Add(ref q0, d);
        ref float q2 = ref Unsafe.Add(ref q1, d);
        ref float q3 = ref Unsafe.Add(ref q2, d);
        for (int r = 0; r < rows; r++)
        {
            ref float row = ref Unsafe.Add(ref items, (nint)(from + r) * d);
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            int i = 0;
            for (; i <= d - 8; i += 8)
            {
                var v = Vector256.LoadUnsafe(ref row, (nuint)i);
                s0 = Vector256.FusedMultiplyAdd(v, Vector256.LoadUnsafe(ref q0, (nuint)i), s0);
                s1 = Vector256.FusedMultiplyAdd(v, Vector256.LoadUnsafe(ref q1, (nuint)i), s1);
                s2 = Vector256.FusedMultiplyAdd(v, Vector256.LoadUnsafe(ref q2, (nuint)i), s2);
                s3 = Vector256.FusedMultiplyAdd(v, Vector256.LoadUnsafe(ref q3, (nuint)i), s3);
            }

            float t0 = Vector256.Sum(s0), t1 = Vector256.Sum(s1), t2 = Vector256.Sum(s2), t3 = Vector256.Sum(s3);
            for (; i < d; i++)
            {
                float v = Unsafe.Add(ref row, i);
                t0 += v * Unsafe.Add(ref q0, i);
                t1 += v * Unsafe.Add(ref q1, i);
                t2 += v * Unsafe.Add(ref q2, i);
                t3 += v * Unsafe.Add(ref q3, i);
            }

            scores[r] = t0;
            scores[BlockRows + r] = t1;
            scores[2 * BlockRows + r] = t2;
            scores[3 * BlockRows + r] = t3;
        }
    }

    private void RequireDimension(int length)
    {
        if (length != Dimension) throw new ArgumentException($"The query has {length} values, the items have {Dimension}.", nameof(length));
    }
}
