using System.Collections.Concurrent;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Retrieval;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>A trained <see cref="TwoTower"/>: the vectors of its users and items, and the towers for new ones. Immutable, safe for many threads.</summary>
public sealed class TwoTowerModel
{
    private const string Kind = "OKLA2TWR";
    private readonly TowerPair _towers;
    private readonly float[] _users;
    private readonly float[] _items;
    private readonly ExactTopK _search;
    private readonly ConcurrentBag<TowerPair> _idle = [];

    internal TwoTowerModel(TowerPair towers, float[] users, float[] items, int iterations)
    {
        // Another pair over the same weights: the trained one holds the gradients and the batch's buffers.
        (_towers, _users, _items, Iterations) = (towers.Share(), users, items, iterations);
        _search = new ExactTopK(_items, Dimension);
    }

    /// <summary>Number of users of the training.</summary>
    public int Users => _towers.UserShape.Count;

    /// <summary>Number of items of the training.</summary>
    public int Items => _towers.ItemShape.Count;

    /// <summary>Length of each vector.</summary>
    public int Dimension => _towers.Options.Dimension;

    /// <summary>The pass whose weights the model has.</summary>
    public int Iterations { get; }

    /// <summary>Vectors of the users of the training, users × <see cref="Dimension"/>, row after row.</summary>
    public ReadOnlyMemory<float> UserVectors => _users;

    /// <summary>Vectors of the items of the training, items × <see cref="Dimension"/>, row after row, as <see cref="ExactTopK"/> takes them.</summary>
    public ReadOnlyMemory<float> ItemVectors => _items;

    /// <summary>A user's vector.</summary>
    public ReadOnlySpan<float> User(int user) => _users.AsSpan(user * Dimension, Dimension);

    /// <summary>An item's vector.</summary>
    public ReadOnlySpan<float> Item(int item) => _items.AsSpan(item * Dimension, Dimension);

    /// <summary>Score of an item for a user of the training; higher is better.</summary>
    public float Score(int user, int item) => FloatKernels.Dot(User(user), Item(item));

    /// <summary>The k best items for a user vector, best first; <paramref name="exclude"/> and <paramref name="allowed"/> narrow the answer.</summary>
    public Scored[] Recommend(ReadOnlySpan<float> user, int k, ReadOnlySpan<int> exclude = default, ItemMask? allowed = null) =>
        _search.Search(user, k, exclude, allowed);

    /// <summary>
    /// The vector of a user with this history and these features (feature ids, alike or by <paramref name="weights"/>; numbers in the order of the training; empty: not known).
    /// <paramref name="user"/> is the number of a user of the training, or -1 for a new one.
    /// </summary>
    /// <exception cref="ArgumentException">An item or feature is not known, or there are fewer or more numbers than in the training.</exception>
    public float[] UserVector(ReadOnlySpan<int> history, ReadOnlySpan<int> features = default, ReadOnlySpan<float> numbers = default, int user = -1, ReadOnlySpan<float> weights = default)
    {
        RequireKnown(history, Items, nameof(history));
        RequireWeights(features, weights);
        var towers = Rent(_towers.UserShape, features, numbers);
        towers.Users.Begin(1);
        if (_towers.UserShape.History) towers.AddHistory(history);
        towers.Users.Add(user, features, weights, numbers);
        var vector = towers.Users.Forward(false).AsSpan(0, Dimension).ToArray();
        _idle.Add(towers);
        return vector;
    }

    /// <summary>
    /// The vector of an item with these features (feature ids, alike or by <paramref name="weights"/>; numbers in the order of the training; empty: not known).
    /// <paramref name="item"/> is the number of an item of the training, or -1 for a new one.
    /// </summary>
    /// <exception cref="ArgumentException">A feature is not known, or there are fewer or more numbers than in the training.</exception>
    public float[] ItemVector(ReadOnlySpan<int> features, ReadOnlySpan<float> numbers = default, int item = -1, ReadOnlySpan<float> weights = default)
    {
        RequireWeights(features, weights);
        var towers = Rent(_towers.ItemShape, features, numbers);
        towers.Items.Begin(1);
        towers.Items.Add(item, features, weights, numbers);
        var vector = towers.Items.Forward(false).AsSpan(0, Dimension).ToArray();
        _idle.Add(towers);
        return vector;
    }

