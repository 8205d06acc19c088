using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class LimeTests
{
    [Test]
    public void A_model_made_of_conditions_is_found_again()
    {
        var random = new Random(1);
        var table = new Dataset([
            Column.Numeric("price", [.. Enumerable.Range(0, 401).Select(r => (float)r)]),
            Column.Numeric("km", [.. Enumerable.Range(0, 401).Select(_ => random.NextSingle())]),
            Column.Categorical("make", [.. Enumerable.Range(0, 401).Select(_ => random.Next(3))], ["Honda", "Kia", "Toyota"])]);
        // Quartiles of price are 100, 200, 300: the explained row lies in (100, 200].
        var model = ExplanationData.Model(x => 5 + (x[0] is > 100 and <= 200 ? 3 : 0) + (x[2] == 2 ? -2 : 0));
        var row = Enumerable.Range(101, 100).First(r => table["make"].Codes[r] == 2);
        var explanation = new Lime(model, table, new() { Ridge = 1e-6 }).Explain(table, row);
        explanation.Intercept.ShouldBe(5, 1e-4);
        explanation.Conditions.Select(c => c.Text).Take(2).ShouldBe(["100 < price ≤ 200", "make = Toyota"]);
        explanation.Conditions[0].Weight.ShouldBe(3, 1e-4);
        explanation.Conditions[1].Weight.ShouldBe(-2, 1e-4);
        explanation.Conditions[2].Weight.ShouldBe(0, 1e-4);
        explanation.Fidelity.ShouldBe(1, 1e-6);
        explanation.LocalPrediction.ShouldBe(explanation.Prediction, 1e-4);
    }

    [Test]
    public void A_seed_gives_the_same_explanation_and_only_the_largest_conditions()
    {
        var table = ExplanationData.Uniform(300, 6, 2);
        var model = ExplanationData.Model(x => 8 * x[4] - 5 * x[1] + 0.01 * x[0]);
        var first = new Lime(model, table, new() { Conditions = 2 }).Explain(table, 3);
        first.Conditions.Select(c => c.Column).Order().ShouldBe(["x1", "x4"]);
        new Lime(model, table, new() { Conditions = 2 }).Explain(table, 3).Conditions.ShouldBe(first.Conditions);
        new Lime(model, table, new() { Conditions = 2, Seed = 1 }).Explain(table, 3).Conditions.ShouldNotBe(first.Conditions);
    }

    [Test]
    public void A_missing_value_is_a_condition()
    {
        var table = new Dataset([Column.Numeric("km", [.. Enumerable.Range(0, 100).Select(r => r % 4 == 0 ? float.NaN : r)])]);
        var explanation = new Lime(ExplanationData.Model(x => float.IsNaN(x[0]) ? -7 : 0), table, new() { Ridge = 1e-6 }).Explain(table, 0);
        explanation.Conditions[0].Text.ShouldBe("km is missing");
        explanation.Conditions[0].Weight.ShouldBe(-7, 1e-4);
    }
}
