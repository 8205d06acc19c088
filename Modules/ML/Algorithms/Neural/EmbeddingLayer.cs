using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>For each row of a batch a weighted list of ids, row after row; a row may have none.</summary>
internal sealed class Bags
{
    private int[] _ends = new int[64];
    private int[] _ids = new int[64];
    private float[] _weights = new float[64];
    private int _count;

    public int Rows { get; private set; }

    public ReadOnlySpan<int> Ids(int row) => _ids.AsSpan(Start(row), _ends[row] - Start(row));

    public ReadOnlySpan<float> Weights(int row) => _weights.AsSpan(Start(row), _ends[row] - Start(row));

    public void Clear() => (Rows, _count) = (0, 0);

    /// <summary>Adds an id to the row that is being filled.</summary>
    public void Add(int id, float weight)
    {
        if (_count == _ids.Length)
        {
            Array.Resize(ref _ids, 2 * _count);
            Array.Resize(ref _weights, 2 * _count);
        }
        (_ids[_count], _weights[_count++]) = (id, weight);
    }

    /// <summary>Closes the row that is being filled.</summary>
    public void EndRow()
    {
        if (Rows == _ends.Length) Array.Resize(ref _ends, 2 * Rows);
        _ends[Rows++] = _count;
    }

    private int Start(int row) => row == 0 ? 0 : _ends[row - 1];
}

/// <summary>A table of vectors (rows × width) read by id: a bag becomes Σ weight · vector, an empty one zeros. Only rows read get a gradient.</summary>
internal sealed class EmbeddingLayer(Parameter table)
{
    public Parameter Table => table;

    /// <summary>Writes one vector a bag into <paramref name="output"/>: rows <paramref name="stride"/> apart, from column <paramref name="offset"/> on.</summary>
    public void Forward(Bags bags, float[] output, int stride, int offset)
    {
        var width = table.Width;
        for (var r = 0; r < bags.Rows; r++)
        {
            var to = output.AsSpan(r * stride + offset, width);
            var ids = bags.Ids(r);
            var weights = bags.Weights(r);
            to.Clear();
            for (var n = 0; n < ids.Length; n++) TensorPrimitives.MultiplyAdd(table.Values.AsSpan(ids[n] * width, width), weights[n], to, to);
        }
    }

    /// <summary>Adds dLoss/dTable given dLoss/dOutput, laid out as <see cref="Forward"/> wrote the output.</summary>
    public void Backward(Bags bags, float[] gradient, int stride, int offset)
    {
        for (var r = 0; r < bags.Rows; r++)
        {
            var from = gradient.AsSpan(r * stride + offset, table.Width);
            var ids = bags.Ids(r);
            var weights = bags.Weights(r);
            for (var n = 0; n < ids.Length; n++)
            {
                var to = table.GradientRow(ids[n]);
                TensorPrimitives.MultiplyAdd(from, weights[n], to, to);
            }
        }
    }
}
