using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// The weighted log loss of logistic (one output) or softmax (one output a class) scores, divided by the sum of weights. Parameters lie output after output,
/// all weights first and then the intercepts; scores lie output after output, so that every step runs over rows in SIMD.
/// </summary>
internal sealed class LogisticLoss(Design x, int[] labels, int classes, double[] weights)
{
    private readonly double[] _highest = new double[x.Rows];
    private readonly double[] _sum = new double[x.Rows];
    private readonly double[] _residuals = new double[(classes == 2 ? 1 : classes) * x.Rows];
    private readonly double[] _scores = new double[(classes == 2 ? 1 : classes) * x.Rows];

    public Design X => x;

    public double[] Weights => weights;

    public int Outputs => classes == 2 ? 1 : classes;

    public double Total { get; } = weights.Sum();

    public bool Is(int row, int output) => labels[row] == (Outputs == 1 ? 1 : output);

    /// <summary>The mean loss plus λ/(2·Σw)·|β|², and its gradient.</summary>
    public double Evaluate(double[] parameters, double[] gradient, double l2)
    {
        int p = x.Columns, n = x.Rows;
        Scores(parameters, _scores);
        var loss = Residuals(_scores, _residuals) / Total;
        for (var k = 0; k < Outputs; k++)
        {
            x.MultiplyTransposed(_residuals, k * n, gradient, k * p);
            gradient[Outputs * p + k] = TensorPrimitives.Sum<double>(_residuals.AsSpan(k * n, n)) / Total;
        }
        var beta = parameters.AsSpan(0, Outputs * p);
        var slopes = gradient.AsSpan(0, Outputs * p);
        TensorPrimitives.MultiplyAdd<double>(beta, l2, slopes, slopes);
        TensorPrimitives.Multiply(slopes, 1 / Total, slopes);
        return loss + l2 / (2 * Total) * TensorPrimitives.SumOfSquares<double>(beta);
    }

    /// <summary>w·p·(1 − p) of two classes at the scores last evaluated.</summary>
    public void Curvature(double[] curvature)
    {
        for (var i = 0; i < curvature.Length; i++)
        {
            var p = LinearClassifierModel.Sigmoid(_scores[i]);
            curvature[i] = weights[i] * p * (1 - p);
        }
    }

    public void Scores(double[] parameters, double[] scores)
    {
        for (var k = 0; k < Outputs; k++)
        {
            x.Multiply(parameters, k * x.Columns, scores, k * x.Rows);
            var own = scores.AsSpan(k * x.Rows, x.Rows);
            TensorPrimitives.Add(own, parameters[Outputs * x.Columns + k], own);
        }
    }

    /// <summary>Σ w·loss of scores, and w·(p − y) a score into <paramref name="residuals"/>.</summary>
    public double Residuals(double[] scores, double[] residuals)
    {
        var n = x.Rows;
        double loss = 0;
        if (Outputs == 1)
        {
            // log(1 + e^−m) of the margin m = ±s, and the residual from the same exponential.
            TensorPrimitives.Abs<double>(scores, residuals);
            TensorPrimitives.Negate<double>(residuals, residuals);
            TensorPrimitives.Exp<double>(residuals, residuals);
            TensorPrimitives.LogP1<double>(residuals, _sum);
            for (var i = 0; i < n; i++)
            {
                var e = residuals[i];
                var positive = scores[i] >= 0 ? 1 / (1 + e) : e / (1 + e);
                var y = labels[i] == 1 ? 1 : 0;
                loss += weights[i] * (_sum[i] + Math.Max(scores[i], 0) - y * scores[i]);
                residuals[i] = weights[i] * (positive - y);
            }
            return loss;
        }
        scores.AsSpan(0, n).CopyTo(_highest);
        for (var k = 1; k < Outputs; k++) TensorPrimitives.Max<double>(_highest, scores.AsSpan(k * n, n), _highest);
        Array.Clear(_sum);
        for (var k = 0; k < Outputs; k++)
        {
            var own = residuals.AsSpan(k * n, n);
            TensorPrimitives.Subtract<double>(scores.AsSpan(k * n, n), _highest, own);
            TensorPrimitives.Exp<double>(own, own);
            TensorPrimitives.Add<double>(_sum, own, _sum);
        }
        for (var i = 0; i < n; i++) loss += weights[i] * (Math.Log(_sum[i]) + _highest[i] - scores[labels[i] * n + i]);
        TensorPrimitives.Divide<double>(weights, _sum, _sum);
        for (var k = 0; k < Outputs; k++)
        {
            var own = residuals.AsSpan(k * n, n);
            TensorPrimitives.Multiply<double>(own, _sum, own);
        }
        for (var i = 0; i < n; i++) residuals[labels[i] * n + i] -= weights[i];
        return loss;
    }
}
