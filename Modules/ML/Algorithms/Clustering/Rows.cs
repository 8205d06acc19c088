using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Clustering;

internal static class Rows
{
    public static void Check(IReadOnlyList<double[]> rows, int k)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (k < 1 || k > rows.Count) throw new ArgumentOutOfRangeException(nameof(k), k, "Between 1 and as many clusters as rows.");
        foreach (double[] row in rows)
            if (row.Length != rows[0].Length || row.Any(v => !double.IsFinite(v))) throw new ArgumentException("Rows must be equally long and finite.", nameof(rows));
    }

    public static double Square(double[] a, double[] b)
    {
        if (a.Length > 16)
        {
            double distance = TensorPrimitives.Distance<double>(a, b);
            return distance * distance;
        }

        double sum = 0;
        for (int f = 0; f < a.Length; f++) sum += (a[f] - b[f]) * (a[f] - b[f]);
        return sum;
    }
}
