using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// How one column's values become bins: bin 0 is missing, 1 to <see cref="Count"/> - 1 are value ranges (numbers) or categories.
/// A number v lies in bin 1 + (bounds below v), so bin b holds values up to and including Bounds[b - 1].
/// </summary>
internal sealed class FeatureBins
{
    private const int SampleRows = 200_000;

    // The bounds and infinities after them, a power of two in all.
    private readonly float[] _padded;

    private FeatureBins(string name, float[] bounds, byte[]? binOfCode, int count)
    {
        Name = name;
        Bounds = bounds;
        BinOfCode = binOfCode;
        Count = count;
        _padded = new float[BitOperations.RoundUpToPowerOf2((uint)bounds.Length + 1)];
        Array.Fill(_padded, float.PositiveInfinity);
        bounds.CopyTo(_padded, 0);
    }

    public string Name { get; }

    /// <summary>Upper bounds of all known bins but the last, rising.</summary>
    public float[] Bounds { get; }

    /// <summary>Bin of each category code; null for numbers.</summary>
    public byte[]? BinOfCode { get; }

    public bool IsCategorical => BinOfCode is not null;

    /// <summary>Number of bins including the missing one, 2 to 256.</summary>
    public int Count { get; }

    public static FeatureBins Fit(Column column, int maxBins) => column.IsCategorical ? FitCategories(column, maxBins) : FitNumbers(column, maxBins);

    public byte Bin(float value)
    {
        if (BinOfCode is not null) return value >= 0 && value < BinOfCode.Length ? BinOfCode[(int)value] : (byte)0;
        // A search without branches: each step adds half or nothing; NaN compares false and is masked to bin 0.
        var below = 0;
        ref var bounds = ref MemoryMarshal.GetArrayDataReference(_padded);
        for (var half = _padded.Length >> 1; half > 0; half >>= 1)
            below += Unsafe.BitCast<bool, byte>(Unsafe.Add(ref bounds, below + half - 1) < value) * half;
#pragma warning disable CS1718 // Only NaN differs from itself.
        return (byte)((below + 1) * Unsafe.BitCast<bool, byte>(value == value));
#pragma warning restore CS1718
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Name);
        writer.Write(Count);
        writer.Write(BinOfCode?.Length ?? -1);
        if (BinOfCode is not null) writer.Write(BinOfCode);
        writer.WriteArray(Bounds);
    }

    public static FeatureBins Read(BinaryReader reader)
    {
        var name = reader.ReadString();
        var count = reader.ReadInt32();
        var codes = reader.ReadInt32();
        var binOfCode = codes < 0 ? null : reader.ReadBytes(codes);
        return new FeatureBins(name, reader.ReadSingles(), binOfCode, count);
    }

    // The most frequent categories get bins of their own; the others share the last one.
    private static FeatureBins FitCategories(Column column, int maxBins)
    {
        var counts = new int[column.CategoryCount];
        foreach (var code in column.Codes)
        {
            if (code >= 0) counts[code]++;
        }
        var seen = Enumerable.Range(0, counts.Length).Where(code => counts[code] > 0).OrderByDescending(code => counts[code]).ThenBy(code => code).ToArray();
        var own = seen.Length <= maxBins ? seen.Length : maxBins - 1;
        var bins = new byte[counts.Length];
        for (var i = 0; i < seen.Length; i++) bins[seen[i]] = (byte)(Math.Min(i, own) + 1);
        return new FeatureBins(column.Name, [], bins, Math.Max(2, Math.Min(seen.Length, maxBins) + 1));
    }

    private static FeatureBins FitNumbers(Column column, int maxBins)
    {
        var numbers = column.Numbers;
        var sample = new float[Math.Min(numbers.Length, SampleRows)];
        var known = 0;
        for (var i = 0; i < sample.Length; i++)
        {
            var value = numbers[sample.Length == numbers.Length ? i : (int)((long)i * numbers.Length / sample.Length)];
            if (!float.IsNaN(value)) sample[known++] = value == 0 ? 0 : value;
        }
        Sort(sample.AsSpan(0, known));
        var values = new List<float>();
        var counts = new List<int>();
        for (var i = 0; i < known; i++)
        {
            if (i == 0 || sample[i] != sample[i - 1])
            {
                values.Add(sample[i]);
                counts.Add(0);
            }
            counts[^1]++;
        }
        var bounds = values.Count <= maxBins ? EveryGap(values) : Quantiles(values, counts, known, maxBins);
        return new FeatureBins(column.Name, bounds, null, Math.Max(2, bounds.Length + 2));
    }

    // Radix sort by 3 × 11 bits of the order-keeping integer form of a float; several times faster than comparing.
    private static void Sort(Span<float> values)
    {
        const int Bits = 11, Size = 1 << Bits;
        if (values.Length < Size)
        {
            values.Sort();
            return;
        }
        var keys = new uint[values.Length];
        var moved = new uint[values.Length];
        var counts = new int[3 * Size];
        for (var i = 0; i < keys.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(values[i]);
            var key = keys[i] = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
            counts[key & (Size - 1)]++;
            counts[Size + (key >> Bits & (Size - 1))]++;
            counts[2 * Size + (key >> 2 * Bits)]++;
        }
        for (var pass = 0; pass < 3; pass++)
        {
            var count = counts.AsSpan(pass * Size, Size);
            for (int d = 0, start = 0; d < Size; d++) (count[d], start) = (start, start + count[d]);
            foreach (var key in keys) moved[count[(int)(key >> pass * Bits & (Size - 1))]++] = key;
            (keys, moved) = (moved, keys);
        }
        for (var i = 0; i < keys.Length; i++)
            values[i] = BitConverter.UInt32BitsToSingle((keys[i] & 0x80000000) != 0 ? keys[i] & 0x7FFFFFFF : ~keys[i]);
    }

    private static float[] EveryGap(List<float> values)
    {
        var bounds = new float[Math.Max(0, values.Count - 1)];
        for (var i = 0; i < bounds.Length; i++) bounds[i] = Between(values[i], values[i + 1]);
        return bounds;
    }

    // Greedy quantiles: a value more frequent than a fair bin gets its own, the others share the rest evenly.
    private static float[] Quantiles(List<float> values, List<int> counts, int total, int maxBins)
    {
        var fair = (double)total / maxBins;
        long restRows = total;
        var restBins = maxBins;
        foreach (var count in counts)
        {
            if (count < fair) continue;
            restRows -= count;
            restBins--;
        }
        var target = restBins > 0 ? Math.Max(1, (double)restRows / restBins) : double.PositiveInfinity;
        var bounds = new List<float>(maxBins);
        double filled = 0;
        for (var i = 0; i < values.Count - 1 && bounds.Count < maxBins - 1; i++)
        {
            var big = counts[i] >= fair;
            if (!big)
            {
                restRows -= counts[i];
                filled += counts[i];
            }
            if (!big && filled < target && counts[i + 1] < fair) continue;
            bounds.Add(Between(values[i], values[i + 1]));
            if (!big && --restBins > 0) target = Math.Max(1, (double)restRows / restBins);
            filled = 0;
        }
        return [.. bounds];
    }

    // A float at or above the lower and below the upper value, so that both stay on their sides after rounding.
    private static float Between(float lower, float upper)
    {
        var middle = (float)((lower + (double)upper) / 2);
        return middle >= upper || float.IsInfinity(middle) ? lower : middle;
    }
}
