using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;

namespace OKLA.ML.Algorithms.Decisions;

/// <summary>Thompson sampling for rewards 0 or 1 with Beta(1, 1) priors (Thompson 1933). Seeded.</summary>
public sealed class BetaThompson(int arms, int seed = 42)
{
    private readonly double[] _won = new double[arms], _lost = new double[arms];
    private readonly Random _random = new(seed);

    /// <summary>Draws a rate for every arm and takes the greatest.</summary>
    public int Choose() => Enumerable.Range(0, _won.Length).MaxBy(a => Beta.Sample(_random, 1 + _won[a], 1 + _lost[a]));

    /// <summary>Takes in what an arm brought.</summary>
    public void Learn(int arm, bool won) => (won ? _won : _lost)[arm]++;
}

/// <summary>Thompson sampling for Gaussian rewards of known deviation, with N(0, prior²) priors on the means. Seeded.</summary>
public sealed class GaussianThompson(int arms, double deviation = 1, double prior = 10, int seed = 42)
{
    private readonly double[] _sums = new double[arms], _counts = new double[arms];
    private readonly Random _random = new(seed);

    /// <summary>Draws a mean for every arm and takes the greatest.</summary>
    public int Choose() => Enumerable.Range(0, _sums.Length).MaxBy(a =>
    {
        double precision = 1 / (prior * prior) + _counts[a] / (deviation * deviation);
        return Normal.Sample(_random, _sums[a] / (deviation * deviation) / precision, Math.Sqrt(1 / precision));
    });

    /// <summary>Takes in an arm's reward.</summary>
    public void Learn(int arm, double reward)
    {
        _sums[arm] += reward;
        _counts[arm]++;
    }
}

/// <summary>UCB1 for rewards in [0, 1] (Auer, Cesa-Bianchi, Fischer 2002, figure 1): mean + √(2·ln n / n_arm), every arm once first.</summary>
public sealed class Ucb1(int arms)
{
    private readonly double[] _sums = new double[arms], _counts = new double[arms];
    private double _total;

    /// <summary>The arm of the highest bound; ties to the first.</summary>
    public int Choose() => Enumerable.Range(0, _sums.Length).MaxBy(a =>
        _counts[a] == 0 ? double.PositiveInfinity : _sums[a] / _counts[a] + Math.Sqrt(2 * Math.Log(_total) / _counts[a]));

    /// <summary>Takes in an arm's reward.</summary>
    public void Learn(int arm, double reward)
    {
        _sums[arm] += reward;
        _counts[arm]++;
        _total++;
    }
}

/// <summary>LinUCB with disjoint models (Li, Chu, Langford, Schapire 2010, algorithm 1); inverses kept by Sherman and Morrison's formula, O(d²) a step.</summary>
public sealed class LinUcb
{
    private readonly Matrix<double>[] _inverses;
    private readonly Vector<double>[] _rewards;
    private readonly double _alpha;

    /// <summary>Models for <paramref name="arms"/> arms over contexts of <paramref name="features"/> numbers; a greater alpha explores more.</summary>
    public LinUcb(int arms, int features, double alpha = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(arms, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(features, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(alpha);
        _alpha = alpha;
        _inverses = [.. Enumerable.Range(0, arms).Select(_ => Matrix<double>.Build.DenseIdentity(features))];
        _rewards = [.. Enumerable.Range(0, arms).Select(_ => Vector<double>.Build.Dense(features))];
    }

    /// <summary>The upper bound θᵀx + α·√(xᵀA⁻¹x) of an arm.</summary>
    public double Bound(int arm, double[] context)
    {
        var x = Vector<double>.Build.Dense(context);
        var ax = _inverses[arm] * x;
        return _rewards[arm] * ax + _alpha * Math.Sqrt(Math.Max(0, x * ax));
    }

    /// <summary>The arm of the highest bound; ties to the first.</summary>
    public int Choose(double[] context) => Enumerable.Range(0, _rewards.Length).MaxBy(a => Bound(a, context));

    /// <summary>Takes in the reward of an arm in a context.</summary>
    public void Learn(int arm, double[] context, double reward)
    {
        var x = Vector<double>.Build.Dense(context);
        var ax = _inverses[arm] * x;
        _inverses[arm] -= ax.OuterProduct(ax) / (1 + x * ax);
        _rewards[arm] += reward * x;
    }
}
