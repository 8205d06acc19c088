using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Settings of <see cref="RidgeRegression"/>.</summary>
public sealed record RidgeOptions
{
    /// <summary>λ of Σ wᵢ·(yᵢ − b − β·xᵢ)² + λ|β|², 0 or more; the intercept is free.</summary>
    public double Regularization { get; init; } = 1;

    /// <summary>Size of the last residual against the first that ends the solver.</summary>
    public double Tolerance { get; init; } = 1e-12;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }

    // Looked at between steps; true ends training with what is learned by then.
    internal Func<bool>? Enough { get; init; }
}

/// <summary>
/// Least squares with an L2 penalty (Hoerl and Kennard 1970), solved by conjugate gradients on the normal equations with the diagonal as preconditioner
/// (Golub and Van Loan, algorithm 11.5.1): exact up to the tolerance, without forming XᵀX.
/// </summary>
public static class RidgeRegression
{
    /// <summary>Trains on a table and one finite target a row.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a target is not finite or a weight is negative.</exception>
    public static LinearRegressionModel Fit(Dataset x, float[] y, RidgeOptions? options = null, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new RidgeOptions();
        var inputs = LinearInputs.Fit(x, weights);
        return Fit(new TableDesign(inputs, x, options.Threads), inputs, y, options, weights);
    }

    /// <summary>Trains on a sparse matrix, whose columns are taken as they are.</summary>
    /// <exception cref="ArgumentException">Lengths differ, a target is not finite or a weight is negative.</exception>
    public static LinearRegressionModel Fit(SparseMatrix x, float[] y, RidgeOptions? options = null, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new RidgeOptions();
        return Fit(new SparseDesign(x, options.Threads), null, y, options, weights);
    }

    private static LinearRegressionModel Fit(Design x, LinearInputs? inputs, float[] y, RidgeOptions options, float[]? weights)
    {
        Checks.Targets(y, x.Rows);
        Require.Between(options.Regularization, 0, 1e15);
        var w = Checks.WeightsOrOnes(weights, x.Rows);
        var total = TensorPrimitives.Sum<double>(w);
        int n = x.Rows, p = x.Columns;
        var means = new double[p];
        x.MultiplyTransposed(w, 0, means, 0);
        TensorPrimitives.Divide(means, total, means);
        double mean = 0;
        for (var i = 0; i < n; i++) mean += w[i] * y[i];
        mean /= total;

        // The intercept drops out of centred columns: A = X̃ᵀWX̃ + λI with X̃ = X − 1·meansᵀ, never formed.
        var scores = new double[n];
        void Normal(double[] v, double[] result)
        {
            x.Multiply(v, 0, scores, 0);
            var shift = TensorPrimitives.Dot<double>(means, v);
            for (var i = 0; i < n; i++) scores[i] = w[i] * (scores[i] - shift);
            var sum = TensorPrimitives.Sum<double>(scores);
            x.MultiplyTransposed(scores, 0, result, 0);
            for (var j = 0; j < p; j++) result[j] += options.Regularization * v[j] - means[j] * sum;
        }

        var residual = new double[p];
        for (var i = 0; i < n; i++) scores[i] = w[i] * (y[i] - mean);
        x.MultiplyTransposed(scores, 0, residual, 0);
        var diagonal = new double[p];
        for (var j = 0; j < p; j++) diagonal[j] = Math.Max(x.ColumnSquares(j, w) - total * means[j] * means[j], 0) + options.Regularization;
        var beta = Solve(Normal, residual, diagonal, options.Tolerance, options.Enough);
        var intercept = mean - TensorPrimitives.Dot<double>(means, beta);
        return new LinearRegressionModel(new LinearWeights(inputs, p, beta, [intercept]));
    }

    private static double[] Solve(Action<double[], double[]> normal, double[] r, double[] diagonal, double tolerance, Func<bool>? enough)
    {
        var p = r.Length;
        double[] beta = new double[p], z = new double[p], direction = new double[p], product = new double[p];
        var largest = diagonal.Length == 0 ? 0 : TensorPrimitives.Max<double>(diagonal);
        // A constant column has no curvature: it gets no weight.
        for (var j = 0; j < p; j++) diagonal[j] = diagonal[j] > 1e-13 * largest ? 1 / diagonal[j] : 0;
        TensorPrimitives.Multiply<double>(r, diagonal, z);
        z.CopyTo(direction, 0);
        var rz = TensorPrimitives.Dot<double>(r, z);
        var stop = tolerance * tolerance * rz;
        for (var i = 0; i < 10 * p + 50 && rz > stop; i++)
        {
            if (i > 0 && enough?.Invoke() == true) break;
            normal(direction, product);
            var curvature = TensorPrimitives.Dot<double>(direction, product);
            if (!(curvature > 0)) break;
            var step = rz / curvature;
            TensorPrimitives.MultiplyAdd<double>(direction, step, beta, beta);
            TensorPrimitives.MultiplyAdd<double>(product, -step, r, r);
            TensorPrimitives.Multiply<double>(r, diagonal, z);
            var next = TensorPrimitives.Dot<double>(r, z);
            TensorPrimitives.MultiplyAdd<double>(direction, next / rz, z, direction);
            rz = next;
        }
        return beta;
    }
}
