namespace OKLA.ML.Algorithms.TimeSeries;

/// <summary>Derivative-free minimisation by the simplex of Nelder and Mead (1965), with the dimension-adaptive coefficients of Gao and Han (2012).</summary>
internal static class NelderMead
{
    public static (double[] At, double Value) Minimise(Func<double[], double> function, double[] start, double[] steps, int evaluations, double tolerance = 1e-9)
    {
        int n = start.Length;
        double expand = 1 + 2.0 / n, contract = 0.75 - 0.5 / n, shrink = 1 - 1.0 / n;
        if (n == 1) (expand, contract, shrink) = (2, 0.5, 0.5);
        var simplex = new double[n + 1][];
        var values = new double[n + 1];
        for (int i = 0; i <= n; i++)
        {
            simplex[i] = [.. start];
            if (i > 0) simplex[i][i - 1] += steps[i - 1];
            values[i] = Evaluate(simplex[i]);
        }

        int used = n + 1;
        var centre = new double[n];
        while (used < evaluations)
        {
            Array.Sort(values, simplex);
            if (values[n] - values[0] <= tolerance * (Math.Abs(values[0]) + tolerance)) break;
            Array.Clear(centre);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) centre[j] += simplex[i][j] / n;
            double[] reflected = Along(-1);
            double atReflected = Evaluate(reflected);
            used++;
            if (atReflected < values[0])
            {
                double[] further = Along(-expand);
                double atFurther = Evaluate(further);
                used++;
                (simplex[n], values[n]) = atFurther < atReflected ? (further, atFurther) : (reflected, atReflected);
                continue;
            }

            if (atReflected < values[n - 1])
            {
                (simplex[n], values[n]) = (reflected, atReflected);
                continue;
            }

            double[] nearer = Along(atReflected < values[n] ? -contract : contract);
            double atNearer = Evaluate(nearer);
            used++;
            if (atNearer < Math.Min(atReflected, values[n]))
            {
                (simplex[n], values[n]) = (nearer, atNearer);
                continue;
            }

            for (int i = 1; i <= n; i++)
            {
                for (int j = 0; j < n; j++) simplex[i][j] = simplex[0][j] + shrink * (simplex[i][j] - simplex[0][j]);
                values[i] = Evaluate(simplex[i]);
            }

            used += n;
        }

        Array.Sort(values, simplex);
        return (simplex[0], values[0]);

        double Evaluate(double[] x)
        {
            double value = function(x);
            return double.IsFinite(value) ? value : double.MaxValue;
        }

        double[] Along(double by)
        {
            var x = new double[n];
            for (int j = 0; j < n; j++) x[j] = centre[j] + by * (simplex[n][j] - centre[j]);
            return x;
        }
    }
}
