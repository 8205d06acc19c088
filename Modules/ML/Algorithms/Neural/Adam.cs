using System.Numerics;
using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>Settings of Adam (Kingma and Ba 2015) with decoupled weight decay (AdamW, Loshchilov and Hutter 2019).</summary>
public sealed record AdamOptions
{
    /// <summary>α, the step.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    /// <summary>β₁, decay of the mean of gradients, 0 to 0.9999.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>β₂, decay of the mean of squared gradients, 0 to 0.99999.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>ε below the quotient.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>λ: each step also multiplies weights (not biases) by 1 − α·λ; 0 is plain Adam. Embedding rows decay in batches that use them.</summary>
    public float WeightDecay { get; init; } = 1e-2f;

    internal void Check()
    {
        Require.Between(LearningRate, 1e-9f, 10);
        Require.Between(Beta1, 0, 0.9999f);
        Require.Between(Beta2, 0, 0.99999f);
        Require.Between(Epsilon, 1e-16f, 1);
        Require.Between(WeightDecay, 0, 100);
    }
}

/// <summary>
/// Algorithm 1 of Kingma and Ba 2015, in the order of its section 2 (α_t = α·√(1 − β₂ᵗ)/(1 − β₁ᵗ) and ε·√(1 − β₂ᵗ)), with the decay of algorithm 2 of
/// Loshchilov and Hutter 2019. Sparse parameters are moved lazily: rows without a gradient keep their weights and their means.
/// </summary>
internal sealed class Adam
{
    private readonly AdamOptions _options;
    private readonly Parameter[] _parameters;
    private readonly float[][] _means;
    private readonly float[][] _squares;
    private int _steps;

    public Adam(AdamOptions options, IEnumerable<Parameter> parameters)
    {
        _options = options;
        _parameters = [.. parameters];
        _means = [.. _parameters.Select(p => new float[p.Values.Length])];
        _squares = [.. _parameters.Select(p => new float[p.Values.Length])];
    }

    /// <summary>Moves every parameter against its gradient, and clears the gradient.</summary>
    public void Step()
    {
        _steps++;
        var root = Math.Sqrt(1 - Math.Pow(_options.Beta2, _steps));
        var rate = (float)(_options.LearningRate * root / (1 - Math.Pow(_options.Beta1, _steps)));
        var epsilon = (float)(_options.Epsilon * root);
        for (var i = 0; i < _parameters.Length; i++)
        {
            var parameter = _parameters[i];
            var keep = parameter.Decays ? 1 - _options.LearningRate * _options.WeightDecay : 1;
            if (!parameter.Sparse) Move(parameter, i, 0, parameter.Values.Length, rate, epsilon, keep);
            else
                foreach (var row in parameter.Touched) Move(parameter, i, row * parameter.Width, parameter.Width, rate, epsilon, keep);
            parameter.ClearGradient();
        }
    }

    private void Move(Parameter parameter, int index, int from, int length, float rate, float epsilon, float keep)
    {
        if (length == 0) return;
        ref var w = ref parameter.Values[from];
        ref var g = ref parameter.Gradient[from];
        ref var m = ref _means[index][from];
        ref var v = ref _squares[index][from];
        var (b1, b2) = (_options.Beta1, _options.Beta2);
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var gradient = Vector.LoadUnsafe(ref g, (nuint)i);
            var mean = Vector.LoadUnsafe(ref m, (nuint)i) * b1 + gradient * (1 - b1);
            var square = Vector.LoadUnsafe(ref v, (nuint)i) * b2 + gradient * gradient * (1 - b2);
            mean.StoreUnsafe(ref m, (nuint)i);
            square.StoreUnsafe(ref v, (nuint)i);
            (Vector.LoadUnsafe(ref w, (nuint)i) * keep - mean * rate / (Vector.SquareRoot(square) + new Vector<float>(epsilon))).StoreUnsafe(ref w, (nuint)i);
        }

        var weights = MemoryMarshal.CreateSpan(ref w, length);
        for (; i < length; i++)
        {
            var gradient = parameter.Gradient[from + i];
            ref var mean = ref _means[index][from + i];
            ref var square = ref _squares[index][from + i];
            mean = mean * b1 + gradient * (1 - b1);
            square = square * b2 + gradient * gradient * (1 - b2);
            weights[i] = weights[i] * keep - mean * rate / (MathF.Sqrt(square) + epsilon);
        }
    }
}
