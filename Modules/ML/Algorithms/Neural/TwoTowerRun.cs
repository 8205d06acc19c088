using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>The steps of a two-tower training: batches of pairs against the different items of the batch and some drawn evenly.</summary>
internal sealed class TwoTowerRun
{
    private readonly TowerPair _towers;
    private readonly TwoTowerOptions _options;
    private readonly SparseMatrix _train;
    private readonly TowerFeatures? _userFeatures;
    private readonly TowerFeatures? _itemFeatures;
    private readonly int _threads;
    private readonly int[] _order;
    private readonly int[] _userOf;
    private readonly float[] _logQ;
    private readonly int[] _columnOf;
    private readonly List<int> _candidates = [];
    private readonly int[] _positives;
    private readonly float[] _weights;
    private RandomSource _random;
    private float[] _candidateLogQ = [];
    private float[] _scores = [];
    private float[] _userGradient = [];
    private float[] _itemGradient = [];

    public TwoTowerRun(TowerPair towers, SparseMatrix train, TowerFeatures? userFeatures, TowerFeatures? itemFeatures, int threads)
    {
        (_towers, _options, _train, _userFeatures, _itemFeatures, _threads) = (towers, towers.Options, train, userFeatures, itemFeatures, threads);
        _random = RandomSource.For(_options.Seed, 0x2707);
        _order = [.. Enumerable.Range(0, train.Count)];
        _userOf = new int[train.Count];
        for (var user = 0; user < train.Rows; user++) Array.Fill(_userOf, user, train.RowStarts[user], train.RowCount(user));
        _logQ = LogQ(train, _options);
        _columnOf = new int[train.Columns];
        Array.Fill(_columnOf, -1);
        var batch = Math.Min(_options.BatchSize, train.Count);
        (_positives, _weights) = (new int[batch], new float[batch]);
    }

    /// <summary>
    /// ln of the probability that an item is among a step's candidates: at least once in a batch of B pairs, or in N even draws from all items:
    /// q = 1 − (1 − p)ᴮ(1 − 1/items)ᴺ, with p its share of the pairs. (Yi et al. estimate q from the stream; here the pairs are at hand.)
    /// </summary>
    internal static float[] LogQ(SparseMatrix train, TwoTowerOptions options)
    {
        var counts = train.ColumnCounts();
        var batch = Math.Min(options.BatchSize, train.Count);
        var missedByDraws = options.UniformNegatives > 0 && train.Columns > 1 ? options.UniformNegatives * Math.Log(1 - 1.0 / train.Columns) : 0;
        var logQ = new float[train.Columns];
        for (var i = 0; i < logQ.Length; i++)
        {
            var share = (double)counts[i] / train.Count;
            var missed = (share < 1 ? batch * Math.Log(1 - share) : double.NegativeInfinity) + missedByDraws;
            logQ[i] = (float)Math.Log(Math.Max(1e-12, 1 - Math.Exp(missed)));
        }
        return logQ;
    }

    /// <summary>One pass over all pairs; answers the mean loss.</summary>
    public double Pass(Adam adam, CancellationToken cancellation)
    {
        for (var i = _order.Length - 1; i > 0; i--)
        {
            var j = _random.NextInt(i + 1);
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }
        double loss = 0;
        for (var at = 0; at < _order.Length; at += _options.BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var pairs = _order.AsSpan(at, Math.Min(_options.BatchSize, _order.Length - at));
            loss += pairs.Length * Gradients(pairs);
            adam.Step();
        }
        return loss / _order.Length;
    }

    /// <summary>The loss of one batch of entries of the training matrix, and its gradients.</summary>
    internal double Gradients(ReadOnlySpan<int> pairs)
    {
        Gather(pairs);
        int rows = pairs.Length, candidates = _candidates.Count, dimension = _options.Dimension;
        var u = _towers.Users.Forward(true);
        var v = _towers.Items.Forward(true);
        MatrixProduct.Multiply(u, false, v, true, Layer.Room(ref _scores, rows * candidates), rows, dimension, candidates, false, _threads);
        var scores = _scores.AsSpan(0, rows * candidates);
        TensorPrimitives.Multiply(scores, 1 / _options.Temperature, scores);
        if (_options.ExcludeKnown) Mask(pairs, scores);
        ReadOnlySpan<float> logQ = _options.LogQCorrection ? _candidateLogQ.AsSpan(0, candidates) : default, weights = _options.Weighted ? _weights.AsSpan(0, rows) : default;
        var loss = Losses.SampledSoftmax(scores, candidates, _positives.AsSpan(0, rows), logQ, weights);
        TensorPrimitives.Multiply(scores, 1 / _options.Temperature, scores);
        MatrixProduct.Multiply(_scores, false, v, false, Layer.Room(ref _userGradient, rows * dimension), rows, candidates, dimension, false, _threads);
        MatrixProduct.Multiply(_scores, true, u, false, Layer.Room(ref _itemGradient, candidates * dimension), candidates, rows, dimension, false, _threads);
        _towers.Users.Backward(_userGradient);
        _towers.Items.Backward(_itemGradient);
        return loss;
    }

    private void Gather(ReadOnlySpan<int> pairs)
    {
        _towers.Users.Begin(pairs.Length);
        foreach (var item in _candidates) _columnOf[item] = -1;
        _candidates.Clear();
        for (var r = 0; r < pairs.Length; r++)
        {
            int user = _userOf[pairs[r]], item = _train.Indices[pairs[r]];
            _positives[r] = Column(item);
            _weights[r] = _train.Values[pairs[r]];
            if (_towers.UserShape.History) AddHistory(user, item);
            _towers.AddUser(user, _random.NextDouble() < _options.UnknownShare ? -1 : user, _userFeatures);
        }
        for (var n = 0; n < _options.UniformNegatives; n++) Column(_random.NextInt(_train.Columns));
        _towers.Items.Begin(_candidates.Count);
        Layer.Room(ref _candidateLogQ, _candidates.Count);
        for (var c = 0; c < _candidates.Count; c++)
        {
            _candidateLogQ[c] = _logQ[_candidates[c]];
            // An item without features is nothing but its id.
            var unknown = _towers.ItemShape is { Features: > 0 } or { Numbers: > 0 } && _random.NextDouble() < _options.UnknownShare;
            _towers.AddItem(_candidates[c], unknown ? -1 : _candidates[c], _itemFeatures);
        }
    }

    /// <summary>The history without the item to be told, which would otherwise give itself away.</summary>
    private void AddHistory(int user, int target)
    {
        var items = _train.RowIndices(user);
        var others = items.Length - 1;
        if (others <= _options.HistoryLength)
        {
            foreach (var item in items)
                if (item != target) _towers.Users.AddHistory(item, 1f / others);
            return;
        }
        for (var n = 0; n < _options.HistoryLength;)
        {
            var item = items[_random.NextInt(items.Length)];
            if (item == target) continue;
            _towers.Users.AddHistory(item, 1f / _options.HistoryLength);
            n++;
        }
    }

    private void Mask(ReadOnlySpan<int> pairs, Span<float> scores)
    {
        for (var r = 0; r < pairs.Length; r++)
            foreach (var item in _train.RowIndices(_userOf[pairs[r]]))
                if (_columnOf[item] >= 0 && _columnOf[item] != _positives[r]) scores[r * _candidates.Count + _columnOf[item]] = float.NegativeInfinity;
    }

    /// <summary>The candidate's column, a new one the first time.</summary>
    private int Column(int item)
    {
        if (_columnOf[item] >= 0) return _columnOf[item];
        _candidates.Add(item);
        return _columnOf[item] = _candidates.Count - 1;
    }
}
