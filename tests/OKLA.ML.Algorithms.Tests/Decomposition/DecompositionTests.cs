using OKLA.ML.Algorithms.Decomposition;

namespace OKLA.ML.Algorithms.Tests.Decomposition;

public class DecompositionTests
{
    [Test]
    public void Components_of_a_line_by_hand()
    {
        var pca = Pca.Fit([[1, 1], [2, 2], [3, 3]], 2);
        pca.Components[0].ShouldBe([Math.Sqrt(0.5), Math.Sqrt(0.5)], 1e-12);
        pca.Variances[0].ShouldBe(2, 1e-12);
        pca.Explained[0].ShouldBe(1, 1e-12);
        pca.Restore(pca.Transform([4, 4])).ShouldBe([4, 4], 1e-12);
    }

    [Test]
    public void Random_projection_finds_the_singular_values_of_the_exact_decomposition()
    {
        var random = new Random(8);
        double[][] rows = [.. Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, 15).Select(_ => random.NextDouble()).ToArray())];
        var exact = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.DenseOfRowArrays(rows).Svd().S;
        var svd = TruncatedSvd.Fit(rows, 4);
        for (int c = 0; c < 4; c++) svd.SingularValues[c].ShouldBe(exact[c], 1e-6);
    }
}
