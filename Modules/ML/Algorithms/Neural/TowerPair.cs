using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>The two towers over shared item vectors. One thread at a time.</summary>
internal sealed class TowerPair
{
    private const int Block = 1024;

    public TowerPair(TowerShape users, TowerShape items, TwoTowerOptions options, Random? random, int threads)
    {
        Items = new Tower(items, null, options, random, threads);
        Users = new Tower(users, Items.IdTable, options, random, threads);
        (UserShape, ItemShape, Options) = (users, items, options);
    }

    private TowerPair(TowerPair other) =>
        (Users, Items, UserShape, ItemShape, Options) = (other.Users.Share(), other.Items.Share(), other.UserShape, other.ItemShape, other.Options);

    public Tower Users { get; }

    public Tower Items { get; }

    public TowerShape UserShape { get; }

    public TowerShape ItemShape { get; }

    public TwoTowerOptions Options { get; }

    public IEnumerable<Parameter> Parameters => Items.Parameters.Concat(Users.Parameters);

    public TowerPair Share() => new(this);

    /// <summary>Vectors of all items, items × dimension.</summary>
    public float[] ItemVectors(TowerFeatures? features) =>
        Vectors(Items, ItemShape.Count, item => AddItem(item, item, features));

    /// <summary>Vectors of the users named, with their rows of <paramref name="interactions"/> as history.</summary>
    public float[] UserVectors(ReadOnlySpan<int> users, SparseMatrix interactions, TowerFeatures? features)
    {
        var named = users.ToArray();
        return Vectors(Users, named.Length, n =>
        {
            if (UserShape.History) AddHistory(interactions.RowIndices(named[n]));
            AddUser(named[n], named[n], features);
        });
    }

    /// <summary>The whole history of the user to be added next, each item alike.</summary>
    public void AddHistory(ReadOnlySpan<int> items)
    {
        foreach (var item in items) Users.AddHistory(item, 1f / items.Length);
    }

    /// <summary>Adds a user as the id <paramref name="as"/> with the features of <paramref name="user"/>.</summary>
    public void AddUser(int user, int @as, TowerFeatures? features) => Add(Users, user, @as, features);

    /// <summary>Adds an item as the id <paramref name="as"/> with the features of <paramref name="item"/>.</summary>
    public void AddItem(int item, int @as, TowerFeatures? features) => Add(Items, item, @as, features);

    private static void Add(Tower tower, int entity, int @as, TowerFeatures? features)
    {
        var bags = features?.Bags;
        tower.Add(@as, bags is null ? default : bags.RowIndices(entity), bags is null ? default : bags.RowValues(entity),
            features?.Numbers is null ? default : features.Numbers.AsSpan(entity * features.NumberCount, features.NumberCount));
    }

    private float[] Vectors(Tower tower, int count, Action<int> add)
    {
        FactorModel.RequireSize(count, Options.Dimension);
        var vectors = new float[count * Options.Dimension];
        for (var from = 0; from < count; from += Block)
        {
            var rows = Math.Min(Block, count - from);
            tower.Begin(rows);
            for (var r = 0; r < rows; r++) add(from + r);
            tower.Forward(false).AsSpan(0, rows * Options.Dimension).CopyTo(vectors.AsSpan(from * Options.Dimension));
        }
        return vectors;
    }
}
