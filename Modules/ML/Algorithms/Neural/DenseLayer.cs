using System.Numerics;
using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>What a hidden unit makes of its sum.</summary>
public enum Activation
{
    /// <summary>z itself.</summary>
    None,

    /// <summary>max(0, z).</summary>
    Relu,

    /// <summary>½z(1 + tanh(√(2/π)(z + 0.044715z³))) (Hendrycks and Gimpel 2016, section 2).</summary>
    Gelu,
}

/// <summary>y = f(x·W + b): W is inputs × outputs. Drawn as He et al. 2015 (eq. 10) with an activation, as Glorot and Bengio 2010 (eq. 12) without.</summary>
internal sealed class DenseLayer : Layer
{
    private const float Root2OverPi = 0.7978845608f;
    private const float Cubic = 0.044715f;
    private readonly int _inputs;
    private readonly Activation _activation;
    private readonly int _threads;
    private readonly Parameter _weights;
    private readonly Parameter _bias;
    private float[] _input = [];
    private float[] _sums = [];
    private float[] _tanh = [];
    private float[] _output = [];
    private float[] _inputGradient = [];

    public DenseLayer(int inputs, int outputs, Activation activation, Random? random, int threads)
        : this(inputs, activation, threads,
            new Parameter(inputs, outputs, false, true).Normal(Math.Sqrt(2.0 / Math.Max(1, activation == Activation.None ? inputs + outputs : inputs)), random),
            new Parameter(1, outputs, false, false))
    {
    }

    private DenseLayer(int inputs, Activation activation, int threads, Parameter weights, Parameter bias) =>
        (_inputs, _activation, _threads, _weights, _bias) = (inputs, activation, threads, weights, bias);

    public override int Outputs => _bias.Width;

    public override IEnumerable<Parameter> Parameters => [_weights, _bias];

    public override float[] Forward(float[] input, int rows, bool training)
    {
        var count = rows * Outputs;
        _input = input;
        Room(ref _output, count);
        var sums = _activation == Activation.Gelu ? Room(ref _sums, count) : _output;
        for (var r = 0; r < rows; r++) _bias.Values.CopyTo(sums, r * Outputs);
        MatrixProduct.Multiply(input, false, _weights.Values, false, sums, rows, _inputs, Outputs, true, _threads);
        if (_activation == Activation.Relu) TensorPrimitives.Max(sums.AsSpan(0, count), 0f, sums.AsSpan(0, count));
        else if (_activation == Activation.Gelu) Gelu(sums.AsSpan(0, count), Room(ref _tanh, count).AsSpan(0, count), _output.AsSpan(0, count));
        return _output;
    }

    public override float[] Backward(float[] gradient, int rows)
    {
        var slope = gradient.AsSpan(0, rows * Outputs);
        if (_activation == Activation.Relu) ReluSlope(_output, slope);
        else if (_activation == Activation.Gelu) GeluSlope(_sums, _tanh, slope);
        for (var r = 0; r < rows; r++) TensorPrimitives.Add(_bias.Gradient, slope.Slice(r * Outputs, Outputs), _bias.Gradient);
        MatrixProduct.Multiply(_input, true, gradient, false, _weights.Gradient, _inputs, rows, Outputs, true, _threads);
        MatrixProduct.Multiply(gradient, false, _weights.Values, true, Room(ref _inputGradient, rows * _inputs), rows, Outputs, _inputs, false, _threads);
        return _inputGradient;
    }

    public override Layer Share() => new DenseLayer(_inputs, _activation, _threads, _weights, _bias);

    private static void Gelu(ReadOnlySpan<float> z, Span<float> tanh, Span<float> output)
    {
        TensorPrimitives.Multiply(z, z, tanh);
        TensorPrimitives.Multiply(tanh, Cubic * Root2OverPi, tanh);
        TensorPrimitives.Add(tanh, Root2OverPi, tanh);
        TensorPrimitives.Multiply(tanh, z, tanh);
        TensorPrimitives.Tanh(tanh, tanh);
        TensorPrimitives.MultiplyAdd(tanh, z, z, output);
        TensorPrimitives.Multiply(output, 0.5f, output);
    }

    private static void ReluSlope(float[] output, Span<float> gradient)
    {
        var i = 0;
        for (; i <= gradient.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var part = gradient.Slice(i, Vector<float>.Count);
            Vector.ConditionalSelect(Vector.GreaterThan(new Vector<float>(output, i), Vector<float>.Zero), new Vector<float>(part), Vector<float>.Zero).CopyTo(part);
        }
        for (; i < gradient.Length; i++)
            if (output[i] <= 0) gradient[i] = 0;
    }

    /// <summary>With t = tanh(u(z)): f' = ½(1 + t) + ½z(1 − t²)·√(2/π)·(1 + 3·0.044715z²).</summary>
    private static void GeluSlope(float[] sums, float[] tanh, Span<float> gradient)
    {
        var i = 0;
        for (; i <= gradient.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var part = gradient.Slice(i, Vector<float>.Count);
            var (z, t) = (new Vector<float>(sums, i), new Vector<float>(tanh, i));
            var inner = (z * z * (3 * Cubic) + Vector<float>.One) * Root2OverPi;
            (new Vector<float>(part) * 0.5f * (Vector<float>.One + t + z * (Vector<float>.One - t * t) * inner)).CopyTo(part);
        }
        for (; i < gradient.Length; i++)
        {
            var (z, t) = (sums[i], tanh[i]);
            gradient[i] *= 0.5f * (1 + t + z * (1 - t * t) * Root2OverPi * (1 + 3 * Cubic * z * z));
        }
    }
}
