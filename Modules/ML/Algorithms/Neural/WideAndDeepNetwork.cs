using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Scores rows of a table: deep part [standardised numbers, their ranks, missing flags, category embeddings] → hidden layers → linear, plus the wide part,
/// linear in numbers, categories and hashed pairs of categories (Cheng et al. 2016, eq. 3). One thread at a time; <see cref="Share"/> makes another.
/// </summary>
internal sealed class WideAndDeepNetwork
{
    private readonly LinearInputs _inputs;
    private readonly QuantileRanks? _ranks;
    private readonly WideAndDeepOptions _options;
    private readonly EmbeddingLayer?[] _embeddings;
    private readonly EmbeddingLayer? _wide;
    private readonly Layer _deep;
    private readonly Bags?[] _codes;
    private readonly Bags _wideBags = new();
    private readonly float[] _row;
    private readonly int[] _slots;
    private readonly int[] _widths;
    private readonly int _inputWidth;
    private float[] _input = [];
    private float[] _scores = [];

    public WideAndDeepNetwork(LinearInputs inputs, QuantileRanks? ranks, WideAndDeepOptions options, int outputs, Random? random)
    {
        var threads = Workers.Count(options.Threads);
        (_inputs, _ranks, _options) = (inputs, ranks, options);
        _embeddings = new EmbeddingLayer?[inputs.Parts.Length];
        _widths = [.. inputs.Parts.Select(Width)];
        _inputWidth = _widths.Sum();
        for (var c = 0; c < _embeddings.Length; c++)
        {
            if (!inputs.Parts[c].Categorical) continue;
            _embeddings[c] = new EmbeddingLayer(new Parameter(inputs.Parts[c].Width, _widths[c], true, true).Normal(1 / Math.Sqrt(_widths[c]), random));
        }
        var hidden = Stack.Hidden(_inputWidth, options.Hidden, options.Activation, options.LayerNorm, options.Dropout, options.Seed, random, threads);
        _deep = hidden.Then(new DenseLayer(hidden.Outputs, outputs, Activation.None, random, threads));
        // Linear weights start at 0, as a linear model's do.
        if (options.Wide) _wide = new EmbeddingLayer(new Parameter(inputs.Count + options.CrossBuckets, outputs, true, true));
        (_codes, _row, _slots) = ([.. _embeddings.Select(e => e is null ? null : new Bags())], new float[_embeddings.Length], new int[_embeddings.Length]);
    }

    private WideAndDeepNetwork(WideAndDeepNetwork other)
    {
        (_inputs, _ranks, _options) = (other._inputs, other._ranks, other._options);
        (_embeddings, _wide, _widths, _inputWidth) = (other._embeddings, other._wide, other._widths, other._inputWidth);
        _deep = other._deep.Share();
        (_codes, _row, _slots) = ([.. _embeddings.Select(e => e is null ? null : new Bags())], new float[_embeddings.Length], new int[_embeddings.Length]);
    }

    public int Outputs => _deep.Outputs;

    public IEnumerable<Parameter> Parameters =>
        [.. _embeddings.OfType<EmbeddingLayer>().Select(e => e.Table), .. _deep.Parameters, .. _wide is null ? Array.Empty<Parameter>() : [_wide.Table]];

    public WideAndDeepNetwork Share() => new(this);

    /// <summary>Scores (rows × outputs) of the rows named; the array is the network's until the next call.</summary>
    public float[] Forward(Dataset x, ReadOnlySpan<int> rows, bool training)
    {
        Begin(rows.Length);
        for (var r = 0; r < rows.Length; r++)
        {
            x.CopyRow(rows[r], _row);
            Encode(_row, r);
        }
        return Score(rows.Length, training);
    }

    /// <summary>Scores of one row as <see cref="Dataset.CopyRow"/> gives it.</summary>
    public float[] Forward(ReadOnlySpan<float> row)
    {
        Begin(1);
        Encode(row, 0);
        return Score(1, false);
    }

    /// <summary>Adds the gradients of all weights given dLoss/dScore of the last batch.</summary>
    public void Backward(float[] gradient, int rows)
    {
        _wide?.Backward(_wideBags, gradient, Outputs, 0);
        var input = _deep.Backward(gradient, rows);
        var offset = 0;
        for (var c = 0; c < _embeddings.Length; c++)
        {
            _embeddings[c]?.Backward(_codes[c]!, input, _inputWidth, offset);
            offset += _widths[c];
        }
    }

    private void Begin(int rows)
    {
        Layer.Room(ref _input, rows * _inputWidth);
        _wideBags.Clear();
        foreach (var bags in _codes) bags?.Clear();
    }

    private void Encode(ReadOnlySpan<float> row, int at)
    {
        var offset = at * _inputWidth;
        for (var c = 0; c < _embeddings.Length; c++)
        {
            var part = _inputs.Parts[c];
            var missing = float.IsNaN(row[c]);
            _slots[c] = -1;
            if (part.Categorical)
            {
                // A code that training never had adds nothing.
                _slots[c] = missing ? part.Flag ? part.Codes : -1 : row[c] >= 0 && row[c] < part.Codes ? (int)row[c] : -1;
                if (_slots[c] >= 0)
                {
                    _codes[c]!.Add(_slots[c], 1);
                    _wideBags.Add(part.From + _slots[c], 1);
                }
                _codes[c]!.EndRow();
                offset += _widths[c];
                continue;
            }
            var number = missing ? 0 : (float)((row[c] - part.Mean) / part.Scale);
            _input[offset++] = number;
            if (_ranks is not null) _input[offset++] = _ranks.Rank(c, row[c]);
            if (number != 0) _wideBags.Add(part.From, number);
            if (!part.Flag) continue;
            _input[offset++] = missing ? 1 : 0;
            if (missing) _wideBags.Add(part.FlagAt, 1);
        }
        if (_wide is not null && _options.CrossBuckets > 0) Cross();
        _wideBags.EndRow();
    }

    private void Cross()
    {
        for (var a = 0; a < _slots.Length; a++)
            for (var b = 0; b < a; b++)
            {
                if (_slots[a] < 0 || _slots[b] < 0) continue;
                var pair = RandomSource.For(_inputs.Parts[a].From + _slots[a], _inputs.Parts[b].From + _slots[b]);
                _wideBags.Add(_inputs.Count + pair.NextInt(_options.CrossBuckets), 1);
            }
    }

    private float[] Score(int rows, bool training)
    {
        var offset = 0;
        for (var c = 0; c < _embeddings.Length; c++)
        {
            _embeddings[c]?.Forward(_codes[c]!, _input, _inputWidth, offset);
            offset += _widths[c];
        }
        var deep = _deep.Forward(_input, rows, training);
        if (_wide is null) return deep;
        _wide.Forward(_wideBags, Layer.Room(ref _scores, rows * Outputs), Outputs, 0);
        System.Numerics.Tensors.TensorPrimitives.Add<float>(_scores.AsSpan(0, rows * Outputs), deep.AsSpan(0, rows * Outputs), _scores);
        return _scores;
    }

    /// <summary>Places of the deep input that a column takes.</summary>
    private int Width(LinearInputs.Part part) =>
        !part.Categorical ? part.Width + (_ranks is null ? 0 : 1)
        : _options.EmbeddingDimension > 0 ? _options.EmbeddingDimension
        : (int)Math.Min(50, Math.Ceiling(1.6 * Math.Pow(Math.Max(1, part.Width), 0.56)));
}
