using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>Trees with the bins they read and the margins they start from: what boosting and forests save, predict with and explain.</summary>
internal sealed class TreeEnsemble
{
    private const int BlockRows = PackedTrees.BlockRows;
    private readonly PackedTrees _packed;

    /// <summary>Tree t answers for output t mod (number of starts); a margin is its start plus the sum of its trees.</summary>
    public TreeEnsemble(FeatureBins[] features, IReadOnlyList<Tree> trees, double[] start)
    {
        Features = features;
        Trees = trees;
        Start = start;
        _packed = new PackedTrees(trees, start.Length);
    }

    public FeatureBins[] Features { get; }

    public IReadOnlyList<Tree> Trees { get; }

    public double[] Start { get; }

    public int Outputs => Start.Length;

    public double[] Margins(Dataset table, int threads)
    {
        BinnedDataset.CheckColumns(Features, table);
        var margins = new double[table.RowCount * Outputs];
        Workers.For(threads, (table.RowCount + BlockRows - 1) / BlockRows, block =>
        {
            var from = block * BlockRows;
            Block(table, from, Math.Min(BlockRows, table.RowCount - from), margins);
        });
        return margins;
    }

    public unsafe void Margins(ReadOnlySpan<float> row, Span<double> margins)
    {
        Span<byte> bins = Features.Length <= 1024 ? stackalloc byte[Features.Length] : new byte[Features.Length];
        Bins(row, bins);
        Start.CopyTo(margins);
        fixed (byte* at = bins)
        fixed (double* to = margins) _packed.AddRow(at, to);
    }

    public void Bins(ReadOnlySpan<float> row, Span<byte> bins)
    {
        if (row.Length != Features.Length) throw new ArgumentException($"The row has {row.Length} values, {Features.Length} columns were trained on.", nameof(row));
        for (var f = 0; f < Features.Length; f++) bins[f] = Features[f].Bin(row[f]);
    }

    public IReadOnlyList<FeatureImportance> Importance()
    {
        var gain = new double[Features.Length];
        var cover = new double[Features.Length];
        var splits = new int[Features.Length];
        foreach (var tree in Trees)
        {
            for (var n = 0; n < tree.NodeCount; n++)
            {
                if (tree.IsLeaf(n)) continue;
                gain[tree.Feature[n]] += tree.Gain[n];
                cover[tree.Feature[n]] += tree.Hessian[n];
                splits[tree.Feature[n]]++;
            }
        }
        return [.. Features.Select((f, i) => new FeatureImportance(f.Name, gain[i], splits[i], cover[i]))];
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(Features.Length);
        foreach (var feature in Features) feature.Write(writer);
        writer.Write(Start.Length);
        foreach (var margin in Start) writer.Write(margin);
        writer.Write(Trees.Count);
        foreach (var tree in Trees) tree.Write(writer);
    }

    public static TreeEnsemble Read(BinaryReader reader)
    {
        var features = new FeatureBins[reader.ReadInt32()];
        for (var f = 0; f < features.Length; f++) features[f] = FeatureBins.Read(reader);
        var start = new double[reader.ReadInt32()];
        for (var k = 0; k < start.Length; k++) start[k] = reader.ReadDouble();
        var trees = new Tree[reader.ReadInt32()];
        for (var t = 0; t < trees.Length; t++) trees[t] = Tree.Read(reader, features.Length);
        return new TreeEnsemble(features, trees, start);
    }

    private unsafe void Block(Dataset table, int from, int rows, double[] margins)
    {
        Span<byte> bins = Features.Length <= 256 ? stackalloc byte[BlockRows * Features.Length] : new byte[BlockRows * Features.Length];
        for (var f = 0; f < Features.Length; f++)
        {
            var feature = Features[f];
            var column = table.Columns[f];
            if (feature.IsCategorical)
            {
                var codes = column.Codes.Slice(from, rows);
                for (var r = 0; r < rows; r++) bins[f * BlockRows + r] = feature.Bin(codes[r]);
            }
            else
            {
                var numbers = column.Numbers.Slice(from, rows);
                for (var r = 0; r < rows; r++) bins[f * BlockRows + r] = feature.Bin(numbers[r]);
            }
        }
        for (var r = 0; r < rows; r++) Start.CopyTo(margins.AsSpan((from + r) * Outputs));
        fixed (byte* at = bins)
        fixed (double* to = &margins[from * Outputs]) _packed.AddBlock(at, Features.Length, rows, to);
    }
}
