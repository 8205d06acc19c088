using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Trees;

/// <summary>A loss as boosting needs it: starting margins, first and second derivatives, the link, and the loss for validation.</summary>
internal abstract class Objective(float[] targets, float[]? weights)
{
    protected float[] Targets { get; } = targets;

    protected float[]? Weights { get; } = weights;

    public virtual int Outputs => 1;

    /// <summary>The quantile that leaves are renewed with; null keeps −G/(H+λ).</summary>
    public virtual double? RenewQuantile => null;

    public abstract double[] StartMargins();

    /// <summary>Derivatives of the weighted loss at <paramref name="margins"/> (one array an output).</summary>
    public void Derivatives(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        Fill(margins, gradients, hessians, threads);
        if (Weights is null) return;
        for (var k = 0; k < Outputs; k++)
        {
            TensorPrimitives.Multiply(gradients[k], Weights, gradients[k]);
            TensorPrimitives.Multiply(hessians[k], Weights, hessians[k]);
        }
    }

    /// <summary>Mean weighted loss; smaller is better.</summary>
    public abstract double Loss(float[][] margins);

    protected abstract void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads);

    protected double WeightOf(int row) => Weights?[row] ?? 1;

    protected double Mean(Func<int, double> value)
    {
        double sum = 0, weight = 0;
        for (var i = 0; i < Targets.Length; i++)
        {
            sum += WeightOf(i) * value(i);
            weight += WeightOf(i);
        }
        return weight > 0 ? sum / weight : 0;
    }

    protected static void Parts(int count, int threads, Action<int, int> body)
    {
        const int Part = 1 << 14;
        Workers.For(threads, (count + Part - 1) / Part, p => body(p * Part, Math.Min(count, (p + 1) * Part)));
    }

    public static Objective Create(GradientBoostingOptions o, float[] targets, float[]? weights, int[]? groups)
    {
        foreach (var target in targets)
        {
            if (!float.IsFinite(target)) throw new ArgumentException("A target is NaN or infinite.", nameof(targets));
        }
        weights = WithClassWeights(o, targets, weights);
        return o.Objective switch
        {
            BoostingObjective.SquaredError => new SquaredErrorObjective(targets, weights),
            BoostingObjective.AbsoluteError => new QuantileObjective(targets, weights, 0.5),
            BoostingObjective.Huber => new HuberObjective(targets, weights, o.HuberDelta),
            BoostingObjective.Quantile => new QuantileObjective(targets, weights, o.QuantileAlpha),
            BoostingObjective.Poisson => new PoissonObjective(targets, weights),
            BoostingObjective.Tweedie => new TweedieObjective(targets, weights, o.TweediePower),
            BoostingObjective.BinaryLogistic => new LogisticObjective(targets, weights),
            BoostingObjective.Softmax => new SoftmaxObjective(targets, weights, o.Classes),
            BoostingObjective.LambdaRank => new LambdaRankObjective(targets, weights, groups ?? throw new ArgumentException("Ranking needs query groups.", nameof(groups)), o),
            _ => throw new ArgumentOutOfRangeException(nameof(o), o.Objective, "Unknown objective."),
        };
    }

    private static float[]? WithClassWeights(GradientBoostingOptions o, float[] targets, float[]? weights)
    {
        var classes = o.Objective switch { BoostingObjective.BinaryLogistic => 2, BoostingObjective.Softmax => o.Classes, _ => 0 };
        if (classes == 0) return weights;
        var weighted = o.ClassWeights.Count == 0 ? null : new float[targets.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            var label = (int)targets[i];
            if (label != targets[i] || label < 0 || label >= classes) throw new ArgumentException($"Label {targets[i]} is not a class from 0 to {classes - 1}.", nameof(targets));
            if (weighted is not null) weighted[i] = (float)((weights?[i] ?? 1) * o.ClassWeights[label]);
        }
        return weighted ?? weights;
    }
}

internal sealed class SquaredErrorObjective(float[] targets, float[]? weights) : Objective(targets, weights)
{
    public override double[] StartMargins() => [Mean(i => Targets[i])];

    public override double Loss(float[][] margins) => Mean(i => Math.Pow(margins[0][i] - (double)Targets[i], 2));

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        TensorPrimitives.Subtract(margins[0], Targets, gradients[0]);
        Array.Fill(hessians[0], 1);
    }
}

internal sealed class HuberObjective(float[] targets, float[]? weights, double delta) : Objective(targets, weights)
{
    public override double[] StartMargins() => [WeightedQuantile.Of([.. Targets], Weights is null ? null : [.. Weights], 0.5)];

    public override double Loss(float[][] margins) => Mean(i =>
    {
        var residual = Math.Abs(margins[0][i] - (double)Targets[i]);
        return residual <= delta ? residual * residual / 2 : delta * (residual - delta / 2);
    });

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        for (var i = 0; i < Targets.Length; i++) gradients[0][i] = Math.Clamp(margins[0][i] - Targets[i], (float)-delta, (float)delta);
        Array.Fill(hessians[0], 1);
    }
}

/// <summary>Pinball loss (Koenker and Bassett 1978); at 0.5 half the absolute error.</summary>
internal sealed class QuantileObjective(float[] targets, float[]? weights, double alpha) : Objective(targets, weights)
{
    public override double? RenewQuantile => alpha;

    public override double[] StartMargins() => [WeightedQuantile.Of([.. Targets], Weights is null ? null : [.. Weights], alpha)];

