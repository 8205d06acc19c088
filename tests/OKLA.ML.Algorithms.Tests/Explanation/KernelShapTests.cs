using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;
using OKLA.ML.Algorithms.Tests.Trees;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class KernelShapTests
{
    private static double Twisted(float[] x) => x[0] * x[1] + Math.Sin(3 * x[2]) * x[3] - (x[4] > 0.5f ? x[0] : 2 * x[2]) + x[1] * x[2] * x[4];

    [Test]
    public void Few_columns_equal_Shapleys_formula()
    {
        Dataset background = ExplanationData.Uniform(7, 5, 1), table = ExplanationData.Uniform(4, 5, 2);
        var shap = new KernelShap(ExplanationData.Model(Twisted), background);
        var phi = shap.Explain(table);
        for (var r = 0; r < 4; r++)
        {
            var expected = ExplanationData.BruteForce(Twisted, background, table, r);
            for (var c = 0; c < 5; c++) phi[r * 5 + c].ShouldBe(expected[c], 1e-9);
        }
    }

    [Test]
    public void Enough_subsets_make_the_least_squares_exact_too()
    {
        Dataset background = ExplanationData.Uniform(7, 5, 1), table = ExplanationData.Uniform(2, 5, 2);
        var phi = new KernelShap(ExplanationData.Model(Twisted), background, new() { ExactColumns = 0, Subsets = 32 }).Explain(table);
        var exact = new KernelShap(ExplanationData.Model(Twisted), background).Explain(table);
        for (var i = 0; i < phi.Length; i++) phi[i].ShouldBe(exact[i], 1e-9);
    }

    [Test]
    public void A_boosted_model_has_the_values_of_interventional_TreeShap()
    {
        var (x, y) = TreeData.Friedman(400, 3, missing: 0.05);
        var model = GradientBoosting.Train(x, y, new GradientBoostingOptions { Iterations = 10, MaxLeaves = 8, Threads = 1 });
        var background = x.Select([.. Enumerable.Range(50, 6)]);
        var table = x.Select([1, 2, 3]);
        var tree = new TreeShap(model, background);
        var kernel = new KernelShap(rows => model.PredictMargins(rows, 1), background);
        kernel.BaseValue.ShouldBe(tree.BaseValues[0], 1e-9);
        double[] expected = tree.Explain(table, 1), phi = kernel.Explain(table);
        for (var i = 0; i < phi.Length; i++) phi[i].ShouldBe(expected[i], 1e-9);
    }

    [TestCase(12)]
    [TestCase(20)]
    public void Sampled_values_always_add_up_and_come_near(int columns)
    {
        Dataset background = ExplanationData.Uniform(10, columns, 4), table = ExplanationData.Uniform(3, columns, 5);
        double Function(float[] x)
        {
            double sum = x[0] * x[1] * 4;
            for (var c = 2; c < x.Length; c++) sum += c * x[c] * x[c] / 10;
            return sum;
        }
        var shap = new KernelShap(ExplanationData.Model(Function), background, new() { ExactColumns = 4, Subsets = 600 });
        var phi = shap.Explain(table);
        var row = new float[columns];
        var other = new float[columns];
        for (var r = 0; r < 3; r++)
        {
            table.CopyRow(r, row);
            var own = phi.AsSpan(r * columns, columns).ToArray();
            (shap.BaseValue + own.Sum()).ShouldBe(Function(row), 1e-9);
            // An additive term's value is its difference from the background's mean.
            for (var c = 2; c < columns; c++)
            {
                double mean = 0;
                for (var b = 0; b < 10; b++)
                {
                    background.CopyRow(b, other);
                    mean += c * other[c] * other[c] / 100;
                }
                own[c].ShouldBe(c * row[c] * row[c] / 10 - mean, 0.02);
            }
        }
        new KernelShap(ExplanationData.Model(Function), background, new() { ExactColumns = 4, Subsets = 600 }).Explain(table).ShouldBe(phi);
    }

    [Test]
    public void A_categorical_column_and_a_constant_one_are_explained()
    {
        var background = new Dataset([Column.Categorical("make", [0, 1, -1, 1]), Column.Numeric("year", [1, 2, 3, 4]), Column.Numeric("same", [5, 5, 5, 5])]);
        var table = new Dataset([Column.Categorical("make", [2]), Column.Numeric("year", [4f]), Column.Numeric("same", [5f])]);
        // Codes 2, 1, 0, missing are worth 10, 1, 0, 0; their mean over the background is a half.
        var phi = new KernelShap(ExplanationData.Model(x => (x[0] == 2 ? 10 : x[0] == 1 ? 1 : 0) + x[1] + x[2]), background).Explain(table);
        phi.ShouldBe([9.5, 1.5, 0], 1e-12);
    }

    [Test]
    public void Other_columns_than_the_backgrounds_are_refused()
    {
        var shap = new KernelShap(ExplanationData.Model(x => x[0]), ExplanationData.Uniform(3, 2, 1));
        Should.Throw<ArgumentException>(() => shap.Explain(ExplanationData.Uniform(3, 3, 1)));
    }
}
