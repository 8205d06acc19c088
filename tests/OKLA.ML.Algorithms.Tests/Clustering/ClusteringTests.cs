using OKLA.ML.Algorithms.Clustering;

namespace OKLA.ML.Algorithms.Tests.Clustering;

public class ClusteringTests
{
    private static List<double[]> Blobs(int each)
    {
        var random = new Random(6);
        return [.. Enumerable.Range(0, 3 * each).Select(i => new[] { i % 3 * 5 + random.NextDouble(), (i % 3 == 1 ? 8 : 0) + random.NextDouble() })];
    }

    [Test]
    public void Three_blobs_are_found_by_all()
    {
        var rows = Blobs(60);
        foreach (IReadOnlyList<int> labels in new[] { KMeans.Fit(rows, 3).Labels, KMeans.FitMiniBatch(rows, 3, 64, 50).Labels })
            for (int i = 3; i < rows.Count; i++) labels[i].ShouldBe(labels[i % 3]);
        var mixture = GaussianMixture.Fit(rows, 3);
        mixture.Weights.ShouldBe([1 / 3.0, 1 / 3.0, 1 / 3.0], 1e-3);
        for (int i = 1; i < mixture.History.Count; i++) mixture.History[i].ShouldBeGreaterThan(mixture.History[i - 1] - 1e-3);
        ClusterQuality.Choose(ClusterQuality.Gaps(rows, 5, 10)).ShouldBe(3);
    }

    [Test]
    public void K_means_is_a_fixed_point_of_lloyd()
    {
        var random = new Random(7);
        List<double[]> rows = [.. Enumerable.Range(0, 500).Select(_ => new[] { random.NextDouble(), random.NextDouble(), random.NextDouble() })];
        var model = KMeans.Fit(rows, 8);
        for (int i = 0; i < rows.Count; i++) model.Labels[i].ShouldBe(model.Predict(rows[i]));
        for (int c = 0; c < 8; c++)
            model.Centres[c][0].ShouldBe(rows.Where((_, i) => model.Labels[i] == c).Average(r => r[0]), 1e-9);
    }

    [Test]
    public void Silhouette_by_hand() =>
        // Row 0: a = 1, b = 10.5; row 1: a = 1, b = 9.5; by symmetry the same of the others.
        ClusterQuality.Silhouette([[0], [1], [10], [11]], [0, 0, 1, 1]).ShouldBe((9.5 / 10.5 + 8.5 / 9.5) / 2, 1e-12);
}
