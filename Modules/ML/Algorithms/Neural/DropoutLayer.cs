using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// Dropout (Srivastava et al. 2014) in its inverted form: in training each input is kept with probability 1 − rate and divided by it, so that the
/// expectation stays; otherwise the input passes unchanged.
/// </summary>
internal sealed class DropoutLayer(int width, float rate, int seed, int part) : Layer
{
    private readonly uint _dropBelow = (uint)MathF.Round(rate * 65536);
    private RandomSource _random = RandomSource.For(seed, part, 0x0D0);
    private float[] _mask = [];
    private float[] _output = [];
    private bool _masked;

    public override int Outputs => width;

    public override float[] Forward(float[] input, int rows, bool training)
    {
        _masked = training;
        if (!training) return input;
        var mask = Room(ref _mask, rows * width).AsSpan(0, rows * width);
        var kept = 65536f / (65536 - _dropBelow);
        // Sixteen bits an input: four masks a draw.
        ulong bits = 0;
        for (var i = 0; i < mask.Length; i++)
        {
            bits = (i & 3) == 0 ? _random.Next() : bits >> 16;
            mask[i] = (uint)(bits & 0xFFFF) < _dropBelow ? 0 : kept;
        }
        TensorPrimitives.Multiply(input.AsSpan(0, mask.Length), mask, Room(ref _output, mask.Length));
        return _output;
    }

    public override float[] Backward(float[] gradient, int rows)
    {
        if (_masked) TensorPrimitives.Multiply(gradient.AsSpan(0, rows * width), _mask.AsSpan(0, rows * width), gradient);
        return gradient;
    }

    public override Layer Share() => new DropoutLayer(width, rate, seed, part);
}
