using MathNet.Numerics.LinearAlgebra;

namespace OKLA.ML.Algorithms.Clustering;

/// <summary>A Gaussian mixture by expectation-maximisation (Dempster, Laird, Rubin 1977; Bishop 2006, section 9.2.2), begun from k-means. Seeded.</summary>
public sealed class GaussianMixture
{
    private readonly double[] _weights, _logDeterminants;
    private readonly double[][] _means;
    private readonly Matrix<double>[] _factors;

    private GaussianMixture(int k, double[][] means)
    {
        (_weights, _logDeterminants, _means, _factors) = (new double[k], new double[k], means, new Matrix<double>[k]);
    }

    /// <summary>Share of each component.</summary>
    public IReadOnlyList<double> Weights => _weights;

    /// <summary>Mean of each component.</summary>
    public IReadOnlyList<double[]> Means => _means;

    /// <summary>Log-likelihood of the training rows, in nats.</summary>
    public double LogLikelihood { get; private set; }

    /// <summary>Bayesian information criterion, −2·log L + parameters·ln n; less is better.</summary>
    public double Bic { get; private set; }

    /// <summary>Log-likelihood after every iteration; never falls but by the covariance floor.</summary>
    public IReadOnlyList<double> History { get; private set; } = [];

    /// <summary>Fits k components with full or diagonal covariances, <paramref name="floor"/> added to every variance.</summary>
    public static GaussianMixture Fit(IReadOnlyList<double[]> rows, int k, bool full = true, int iterations = 200, double tolerance = 1e-6, double floor = 1e-6, int seed = 42)
    {
        Rows.Check(rows, k);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(floor);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        KMeans start = KMeans.Fit(rows, k, 5, 100, seed);
        int n = rows.Count, d = rows[0].Length;
        var model = new GaussianMixture(k, [.. start.Centres.Select(c => c.ToArray())]);
        var share = new double[n][];
        for (int i = 0; i < n; i++)
        {
            share[i] = new double[k];
            share[i][start.Labels[i]] = 1;
        }

        var history = new List<double>();
        for (int step = 0; step < iterations; step++)
        {
            model.Maximise(rows, share, full, floor);
            double likelihood = 0;
            for (int i = 0; i < n; i++) likelihood += model.Responsibilities(rows[i], share[i]);
            history.Add(likelihood);
            if (step > 0 && likelihood - history[step - 1] <= tolerance * n) break;
        }

        double parameters = k - 1 + (double)k * d + k * (full ? d * (d + 1) / 2.0 : d);
        model.LogLikelihood = history[^1];
        model.History = history;
        model.Bic = parameters * Math.Log(n) - 2 * model.LogLikelihood;
        return model;
    }

    /// <summary>Probability of every component for a row.</summary>
    public double[] Predict(double[] row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var share = new double[_weights.Length];
        Responsibilities(row, share);
        return share;
    }

    /// <summary>Log density of a row in nats: low for anomalies.</summary>
    public double LogDensity(double[] row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Responsibilities(row, new double[_weights.Length]);
    }

    private double Responsibilities(double[] row, double[] share)
    {
        int d = row.Length;
        var z = new double[d];
        for (int c = 0; c < share.Length; c++)
        {
            double square = 0;
            var factor = _factors[c];
            for (int i = 0; i < d; i++)
            {
                double v = row[i] - _means[c][i];
                for (int j = 0; j < i; j++) v -= factor[i, j] * z[j];
                z[i] = v / factor[i, i];
                square += z[i] * z[i];
            }

            share[c] = Math.Log(_weights[c]) - 0.5 * (d * Math.Log(2 * Math.PI) + _logDeterminants[c] + square);
        }

        double most = share.Max(), sum = 0;
        for (int c = 0; c < share.Length; c++) sum += Math.Exp(share[c] - most);
        double total = most + Math.Log(sum);
        for (int c = 0; c < share.Length; c++) share[c] = Math.Exp(share[c] - total);
        return total;
    }

    private void Maximise(IReadOnlyList<double[]> rows, double[][] share, bool full, double floor)
    {
        int n = rows.Count, d = rows[0].Length;
        Parallel.For(0, _weights.Length, c =>
        {
            double weight = 1e-10;
            var mean = new double[d];
            for (int i = 0; i < n; i++)
            {
                weight += share[i][c];
                for (int f = 0; f < d; f++) mean[f] += share[i][c] * rows[i][f];
            }

            for (int f = 0; f < d; f++) mean[f] /= weight;
            var covariance = Matrix<double>.Build.Dense(d, d);
            for (int i = 0; i < n; i++)
                for (int f = 0; f < d; f++)
                    for (int g = full ? 0 : f; g <= f; g++) covariance[f, g] += share[i][c] * (rows[i][f] - mean[f]) * (rows[i][g] - mean[g]);
            for (int f = 0; f < d; f++)
            {
                for (int g = 0; g < f; g++) covariance[g, f] = covariance[f, g] /= weight;
                covariance[f, f] = covariance[f, f] / weight + floor;
            }

            var factor = covariance.Cholesky().Factor;
            (_weights[c], _means[c], _factors[c]) = (weight / n, mean, factor);
            _logDeterminants[c] = 2 * Enumerable.Range(0, d).Sum(f => Math.Log(factor[f, f]));
        });
    }
}
