using System.Globalization;
using OKLA.ML.Algorithms.Automatic;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Tests.Automatic;

internal sealed class AutomaticExplainerTests
{
    private static readonly AutomaticOptions Short = new() { BudgetSeconds = 60, StandingOnly = true };

    // A price of age and make; noise says nothing.
    private static (RawColumn[] Columns, float[] Price, float[] Dear) Cars(int rows, int seed)
    {
        var random = new Random(seed);
        var (age, make, noise, price) = (new string?[rows], new string?[rows], new string?[rows], new float[rows]);
        for (var r = 0; r < rows; r++)
        {
            int years = random.Next(0, 20), which = random.Next(4);
            (age[r], make[r], noise[r]) = (years.ToString(CultureInfo.InvariantCulture), $"make {which}", random.NextDouble().ToString("0.###", CultureInfo.InvariantCulture));
            price[r] = (float)(30000 - 1200 * years + 3000 * which + 300 * random.NextDouble());
        }
        return ([new("age", age), new("make", make), new("noise", noise)], price, Array.ConvertAll(price, p => p > 22000 ? 1f : 0f));
    }

    private static RawColumn[] Take(RawColumn[] columns, int rows) => [.. columns.Select(column => new RawColumn(column.Name, [.. column.Values.Take(rows)]))];

    [TestCase(false)]
    [TestCase(true)]
    public void Of_a_number_base_and_contributions_make_what_is_answered(bool log)
    {
        var (train, price, _) = Cars(500, 1);
        var (test, _, _) = Cars(60, 2);
        var model = AutomaticTable.Fit(train, price, Short with { Log = log });

        var told = new AutomaticExplainer(model, Take(train, 24)).Explain(test);

        var answers = model.Predict(model.Encode(test), 1);
        for (var r = 0; r < answers.Length; r++)
        {
            var answer = log ? Math.Log(1 + answers[r]) : answers[r];
            told.Outputs[r].ShouldBe(answer, 1e-4 * Math.Abs(answer));
            (told.Base + told.Contributions.AsSpan(r * 3, 3).ToArray().Sum()).ShouldBe(told.Outputs[r], 1e-6 * Math.Abs(told.Outputs[r]));
        }
    }

    [Test]
    public void Of_two_classes_they_make_the_probability_and_point_where_the_truth_does()
    {
        var (train, _, dear) = Cars(500, 3);
        var (test, _, _) = Cars(200, 4);
        var model = AutomaticTable.Fit(train, dear, Short with { Classes = 2 });

        var told = new AutomaticExplainer(model, Take(train, 24)).Explain(test);

        var answers = model.Predict(model.Encode(test), 1);
        double MeanOf(int column) => Enumerable.Range(0, answers.Length).Average(r => Math.Abs(told.Contributions[r * 3 + column]));
        for (var r = 0; r < answers.Length; r++)
        {
            told.Outputs[r].ShouldBe(answers[r], 1e-4);
            (told.Base + told.Contributions.AsSpan(r * 3, 3).ToArray().Sum()).ShouldBe(told.Outputs[r], 1e-6);
        }
        MeanOf(0).ShouldBeGreaterThan(5 * MeanOf(2));
        var oldest = Array.IndexOf(test[0].Values.ToArray(), "19");
        told.Contributions[oldest * 3].ShouldBeLessThan(0);
    }

    [Test]
    public void A_loaded_model_is_explained_as_the_one_that_was_saved()
    {
        var (train, price, _) = Cars(300, 5);
        var model = AutomaticTable.Fit(train, price, Short);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var again = AutomaticTableModel.Load(stream);

        var (before, after) = (new AutomaticExplainer(model, Take(train, 24)).Explain(Take(train, 9)), new AutomaticExplainer(again, Take(train, 24)).Explain(Take(train, 9)));

        after.Contributions.ShouldBe(before.Contributions);
    }

    [Test]
    public void Values_carried_through_a_link_keep_their_proportions_and_make_the_answer()
    {
        // Score 0 answers 1/2; score 2 answers 1/(1 + e^-2) = 0.8808; 1.5 and 0.5 of the score are three and one quarters of the way.
        var parts = AutomaticExplainer.Linked(0, [2], [1.5, 0.5], AutomaticExplainer.Sigmoid);

        parts.Base.ShouldBe(0.5);
        parts.Contributions[0].ShouldBe(0.75 * (0.880797 - 0.5), 1e-6);
        parts.Contributions[1].ShouldBe(0.25 * (0.880797 - 0.5), 1e-6);
        // At the base itself the slope carries them: σ'(0) = 1/4.
        AutomaticExplainer.Linked(0, [0], [1, -1], AutomaticExplainer.Sigmoid).Contributions.ShouldBe([0.25, -0.25], 1e-6);
    }

    [Test]
    public void More_classes_and_no_background_are_refused()
    {
        var (train, price, _) = Cars(200, 6);
        var three = AutomaticTable.Fit(train, Array.ConvertAll(price, p => p < 15000 ? 0f : p < 25000 ? 1f : 2f), Short with { Classes = 3 });
        var number = AutomaticTable.Fit(train, price, Short);

        Should.Throw<ArgumentException>(() => new AutomaticExplainer(three, train));
        Should.Throw<ArgumentException>(() => new AutomaticExplainer(number, []));
    }
}
