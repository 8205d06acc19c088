using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class RatingModelTests
{
    [Test]
    public void Alternating_least_squares_finds_planted_tastes()
    {
        var (train, test) = Planted(1);
        var model = ExplicitAls.Fit(train, options: new ExplicitAlsOptions { Factors = 2, Regularization = 0.01f, Iterations = 20 });

        Rmse(test, model.Predict).ShouldBeLessThan(0.35);
        Rmse(test, (_, _) => model.Mean).ShouldBeGreaterThan(0.9);
    }

    [Test]
    public void Svd_plus_plus_finds_planted_tastes()
    {
        var (train, test) = Planted(2);
        var model = SvdPlusPlus.Fit(train, new SvdPlusPlusOptions { Factors = 4, Iterations = 60, LearningRate = 0.03f });

        Rmse(test, model.Predict).ShouldBeLessThan(0.6);
    }

    [Test]
    public void Losses_fall_and_the_same_seed_gives_the_same_model()
    {
        var (train, _) = Planted(3);
        var (als, svd) = (new List<double>(), new List<double>());
        var a = ExplicitAls.Fit(train, options: new ExplicitAlsOptions { Threads = 1 }, progress: new ImplicitAlsTests.Recorder(als));
        var b = ExplicitAls.Fit(train, options: new ExplicitAlsOptions { Threads = 3 });
        var c = SvdPlusPlus.Fit(train, progress: new ImplicitAlsTests.Recorder(svd));
        var d = SvdPlusPlus.Fit(train);

        als[^1].ShouldBeLessThan(als[0]);
        svd[^1].ShouldBeLessThan(svd[0]);
        for (int i = 0; i < 30; i++)
        {
            a.Predict(3, i).ShouldBe(b.Predict(3, i));
            c.Predict(3, i).ShouldBe(d.Predict(3, i));
        }
    }

    [Test]
    public void Equal_weights_change_nothing_and_a_heavy_rating_is_met_more_closely()
    {
        var (train, _) = Planted(4);
        var options = new ExplicitAlsOptions { Factors = 2, Regularization = 0.5f };
        int item = train.RowIndices(0)[0];
        var plain = ExplicitAls.Fit(train, null, options);
        var equal = ExplicitAls.Fit(train, train.Map((_, _, _) => 4f), options);
        var heavy = ExplicitAls.Fit(train, train.Map((u, i, _) => u == 0 && i == item ? 100f : 1f), options);

        plain.Predict(0, item).ShouldBe(equal.Predict(0, item), 1e-3f);
        Math.Abs(heavy.Predict(0, item) - train[0, item]).ShouldBeLessThan(Math.Abs(plain.Predict(0, item) - train[0, item]));
        Should.Throw<ArgumentException>(() => ExplicitAls.Fit(train, train.Transpose(), options));
    }

    [Test]
    public void One_row_is_solved_like_the_dense_weighted_ridge_regression()
    {
        // (AᵀWA + λΣw·I) x = AᵀW(r − μ − b) with A = [y, 1] (Zhou et al. 2008, section 3.2).
        var random = new Random(5);
        var factors = Enumerable.Range(0, 12).Select(_ => (float)random.NextDouble()).ToArray();
        float[] biases = [0.1f, -0.2f, 0.3f, 0], weights = [1, 2, 0.5f], ratings = [4, 1, 3];
        int[] indices = [0, 2, 3];
        var row = new float[4];
        ExplicitAls.SolveRow(indices, ratings, weights, 2.5f, biases, factors, 3, 0.2f, row);

        var a = Matrix<double>.Build.Dense(3, 4, (k, f) => f == 3 ? 1 : factors[indices[k] * 3 + f]);
        var w = Matrix<double>.Build.DenseOfDiagonalArray([1, 2, 0.5]);
        var target = Vector<double>.Build.Dense(3, k => ratings[k] - 2.5 - biases[indices[k]]);
        var expected = (a.Transpose() * w * a + 0.2 * 3.5 * Matrix<double>.Build.DenseIdentity(4)).Solve(a.Transpose() * w * target);
        for (int f = 0; f < 4; f++) ((double)row[f]).ShouldBe(expected[f], 1e-5);
    }

    [Test]
    public void A_new_user_with_the_ratings_of_an_old_one_is_predicted_alike()
    {
        var (train, _) = Planted(6);
        var model = ExplicitAls.Fit(train, options: new ExplicitAlsOptions { Factors = 2, Regularization = 0.01f, Iterations = 100 });

        var folded = model.FoldIn(train.RowIndices(7), train.RowValues(7));
        for (int i = 0; i < 30; i++) model.Predict(folded, i).ShouldBe(model.Predict(7, i), 0.05f);
        model.Predict(model.FoldIn([], []), 4).ShouldBe(model.Predict(-1, 4));
    }

    [Test]
    public void A_saved_model_predicts_as_before()
    {
        var model = ExplicitAls.Fit(Planted(7).Train);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var again = RatingModel.Load(stream);

        for (int i = 0; i < 30; i++) again.Predict(2, i).ShouldBe(model.Predict(2, i));
        again.Predict(-1, -1).ShouldBe(model.Mean);
    }

    /// <summary>Ratings 3 + a_u + b_i + x_u·y_i with two planted coordinates and little noise; four fifths to learn from.</summary>
    private static (SparseMatrix Train, List<(int U, int I, float R)> Test) Planted(int seed)
    {
        var random = new Random(seed);
        double Number() => random.NextDouble() * 2 - 1;
        var (x, y) = (Enumerable.Range(0, 300).Select(_ => Number()).ToArray(), Enumerable.Range(0, 90).Select(_ => Number()).ToArray());
        var (train, test) = (new List<(int, int, float)>(), new List<(int, int, float)>());
        for (int u = 0; u < 100; u++)
            for (int i = 0; i < 30; i++)
            {
                float rating = (float)(3 + x[3 * u] + y[3 * i] + 2 * x[3 * u + 1] * y[3 * i + 1] + 2 * x[3 * u + 2] * y[3 * i + 2] + 0.05 * Number());
                (random.Next(5) == 0 ? test : train).Add((u, i, rating));
            }

        return (SparseMatrix.FromTriples(100, 30, train), test);
    }

    private static double Rmse(List<(int U, int I, float R)> test, Func<int, int, float> predict) =>
        Math.Sqrt(test.Average(t => (t.R - predict(t.U, t.I)) * (t.R - predict(t.U, t.I))));
}
