using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>Sums packed gradients by bin: one long a bin, the columns' bins one after the other.</summary>
internal sealed class HistogramBuilder
{
    private const int Block = 512;
    private const int Ahead = 12;
    private const int ParallelRows = 8192;
    private readonly BinnedDataset _data;
    private readonly int _threads;
    private readonly long[][] _partial;
    private readonly Stack<long[]> _pool = new();

    public HistogramBuilder(BinnedDataset data, int threads)
    {
        _data = data;
        _threads = threads;
        Offsets = new int[data.ColumnCount + 1];
        for (var f = 0; f < data.ColumnCount; f++) Offsets[f + 1] = Offsets[f] + data.Features[f].Count;
        _partial = new long[threads - 1][];
    }

    /// <summary>Where each column's bins begin; the last entry is the length of a histogram.</summary>
    public int[] Offsets { get; }

    public long[] Rent() => _pool.TryPop(out var histogram) ? histogram : GC.AllocateUninitializedArray<long>(Offsets[^1]);

    public void Return(long[] histogram) => _pool.Push(histogram);

    /// <summary>Sums <paramref name="packed"/> over <paramref name="rows"/>[start .. start + count) into <paramref name="histogram"/>, which is cleared first.</summary>
    public void Build(long[] packed, int[] rows, int start, int count, bool[] wantedGroups, long[] histogram)
    {
        var chunks = count < ParallelRows ? 1 : Math.Min(_threads, count / (ParallelRows / 2));
        if (chunks == 1)
        {
            Sum(packed, rows, start, count, wantedGroups, histogram);
            return;
        }
        Workers.Ranges(chunks, count, (chunk, from, to) =>
            Sum(packed, rows, start + from, to - from, wantedGroups, chunk == 0 ? histogram : _partial[chunk - 1] ??= new long[Offsets[^1]]));
        for (var chunk = 1; chunk < chunks; chunk++) Add(histogram, _partial[chunk - 1]);
    }

    /// <summary>Turns a parent's histogram into that of the other child.</summary>
    public static void Subtract(long[] parent, long[] child)
    {
        var to = MemoryMarshal.Cast<long, Vector<long>>(parent.AsSpan());
        var from = MemoryMarshal.Cast<long, Vector<long>>(child.AsSpan());
        for (var i = 0; i < to.Length; i++) to[i] -= from[i];
        for (var i = to.Length * Vector<long>.Count; i < parent.Length; i++) parent[i] -= child[i];
    }

    private static void Add(long[] target, long[] part)
    {
        var to = MemoryMarshal.Cast<long, Vector<long>>(target.AsSpan());
        var from = MemoryMarshal.Cast<long, Vector<long>>(part.AsSpan());
        for (var i = 0; i < to.Length; i++) to[i] += from[i];
        for (var i = to.Length * Vector<long>.Count; i < target.Length; i++) target[i] += part[i];
    }

    private unsafe void Sum(long[] packed, int[] rows, int start, int count, bool[] wantedGroups, long[] histogram)
    {
        Array.Clear(histogram);
        var ordered = stackalloc long[Block];
        fixed (long* all = packed, target = histogram)
        fixed (int* index = rows)
        {
            for (var from = 0; from < count; from += Block)
            {
                var length = Math.Min(Block, count - from);
                var block = index + start + from;
                for (var i = 0; i < length; i++) ordered[i] = all[block[i]];
                for (var g = 0; g < wantedGroups.Length; g++)
                {
                    if (!wantedGroups[g]) continue;
                    var feature = g * BinnedDataset.GroupWidth;
                    var b = feature / BinnedDataset.BlockWidth;
                    fixed (byte* bins = _data.Blocks[b])
                        AddGroup(bins + feature % BinnedDataset.BlockWidth, _data.Strides[b], block, ordered, length, target, feature);
                }
            }
        }
    }

    private unsafe void AddGroup(byte* bins, long stride, int* rows, long* ordered, int count, long* histogram, int firstFeature)
    {
        var width = Math.Min(BinnedDataset.GroupWidth, _data.ColumnCount - firstFeature);
        var done = 0;
        if (width == 8)
        {
            Add8(bins, stride, rows, ordered, count, histogram, firstFeature);
            return;
        }
        if (width >= 4)
        {
            Add4(bins, stride, rows, ordered, count, histogram, firstFeature);
            done = 4;
        }
        for (; done < width; done++) Add1(bins + done, stride, rows, ordered, count, histogram + Offsets[firstFeature + done]);
    }

    private unsafe void Add8(byte* bins, long stride, int* rows, long* ordered, int count, long* histogram, int f)
    {
        long* h0 = histogram + Offsets[f], h1 = histogram + Offsets[f + 1], h2 = histogram + Offsets[f + 2], h3 = histogram + Offsets[f + 3];
        long* h4 = histogram + Offsets[f + 4], h5 = histogram + Offsets[f + 5], h6 = histogram + Offsets[f + 6], h7 = histogram + Offsets[f + 7];
        for (var i = 0; i < count; i++)
        {
            // Rows of a deep node lie far apart: their lines are asked for before they are needed.
            if (Sse.IsSupported && i + Ahead < count) Sse.Prefetch0(bins + rows[i + Ahead] * stride);
            var bin = bins + rows[i] * stride;
            var value = ordered[i];
            h0[bin[0]] += value;
            h1[bin[1]] += value;
            h2[bin[2]] += value;
            h3[bin[3]] += value;
            h4[bin[4]] += value;
            h5[bin[5]] += value;
            h6[bin[6]] += value;
            h7[bin[7]] += value;
        }
    }

    private unsafe void Add4(byte* bins, long stride, int* rows, long* ordered, int count, long* histogram, int f)
    {
        long* h0 = histogram + Offsets[f], h1 = histogram + Offsets[f + 1], h2 = histogram + Offsets[f + 2], h3 = histogram + Offsets[f + 3];
        for (var i = 0; i < count; i++)
        {
            var bin = bins + rows[i] * stride;
            var value = ordered[i];
            h0[bin[0]] += value;
            h1[bin[1]] += value;
            h2[bin[2]] += value;
            h3[bin[3]] += value;
        }
    }

    private static unsafe void Add1(byte* bins, long stride, int* rows, long* ordered, int count, long* histogram)
    {
        for (var i = 0; i < count; i++) histogram[bins[rows[i] * stride]] += ordered[i];
    }
}
