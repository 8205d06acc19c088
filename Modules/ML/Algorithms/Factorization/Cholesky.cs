namespace OKLA.ML.Algorithms.Factorization;

/// <summary>A = L·Lᵀ of a small symmetric positive definite matrix in double precision, for one user's normal equations.</summary>
internal sealed class Cholesky
{
    private readonly double[] lower;
    private readonly int size;

    /// <summary>Factorises <paramref name="matrix"/> (row-major, size × size) in place. Throws when it is not positive definite.</summary>
    public Cholesky(double[] matrix, int size)
    {
        lower = matrix;
        this.size = size;
        for (int j = 0; j < size; j++)
        {
            var rowJ = matrix.AsSpan(j * size, j);
            double pivot = matrix[j * size + j] - System.Numerics.Tensors.TensorPrimitives.SumOfSquares<double>(rowJ);
            if (!(pivot > 0)) throw new ArithmeticException("The normal equations are not positive definite: raise the regularisation.");
            pivot = Math.Sqrt(pivot);
            matrix[j * size + j] = pivot;
            for (int i = j + 1; i < size; i++)
            {
                var rowI = matrix.AsSpan(i * size, j);
                matrix[i * size + j] = (matrix[i * size + j] - System.Numerics.Tensors.TensorPrimitives.Dot<double>(rowI, rowJ)) / pivot;
            }
        }
    }

    /// <summary>Solves A·x = b in place.</summary>
    public void Solve(Span<double> b)
    {
        for (int i = 0; i < size; i++)
        {
            double sum = b[i];
            for (int k = 0; k < i; k++) sum -= lower[i * size + k] * b[k];
            b[i] = sum / lower[i * size + i];
        }

        for (int i = size - 1; i >= 0; i--)
        {
            double value = b[i] / lower[i * size + i];
            b[i] = value;
            for (int k = 0; k < i; k++) b[k] -= lower[i * size + k] * value;
        }
    }
}
