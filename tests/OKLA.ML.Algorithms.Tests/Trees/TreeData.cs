using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Trees;

/// <summary>Seeded tables whose true function is known.</summary>
internal static class TreeData
{
    /// <summary>Friedman's function (1991): 10 sin(π x0 x1) + 20 (x2 − ½)² + 10 x3 + 5 x4, x5 … x9 noise columns.</summary>
    public static (Dataset X, float[] Y) Friedman(int rows, int seed, double noise = 0.5, double missing = 0)
    {
        var random = new Random(seed);
        var columns = Enumerable.Range(0, 10).Select(_ => new float[rows]).ToArray();
        var y = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            var v = new double[10];
            for (var c = 0; c < 10; c++) v[c] = random.NextDouble();
            y[r] = (float)(10 * Math.Sin(Math.PI * v[0] * v[1]) + 20 * Math.Pow(v[2] - 0.5, 2) + 10 * v[3] + 5 * v[4] + noise * Normal(random));
            for (var c = 0; c < 10; c++) columns[c][r] = random.NextDouble() < missing ? float.NaN : (float)v[c];
        }
        return (new Dataset([.. columns.Select((values, c) => Column.Numeric($"x{c}", values))]), y);
    }

    /// <summary>A category of 40 whose odd codes add 5, beside a number that adds itself.</summary>
    public static (Dataset X, float[] Y) OddCategories(int rows, int seed)
    {
        var random = new Random(seed);
        var codes = new int[rows];
        var numbers = new float[rows];
        var y = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            codes[r] = random.Next(40);
            numbers[r] = (float)random.NextDouble();
            y[r] = codes[r] % 2 * 5 + numbers[r];
        }
        return (new Dataset([Column.Categorical("code", codes), Column.Numeric("number", numbers)]), y);
    }

    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static double RSquared(float[] truth, float[] predicted)
    {
        var mean = truth.Average(t => (double)t);
        var residual = truth.Zip(predicted, (t, p) => (t - (double)p) * (t - (double)p)).Sum();
        return 1 - residual / truth.Sum(t => (t - mean) * (t - mean));
    }
}
