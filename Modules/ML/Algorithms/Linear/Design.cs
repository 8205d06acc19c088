using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// The matrix X (rows × columns) that linear learners see, by its products only. Results do not depend on the number of threads:
/// rows are split for X·w and columns for Xᵀ·r, and each sum is taken in one fixed order.
/// </summary>
internal abstract class Design(int rows, int columns, int threads)
{
    /// <summary>Entries below which a second thread costs more than it gives.</summary>
    private const long ParallelFrom = 200_000;

    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    /// <summary>The cost of one product, in entries.</summary>
    protected abstract long Work { get; }

    protected int ThreadsFor(int pieces) => Work < ParallelFrom ? 1 : Math.Min(Workers.Count(threads), Math.Max(1, pieces));

    /// <summary>scores[at..] = X·weights[from..], one a row.</summary>
    public abstract void Multiply(double[] weights, int from, double[] scores, int at);

    /// <summary>gradient[at..] = Xᵀ·residuals[from..], one a column.</summary>
    public abstract void MultiplyTransposed(double[] residuals, int from, double[] gradient, int at);

    /// <summary>Σ x_ij·v_i of one column.</summary>
    public abstract double ColumnDot(int column, ReadOnlySpan<double> v);

    /// <summary>Σ w_i·x_ij² of one column.</summary>
    public abstract double ColumnSquares(int column, ReadOnlySpan<double> w);

    /// <summary>Σ w_i·x_ij·v_i of one column.</summary>
    public abstract double ColumnDot(int column, ReadOnlySpan<double> w, ReadOnlySpan<double> v);

    /// <summary>scores_i += amount·x_ij for one column.</summary>
    public abstract void AddColumn(int column, double amount, Span<double> scores);
}

/// <summary>A sparse matrix as a design; its transpose is made once, when a column is first asked for.</summary>
internal sealed class SparseDesign(SparseMatrix x, int threads) : Design(x.Rows, x.Columns, threads)
{
    private readonly Lazy<SparseMatrix> _transposed = new(x.Transpose);

    protected override long Work => x.Count;

    public override void Multiply(double[] weights, int from, double[] scores, int at) =>
        Workers.Ranges(ThreadsFor(Rows), Rows, (_, first, end) =>
        {
            var w = weights.AsSpan(from, Columns);
            for (var row = first; row < end; row++) scores[at + row] = SparseKernels.Dot(x.RowIndices(row), x.RowValues(row), w);
        });

    public override void MultiplyTransposed(double[] residuals, int from, double[] gradient, int at)
    {
        var byColumn = _transposed.Value;
        Workers.Ranges(ThreadsFor(Columns), Columns, (_, first, end) =>
        {
            var r = residuals.AsSpan(from, Rows);
            for (var j = first; j < end; j++) gradient[at + j] = SparseKernels.Dot(byColumn.RowIndices(j), byColumn.RowValues(j), r);
        });
    }

    public override double ColumnDot(int column, ReadOnlySpan<double> v) =>
        SparseKernels.Dot(_transposed.Value.RowIndices(column), _transposed.Value.RowValues(column), v);

    public override double ColumnDot(int column, ReadOnlySpan<double> w, ReadOnlySpan<double> v)
    {
        var rows = _transposed.Value.RowIndices(column);
        var values = _transposed.Value.RowValues(column);
        double sum = 0;
        for (var k = 0; k < rows.Length; k++) sum += w[rows[k]] * values[k] * v[rows[k]];
        return sum;
    }

    public override double ColumnSquares(int column, ReadOnlySpan<double> w)
    {
        var rows = _transposed.Value.RowIndices(column);
        var values = _transposed.Value.RowValues(column);
        double sum = 0;
        for (var k = 0; k < rows.Length; k++) sum += w[rows[k]] * values[k] * values[k];
        return sum;
    }

    public override void AddColumn(int column, double amount, Span<double> scores) =>
        SparseKernels.Add(_transposed.Value.RowIndices(column), _transposed.Value.RowValues(column), amount, scores);
}

