namespace OKLA.ML.Algorithms.Trees;

/// <summary>What growing one tree needs to know, shared by boosting and forests.</summary>
internal sealed record GrowthOptions
{
    public required int MaxLeaves { get; init; }
    public required int MaxDepth { get; init; }
    public required int MinRowsPerLeaf { get; init; }
    public required double MinHessianPerLeaf { get; init; }
    public required double MinSplitGain { get; init; }
    public required double Lambda { get; init; }
    public required double Alpha { get; init; }
    public required double ColumnSampleByTree { get; init; }
    public required double ColumnSampleByLevel { get; init; }
    public required double ColumnSampleByNode { get; init; }
    public required double CategorySmoothing { get; init; }
    public required double CategoryLambda { get; init; }
    public required int MaxCategoriesPerSplit { get; init; }
    public required int OneHotCategories { get; init; }
    public required int Seed { get; init; }
    public required int Threads { get; init; }

    /// <summary>One direction a column, null when no column is constrained.</summary>
    public int[]? Monotone { get; init; }

    /// <summary>Extra trees: one random cut a column.</summary>
    public bool RandomThresholds { get; init; }

    public static GrowthOptions From(GradientBoostingOptions o, FeatureBins[] features, int threads) => new()
    {
        MaxLeaves = o.MaxLeaves,
        MaxDepth = o.MaxDepth == 0 ? int.MaxValue : o.MaxDepth,
        MinRowsPerLeaf = o.MinRowsPerLeaf,
        MinHessianPerLeaf = o.MinHessianPerLeaf,
        MinSplitGain = o.MinSplitGain,
        Lambda = o.Lambda,
        Alpha = o.Alpha,
        ColumnSampleByTree = o.ColumnSampleByTree,
        ColumnSampleByLevel = o.ColumnSampleByLevel,
        ColumnSampleByNode = o.ColumnSampleByNode,
        CategorySmoothing = o.CategorySmoothing,
        CategoryLambda = o.CategoryLambda,
        MaxCategoriesPerSplit = o.MaxCategoriesPerSplit,
        OneHotCategories = o.OneHotCategories,
        Seed = o.Seed,
        Threads = threads,
        Monotone = Directions(o.Monotone, features),
    };

    private static int[]? Directions(IReadOnlyDictionary<string, int> monotone, FeatureBins[] features)
    {
        var directions = new int[features.Length];
        foreach (var (name, direction) in monotone)
        {
            var feature = Array.FindIndex(features, f => f.Name == name);
            if (feature < 0 || features[feature].IsCategorical)
                throw new ArgumentException($"A monotone direction names {name}, which is not a numeric column.");
            directions[feature] = direction;
        }
        return directions.Any(d => d != 0) ? directions : null;
    }
}
