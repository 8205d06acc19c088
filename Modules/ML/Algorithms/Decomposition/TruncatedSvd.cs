using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Decomposition;

/// <summary>
/// The leading singular triples of a matrix by randomised range finding with power iterations (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1),
/// of dense rows or a sparse matrix, never copied. Seeded. Each component's greatest element in size is positive.
/// </summary>
public sealed class TruncatedSvd
{
    internal TruncatedSvd(double[] values, double[][] components) => (SingularValues, Components) = (values, components);

    /// <summary>Singular values, descending.</summary>
    public IReadOnlyList<double> SingularValues { get; }

    /// <summary>Right singular vectors, components × columns.</summary>
    public IReadOnlyList<double[]> Components { get; }

    /// <summary>Of dense rows, equally long and finite.</summary>
    public static TruncatedSvd Fit(IReadOnlyList<double[]> rows, int components, int oversampling = 10, int powerIterations = 4, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Count, 1);
        int columns = rows[0].Length;
        foreach (double[] row in rows)
            if (row.Length != columns || row.Any(v => !double.IsFinite(v))) throw new ArgumentException("Rows must be equally long and finite.", nameof(rows));
        return Run(rows.Count, columns, components, oversampling, powerIterations, seed, (row, add) =>
        {
            for (int c = 0; c < columns; c++) add(c, rows[row][c]);
        });
    }

    /// <summary>Of a sparse matrix, in time by its entries.</summary>
    public static TruncatedSvd Fit(SparseMatrix matrix, int components, int oversampling = 10, int powerIterations = 4, int seed = 42)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Run(matrix.Rows, matrix.Columns, components, oversampling, powerIterations, seed, (row, add) =>
        {
            var at = matrix.RowIndices(row);
            var values = matrix.RowValues(row);
            for (int i = 0; i < at.Length; i++) add(at[i], values[i]);
        });
    }

    /// <summary>A row in the space of the components: its products with them.</summary>
    public double[] Transform(ReadOnlySpan<double> row)
    {
        var scores = new double[Components.Count];
        for (int c = 0; c < scores.Length; c++) scores[c] = System.Numerics.Tensors.TensorPrimitives.Dot(row, Components[c]);
        return scores;
    }

    private static TruncatedSvd Run(int rows, int columns, int components, int oversampling, int powerIterations, int seed, Action<int, Action<int, double>> entries)
    {
        int most = Math.Min(rows, columns);
        if (components < 1 || components > most) throw new ArgumentOutOfRangeException(nameof(components), components, $"Between 1 and {most} components.");
        ArgumentOutOfRangeException.ThrowIfNegative(oversampling);
        ArgumentOutOfRangeException.ThrowIfNegative(powerIterations);
        int width = Math.Min(most, components + oversampling);
        var normal = new Normal(0, 1, new Random(seed));
        var basis = Orthonormal(Times(Matrix<double>.Build.Dense(columns, width, (_, _) => normal.Sample())));
        for (int p = 0; p < powerIterations; p++) basis = Orthonormal(Times(Orthonormal(TransposeTimes(basis))));
        // (QᵀA)ᵀ is columns × width, so its left singular vectors are the right ones of A.
        var b = TransposeTimes(basis);
        var svd = b.Svd();
        var values = new double[components];
        var vectors = new double[components][];
        for (int c = 0; c < components; c++)
        {
            values[c] = svd.S[c];
            double[] vector = svd.U.Column(c).ToArray();
            double greatest = vector.MaxBy(Math.Abs);
            vectors[c] = greatest < 0 ? Array.ConvertAll(vector, v => -v) : vector;
        }

        return new TruncatedSvd(values, vectors);

        Matrix<double> Times(Matrix<double> x)
        {
            var result = Matrix<double>.Build.Dense(rows, width);
            for (int r = 0; r < rows; r++)
            {
                int row = r;
                entries(row, (column, value) =>
                {
                    for (int j = 0; j < width; j++) result[row, j] += value * x[column, j];
                });
            }

            return result;
        }

        Matrix<double> TransposeTimes(Matrix<double> y)
        {
            var result = Matrix<double>.Build.Dense(columns, width);
            for (int r = 0; r < rows; r++)
            {
                int row = r;
                entries(row, (column, value) =>
                {
                    for (int j = 0; j < width; j++) result[column, j] += value * y[row, j];
                });
            }

            return result;
        }
    }

    /// <summary>Gram-Schmidt done twice, which is enough for orthogonality to rounding (Giraud, Langou, Rozložník 2005). A column without a new direction becomes zero.</summary>
    private static Matrix<double> Orthonormal(Matrix<double> matrix)
    {
        double[][] columns = matrix.ToColumnArrays();
        for (int j = 0; j < columns.Length; j++)
        {
            double before = Math.Sqrt(columns[j].Sum(v => v * v));
            for (int pass = 0; pass < 2; pass++)
            {
                for (int k = 0; k < j; k++)
                {
                    double product = System.Numerics.Tensors.TensorPrimitives.Dot<double>(columns[j], columns[k]);
                    for (int i = 0; i < columns[j].Length; i++) columns[j][i] -= product * columns[k][i];
                }
            }

            double norm = Math.Sqrt(columns[j].Sum(v => v * v)), scale = norm > 1e-12 * before ? 1 / norm : 0;
            for (int i = 0; i < columns[j].Length; i++) columns[j][i] *= scale;
        }

        return Matrix<double>.Build.DenseOfColumnArrays(columns);
    }
}
