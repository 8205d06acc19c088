using MathNet.Numerics.LinearAlgebra;

namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Singular spectrum analysis with recurrent forecasting (Golyandina, Nekrutkin, Zhigljavsky 2001, chapters 1 and 2). Time O(n·window² + window³).</summary>
public sealed class Ssa
{
    private readonly double[] _recurrence;

    private Ssa(double[] reconstruction, double[] recurrence, int rank, double explained) =>
        (Reconstruction, _recurrence, Rank, Explained) = (reconstruction, recurrence, rank, explained);

    /// <summary>The series rebuilt from the leading components.</summary>
    public IReadOnlyList<double> Reconstruction { get; }

    /// <summary>Number of components.</summary>
    public int Rank { get; }

    /// <summary>Their share of the trajectory matrix's squared norm.</summary>
    public double Explained { get; }

    /// <summary>
    /// Fits with a window of 2..n/2 (whole seasons are best) and <paramref name="rank"/> components; 0 takes the fewest that explain
    /// <paramref name="share"/> of the norm.
    /// </summary>
    public static Ssa Fit(ReadOnlySpan<double> series, int window, int rank = 0, double share = 0.999)
    {
        double[] y = Series.Checked(series, 4);
        if (window < 2 || window > y.Length / 2) throw new ArgumentOutOfRangeException(nameof(window), window, "A window lies between 2 and half the series.");
        if (rank < 0 || rank >= window) throw new ArgumentOutOfRangeException(nameof(rank), rank, "A rank is less than the window.");
        int columns = y.Length - window + 1;
        var lag = Matrix<double>.Build.Dense(window, window);
        for (int i = 0; i < window; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int t = 0; t < columns; t++) sum += y[t + i] * y[t + j];
                lag[i, j] = lag[j, i] = sum;
            }
        }

        var eigen = lag.Evd(Symmetricity.Symmetric);
        double total = lag.Trace(), kept = 0;
        int r = 0;
        while (r < window - 1 && (rank > 0 ? r < rank : kept < share * total)) kept += Math.Max(0, eigen.EigenValues[window - 1 - r++].Real);
        var u = new double[r][];
        for (int c = 0; c < r; c++) u[c] = eigen.EigenVectors.Column(window - 1 - c).ToArray();
        double[] smooth = Reconstruct(y, u, columns);

        // Section 2.1.2.1: R = Σ π·P▽ / (1 − ν²), π the last element of a component, ν² = Σ π².
        double verticality = u.Sum(c => c[^1] * c[^1]);
        if (verticality >= 1 - 1e-12) throw new ArgumentException("The components determine no recurrence (verticality 1); choose fewer.", nameof(rank));
        var recurrence = new double[window - 1];
        foreach (double[] c in u)
            for (int i = 0; i < recurrence.Length; i++) recurrence[i] += c[^1] * c[i] / (1 - verticality);
        return new Ssa(smooth, recurrence, r, total > 0 ? kept / total : 1);
    }

    /// <summary>Continues the rebuilt series by its linear recurrence.</summary>
    public double[] Predict(int horizon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, 1);
        int order = _recurrence.Length;
        double[] path = [.. Reconstruction.Skip(Reconstruction.Count - order), .. new double[horizon]];
        for (int h = 0; h < horizon; h++)
            for (int i = 0; i < order; i++) path[order + h] += _recurrence[i] * path[h + i];
        return path[order..];
    }

    private static double[] Reconstruct(double[] y, double[][] components, int columns)
    {
        var sum = new double[y.Length];
        int window = y.Length - columns + 1;
        foreach (double[] c in components)
        {
            for (int t = 0; t < columns; t++)
            {
                double score = 0;
                for (int i = 0; i < window; i++) score += c[i] * y[t + i];
                for (int i = 0; i < window; i++) sum[t + i] += score * c[i];
            }
        }

        for (int t = 0; t < sum.Length; t++) sum[t] /= Math.Min(Math.Min(t + 1, window), Math.Min(columns, sum.Length - t));
        return sum;
    }
}
