using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>The loss a dual descent minimises.</summary>
internal enum DualLoss
{
    /// <summary>log(1 + e^−m) (Yu, Huang and Lin 2011).</summary>
    Logistic,

    /// <summary>max(0, 1 − m)² (Hsieh et al. 2008).</summary>
    SquaredHinge,
}

/// <summary>
/// ½|w|² + Σ Cᵢ·loss(yᵢ·w·xᵢ) for sparse rows, one row's dual variable at a time in a seeded random order: for the logistic loss algorithm 5 of Yu, Huang and
/// Lin (2011, with its modified Newton step), for the squared hinge algorithm 1 of Hsieh et al. (2008). A constant feature of value 1 carries the intercept.
/// </summary>
internal static class DualCoordinateDescent
{
    /// <summary>Returns the weights with the intercept behind them (columns + 1 long); <paramref name="positive"/> tells y = 1, <paramref name="costs"/> are the Cᵢ.</summary>
    public static double[] Fit(SparseMatrix x, Func<int, bool> positive, double[] costs, DualLoss loss, double tolerance, int maxPasses, int seed, CancellationToken cancellation)
    {
        var n = x.Rows;
        var w = new double[x.Columns + 1];
        double[] lower = new double[n], upper = new double[n], squares = new double[n];
        var signs = new sbyte[n];
        var order = new int[n];
        var rows = 0;
        for (var i = 0; i < n; i++)
        {
            signs[i] = positive(i) ? (sbyte)1 : (sbyte)-1;
            if (costs[i] <= 0) continue;
            order[rows++] = i;
            squares[i] = 1 + System.Numerics.Tensors.TensorPrimitives.SumOfSquares(x.RowValues(i));
            if (loss == DualLoss.SquaredHinge) continue;
            // α must start inside (0, C): C/1000, as in the paper's experiments, but not above 1e-8.
            lower[i] = Math.Min(0.001 * costs[i], 1e-8);
            upper[i] = costs[i] - lower[i];
            Move(x, w, i, signs[i] * lower[i]);
        }
        var random = RandomSource.For(seed, 0);
        for (var pass = 0; pass < maxPasses; pass++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < rows; i++)
            {
                var other = i + random.NextInt(rows - i);
                (order[i], order[other]) = (order[other], order[i]);
            }
            double largest = 0;
            for (var at = 0; at < rows; at++)
            {
                var i = order[at];
                var margin = signs[i] * (SparseKernels.Dot(x.RowIndices(i), x.RowValues(i), w) + w[^1]);
                var violation = loss == DualLoss.Logistic
                    ? Logistic(margin, squares[i], costs[i], ref lower[i], ref upper[i], out var change)
                    : Hinge(margin, squares[i], costs[i], ref lower[i], out change);
                largest = Math.Max(largest, violation);
                if (change != 0) Move(x, w, i, signs[i] * change);
            }
            if (largest < tolerance) break;
        }
        return w;
    }

    /// <summary>
    /// Minimises z·log z + (C − z)·log(C − z) + ½·a·(z − α)² + b·(z − α) (eq. 18 of the paper). Of α and C − α the smaller one is moved, where the logarithm
    /// keeps its digits; a Newton step that would leave (0, C) shrinks the variable tenfold instead (eq. 27).
    /// </summary>
    private static double Logistic(double margin, double a, double c, ref double alpha, ref double rest, out double change)
    {
        // The minimiser lies in the lower half exactly when the slope at C/2 is positive.
        var lowerHalf = a * (0.5 * c - alpha) + margin > 0;
        var start = lowerHalf ? alpha : rest;
        var sign = lowerHalf ? 1 : -1;
        var z = start > 0.5 * c ? 0.1 * start : start;
        // Only a start in the wrong half is moved at once; its slope still measures the violation.
        double violation = Math.Abs(margin + Math.Log(alpha / rest));
        var moved = z != start;
        for (var i = 0; i < 50; i++)
        {
            var slope = a * (z - start) + sign * margin + Math.Log(z / (c - z));
            if (Math.Abs(slope) < 1e-2 * Math.Min(1, violation)) break;
            var next = z - slope / (a + c / ((c - z) * z));
            z = next <= 0 ? 0.1 * z : Math.Min(next, c * (1 - 1e-12));
            moved = true;
        }
        change = 0;
        if (!moved) return violation;
        change = sign * (z - start);
        (alpha, rest) = lowerHalf ? (z, c - z) : (c - z, z);
        return violation;
    }

    /// <summary>One projected Newton step on α ≥ 0 with the extra diagonal 1/(2C) (Hsieh et al. 2008, eq. 7-10).</summary>
    private static double Hinge(double margin, double a, double c, ref double alpha, out double change)
    {
        var diagonal = 0.5 / c;
        var slope = margin - 1 + diagonal * alpha;
        var projected = alpha == 0 ? Math.Min(slope, 0) : slope;
        change = 0;
        if (Math.Abs(projected) < 1e-12) return Math.Abs(projected);
        var next = Math.Max(alpha - slope / (a + diagonal), 0);
        change = next - alpha;
        alpha = next;
        return Math.Abs(projected);
    }

    private static void Move(SparseMatrix x, double[] w, int row, double amount)
    {
        SparseKernels.Add(x.RowIndices(row), x.RowValues(row), amount, w);
        w[^1] += amount;
    }
}
