using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>Layer normalisation (Ba, Kiros and Hinton 2016, eq. 3-4): each row to mean 0 and variance 1, then times a learned gain plus a learned bias.</summary>
internal sealed class LayerNormLayer : Layer
{
    private const float Epsilon = 1e-5f;
    private readonly Parameter _gain;
    private readonly Parameter _bias;
    private float[] _standard = [];
    private float[] _inverse = [];
    private float[] _output = [];

    public LayerNormLayer(int width)
        : this(new Parameter(1, width, false, false), new Parameter(1, width, false, false)) => Array.Fill(_gain.Values, 1);

    private LayerNormLayer(Parameter gain, Parameter bias) => (_gain, _bias) = (gain, bias);

    public override int Outputs => _gain.Width;

    public override IEnumerable<Parameter> Parameters => [_gain, _bias];

    public override float[] Forward(float[] input, int rows, bool training)
    {
        Room(ref _standard, rows * Outputs);
        Room(ref _output, rows * Outputs);
        Room(ref _inverse, rows);
        for (var r = 0; r < rows; r++)
        {
            var x = input.AsSpan(r * Outputs, Outputs);
            var standard = _standard.AsSpan(r * Outputs, Outputs);
            TensorPrimitives.Subtract(x, TensorPrimitives.Sum<float>(x) / Outputs, standard);
            _inverse[r] = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(standard) / Outputs + Epsilon);
            TensorPrimitives.Multiply(standard, _inverse[r], standard);
            TensorPrimitives.MultiplyAdd(standard, _gain.Values, _bias.Values, _output.AsSpan(r * Outputs, Outputs));
        }
        return _output;
    }

    /// <summary>With h = dL/dy·gain and x̂ the standardised row: dL/dx = (h − mean(h) − x̂·mean(h·x̂)) / σ.</summary>
    public override float[] Backward(float[] gradient, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            var g = gradient.AsSpan(r * Outputs, Outputs);
            var standard = _standard.AsSpan(r * Outputs, Outputs);
            TensorPrimitives.Add(_bias.Gradient, g, _bias.Gradient);
            TensorPrimitives.MultiplyAdd(g, standard, _gain.Gradient, _gain.Gradient);
            TensorPrimitives.Multiply(g, _gain.Values, g);
            var along = TensorPrimitives.Dot<float>(g, standard) / Outputs;
            TensorPrimitives.Subtract(g, TensorPrimitives.Sum<float>(g) / Outputs, g);
            TensorPrimitives.MultiplyAdd(standard, -along, g, g);
            TensorPrimitives.Multiply(g, _inverse[r], g);
        }
        return gradient;
    }

    public override Layer Share() => new LayerNormLayer(_gain, _bias);
}

/// <summary>Each row divided by its length; a zero row stays zero.</summary>
internal sealed class UnitLengthLayer(int width) : Layer
{
    private float[] _inverse = [];
    private float[] _output = [];

    public override int Outputs => width;

    public override float[] Forward(float[] input, int rows, bool training)
    {
        Room(ref _output, rows * width);
        Room(ref _inverse, rows);
        for (var r = 0; r < rows; r++)
        {
            var x = input.AsSpan(r * width, width);
            var length = TensorPrimitives.Norm<float>(x);
            _inverse[r] = length > 1e-12f ? 1 / length : 0;
            TensorPrimitives.Multiply(x, _inverse[r], _output.AsSpan(r * width, width));
        }
        return _output;
    }

    /// <summary>With y = x/|x|: dL/dx = (dL/dy − y·(y·dL/dy)) / |x|.</summary>
    public override float[] Backward(float[] gradient, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            var g = gradient.AsSpan(r * width, width);
            var y = _output.AsSpan(r * width, width);
            TensorPrimitives.MultiplyAdd(y, -TensorPrimitives.Dot<float>(g, y), g, g);
            TensorPrimitives.Multiply(g, _inverse[r], g);
        }
        return gradient;
    }

    public override Layer Share() => new UnitLengthLayer(width);
}
