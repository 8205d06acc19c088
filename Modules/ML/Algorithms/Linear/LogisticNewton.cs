using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// Newton's method for two classes on a table of few features (Hastie, Tibshirani and Friedman 2009, eq. 4.26, with the L2 penalty): a handful of steps where
/// L-BFGS needs a hundred, each halved until the objective falls enough.
/// </summary>
internal static class LogisticNewton
{
    /// <summary>The most features for which forming and factorising the Hessian pays.</summary>
    public const int MostFeatures = 256;

    public static void Minimize(LogisticLoss loss, TableDesign x, double[] parameters, double l2, int maxIterations, double tolerance, Func<bool>? enough, CancellationToken cancellation)
    {
        var size = parameters.Length;
        double[] gradient = new double[size], trial = new double[size], curvature = new double[x.Rows], step = new double[size];
        var value = loss.Evaluate(parameters, gradient, l2);
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (iteration > 0 && enough?.Invoke() == true) return;
            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(gradient)) <= tolerance) return;
            loss.Curvature(curvature);
            var hessian = x.Gram(curvature);
            for (var j = 0; j < size - 1; j++) hessian[j * size + j] += l2;
            // What no row tells apart (a constant column, a category without rows) has no curvature of its own: a trace of it keeps the factors real.
            double largest = 0;
            for (var j = 0; j < size; j++) largest = Math.Max(largest, hessian[j * size + j]);
            for (var j = 0; j < size; j++) hessian[j * size + j] += 1e-10 * largest;
            TensorPrimitives.Multiply(gradient, -loss.Total, step);
            new Cholesky(hessian, size).Solve(step);
            var slope = TensorPrimitives.Dot<double>(gradient, step);
            var moved = false;
            for (double length = 1; length > 1e-10 && !moved; length /= 2)
            {
                TensorPrimitives.MultiplyAdd<double>(step, length, parameters, trial);
                var next = loss.Evaluate(trial, gradient, l2);
                if (!(next <= value + 1e-4 * length * slope)) continue;
                moved = value - next > 1e-15 * Math.Abs(value) || length < 1;
                trial.CopyTo(parameters, 0);
                value = next;
                if (!moved) return;
            }
            if (!moved) return;
        }
    }
}
