namespace OKLA.ML.Algorithms.Trees;

/// <summary>
/// Gradients and hessians as one 64-bit integer a row: the upper half is the scaled gradient (signed), the lower the scaled hessian.
/// One integer addition sums both, sums are exact whatever their order, and so a model does not depend on the number of threads
/// (the idea of quantised training, Shi et al. 2022, at 30 bits for the sum of all rows, where rounding does not show in accuracy).
/// </summary>
internal sealed class GradientPacking(int rowCount)
{
    private const double SumLimit = 1 << 30;
    private const int Chunk = 1 << 16;

    public long[] Packed { get; } = new long[rowCount];

    /// <summary>The gradient that one unit of the upper half stands for.</summary>
    public double GradientUnit { get; private set; }

    /// <summary>The hessian that one unit of the lower half stands for.</summary>
    public double HessianUnit { get; private set; }

    public static int Gradient(long packed) => (int)(packed >> 32);

    public static uint Hessian(long packed) => (uint)packed;

    /// <summary>Packs the rows in <paramref name="rows"/> (all when empty) and returns the sum.</summary>
    public long Pack(float[] gradients, float[] hessians, int[]? rows, int threads)
    {
        var count = rows?.Length ?? Packed.Length;
        var chunks = (count + Chunk - 1) / Chunk;
        var sums = new (double G, double H)[chunks];
        Workers.For(threads, chunks, c =>
        {
            double g = 0, h = 0;
            for (var i = c * Chunk; i < Math.Min(count, (c + 1) * Chunk); i++)
            {
                var row = rows is null ? i : rows[i];
                g += MathF.Abs(gradients[row]);
                h += hessians[row];
            }
            sums[c] = (g, h);
        });
        double sumG = 0, sumH = 0;
        foreach (var (g, h) in sums)
        {
            sumG += g;
            sumH += h;
        }
        if (!double.IsFinite(sumG) || !double.IsFinite(sumH)) throw new ArithmeticException("A gradient is not finite: look for NaN or infinite targets or weights.");
        GradientUnit = sumG > 0 ? sumG / SumLimit : 1;
        HessianUnit = sumH > 0 ? sumH / SumLimit : 1;
        double scaleG = 1 / GradientUnit, scaleH = 1 / HessianUnit;
        var totals = new long[chunks];
        Workers.For(threads, chunks, c =>
        {
            long total = 0;
            for (var i = c * Chunk; i < Math.Min(count, (c + 1) * Chunk); i++)
            {
                var row = rows is null ? i : rows[i];
                var g = (long)Math.Round(gradients[row] * scaleG);
                var h = (long)Math.Round(hessians[row] * scaleH);
                total += Packed[row] = (g << 32) + h;
            }
            totals[c] = total;
        });
        long sum = 0;
        foreach (var total in totals) sum += total;
        return sum;
    }
}
