using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// A table as one byte a value: up to 255 quantile bins (or categories) and one for missing. Built once, trained on many times.
/// Up to 64 columns lie together row by row, so that a row of a node, wherever it lies, costs one cache line a block of columns.
/// </summary>
public sealed class BinnedDataset
{
    internal const int GroupWidth = 8;
    internal const int BlockWidth = 64;

    private BinnedDataset(FeatureBins[] features, int rowCount)
    {
        Features = features;
        RowCount = rowCount;
        Blocks = new byte[(features.Length + BlockWidth - 1) / BlockWidth][];
        Strides = new int[Blocks.Length];
        for (var b = 0; b < Blocks.Length; b++)
        {
            Strides[b] = (Math.Min(BlockWidth, features.Length - b * BlockWidth) + GroupWidth - 1) / GroupWidth * GroupWidth;
            Blocks[b] = new byte[checked((long)rowCount * Strides[b])];
        }
    }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>The number of columns.</summary>
    public int ColumnCount => Features.Length;

    internal FeatureBins[] Features { get; }

    /// <summary>Rows × stride bytes for each block of 64 columns.</summary>
    internal byte[][] Blocks { get; }

    /// <summary>Bytes from one row to the next in each block.</summary>
    internal int[] Strides { get; }

    /// <summary>Learns the bins of <paramref name="table"/>'s columns and applies them; <paramref name="threads"/> 0 takes every core.</summary>
    public static BinnedDataset Fit(Dataset table, int maxBins = 255, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (maxBins is < 2 or > 255) throw new ArgumentOutOfRangeException(nameof(maxBins), maxBins, "2 to 255.");
        var features = new FeatureBins[table.ColumnCount];
        Workers.For(threads, features.Length, f => features[f] = FeatureBins.Fit(table.Columns[f], maxBins));
        return Apply(features, table, threads);
    }

    /// <summary>Another table in the bins of this one (a validation part).</summary>
    /// <exception cref="ArgumentException">Its columns are not the same by name and kind.</exception>
    public BinnedDataset Apply(Dataset table, int threads = 0) => Apply(Features, table, threads);

    internal byte this[int row, int feature] => Blocks[feature / BlockWidth][(long)row * Strides[feature / BlockWidth] + feature % BlockWidth];

    internal static BinnedDataset Apply(FeatureBins[] features, Dataset table, int threads)
    {
        CheckColumns(features, table);
        var binned = new BinnedDataset(features, table.RowCount);
        Workers.For(threads, features.Length, f => binned.Fill(f, table.Columns[f]));
        return binned;
    }

    internal static void CheckColumns(FeatureBins[] features, Dataset table)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (table.ColumnCount != features.Length) throw new ArgumentException($"The table has {table.ColumnCount} columns, {features.Length} were trained on.", nameof(table));
        for (var f = 0; f < features.Length; f++)
        {
            var column = table.Columns[f];
            if (column.Name != features[f].Name || column.IsCategorical != features[f].IsCategorical)
                throw new ArgumentException($"Column {f} is {column.Name}; {features[f].Name} ({(features[f].IsCategorical ? "categorical" : "numeric")}) was trained on.", nameof(table));
        }
    }

    private void Fill(int feature, Column column)
    {
        var bins = Features[feature];
        var target = Blocks[feature / BlockWidth];
        var stride = Strides[feature / BlockWidth];
        long at = feature % BlockWidth;
        if (column.IsCategorical)
        {
            foreach (var code in column.Codes)
            {
                target[at] = bins.Bin(code);
                at += stride;
            }
        }
        else
        {
            foreach (var number in column.Numbers)
            {
                target[at] = bins.Bin(number);
                at += stride;
            }
        }
    }
}
