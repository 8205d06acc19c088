using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Linear;

public class NaiveBayesTests
{
    // Manning, Raghavan and Schütze, Introduction to Information Retrieval, table 13.1; columns Chinese, Beijing, Shanghai, Macao, Tokyo, Japan.
    private static readonly (int, int, float)[] Counts = [(0, 0, 2), (0, 1, 1), (1, 0, 2), (1, 2, 1), (2, 0, 1), (2, 3, 1), (3, 0, 1), (3, 4, 1), (3, 5, 1)];
    private static readonly int[] Labels = [1, 1, 1, 0];

    [Test]
    public void The_multinomial_example_of_the_textbook_comes_out()
    {
        // Example 13.1: 3/4·(3/7)³·(1/14)² against 1/4·(2/9)³·(2/9)².
        double yes = 0.75 * Math.Pow(3.0 / 7, 3) / 196, no = 0.25 * Math.Pow(2.0 / 9, 5);
        var model = NaiveBayes.FitMultinomial(SparseMatrix.FromTriples(4, 6, Counts), Labels);
        model.Probabilities([0, 4, 5], [3, 1, 1])[1].ShouldBe(yes / (yes + no), 1e-10);
    }

    [Test]
    public void The_bernoulli_example_of_the_textbook_comes_out()
    {
        // Example 13.2: 3/4·4/5·1/5·1/5·(1 − 2/5)³ against 1/4·(2/3)³·(1 − 1/3)³.
        double yes = 0.75 * 0.8 * 0.04 * 0.216, no = 0.25 * Math.Pow(2.0 / 3, 6);
        var marks = SparseMatrix.FromTriples(4, 6, [.. Counts.Select(c => (c.Item1, c.Item2, 1f))]);
        NaiveBayes.FitBernoulli(marks, Labels).Probabilities([0, 4, 5], [1, 1, 1])[1].ShouldBe(yes / (yes + no), 1e-10);
    }

    [Test]
    public void Three_classes_add_up_to_one()
    {
        var model = NaiveBayes.FitMultinomial(SparseMatrix.FromTriples(4, 6, Counts), [0, 1, 2, 2]);
        var p = model.Probabilities([0, 3], [1, 1]);
        p.Length.ShouldBe(3);
        p.Sum().ShouldBe(1, 1e-12);
    }

    [Test]
    public void Densities_and_shares_multiply()
    {
        // Class 0: mean 1, variance 1; class 1: mean 5, variance 4. Category shares (2+1)/(2+2) against (0+1)/(2+2) of code 0.
        var x = new Dataset([Column.Numeric("n", [0, 2, 3, 7]), Column.Categorical("c", [0, 0, 1, 1])]);
        var model = GaussianNaiveBayes.Fit(x, [0, 0, 1, 1], varianceShare: 0);
        double Density(double value, double mean, double variance) => Math.Exp(-(value - mean) * (value - mean) / (2 * variance)) / Math.Sqrt(2 * Math.PI * variance);
        double zero = Density(3, 1, 1) * 0.75, one = Density(3, 5, 4) * 0.25;
        var p = new double[2];
        model.Probabilities([3, 0], p);
        p[0].ShouldBe(zero / (zero + one), 1e-9);
        model.Probabilities([float.NaN, 0], p);
        p[0].ShouldBe(0.75, 1e-9);

        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        GaussianNaiveBayes.Load(stream).Probabilities(x).ShouldBe(model.Probabilities(x));
    }
}
