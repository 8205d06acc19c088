namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// One grown tree as parallel arrays; node 0 is the root, a node's right child follows its left one.
/// A split sends a row left when its bin is at most <see cref="Bin"/> (numbers; missing by <see cref="MissingLeft"/>) or in the node's set (categories).
/// </summary>
internal sealed class Tree(int capacity)
{
    public const int SetWords = 4;

    public int NodeCount { get; set; }
    public int[] Feature { get; private set; } = new int[capacity];
    public byte[] Bin { get; private set; } = new byte[capacity];
    public bool[] MissingLeft { get; private set; } = new bool[capacity];

    /// <summary>Left child; 0 marks a leaf, as the root is nobody's child.</summary>
    public int[] Left { get; private set; } = new int[capacity];

    /// <summary>Index of the node's 256-bit set in <see cref="Sets"/>, -1 for numbers.</summary>
    public int[] Set { get; private set; } = new int[capacity];
    public List<ulong> Sets { get; } = [];

    /// <summary>A leaf's answer; 0 in inner nodes.</summary>
    public double[] Value { get; private set; } = new double[capacity];
    public double[] Gain { get; private set; } = new double[capacity];

    /// <summary>Sum of hessians (weights) of the training rows that reached the node.</summary>
    public double[] Hessian { get; private set; } = new double[capacity];
    public int[] Rows { get; private set; } = new int[capacity];
    public int[] Depth { get; private set; } = new int[capacity];

    public bool IsLeaf(int node) => Left[node] == 0;

    public bool HasCategories => Sets.Count > 0;

    public int MaxDepth => Depth.AsSpan(0, NodeCount).ToArray().Max();

    public bool GoesLeft(int node, byte bin)
    {
        var set = Set[node];
        if (set >= 0) return (Sets[set * SetWords + (bin >> 6)] >> (bin & 63) & 1) != 0;
        return bin == 0 ? MissingLeft[node] : bin <= Bin[node];
    }

    /// <summary>The leaf that <paramref name="row"/>'s bins (one a feature) reach.</summary>
    public int Leaf(ReadOnlySpan<byte> row)
    {
        var node = 0;
        while (Left[node] != 0) node = GoesLeft(node, row[Feature[node]]) ? Left[node] : Left[node] + 1;
        return node;
    }

    public int Leaf(BinnedDataset data, int row)
    {
        var node = 0;
        while (Left[node] != 0) node = GoesLeft(node, data[row, Feature[node]]) ? Left[node] : Left[node] + 1;
        return node;
    }

    public int AddSet(ReadOnlySpan<ulong> words)
    {
        foreach (var word in words) Sets.Add(word);
        return Sets.Count / SetWords - 1;
    }

    /// <summary>Appends an empty node and returns its index.</summary>
    public int AddNode()
    {
        if (NodeCount == Left.Length) Resize(NodeCount * 2);
        return NodeCount++;
    }

    public void Trim() => Resize(NodeCount);

    private void Resize(int length)
    {
        Feature = Sized(Feature, length);
        Bin = Sized(Bin, length);
        MissingLeft = Sized(MissingLeft, length);
        Left = Sized(Left, length);
        Set = Sized(Set, length);
        Value = Sized(Value, length);
        Gain = Sized(Gain, length);
        Hessian = Sized(Hessian, length);
        Rows = Sized(Rows, length);
        Depth = Sized(Depth, length);
    }

    private static T[] Sized<T>(T[] from, int length)
    {
        Array.Resize(ref from, length);
        return from;
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(NodeCount);
        for (var n = 0; n < NodeCount; n++)
        {
            writer.Write(Left[n]);
            writer.Write((float)Hessian[n]);
            writer.Write(Rows[n]);
            if (IsLeaf(n))
            {
                writer.Write(Value[n]);
                continue;
            }
            writer.Write(Feature[n]);
            writer.Write(Bin[n]);
            writer.Write(MissingLeft[n]);
            writer.Write(Set[n]);
            writer.Write((float)Gain[n]);
        }
        writer.Write(Sets.Count);
        foreach (var word in Sets) writer.Write(word);
    }

    public static Tree Read(BinaryReader reader, int features)
    {
        var count = reader.ReadInt32();
        if (count < 1) throw new InvalidDataException("A tree without nodes.");
        var tree = new Tree(count) { NodeCount = count };
        for (var n = 0; n < count; n++)
        {
            tree.Left[n] = reader.ReadInt32();
            tree.Hessian[n] = reader.ReadSingle();
            tree.Rows[n] = reader.ReadInt32();
            tree.Set[n] = -1;
            if (tree.IsLeaf(n))
            {
                tree.Value[n] = reader.ReadDouble();
                continue;
            }
            if (tree.Left[n] <= n || tree.Left[n] + 1 >= count) throw new InvalidDataException("A tree's child lies outside it.");
            tree.Feature[n] = reader.ReadInt32();
            if (tree.Feature[n] < 0 || tree.Feature[n] >= features) throw new InvalidDataException("A tree splits on an unknown column.");
            tree.Bin[n] = reader.ReadByte();
            tree.MissingLeft[n] = reader.ReadBoolean();
            tree.Set[n] = reader.ReadInt32();
            tree.Gain[n] = reader.ReadSingle();
            tree.Depth[tree.Left[n]] = tree.Depth[tree.Left[n] + 1] = tree.Depth[n] + 1;
        }
        var words = reader.ReadInt32();
        for (var w = 0; w < words; w++) tree.Sets.Add(reader.ReadUInt64());
        return tree;
    }
}
