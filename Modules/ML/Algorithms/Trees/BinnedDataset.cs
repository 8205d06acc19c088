using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// A table as one byte a value: up to 255 quantile bins (or categories) and one for missing. Built once, trained on many times.
/// Eight columns lie together (rows × 8 bytes a group), so that one row of a group is one 8-byte load.
/// </summary>
public sealed class BinnedDataset
{
    internal const int GroupWidth = 8;

    private BinnedDataset(FeatureBins[] features, int rowCount)
    {
        Features = features;
        RowCount = rowCount;
        Groups = new byte[(features.Length + GroupWidth - 1) / GroupWidth][];
        for (var g = 0; g < Groups.Length; g++) Groups[g] = new byte[checked(rowCount * GroupWidth)];
    }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>The number of columns.</summary>
    public int ColumnCount => Features.Length;

    internal FeatureBins[] Features { get; }

    internal byte[][] Groups { get; }

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

    internal byte this[int row, int feature] => Groups[feature / GroupWidth][row * GroupWidth + feature % GroupWidth];

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
        var target = Groups[feature / GroupWidth].AsSpan(feature % GroupWidth);
        if (column.IsCategorical)
        {
            var codes = column.Codes;
            for (var r = 0; r < codes.Length; r++) target[r * GroupWidth] = bins.Bin(codes[r]);
        }
        else
        {
            var numbers = column.Numbers;
            for (var r = 0; r < numbers.Length; r++) target[r * GroupWidth] = bins.Bin(numbers[r]);
        }
    }
}
