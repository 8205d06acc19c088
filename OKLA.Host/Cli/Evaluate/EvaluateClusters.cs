using System.Diagnostics;
using OKLA.ML.Algorithms.Clustering;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli.Evaluate;

/// <summary><c>evaluate clusters</c>: groups the rows of a file by k-means and by a Gaussian mixture, and says how well the groups stand apart.</summary>
internal static class EvaluateClusters
{
    private const int MostClusters = 10;
    private const int SampleRows = 2_000;
    private const int MiniBatchRows = 50_000;
    private const int Seed = 42;

    public static Verb Verb { get; } = Verb.OnFiles(
        "evaluate clusters",
        [new("--data", "FILE", "rows with a header"), new("--k", "N", "clusters (without it: the number with the best silhouette, 2 to 10)"), AlgorithmResults.Json],
        "groups the rows of a file and measures the groups", Run) with { Check = Look };

    private static void Look(Invocation invocation)
    {
        invocation.Required("--data");
        invocation.Number("--k", 2, 2, 1_000);
    }

    private static int Run(Invocation invocation, Terminal terminal)
    {
        var file = TableFile.Read(invocation.Required("--data"));
        var rows = ClusterRows.Of(file);
        if (rows.Used.Count == 0)
        {
            throw new UnreadableFileException($"'{file.Path}' has no column to cluster by: all are ids, constants or free text.");
        }

        var asked = invocation.Text("--k") is null ? 0 : invocation.Number("--k", 2, 2, 1_000);
        var distinct = rows.Points.Select(p => string.Join(' ', p)).Distinct().Take(Math.Max(asked, 3)).Count();
        if (distinct < Math.Max(asked, 3))
        {
            throw new UnreadableFileException($"'{file.Path}' has {distinct} different rows, too few for {Math.Max(asked, 2)} clusters.");
        }

        var sample = Sample(rows.Points);
        var k = asked > 0 ? asked : BestBySilhouette(sample);
        var results = new[] { KMeansResult(rows.Points, k), MixtureResult(rows.Points, k) };
        var gap = asked > 0 ? "" : $"; k by silhouette, the gap statistic says {ClusterQuality.Choose(ClusterQuality.Gaps(sample, Math.Min(MostClusters, sample.Count - 1), references: 5, seed: Seed))}";
        AlgorithmResults.Write(
            terminal, invocation,
            $"{file.Rows:N0} rows by {string.Join(", ", rows.Used)}{(rows.Left.Count > 0 ? $"; left out: {string.Join(", ", rows.Left)}" : "")}{gap}", results);
        return CommandLine.Success;
    }

    private static IReadOnlyList<double[]> Sample(IReadOnlyList<double[]> points)
    {
        if (points.Count <= SampleRows)
        {
            return points;
        }

        var drawn = points.ToArray();
        new Random(Seed).Shuffle(drawn);
        return drawn[..SampleRows];
    }

    private static int BestBySilhouette(IReadOnlyList<double[]> points) => Enumerable.Range(2, Math.Min(MostClusters, points.Count - 1) - 1).MaxBy(k =>
    {
        var labels = KMeans.Fit(points, k, seed: Seed).Labels;
        return labels.Distinct().Count() < 2 ? double.NegativeInfinity : ClusterQuality.Silhouette(points, labels);
    });

    private static AlgorithmResult KMeansResult(IReadOnlyList<double[]> points, int k)
    {
        var started = Stopwatch.GetTimestamp();
        var model = points.Count > MiniBatchRows ? KMeans.FitMiniBatch(points, k, batch: 4096, batches: 400, seed: Seed) : KMeans.Fit(points, k, seed: Seed);
        var trained = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return Measured("k-means", points, model.Predict, trained, k, KeyValuePair.Create("inertia", model.Inertia));
    }

    private static AlgorithmResult MixtureResult(IReadOnlyList<double[]> points, int k)
    {
        var started = Stopwatch.GetTimestamp();
        // Full covariances need rows enough to estimate them.
        var full = points.Count >= 5 * k * points[0].Length;
        var model = GaussianMixture.Fit(points, k, full, floor: 1e-3, seed: Seed);
        var trained = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return Measured("Gaussian mixture", points, row => System.Numerics.Tensors.TensorPrimitives.IndexOfMax<double>(model.Predict(row)), trained, k, KeyValuePair.Create("logLikelihood", model.LogLikelihood), KeyValuePair.Create("BIC", model.Bic));
    }

    private static AlgorithmResult Measured(string name, IReadOnlyList<double[]> points, Func<double[], int> predict, double trained, int k, params KeyValuePair<string, double>[] own)
    {
        var started = Stopwatch.GetTimestamp();
        var labels = points.Select(predict).ToArray();
        var microseconds = Stopwatch.GetElapsedTime(started).TotalMicroseconds / points.Count;
        var (silhouette, daviesBouldin, calinskiHarabasz) = labels.Distinct().Count() < 2
            ? (double.NaN, double.NaN, double.NaN)
            : (ClusterQuality.Silhouette(points, labels, SampleRows, Seed), DaviesBouldin(points, labels), CalinskiHarabasz(points, labels));
        return new AlgorithmResult(
            name,
            [new("k", k), new("silhouette", silhouette), new("DaviesBouldin", daviesBouldin), new("CalinskiHarabasz", calinskiHarabasz), .. own],
            trained, microseconds, points.Count);
    }

    /// <summary>Mean over clusters of the largest (spread + spread) / distance to another one (Davies and Bouldin 1979); smaller is better.</summary>
    internal static double DaviesBouldin(IReadOnlyList<double[]> points, int[] labels)
    {
        var clusters = Clusters(points, labels);
        var spread = clusters.Select(c => c.Rows.Average(row => Math.Sqrt(Square(row, c.Centre)))).ToArray();
        return Enumerable.Range(0, clusters.Count).Average(i => Enumerable.Range(0, clusters.Count).Where(j => j != i)
            .Max(j => (spread[i] + spread[j]) / Math.Max(1e-12, Math.Sqrt(Square(clusters[i].Centre, clusters[j].Centre)))));
    }

    /// <summary>Variance between clusters over variance within, each by its degrees of freedom (Caliński and Harabasz 1974); larger is better.</summary>
    internal static double CalinskiHarabasz(IReadOnlyList<double[]> points, int[] labels)
    {
        var clusters = Clusters(points, labels);
        var middle = Mean(points);
        var between = clusters.Sum(c => c.Rows.Count * Square(c.Centre, middle));
        var within = clusters.Sum(c => c.Rows.Sum(row => Square(row, c.Centre)));
        return within > 0 ? between / (clusters.Count - 1) / (within / (points.Count - clusters.Count)) : double.NaN;
    }

    private static List<(double[] Centre, List<double[]> Rows)> Clusters(IReadOnlyList<double[]> points, int[] labels) =>
        [.. points.Zip(labels).GroupBy(p => p.Second).OrderBy(g => g.Key).Select(g => g.Select(p => p.First).ToList()).Select(rows => (Mean(rows), rows))];

    private static double[] Mean(IReadOnlyList<double[]> rows) => [.. Enumerable.Range(0, rows[0].Length).Select(f => rows.Average(row => row[f]))];

    private static double Square(double[] a, double[] b) => Math.Pow(System.Numerics.Tensors.TensorPrimitives.Distance<double>(a, b), 2);
}