    public override double Loss(float[][] margins) => Mean(i =>
    {
        var residual = Targets[i] - (double)margins[0][i];
        return residual >= 0 ? alpha * residual : (alpha - 1) * residual;
    });

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        float below = (float)-alpha, above = (float)(1 - alpha);
        for (var i = 0; i < Targets.Length; i++) gradients[0][i] = margins[0][i] < Targets[i] ? below : margins[0][i] > Targets[i] ? above : 0;
        Array.Fill(hessians[0], 1);
    }
}

/// <summary>Poisson deviance with log link; the hessian is damped by e^0.7 so that first steps stay small.</summary>
internal sealed class PoissonObjective(float[] targets, float[]? weights) : Objective(NonNegative(targets), weights)
{
    private const float Damping = 0.7f;

    public override double[] StartMargins() => [Math.Log(Math.Max(1e-9, Mean(i => Targets[i])))];

    public override double Loss(float[][] margins) => Mean(i => Math.Exp(margins[0][i]) - Targets[i] * (double)margins[0][i]);

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        for (var i = 0; i < Targets.Length; i++)
        {
            gradients[0][i] = MathF.Exp(margins[0][i]) - Targets[i];
            hessians[0][i] = MathF.Exp(margins[0][i] + Damping);
        }
    }

    internal static float[] NonNegative(float[] targets) =>
        Array.TrueForAll(targets, t => t >= 0) ? targets : throw new ArgumentException("A target is negative.", nameof(targets));
}

/// <summary>Tweedie deviance of power ρ in (1, 2) with log link: −y e^((1−ρ)s)/(1−ρ) + e^((2−ρ)s)/(2−ρ).</summary>
internal sealed class TweedieObjective(float[] targets, float[]? weights, double power) : Objective(PoissonObjective.NonNegative(targets), weights)
{
    public override double[] StartMargins() => [Math.Log(Math.Max(1e-9, Mean(i => Targets[i])))];

    public override double Loss(float[][] margins) => Mean(i =>
    {
        double s = margins[0][i];
        return -Targets[i] * Math.Exp((1 - power) * s) / (1 - power) + Math.Exp((2 - power) * s) / (2 - power);
    });

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        for (var i = 0; i < Targets.Length; i++)
        {
            double first = Targets[i] * Math.Exp((1 - power) * margins[0][i]), second = Math.Exp((2 - power) * margins[0][i]);
            gradients[0][i] = (float)(second - first);
            hessians[0][i] = (float)((2 - power) * second - (1 - power) * first);
        }
    }
}

internal sealed class LogisticObjective(float[] targets, float[]? weights) : Objective(targets, weights)
{
    public override double[] StartMargins()
    {
        var share = Math.Clamp(Mean(i => Targets[i]), 1e-9, 1 - 1e-9);
        return [Math.Log(share / (1 - share))];
    }

    public override double Loss(float[][] margins) => Mean(i =>
    {
        double s = margins[0][i];
        return Math.Max(s, 0) - s * Targets[i] + Math.Log(1 + Math.Exp(-Math.Abs(s)));
    });

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads) => Parts(Targets.Length, threads, (from, to) =>
    {
        var probability = gradients[0].AsSpan(from, to - from);
        var hessian = hessians[0].AsSpan(from, to - from);
        TensorPrimitives.Sigmoid(margins[0].AsSpan(from, to - from), probability);
        // p(1 − p) = p − p²; the floor keeps a saturated row from vanishing from the sums.
        TensorPrimitives.Multiply(probability, probability, hessian);
        TensorPrimitives.Subtract(probability, hessian, hessian);
        TensorPrimitives.Max(hessian, 1e-16f, hessian);
        TensorPrimitives.Subtract(probability, Targets.AsSpan(from, to - from), probability);
    });
}

/// <summary>Multinomial log loss; hessian K/(K−1)·p(1−p) (Friedman 2001).</summary>
internal sealed class SoftmaxObjective(float[] targets, float[]? weights, int classes) : Objective(targets, weights)
{
    public override int Outputs => classes;

    public override double[] StartMargins() => [.. Enumerable.Range(0, classes).Select(k => Math.Log(Math.Max(1e-9, Mean(i => Targets[i] == k ? 1 : 0))))];

    public override double Loss(float[][] margins) => Mean(i =>
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (var k = 0; k < classes; k++) largest = Math.Max(largest, margins[k][i]);
        for (var k = 0; k < classes; k++) sum += Math.Exp(margins[k][i] - largest);
        return largest + Math.Log(sum) - margins[(int)Targets[i]][i];
    });

    protected override void Fill(float[][] margins, float[][] gradients, float[][] hessians, int threads)
    {
        var factor = classes / (classes - 1f);
        Parts(Targets.Length, threads, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                float largest = float.NegativeInfinity, sum = 0;
                for (var k = 0; k < classes; k++) largest = MathF.Max(largest, margins[k][i]);
                for (var k = 0; k < classes; k++) sum += gradients[k][i] = MathF.Exp(margins[k][i] - largest);
                for (var k = 0; k < classes; k++)
                {
                    var p = gradients[k][i] / sum;
                    hessians[k][i] = MathF.Max(1e-16f, factor * p * (1 - p));
                    gradients[k][i] = Targets[i] == k ? p - 1 : p;
                }
            }
        });
    }
}
