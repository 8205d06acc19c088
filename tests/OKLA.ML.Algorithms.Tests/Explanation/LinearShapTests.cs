using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class LinearShapTests
{
    private static (Dataset X, float[] Y) Cars(int rows, int seed)
    {
        var random = new Random(seed);
        var year = new float[rows];
        var km = new float[rows];
        var make = new int[rows];
        var y = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            year[r] = random.NextSingle() * 10;
            km[r] = random.NextDouble() < 0.1 ? float.NaN : 10 - year[r] + random.NextSingle();
            make[r] = random.Next(-1, 4);
            y[r] = 3 * year[r] - (float.IsNaN(km[r]) ? 4 : km[r]) + make[r] * 2 + random.NextSingle();
        }
        return (new Dataset([Column.Numeric("year", year), Column.Numeric("km", km), Column.Categorical("make", make)]), y);
    }

    [Test]
    public void A_linear_model_has_the_values_of_kernel_Shap()
    {
        var (x, y) = Cars(200, 1);
        var model = RidgeRegression.Fit(x, y, new RidgeOptions());
        var background = x.Select([.. Enumerable.Range(0, 20)]);
        var table = x.Select([30, 31, 32, 33, 34]);
        var linear = new LinearShap(model, background);
        var kernel = new KernelShap(ExplanationData.Model(row => model.Predict(row)), background);
        linear.BaseValue.ShouldBe(kernel.BaseValue, 1e-9);
        linear.Explain(table).ShouldBe(kernel.Explain(table), 1e-9);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Values_add_up_to_the_score(bool correlated)
    {
        var (x, y) = Cars(200, 2);
        var model = RidgeRegression.Fit(x, y, new RidgeOptions());
        var shap = new LinearShap(model, x, correlated);
        var phi = shap.Explain(x);
        // Row by row the model works in double precision, as the explanation does.
        var predictions = ExplanationData.Model(row => model.Predict(row))(x);
        for (var r = 0; r < 200; r++) (shap.BaseValue + phi.AsSpan(r * 3, 3).ToArray().Sum()).ShouldBe(predictions[r], 1e-9);
    }

    [Test]
    public void A_classifier_is_explained_in_log_odds()
    {
        var (x, y) = Cars(200, 3);
        int[] labels = [.. y.Select(v => v > 12 ? 1 : 0)];
        var model = LogisticRegression.Fit(x, labels, new LogisticOptions());
        var shap = new LinearShap(model, x);
        var phi = shap.Explain(x);
        var probabilities = ExplanationData.Model(row => model.Probabilities(row)[1])(x);
        for (var r = 0; r < 200; r++)
            (1 / (1 + Math.Exp(-shap.BaseValue - phi.AsSpan(r * 3, 3).ToArray().Sum()))).ShouldBe(probabilities[r], 1e-9);
    }

    [Test]
    public void Two_copies_of_a_column_share_its_credit_when_correlated()
    {
        var (x, y) = Cars(300, 4);
        var twice = new Dataset([Column.Numeric("a", x["year"].Numbers.ToArray()), Column.Numeric("b", x["year"].Numbers.ToArray())]);
        var model = RidgeRegression.Fit(twice, y, new RidgeOptions());
        // Whatever the weights, E[x_a | x_b] = x_b: each copy alone tells all, and the credit is halved.
        var phi = new LinearShap(model, twice, correlated: true).Explain(twice);
        for (var r = 0; r < 20; r++) phi[2 * r].ShouldBe(phi[2 * r + 1], 1e-6);
    }

    [Test]
    public void Correlated_values_by_hand()
    {
        // The model is a alone; b is correlated with it.
        var random = new Random(5);
        float[] a = [.. Enumerable.Range(0, 400).Select(_ => random.NextSingle())];
        float[] b = [.. a.Select(v => v + random.NextSingle())];
        var x = new Dataset([Column.Numeric("a", a), Column.Numeric("b", b)]);
        var model = RidgeRegression.Fit(x, a, new RidgeOptions { Regularization = 1e-9 });
        double meanA = a.Average(v => (double)v), meanB = b.Average(v => (double)v);
        var slope = a.Zip(b, (u, v) => (u - meanA) * (v - meanB)).Sum() / b.Sum(v => (v - meanB) * (v - meanB));
        var phi = new LinearShap(model, x, correlated: true).Explain(x);
        for (var r = 0; r < 10; r++)
        {
            // v(∅) = μ_a, v(a) = v(ab) = x_a, v(b) = μ_a + slope (x_b − μ_b); φ_b = ½ (v(b) − v(∅)) + ½ (v(ab) − v(a)).
            phi[2 * r + 1].ShouldBe(slope * (b[r] - meanB) / 2, 1e-5);
            phi[2 * r].ShouldBe(a[r] - meanA - slope * (b[r] - meanB) / 2, 1e-5);
        }
    }

    [Test]
    public void Many_correlated_columns_add_up_too()
    {
        var x = ExplanationData.Uniform(100, 15, 6);
        float[] y = [.. Enumerable.Range(0, 100).Select(r => x.Columns[3][r] + 2 * x.Columns[7][r])];
        var model = RidgeRegression.Fit(x, y, new RidgeOptions());
        var shap = new LinearShap(model, x, correlated: true, orders: 5);
        var phi = shap.Explain(x);
        var predictions = ExplanationData.Model(row => model.Predict(row))(x);
        for (var r = 0; r < 100; r++) (shap.BaseValue + phi.AsSpan(r * 15, 15).ToArray().Sum()).ShouldBe(predictions[r], 1e-9);
    }
}
