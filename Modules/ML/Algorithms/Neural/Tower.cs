namespace OKLA.ML.Algorithms.Neural;

/// <summary>What a tower reads of an entity; all that is needed to build it again.</summary>
/// <param name="Count">Known entities; one more id stands for all unknown ones.</param>
/// <param name="Ids">Whether ids have vectors.</param>
/// <param name="Features">Feature ids, 0 for none.</param>
/// <param name="History">Whether it reads a list of items.</param>
/// <param name="Means">Mean of each number.</param>
/// <param name="Deviations">Deviation of each number.</param>
internal sealed record TowerShape(int Count, bool Ids, int Features, bool History, float[] Means, float[] Deviations)
{
    public int Numbers => Means.Length;

    public int Width(int dimension) => ((Ids ? 1 : 0) + (Features > 0 ? 1 : 0) + (History ? 1 : 0)) * dimension + Numbers;
}

/// <summary>
/// Turns entities into vectors: [id vector, average of feature vectors, average of the history's item vectors, standardised numbers] → hidden layers → linear →
/// unit length. One thread at a time; <see cref="Share"/> makes another over the same weights.
/// </summary>
internal sealed class Tower
{
    private readonly TowerShape _shape;
    private readonly int _dimension;
    private readonly EmbeddingLayer? _ids;
    private readonly EmbeddingLayer? _features;
    private readonly EmbeddingLayer? _history;
    private readonly Stack _stack;
    private readonly Bags _idBags = new();
    private readonly Bags _featureBags = new();
    private readonly Bags _historyBags = new();
    private readonly (EmbeddingLayer Layer, Bags Bags)[] _parts;
    private readonly int _width;
    private float[] _input = [];

    /// <param name="shape">What it reads.</param>
    /// <param name="itemTable">Vectors of the items of a history, shared with the item tower.</param>
    /// <param name="options">Widths and activation.</param>
    /// <param name="random">Draws the weights; null leaves them to be read.</param>
    /// <param name="threads">Threads of the products.</param>
    public Tower(TowerShape shape, Parameter? itemTable, TwoTowerOptions options, Random? random, int threads)
    {
        (_shape, _dimension, _width) = (shape, options.EmbeddingDimension, shape.Width(options.EmbeddingDimension));
        var deviation = 1 / Math.Sqrt(_dimension);
        if (shape.Ids) _ids = new EmbeddingLayer(new Parameter(shape.Count + 1, _dimension, true, true).Normal(deviation, random));
        if (shape.Features > 0) _features = new EmbeddingLayer(new Parameter(shape.Features, _dimension, true, true).Normal(deviation, random));
        if (shape.History) _history = new EmbeddingLayer(itemTable!);
        // Both towers draw dropout from streams of their own.
        var seed = options.Seed ^ (itemTable is null ? 0x17E3 : 0x7A11);
        var input = options.Dropout > 0 ? new Stack(_width, [new DropoutLayer(_width, options.Dropout, seed, -1)]) : new Stack(_width, []);
        var hidden = Stack.Hidden(_width, options.Hidden, options.Activation, options.LayerNorm, options.Dropout, seed, random, threads);
        _stack = input.Then(hidden, new DenseLayer(hidden.Outputs, options.Dimension, Activation.None, random, threads));
        if (options.UnitLength) _stack = _stack.Then(new UnitLengthLayer(options.Dimension));
        _parts = Parts();
    }

    private Tower(Tower other)
    {
        (_shape, _dimension, _width, _ids, _features, _history) = (other._shape, other._dimension, other._width, other._ids, other._features, other._history);
        _stack = (Stack)other._stack.Share();
        _parts = Parts();
    }

    /// <summary>Vectors of the ids, if ids have them.</summary>
    public Parameter? IdTable => _ids?.Table;

    /// <summary>The weights of this tower alone, without the item vectors that a history reads.</summary>
    public IEnumerable<Parameter> Parameters =>
        [.. _ids is null ? Array.Empty<Parameter>() : [_ids.Table], .. _features is null ? Array.Empty<Parameter>() : [_features.Table], .. _stack.Parameters];

