using System.Numerics.Tensors;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Where a minimisation ended.</summary>
/// <param name="Value">f at the end.</param>
/// <param name="Iterations">Steps taken.</param>
/// <param name="Converged">True when the gradient or the decrease fell below the tolerance.</param>
internal readonly record struct Minimum(double Value, int Iterations, bool Converged);

/// <summary>
/// Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with a line search for the strong Wolfe conditions (algorithms 3.5 and 3.6).
/// </summary>
internal static class Lbfgs
{
    private const double SufficientDecrease = 1e-4;
    private const double Curvature = 0.9;

    /// <summary>f(x), writing ∇f into the second argument.</summary>
    public delegate double Objective(double[] x, double[] gradient);

    /// <summary>Minimises <paramref name="f"/> from <paramref name="x"/>, in place, until max|∇f| ≤ <paramref name="tolerance"/> or <paramref name="enough"/> says so.</summary>
    public static Minimum Minimize(Objective f, double[] x, int maxIterations, double tolerance, int memory = 10, Func<bool>? enough = null, CancellationToken cancellation = default)
    {
        var n = x.Length;
        double[] g = new double[n], direction = new double[n], nextX = new double[n], nextG = new double[n];
        double[][] s = new double[memory][], y = new double[memory][];
        double[] rho = new double[memory], a = new double[memory];
        var value = f(x, g);
        var stored = 0;
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (iteration > 0 && enough?.Invoke() == true) return new Minimum(value, iteration, false);
            if (Math.Abs(TensorPrimitives.MaxMagnitude<double>(g)) <= tolerance) return new Minimum(value, iteration, true);
            Direction(g, direction, s, y, rho, a, stored, memory);
            var slope = TensorPrimitives.Dot<double>(g, direction);
            if (!(slope < 0))
            {
                // Rounding spoilt the curvature pairs: start again from the steepest descent.
                stored = 0;
                TensorPrimitives.Negate<double>(g, direction);
                slope = -TensorPrimitives.SumOfSquares<double>(g);
            }
            var first = stored == 0 ? Math.Min(1, 1 / TensorPrimitives.Norm<double>(g)) : 1;
            var (step, next) = Search(f, x, direction, value, slope, first, nextX, nextG);
            if (step == 0) return new Minimum(value, iteration, true);
            var slot = stored % memory;
            var (ds, dy) = (s[slot] ??= new double[n], y[slot] ??= new double[n]);
            TensorPrimitives.Subtract<double>(nextX, x, ds);
            TensorPrimitives.Subtract<double>(nextG, g, dy);
            var curvature = TensorPrimitives.Dot<double>(ds, dy);
            if (curvature > 1e-14 * TensorPrimitives.SumOfSquares<double>(dy))
            {
                rho[slot] = 1 / curvature;
                stored++;
            }
            var decrease = value - next;
            (value, g, nextG) = (next, nextG, g);
            nextX.CopyTo(x, 0);
            if (decrease <= 1e-15 * Math.Max(1, Math.Abs(value))) return new Minimum(value, iteration + 1, true);
        }
        return new Minimum(value, maxIterations, false);
    }

    /// <summary>Algorithm 7.4: −H·g by two loops over the stored pairs.</summary>
    private static void Direction(double[] g, double[] direction, double[][] s, double[][] y, double[] rho, double[] a, int stored, int memory)
    {
        TensorPrimitives.Negate<double>(g, direction);
        if (stored == 0) return;
        var oldest = Math.Max(0, stored - memory);
        for (var k = stored - 1; k >= oldest; k--)
        {
            var slot = k % memory;
            a[slot] = rho[slot] * TensorPrimitives.Dot<double>(s[slot], direction);
            TensorPrimitives.MultiplyAdd<double>(y[slot], -a[slot], direction, direction);
        }
        var last = (stored - 1) % memory;
        TensorPrimitives.Multiply<double>(direction, 1 / (rho[last] * TensorPrimitives.SumOfSquares<double>(y[last])), direction);
        for (var k = oldest; k < stored; k++)
        {
            var slot = k % memory;
            var b = rho[slot] * TensorPrimitives.Dot<double>(y[slot], direction);
            TensorPrimitives.MultiplyAdd<double>(s[slot], a[slot] - b, direction, direction);
        }
    }

    /// <summary>Algorithm 3.5; step 0 when no lower point is found. Leaves the point and its gradient in <paramref name="nextX"/> and <paramref name="nextG"/>.</summary>
    private static (double Step, double Value) Search(
        Objective f, double[] x, double[] direction, double value, double slope, double first, double[] nextX, double[] nextG)
    {
        (double Step, double Value, double Slope) Try(double step)
        {
            TensorPrimitives.MultiplyAdd<double>(direction, step, x, nextX);
            var at = f(nextX, nextG);
            return (step, double.IsFinite(at) ? at : double.PositiveInfinity, TensorPrimitives.Dot<double>(nextG, direction));
        }

        (double Step, double Value, double Slope) previous = (0, value, slope), current = Try(first);
        for (var i = 0; i < 20; i++)
        {
            if (current.Value > value + SufficientDecrease * current.Step * slope || (i > 0 && current.Value >= previous.Value)) return Zoom(previous, current);
            if (Math.Abs(current.Slope) <= -Curvature * slope) return (current.Step, current.Value);
            if (current.Slope >= 0) return Zoom(current, previous);
            previous = current;
            current = Try(2 * current.Step);
        }
        return (current.Step, current.Value);

        (double, double) Zoom((double Step, double Value, double Slope) low, (double Step, double Value, double Slope) high)
        {
            for (var i = 0; i < 30; i++)
            {
                var trial = Try(Cubic(low, high));
                if (trial.Value > value + SufficientDecrease * trial.Step * slope || trial.Value >= low.Value) high = trial;
                else
                {
                    if (Math.Abs(trial.Slope) <= -Curvature * slope) return (trial.Step, trial.Value);
                    if (trial.Slope * (high.Step - low.Step) >= 0) high = low;
                    low = trial;
                }
                if (Math.Abs(high.Step - low.Step) < 1e-12 * Math.Max(1, low.Step)) break;
            }
            if (low.Step == 0 || !(low.Value < value)) return (0, value);
            var kept = Try(low.Step);
            return (kept.Step, kept.Value);
        }
    }

    /// <summary>The minimiser of the cubic through two points and slopes (eq. 3.59), kept a tenth inside the interval.</summary>
    private static double Cubic((double Step, double Value, double Slope) a, (double Step, double Value, double Slope) b)
    {
        var d1 = a.Slope + b.Slope - 3 * (a.Value - b.Value) / (a.Step - b.Step);
        var root = d1 * d1 - a.Slope * b.Slope;
        var (least, most) = (Math.Min(a.Step, b.Step), Math.Max(a.Step, b.Step));
        var margin = 0.1 * (most - least);
        if (root >= 0 && double.IsFinite(root))
        {
            var d2 = Math.Sign(b.Step - a.Step) * Math.Sqrt(root);
            var at = b.Step - (b.Step - a.Step) * ((b.Slope + d2 - d1) / (b.Slope - a.Slope + 2 * d2));
            if (double.IsFinite(at)) return Math.Clamp(at, least + margin, most - margin);
        }
        return (least + most) / 2;
    }
}
