using OKLA.ML.Algorithms.Neural;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class MatrixProductTests
{
    [Test]
    public void Every_shape_and_transposition_equals_the_sums_of_the_definition()
    {
        foreach (var (m, k, n) in ((int, int, int)[])[(1, 1, 1), (4, 8, 32), (5, 7, 3), (3, 300, 17), (9, 257, 33), (13, 600, 65), (2, 0, 5), (64, 1, 48)])
            foreach (var transposeA in (bool[])[false, true])
                foreach (var transposeB in (bool[])[false, true])
                    foreach (var add in (bool[])[false, true])
                    {
                        float[] a = GradientCheck.Numbers(m * k, 1), b = GradientCheck.Numbers(k * n, 2), c = GradientCheck.Numbers(m * n, 3);
                        var expected = new double[m * n];
                        for (var i = 0; i < m; i++)
                            for (var j = 0; j < n; j++)
                            {
                                double sum = add ? c[i * n + j] : 0;
                                for (var p = 0; p < k; p++) sum += (double)a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
                                expected[i * n + j] = sum;
                            }

                        MatrixProduct.Multiply(a, transposeA, b, transposeB, c, m, k, n, add, 1);

                        for (var i = 0; i < c.Length; i++) ((double)c[i]).ShouldBe(expected[i], 1e-4, $"{m} × {k} × {n}, {transposeA}, {transposeB}, {add}");
                    }
    }

    [Test]
    public void More_threads_give_the_same_bits()
    {
        float[] a = GradientCheck.Numbers(131 * 100, 4), b = GradientCheck.Numbers(100 * 70, 5), one = new float[131 * 70], three = new float[131 * 70];

        MatrixProduct.Multiply(a, false, b, false, one, 131, 100, 70, false, 1);
        MatrixProduct.Multiply(a, false, b, false, three, 131, 100, 70, false, 3);

        three.ShouldBe(one);
    }

    [Test]
    public void A_result_that_does_not_fit_is_refused()
    {
        Should.Throw<ArgumentException>(() => MatrixProduct.Multiply(new float[6], false, new float[6], false, new float[3], 2, 3, 2, false, 1)).ParamName.ShouldBe("c");
    }
}
