using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Linear;

public class LeastSquaresTests
{
    private static (Dataset X, float[] Y) Data(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() * 4 - 1);
        var y = new float[rows];
        for (var i = 0; i < rows; i++) y[i] = 3 + 2 * values[i * columns] - values[i * columns + 1] + (float)random.NextDouble();
        return (Dataset.FromRowMajor(values, columns), y);
    }

    [Test]
    public void Ridge_is_the_closed_form()
    {
        // β = (X̃ᵀX̃ + λI)⁻¹·X̃ᵀ(y − ȳ) on standardised columns.
        var (x, y) = Data(50, 4, 1);
        var model = RidgeRegression.Fit(x, y, new RidgeOptions { Regularization = 3 });
        var encoded = Matrix<double>.Build.Dense(50, 4);
        var (row, features) = (new float[4], new double[4]);
        for (var i = 0; i < 50; i++)
        {
            x.CopyRow(i, row);
            model.Inputs!.Encode(row, features);
            encoded.SetRow(i, features);
        }
        var target = Vector<double>.Build.DenseOfEnumerable(y.Select(v => v - y.Average(t => (double)t)));
        var beta = (encoded.TransposeThisAndMultiply(encoded) + 3 * Matrix<double>.Build.DenseIdentity(4)).Solve(encoded.TransposeThisAndMultiply(target));
        for (var j = 0; j < 4; j++) model.Weights[j].ShouldBe(beta[j], 1e-5);
        model.Intercept.ShouldBe(y.Average(t => (double)t), 1e-5);
    }

    [Test]
    public void Without_penalty_an_exact_line_is_found()
    {
        var x = new Dataset([Column.Numeric("x", [1, 2, 3, 4]), Column.Numeric("constant", [7, 7, 7, 7])]);
        var model = RidgeRegression.Fit(x, [5, 7, 9, 11], new RidgeOptions { Regularization = 0 });
        model.Predict(x).Select(v => Math.Round(v, 6)).ShouldBe([5, 7, 9, 11]);
        model.Predict([10f, 7f]).ShouldBe(23, 1e-5);
    }

    [Test]
    public void Sparse_ridge_weighs_rows()
    {
        // y = b + β·x of the points (0, 1) counted three times and (1, 3): a penalty of 0 goes through both.
        var x = SparseMatrix.FromTriples(2, 1, [(1, 0, 1f)]);
        var model = RidgeRegression.Fit(x, [1, 3], new RidgeOptions { Regularization = 0.75 }, [3, 1]);
        // Centred: Σw(x − x̄)² = 0.75, Σw(x − x̄)(y − ȳ) = 1.5: β = 1.5 / (0.75 + 0.75) = 1, b = 1.5 − 0.25.
        model.Weights[0].ShouldBe(1, 1e-9);
        model.Intercept.ShouldBe(1.25, 1e-9);
    }

    [Test]
    public void One_feature_is_soft_thresholded([Values(1, 0.5)] double share)
    {
        // β = S(Σ x̃y/n, λα) / (1 + λ(1 − α)) for one standardised feature (Friedman et al. 2010, eq. 5).
        var x = new Dataset([Column.Numeric("x", [1, 2, 3, 4])]);
        float[] y = [2, 4, 5, 9];
        var model = ElasticNet.Fit(x, y, new ElasticNetOptions { L1Share = share, Regularization = 0.5 });
        var deviation = Math.Sqrt(1.25);
        var covariance = (-1.5 * 2 - 0.5 * 4 + 0.5 * 5 + 1.5 * 9) / 4 / deviation;
        model.Weights[0].ShouldBe((covariance - 0.5 * share) / (1 + 0.5 * (1 - share)), 1e-5);
        model.Intercept.ShouldBe(5, 1e-5);
    }

    [Test]
    public void A_path_starts_empty_and_meets_the_optimality_conditions_at_each_step()
    {
        var (x, y) = Data(80, 12, 2);
        var path = ElasticNet.Path(x, y, options: new ElasticNetOptions { Tolerance = 1e-9 });
        path.Count.ShouldBe(100);
        path[0].NonZero.ShouldBe(0);
        path[^1].ExplainedShare.ShouldBeGreaterThan(0.9);
        foreach (var point in new[] { path[20], path[60], path[99] })
        {
            var predicted = point.Model.Predict(x);
            var slopes = new double[12];
            var (row, features) = (new float[12], new double[12]);
            for (var i = 0; i < 80; i++)
            {
                x.CopyRow(i, row);
                point.Model.Inputs!.Encode(row, features);
                for (var j = 0; j < 12; j++) slopes[j] += features[j] * (y[i] - predicted[i]) / 80;
            }
            for (var j = 0; j < 12; j++)
            {
                if (point.Model.Weights[j] == 0) Math.Abs(slopes[j]).ShouldBeLessThan(point.Regularization + 1e-5);
                else slopes[j].ShouldBe(point.Regularization * Math.Sign(point.Model.Weights[j]), 1e-5);
            }
        }
    }

    [Test]
    public void A_saved_regression_answers_the_same()
    {
        var (x, y) = Data(30, 3, 3);
        var model = RidgeRegression.Fit(x, y);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        LinearRegressionModel.Load(stream).Predict(x).ShouldBe(model.Predict(x));
    }

    [Test]
    public void A_target_that_is_no_number_is_refused()
    {
        var (x, y) = Data(10, 2, 4);
        y[3] = float.NaN;
        Should.Throw<ArgumentException>(() => RidgeRegression.Fit(x, y));
    }
}