    public int Rows { get; private set; }

    public Tower Share() => new(this);

    public void Begin(int rows)
    {
        Rows = 0;
        _idBags.Clear();
        _featureBags.Clear();
        _historyBags.Clear();
        Layer.Room(ref _input, rows * _width);
    }

    /// <summary>Adds an item to the history of the row that the next <see cref="Add"/> closes.</summary>
    public void AddHistory(int item, float weight) => _historyBags.Add(item, weight);

    /// <summary>Adds an entity: its id (any number outside the known ones is unknown), its features and its numbers.</summary>
    public void Add(int id, ReadOnlySpan<int> features, ReadOnlySpan<float> featureWeights, ReadOnlySpan<float> numbers)
    {
        if (_ids is not null)
        {
            _idBags.Add((uint)id < (uint)_shape.Count ? id : _shape.Count, 1);
            _idBags.EndRow();
        }
        if (_features is not null)
        {
            float total = featureWeights.IsEmpty ? features.Length : 0;
            foreach (var weight in featureWeights) total += MathF.Abs(weight);
            for (var n = 0; n < features.Length && total > 0; n++) _featureBags.Add(features[n], (featureWeights.IsEmpty ? 1 : featureWeights[n]) / total);
            _featureBags.EndRow();
        }
        if (_history is not null) _historyBags.EndRow();
        var at = (Rows + 1) * _width - _shape.Numbers;
        for (var n = 0; n < _shape.Numbers; n++)
            _input[at + n] = n >= numbers.Length || float.IsNaN(numbers[n]) ? 0 : (numbers[n] - _shape.Means[n]) / _shape.Deviations[n];
        Rows++;
    }

    /// <summary>The vectors of the entities added, rows × dimension; the tower's until the next call.</summary>
    public float[] Forward(bool training)
    {
        var offset = 0;
        foreach (var (layer, bags) in _parts)
        {
            layer.Forward(bags, _input, _width, offset);
            offset += _dimension;
        }
        return _stack.Forward(_input, Rows, training);
    }

    public void Backward(float[] gradient)
    {
        var input = _stack.Backward(gradient, Rows);
        var offset = 0;
        foreach (var (layer, bags) in _parts)
        {
            layer.Backward(bags, input, _width, offset);
            offset += _dimension;
        }
    }

    /// <summary>Means and deviations of the numbers of <paramref name="count"/> entities; missing ones are left out.</summary>
    public static (float[] Means, float[] Deviations) Standards(TowerFeatures? features, int count)
    {
        var numbers = features?.Numbers is null ? 0 : features.NumberCount;
        var (means, deviations) = (new float[numbers], new float[numbers]);
        for (var n = 0; n < numbers; n++)
        {
            double sum = 0, squares = 0;
            var known = 0;
            for (var e = 0; e < count; e++)
            {
                var value = features!.Numbers![e * numbers + n];
                if (float.IsNaN(value)) continue;
                (sum, known) = (sum + value, known + 1);
            }
            var mean = known > 0 ? sum / known : 0;
            for (var e = 0; e < count; e++)
            {
                var value = features!.Numbers![e * numbers + n];
                if (!float.IsNaN(value)) squares += (value - mean) * (value - mean);
            }
            var deviation = known > 0 ? Math.Sqrt(squares / known) : 0;
            (means[n], deviations[n]) = ((float)mean, deviation > 1e-12 * Math.Max(1, Math.Abs(mean)) ? (float)deviation : 1);
        }
        return (means, deviations);
    }

    /// <summary>The vectors read, in the order in which they stand in a row of input.</summary>
    private (EmbeddingLayer Layer, Bags Bags)[] Parts() =>
    [
        .. _ids is null ? Array.Empty<(EmbeddingLayer, Bags)>() : [(_ids, _idBags)],
        .. _features is null ? Array.Empty<(EmbeddingLayer, Bags)>() : [(_features, _featureBags)],
        .. _history is null ? Array.Empty<(EmbeddingLayer, Bags)>() : [(_history, _historyBags)],
    ];
}