    /// <summary>The same without the vectors of the users of the training, for a model that asks by history and features alone.</summary>
    public TwoTowerModel WithoutUsers() => new(_towers, [], _items, Iterations);

    /// <summary>Writes the model, with a version and a checksum. The stream is left open.</summary>
    public void Save(Stream stream)
    {
        using var to = new ChecksummedWriter(stream, Kind, 1);
        var options = _towers.Options;
        to.Write(options.Dimension);
        to.Write(options.EmbeddingDimension);
        to.Write<int>(options.Hidden.ToArray());
        to.Write((int)options.Activation);
        to.Write(options.LayerNorm ? 1 : 0);
        to.Write(options.UnitLength ? 1 : 0);
        to.Write(Iterations);
        Write(to, _towers.UserShape);
        Write(to, _towers.ItemShape);
        var parameters = _towers.Parameters.ToArray();
        to.Write(parameters.Length);
        foreach (var parameter in parameters) to.Write<float>(parameter.Values);
        to.Write<float>(_users);
        to.Write<float>(_items);
        to.Finish();
    }

    /// <summary>Reads a saved model; throws <see cref="InvalidDataException"/> when it is damaged or of an unknown version.</summary>
    public static TwoTowerModel Load(Stream stream)
    {
        using var from = new ChecksummedReader(stream, Kind, 1);
        var options = new TwoTowerOptions
        {
            Dimension = from.ReadInt32(),
            EmbeddingDimension = from.ReadInt32(),
            Hidden = from.ReadArray<int>(),
            Activation = (Activation)from.ReadInt32(),
            LayerNorm = from.ReadInt32() == 1,
            UnitLength = from.ReadInt32() == 1,
            Dropout = 0,
        };
        var iterations = from.ReadInt32();
        var (users, items) = (ReadShape(from), ReadShape(from));
        // All is read, and its checksum compared, before any size in it is trusted.
        var saved = new float[Math.Clamp(from.ReadInt32(), 0, 1 << 16)][];
        for (var i = 0; i < saved.Length; i++) saved[i] = from.ReadArray<float>();
        var (userVectors, itemVectors) = (from.ReadArray<float>(), from.ReadArray<float>());
        from.Finish();
        // One thread: a single vector is too little work for more.
        var towers = new TowerPair(users, items, options, null, 1);
        var parameters = towers.Parameters.ToArray();
        for (var i = 0; i < parameters.Length; i++) saved[i].CopyTo(parameters[i].Values, 0);
        return new TwoTowerModel(towers, userVectors, itemVectors, iterations);
    }

    private static void Write(ChecksummedWriter to, TowerShape shape)
    {
        to.Write(shape.Count);
        to.Write(shape.Ids ? 1 : 0);
        to.Write(shape.Features);
        to.Write(shape.History ? 1 : 0);
        to.Write<float>(shape.Means);
        to.Write<float>(shape.Deviations);
    }

    private static TowerShape ReadShape(ChecksummedReader from) =>
        new(from.ReadInt32(), from.ReadInt32() == 1, from.ReadInt32(), from.ReadInt32() == 1, from.ReadArray<float>(), from.ReadArray<float>());

    private TowerPair Rent(TowerShape shape, ReadOnlySpan<int> features, ReadOnlySpan<float> numbers)
    {
        RequireKnown(features, shape.Features, nameof(features));
        if (!numbers.IsEmpty && numbers.Length != shape.Numbers) throw new ArgumentException($"{numbers.Length} numbers, training had {shape.Numbers}.", nameof(numbers));
        return _idle.TryTake(out var towers) ? towers : _towers.Share();
    }

    private static void RequireWeights(ReadOnlySpan<int> features, ReadOnlySpan<float> weights)
    {
        if (!weights.IsEmpty && weights.Length != features.Length) throw new ArgumentException($"{features.Length} features and {weights.Length} weights.", nameof(weights));
    }

    private static void RequireKnown(ReadOnlySpan<int> ids, int count, string name)
    {
        foreach (var id in ids)
            if ((uint)id >= (uint)count) throw new ArgumentOutOfRangeException(name, $"{id} is not below {count}.");
    }
}
