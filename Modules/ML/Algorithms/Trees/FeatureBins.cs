using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// How one column's values become bins: bin 0 is missing, 1 to <see cref="Count"/> - 1 are value ranges (numbers) or categories.
/// A number v lies in bin 1 + (bounds below v), so bin b holds values up to and including Bounds[b - 1].
/// </summary>
internal sealed class FeatureBins
{
    private const int SampleRows = 200_000;

    private FeatureBins(string name, float[] bounds, byte[]? binOfCode, int count)
    {
        Name = name;
        Bounds = bounds;
        BinOfCode = binOfCode;
        Count = count;
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
        if (float.IsNaN(value)) return 0;
        if (BinOfCode is not null) return value >= 0 && value < BinOfCode.Length ? BinOfCode[(int)value] : (byte)0;
        var low = 0;
        var length = Bounds.Length;
        while (length > 0)
        {
            var half = length >> 1;
            if (Bounds[low + half] < value)
            {
                low += half + 1;
                length -= half + 1;
            }
            else
            {
                length = half;
            }
        }
        return (byte)(low + 1);
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
        Array.Sort(sample, 0, known);
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
