using MathNet.Numerics.LinearAlgebra;

namespace OKLA.ML.Algorithms.Decomposition;

/// <summary>Principal components (Pearson 1901) from the covariance's eigenvectors: exact, O(n·d² + d³). Each one's greatest loading in size is positive.</summary>
public sealed class Pca
{
    private readonly double[] _mean;

    private Pca(double[] mean, double[] variances, double total, double[][] components)
    {
        (_mean, Variances, Components) = (mean, variances, components);
        Explained = Array.ConvertAll(variances, v => total > 0 ? v / total : 0);
    }

    /// <summary>Means of the features.</summary>
    public IReadOnlyList<double> Mean => _mean;

    /// <summary>Components, each a unit vector over the features, by descending variance.</summary>
    public IReadOnlyList<double[]> Components { get; }

    /// <summary>Variance along each (divisor n − 1).</summary>
    public IReadOnlyList<double> Variances { get; }

    /// <summary>Share of the total variance of each.</summary>
    public IReadOnlyList<double> Explained { get; }

    /// <summary>Fits <paramref name="components"/> components to at least two rows, equally long and finite.</summary>
    public static Pca Fit(IReadOnlyList<double[]> rows, int components)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Count, 2);
        int d = rows[0].Length;
        if (components < 1 || components > d) throw new ArgumentOutOfRangeException(nameof(components), components, $"Between 1 and {d} components.");
        foreach (double[] row in rows)
            if (row.Length != d || row.Any(v => !double.IsFinite(v))) throw new ArgumentException("Rows must be equally long and finite.", nameof(rows));
        double[] mean = [.. Enumerable.Range(0, d).Select(f => rows.Average(r => r[f]))];
        var covariance = Matrix<double>.Build.Dense(d, d);
        Parallel.For(0, d, f =>
        {
            for (int g = 0; g <= f; g++)
            {
                double sum = 0;
                foreach (double[] row in rows) sum += (row[f] - mean[f]) * (row[g] - mean[g]);
                covariance[f, g] = covariance[g, f] = sum / (rows.Count - 1);
            }
        });
        var eigen = covariance.Evd(Symmetricity.Symmetric);
        var vectors = new double[components][];
        var variances = new double[components];
        for (int c = 0; c < components; c++)
        {
            variances[c] = Math.Max(0, eigen.EigenValues[d - 1 - c].Real);
            double[] vector = eigen.EigenVectors.Column(d - 1 - c).ToArray();
            vectors[c] = vector.MaxBy(Math.Abs) < 0 ? Array.ConvertAll(vector, v => -v) : vector;
        }

        return new Pca(mean, variances, covariance.Trace(), vectors);
    }

    /// <summary>A row's scores along the components.</summary>
    public double[] Transform(ReadOnlySpan<double> row)
    {
        if (row.Length != _mean.Length) throw new ArgumentException($"A row has {_mean.Length} features, not {row.Length}.", nameof(row));
        var scores = new double[Components.Count];
        for (int c = 0; c < scores.Length; c++)
            for (int f = 0; f < row.Length; f++) scores[c] += (row[f] - _mean[f]) * Components[c][f];
        return scores;
    }

    /// <summary>The row that has these scores.</summary>
    public double[] Restore(ReadOnlySpan<double> scores)
    {
        if (scores.Length != Components.Count) throw new ArgumentException($"There are {Components.Count} components, not {scores.Length}.", nameof(scores));
        double[] row = [.. _mean];
        for (int c = 0; c < scores.Length; c++)
            for (int f = 0; f < row.Length; f++) row[f] += scores[c] * Components[c][f];
        return row;
    }
}
