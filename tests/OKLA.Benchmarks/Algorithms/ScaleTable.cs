using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using OKLA.ML.Algorithms.Anomalies;
using OKLA.ML.Algorithms.Clustering;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.Benchmarks.Algorithms;

/// <summary>Time and memory against rows. Each measurement has a process of its own, so that its peak is its own.</summary>
internal static class ScaleTable
{
    private const int Columns = 20;
    private static readonly string[] Names = ["boosting", "logistic", "k-means", "ALS", "isolation forest"];

    public static void Run(bool quick)
    {
        long free = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        int[] sizes = quick ? [10_000, 100_000] : free > 12L << 30 ? [10_000, 100_000, 1_000_000, 5_000_000] : [10_000, 100_000, 1_000_000];
        var table = new Table($"against rows, 2 threads ({Columns} columns; ALS: interactions)", "rows", "seconds", "processor s", "ns / (n log n)", "to 100 times less or the first", "input MB", "peak MB over input");
        foreach (var name in Names)
        {
            double first = 0;
            foreach (var rows in sizes)
            {
                var (time, input, peak) = Child(name, rows);
                var each = 1e9 * time.Cpu / (rows * Math.Log2(rows));
                if (first == 0) first = each;
                table.Add(name, rows, time.Wall, time.Cpu, each, each / first, input / 1e6, (peak - input) / 1e6);
            }
        }

        table.Print();
    }

    /// <summary>One measurement, written as one line: seconds, processor seconds, bytes of the input, most bytes held beyond what the process held with nothing.</summary>
    public static void Measure(string name, int rows)
    {
        // Once small, so that compiling is not measured.
        Prepare(name, 2_000).Work();
        var before = Peak();
        var (work, input) = Prepare(name, rows);
        GC.Collect();
        var time = Seconds.Of(work);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.Wall} {time.Cpu} {input} {Peak() - before}"));
    }

    private static (Action Work, long Input) Prepare(string name, int rows)
    {
        if (name == "ALS")
        {
            var pairs = Samples.Interactions(rows / 25, Math.Max(100, rows / 250), 25);
            return (() => ImplicitAls.Fit(pairs, new ImplicitAlsOptions { Factors = 32, Iterations = 5, Threads = 2 }), 8L * pairs.Count + 4L * pairs.Rows);
        }

        if (name is "boosting" or "logistic")
        {
            var (table, y) = Table(rows);
            return name == "boosting"
                ? (() => GradientBoosting.Train(table, y, new GradientBoostingOptions { Iterations = 20, MaxDepth = 6, LearningRate = 0.1, Threads = 2 }), 4L * rows * (Columns + 1))
                : (() => LogisticRegression.Fit(table, Array.ConvertAll(y, v => v > 0.5f ? 1 : 0), new LogisticOptions { Threads = 2 }), 4L * rows * (Columns + 1));
        }

        var points = Points(rows);
        return name == "k-means"
            ? (() => KMeans.Fit(points, 8, starts: 1, iterations: 10), 8L * rows * Columns)
            : (() => Isolate(points), 8L * rows * Columns);
    }

    private static void Isolate(double[][] points)
    {
        var forest = IsolationForest.Fit(points);
        foreach (var point in points) forest.Score(point);
    }

    private static (OKLA.ML.Algorithms.Tabular.Dataset Table, float[] Y) Table(int rows)
    {
        var (x, y) = Samples.Table(rows, Columns);
        return (Samples.Columns(x, Columns), y);
    }

    private static double[][] Points(int rows)
    {
        var random = new Random(1);
        var points = new double[rows][];
        for (var r = 0; r < rows; r++)
        {
            points[r] = new double[Columns];
            for (var c = 0; c < Columns; c++) points[r][c] = random.NextDouble() + (c == r % 8 ? 3 : 0);
        }

        return points;
    }

    private static (Seconds Time, double Input, double Peak) Child(string name, int rows)
    {
        // Started by dotnet, the process is dotnet and its first argument this assembly.
        var host = Environment.ProcessPath!;
        string[] arguments = ["algorithms-scale", name, rows.ToString(CultureInfo.InvariantCulture)];
        if (Path.GetFileNameWithoutExtension(host) == "dotnet") arguments = [Assembly.GetExecutingAssembly().Location, .. arguments];
        using var process = Process.Start(new ProcessStartInfo(host, arguments) { RedirectStandardOutput = true })!;
        var words = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        if (process.ExitCode != 0 || words.Length != 4) throw new InvalidOperationException($"{name} with {rows} rows ended with {process.ExitCode}.");
        var numbers = Array.ConvertAll(words, word => double.Parse(word, CultureInfo.InvariantCulture));
        return (new Seconds(numbers[0], numbers[1]), numbers[2], numbers[3]);
    }

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
