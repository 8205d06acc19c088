using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>
/// Gaussian process regression (Rasmussen and Williams 2006, chapters 2 and 5) with a Matérn 5/2 kernel of one length a dimension, on standardised targets.
/// Lengths, signal and noise variance maximise the log marginal likelihood (ML-II, equations 5.8 and 5.9) with log-normal priors that keep them sane while
/// points are few, by L-BFGS from two starts.
/// </summary>
internal sealed class GaussianProcess
{
    private const double LeastNoise = 1e-8;
    private readonly double[][] _points;
    private readonly double[] _lengths;
    private readonly double _signal;
    private readonly double _mean;
    private readonly double _scale;
    private readonly double[] _alpha;
    private readonly Cholesky _cholesky;

    private GaussianProcess(double[][] points, double[] y, double mean, double scale, double[] theta)
    {
        var dimensions = points[0].Length;
        _points = points;
        (_mean, _scale) = (mean, scale);
        _lengths = [.. theta.Take(dimensions).Select(Math.Exp)];
        _signal = Math.Exp(theta[dimensions]);
        _cholesky = new Cholesky(Covariance(points, theta, out _), points.Length);
        _alpha = [.. y];
        _cholesky.Solve(_alpha);
    }

    /// <summary>Learns from <paramref name="points"/> (each in the unit cube) and <paramref name="targets"/>.</summary>
    public static GaussianProcess Fit(double[][] points, double[] targets, CancellationToken cancellation = default)
    {
        var dimensions = points[0].Length;
        var mean = targets.Average();
        var deviation = Math.Sqrt(targets.Average(t => (t - mean) * (t - mean)));
        var scale = deviation > 0 ? deviation : 1;
        double[] y = [.. targets.Select(t => (t - mean) / scale)];
        double[]? best = null;
        var least = double.PositiveInfinity;
        foreach (var length in (double[])[0.3, 1])
        {
            double[] theta = [.. Enumerable.Repeat(Math.Log(length), dimensions), 0, Math.Log(1e-4)];
            var minimum = Lbfgs.Minimize((at, gradient) => NegativeLogPosterior(points, y, at, gradient), theta, 60, 1e-4, cancellation: cancellation);
            if (best is not null && !(minimum.Value < least)) continue;
            (best, least) = (theta, minimum.Value);
        }
        return new GaussianProcess(points, y, mean, scale, best!);
    }

    /// <summary>Mean and deviation of the function (without noise) at a point, in the targets' unit (equations 2.25 and 2.26).</summary>
    public (double Mean, double Deviation) Predict(double[] point)
    {
        var k = new double[_points.Length];
        double mean = 0, explained = 0;
        for (var i = 0; i < k.Length; i++)
        {
            k[i] = _signal * Matern(Distance(point, _points[i], _lengths));
            mean += k[i] * _alpha[i];
        }
        double[] solved = [.. k];
        _cholesky.Solve(solved);
        for (var i = 0; i < k.Length; i++) explained += k[i] * solved[i];
        return (_mean + _scale * mean, _scale * Math.Sqrt(Math.Max(1e-18, _signal - explained)));
    }

    /// <summary>−log p(y | X, θ) − log p(θ) and its gradient; θ = log lengths, log signal variance, log noise variance.</summary>
    internal static double NegativeLogPosterior(double[][] points, double[] y, double[] theta, double[] gradient)
    {
        int n = points.Length, dimensions = points[0].Length;
        Array.Clear(gradient);
        if (theta.Any(t => Math.Abs(t) > 30)) return double.PositiveInfinity;
        var matrix = Covariance(points, theta, out var distances);
        Cholesky cholesky;
        try
        {
            cholesky = new Cholesky(matrix, n);
        }
        catch (ArithmeticException)
        {
            // Too near to singular to be likely: the line search steps back.
            return double.PositiveInfinity;
        }
        double[] alpha = [.. y];
        cholesky.Solve(alpha);
        var value = n / 2.0 * Math.Log(2 * Math.PI);
        for (var i = 0; i < n; i++) value += y[i] * alpha[i] / 2 + Math.Log(matrix[i * n + i]);
        // ∂/∂θ = ½ tr((K⁻¹ − ααᵀ) ∂K/∂θ), column by column of K⁻¹.
        var signal = Math.Exp(theta[dimensions]);
        var squares = new double[dimensions];
        for (var d = 0; d < dimensions; d++) squares[d] = Math.Exp(-2 * theta[d]);
        var column = new double[n];
        for (var j = 0; j < n; j++)
        {
            Array.Clear(column);
            column[j] = 1;
            cholesky.Solve(column);
            for (var i = 0; i < n; i++)
            {
                var weight = (column[i] - alpha[i] * alpha[j]) / 2;
                if (i == j) gradient[dimensions + 1] += weight * Math.Exp(theta[dimensions + 1]);
                var r = distances[i * n + j];
                gradient[dimensions] += weight * signal * Matern(r);
                // dk/dlog ℓ_d = σ² · 5/3 · (1 + √5 r) e^(−√5 r) · (x_d − x'_d)² / ℓ_d².
                var slope = weight * signal * 5 / 3 * (1 + Math.Sqrt(5) * r) * Math.Exp(-Math.Sqrt(5) * r);
                for (var d = 0; d < dimensions; d++)
                {
                    var apart = points[i][d] - points[j][d];
                    gradient[d] += slope * apart * apart * squares[d];
                }
            }
        }
        for (var t = 0; t < theta.Length; t++)
        {
            var (centre, width) = t < dimensions ? (Math.Log(0.5), 1.0) : t == dimensions ? (0.0, 1.0) : (Math.Log(1e-5), 3.0);
            value += (theta[t] - centre) * (theta[t] - centre) / (2 * width * width);
            gradient[t] += (theta[t] - centre) / (width * width);
        }
        return value;
    }

    private static double[] Covariance(double[][] points, double[] theta, out double[] distances)
    {
        int n = points.Length, dimensions = points[0].Length;
        double[] lengths = [.. theta.Take(dimensions).Select(Math.Exp)];
        double signal = Math.Exp(theta[dimensions]), noise = Math.Exp(theta[dimensions + 1]) + LeastNoise;
        var matrix = new double[n * n];
        distances = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                distances[i * n + j] = distances[j * n + i] = Distance(points[i], points[j], lengths);
                matrix[i * n + j] = matrix[j * n + i] = signal * Matern(distances[i * n + j]);
            }
            matrix[i * n + i] += noise;
        }
        return matrix;
    }

    private static double Distance(double[] a, double[] b, double[] lengths)
    {
        double sum = 0;
        for (var d = 0; d < a.Length; d++) sum += (a[d] - b[d]) * (a[d] - b[d]) / (lengths[d] * lengths[d]);
        return Math.Sqrt(sum);
    }

    // Equation 4.17 with ν = 5/2.
    private static double Matern(double r) => (1 + Math.Sqrt(5) * r + 5 * r * r / 3) * Math.Exp(-Math.Sqrt(5) * r);
}
