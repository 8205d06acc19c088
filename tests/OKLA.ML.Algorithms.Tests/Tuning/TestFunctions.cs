using OKLA.ML.Algorithms.Tuning;

namespace OKLA.ML.Algorithms.Tests.Tuning;

/// <summary>Ten standard functions to minimise, with the domains and minima of Surjanovic and Bingham's library (sfu.ca/~ssurjano/optimization.html).</summary>
internal static class TestFunctions
{
    private static readonly double[] HartmannAlpha = [1, 1.2, 3, 3.2];
    private static readonly double[][] Hartmann3A = [[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]];
    private static readonly double[][] Hartmann3P = [[0.3689, 0.1170, 0.2673], [0.4699, 0.4387, 0.7470], [0.1091, 0.8732, 0.5547], [0.0381, 0.5743, 0.8828]];
    private static readonly double[][] Hartmann6A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]];
    private static readonly double[][] Hartmann6P =
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];

    public static readonly TestFunction[] All =
    [
        new("Sphere", 5, -5.12, 5.12, x => x.Sum(v => v * v), 0, 0),
        new("Rosenbrock", 4, -2.048, 2.048, x => Enumerable.Range(0, x.Length - 1).Sum(i => 100 * Math.Pow(x[i + 1] - x[i] * x[i], 2) + Math.Pow(1 - x[i], 2)), 1, 0),
        new("Branin", 2, 0, 1, x => Branin(15 * x[0] - 5, 15 * x[1]), double.NaN, 0.397887),
        new("Hartmann-3", 3, 0, 1, x => Hartmann(x, Hartmann3A, Hartmann3P), double.NaN, -3.86278),
        new("Hartmann-6", 6, 0, 1, x => Hartmann(x, Hartmann6A, Hartmann6P), double.NaN, -3.32237),
        new("Ackley", 5, -32.768, 32.768, x => -20 * Math.Exp(-0.2 * Math.Sqrt(x.Average(v => v * v))) - Math.Exp(x.Average(v => Math.Cos(2 * Math.PI * v))) + 20 + Math.E, 0, 0),
        new("Rastrigin", 4, -5.12, 5.12, x => x.Sum(v => v * v - 10 * Math.Cos(2 * Math.PI * v) + 10), 0, 0),
        new("Levy", 5, -10, 10, Levy, 1, 0),
        new("Styblinski-Tang", 4, -5, 5, x => x.Sum(v => v * v * v * v - 16 * v * v + 5 * v) / 2, -2.903534, -39.166166 * 4),
        new("Griewank", 5, -600, 600, x => x.Sum(v => v * v) / 4000 - x.Select((v, i) => Math.Cos(v / Math.Sqrt(i + 1))).Aggregate(1.0, (a, b) => a * b) + 1, 0, 0),
    ];

    private static double Branin(double x, double y)
    {
        var inner = y - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
        return inner * inner + 10 * (1 - 1 / (8 * Math.PI)) * Math.Cos(x) + 10;
    }

    private static double Hartmann(double[] x, double[][] a, double[][] p) =>
        -Enumerable.Range(0, 4).Sum(i => HartmannAlpha[i] * Math.Exp(-x.Select((v, j) => a[i][j] * (v - p[i][j]) * (v - p[i][j])).Sum()));

    private static double Levy(double[] x)
    {
        double[] w = [.. x.Select(v => 1 + (v - 1) / 4)];
        var sum = Math.Pow(Math.Sin(Math.PI * w[0]), 2) + Math.Pow(w[^1] - 1, 2) * (1 + Math.Pow(Math.Sin(2 * Math.PI * w[^1]), 2));
        return sum + w[..^1].Sum(v => (v - 1) * (v - 1) * (1 + 10 * Math.Pow(Math.Sin(Math.PI * v + 1), 2)));
    }
}

/// <param name="Name">Its name.</param>
/// <param name="Dimensions">Arguments.</param>
/// <param name="Low">Least value of each.</param>
/// <param name="High">Largest value of each.</param>
/// <param name="At">The function.</param>
/// <param name="Argument">Every argument at the minimum; NaN where they differ.</param>
/// <param name="Minimum">The least value.</param>
internal sealed record TestFunction(string Name, int Dimensions, double Low, double High, Func<double[], double> At, double Argument, double Minimum)
{
    public SearchSpace Space => new([.. Enumerable.Range(0, Dimensions).Select(d => Parameter.Real($"x{d}", Low, High))]);

    public double Value(Trial trial) => At([.. Enumerable.Range(0, Dimensions).Select(d => trial.Parameters[$"x{d}"])]);

    /// <summary>The best value of a study of so many trials, above the minimum.</summary>
    public double Regret(Sampler sampler, int trials, int seed)
    {
        var study = new Study(Space, sampler, new() { Seed = seed });
        study.Run(trials, Value);
        return study.Best!.Values[0] - Minimum;
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}
