using OKLA.ML.Algorithms.Explanation;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Explanation;

internal sealed class EffectsTests
{
    // x1 = x0 + a little noise, as in example 1 of Apley and Zhu (2020).
    private static Dataset Correlated(int rows, int seed)
    {
        var random = new Random(seed);
        float[] a = [.. Enumerable.Range(0, rows).Select(_ => random.NextSingle())];
        return new Dataset([Column.Numeric("x0", a), Column.Numeric("x1", [.. a.Select(v => v + 0.1f * (random.NextSingle() - 0.5f))])]);
    }

    [Test]
    public void The_local_effect_of_a_linear_model_is_its_slope_although_columns_are_correlated()
    {
        var effect = AccumulatedLocalEffects.Of(ExplanationData.Model(x => 3 * x[0] - 2 * x[1]), Correlated(500, 1), "x0");
        for (var k = 1; k < effect.Values.Count; k++)
            (effect.Effects[k] - effect.Effects[k - 1]).ShouldBe(3 * (effect.Values[k] - effect.Values[k - 1]), 1e-6);
        effect.Rows.Sum().ShouldBe(500);
        // Centred: the mean over rows of the mid-bin effect is 0.
        Enumerable.Range(1, effect.Values.Count - 1).Sum(k => effect.Rows[k] * (effect.Effects[k] + effect.Effects[k - 1])).ShouldBe(0, 1e-6);
    }

    [Test]
    public void Partial_dependence_asks_about_rows_that_do_not_exist_and_local_effects_do_not()
    {
        // Near the diagonal, where all rows are, the model is x0 + x1²; away from it, where it saw nothing, anything.
        var model = ExplanationData.Model(x => Math.Abs(x[0] - x[1]) > 0.25 ? 10 * x[0] : x[0] + x[1] * x[1]);
        var table = Correlated(1000, 2);
        var local = AccumulatedLocalEffects.Of(model, table, "x0");
        (local.Effects[^1] - local.Effects[0]).ShouldBe(local.Values[^1] - local.Values[0], 1e-5);
        var partial = PartialDependence.Of(model, table, "x0");
        (partial.Mean[^1] - partial.Mean[0]).ShouldBeGreaterThan(4);
    }

    [Test]
    public void Partial_dependence_of_an_additive_model_is_its_term_and_every_row_is_parallel()
    {
        var table = ExplanationData.Uniform(200, 2, 3);
        var curve = PartialDependence.Of(ExplanationData.Model(x => x[0] * x[0] + x[1]), table, "x0", points: 11, individuals: 5);
        curve.Individual.Count.ShouldBe(5);
        for (var v = 1; v < curve.Values.Count; v++)
        {
            var step = curve.Values[v] * curve.Values[v] - curve.Values[v - 1] * curve.Values[v - 1];
            (curve.Mean[v] - curve.Mean[v - 1]).ShouldBe(step, 1e-6);
            foreach (var own in curve.Individual) (own[v] - own[v - 1]).ShouldBe(step, 1e-6);
        }
    }

    [Test]
    public void Individual_curves_show_what_the_mean_hides()
    {
        // Half of the rows rise, half fall: the mean is flat.
        float[] sign = [.. Enumerable.Range(0, 100).Select(r => r % 2 == 0 ? 1f : -1f)];
        var table = new Dataset([Column.Numeric("x", ExplanationData.Uniform(100, 1, 4).Columns[0].Numbers.ToArray()), Column.Numeric("sign", sign)]);
        var curve = PartialDependence.Of(ExplanationData.Model(x => x[0] * x[1]), table, "x", individuals: 100);
        curve.Mean.ShouldAllBe(mean => Math.Abs(mean) < 1e-6);
        for (var i = 0; i < 100; i++) Math.Sign(curve.Individual[i][^1] - curve.Individual[i][0]).ShouldBe(sign[curve.Rows[i]] > 0 ? 1 : -1);
    }

    [Test]
    public void Missing_values_are_left_out_of_local_effects()
    {
        var table = new Dataset([Column.Numeric("x", [1, 2, float.NaN, 3, 4])]);
        var effect = AccumulatedLocalEffects.Of(ExplanationData.Model(x => float.IsNaN(x[0]) ? 1000 : 2 * x[0]), table, "x", bins: 3);
        effect.Rows.ShouldBe([0, 2, 1, 1]);
        // Edges 1, 2, 3, 4 give 0, 2, 4, 6 with mid-bin mean (2·1 + 3 + 5) / 4 = 2.5.
        effect.Effects.ShouldBe([-2.5, -0.5, 1.5, 3.5], 1e-9);
    }

    [Test]
    public void Categories_are_ordered_by_likeness_and_have_their_differences()
    {
        // Codes 2, 0, 1 stand for old, middling and new cars.
        var random = new Random(5);
        int[] codes = [.. Enumerable.Range(0, 300).Select(r => r % 3)];
        double[] level = [10, 20, 0];
        var table = new Dataset([Column.Categorical("age", codes), Column.Numeric("year", [.. codes.Select(c => (float)(level[c] + 15 * random.NextDouble()))])]);
        var effect = AccumulatedLocalEffects.Of(ExplanationData.Model(x => level[(int)x[0]] * 3 + x[1]), table, "age");
        effect.Values.ShouldBe([1, 0, 2]);
        effect.Effects.ShouldBe([30, 0, -30], 1e-9);
        effect.Rows.ShouldBe([100, 100, 100]);
    }

    [Test]
    public void Two_columns_have_a_joint_effect_only_when_they_interact()
    {
        var table = ExplanationData.Uniform(4000, 3, 6);
        var none = AccumulatedLocalEffects.OfPair(ExplanationData.Model(x => 3 * x[0] + x[1] * x[1] + x[2]), table, "x0", "x1");
        none.Effects.Cast<double>().ShouldAllBe(effect => Math.Abs(effect) < 1e-5);
        // Of 4 x0 x1 with means of a half remains 4 (x0 − ½)(x1 − ½).
        var product = AccumulatedLocalEffects.OfPair(ExplanationData.Model(x => 4 * x[0] * x[1]), table, "x0", "x1");
        for (var k = 0; k < product.First.Count; k++)
        {
            for (var m = 0; m < product.Second.Count; m++)
                product.Effects[k, m].ShouldBe(4 * (product.First[k] - 0.5) * (product.Second[m] - 0.5), 0.06);
        }
    }

    [Test]
    public void A_constant_or_unknown_column_is_refused()
    {
        var table = new Dataset([Column.Numeric("x", [1, 1, 1])]);
        Should.Throw<ArgumentException>(() => AccumulatedLocalEffects.Of(ExplanationData.Model(x => x[0]), table, "x"));
        Should.Throw<ArgumentException>(() => PartialDependence.Of(ExplanationData.Model(x => x[0]), table, "y"));
    }
}