/// <summary>Inner loops over the entries of one sparse row; indices are trusted to lie inside the dense vector, as <see cref="SparseMatrix"/> checks them.</summary>
internal static class SparseKernels
{
    /// <summary>Σ values_k · dense[indices_k], in four running sums so that additions overlap.</summary>
    public static double Dot(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, ReadOnlySpan<double> dense)
    {
        ref var index = ref MemoryMarshal.GetReference(indices);
        ref var value = ref MemoryMarshal.GetReference(values);
        ref var d = ref MemoryMarshal.GetReference(dense);
        double a = 0, b = 0, c = 0, e = 0;
        var k = 0;
        for (; k + 4 <= indices.Length; k += 4)
        {
            a += Unsafe.Add(ref value, k) * Unsafe.Add(ref d, Unsafe.Add(ref index, k));
            b += Unsafe.Add(ref value, k + 1) * Unsafe.Add(ref d, Unsafe.Add(ref index, k + 1));
            c += Unsafe.Add(ref value, k + 2) * Unsafe.Add(ref d, Unsafe.Add(ref index, k + 2));
            e += Unsafe.Add(ref value, k + 3) * Unsafe.Add(ref d, Unsafe.Add(ref index, k + 3));
        }
        for (; k < indices.Length; k++) a += Unsafe.Add(ref value, k) * Unsafe.Add(ref d, Unsafe.Add(ref index, k));
        return a + b + (c + e);
    }

    /// <summary>dense[indices_k] += amount · values_k.</summary>
    public static void Add(ReadOnlySpan<int> indices, ReadOnlySpan<float> values, double amount, Span<double> dense)
    {
        ref var index = ref MemoryMarshal.GetReference(indices);
        ref var value = ref MemoryMarshal.GetReference(values);
        ref var d = ref MemoryMarshal.GetReference(dense);
        for (var k = 0; k < indices.Length; k++) Unsafe.Add(ref d, Unsafe.Add(ref index, k)) += amount * Unsafe.Add(ref value, k);
    }
}

/// <summary>Inner loops over a dense float column against doubles, widened in registers.</summary>
internal static class DenseKernels
{
    /// <summary>Σ x_i·v_i.</summary>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<double> v)
    {
        v = v[..x.Length];
        var half = Vector<double>.Count;
        Vector<double> low = Vector<double>.Zero, high = Vector<double>.Zero;
        var i = 0;
        for (; i + 2 * half <= x.Length; i += 2 * half)
        {
            Vector.Widen(new Vector<float>(x[i..]), out var a, out var b);
            low += a * new Vector<double>(v[i..]);
            high += b * new Vector<double>(v[(i + half)..]);
        }
        var sum = Vector.Sum(low + high);
        for (; i < x.Length; i++) sum += x[i] * v[i];
        return sum;
    }

    /// <summary>Σ w_i·x_i·v_i.</summary>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<double> w, ReadOnlySpan<double> v)
    {
        v = v[..x.Length];
        w = w[..x.Length];
        var half = Vector<double>.Count;
        Vector<double> low = Vector<double>.Zero, high = Vector<double>.Zero;
        var i = 0;
        for (; i + 2 * half <= x.Length; i += 2 * half)
        {
            Vector.Widen(new Vector<float>(x[i..]), out var a, out var b);
            low += a * new Vector<double>(w[i..]) * new Vector<double>(v[i..]);
            high += b * new Vector<double>(w[(i + half)..]) * new Vector<double>(v[(i + half)..]);
        }
        var sum = Vector.Sum(low + high);
        for (; i < x.Length; i++) sum += w[i] * x[i] * v[i];
        return sum;
    }

    /// <summary>Σ w_i·x_i².</summary>
    public static double Squares(ReadOnlySpan<float> x, ReadOnlySpan<double> w)
    {
        double sum = 0;
        for (var i = 0; i < x.Length; i++) sum += w[i] * x[i] * x[i];
        return sum;
    }

    /// <summary>y_i += amount·x_i.</summary>
    public static void Add(ReadOnlySpan<float> x, double amount, Span<double> y)
    {
        y = y[..x.Length];
        var half = Vector<double>.Count;
        var factor = new Vector<double>(amount);
        var i = 0;
        for (; i + 2 * half <= x.Length; i += 2 * half)
        {
            Vector.Widen(new Vector<float>(x[i..]), out var a, out var b);
            (new Vector<double>(y[i..]) + factor * a).CopyTo(y[i..]);
            (new Vector<double>(y[(i + half)..]) + factor * b).CopyTo(y[(i + half)..]);
        }
        for (; i < x.Length; i++) y[i] += amount * x[i];
    }
}
