using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class MachineTests
{
    private static readonly MachineOptions Numbers = new() { Loss = MachineLoss.Squared, Factors = 4, Iterations = 60, LearningRate = 0.2f };

    /// <summary>Two fields of five categories and one number; the target is the product of hidden category effects: no linear model can say it.</summary>
    private static (SparseMatrix Rows, float[] Numbers, float[] Classes) Interactions(int count, int seed)
    {
        var random = new Random(seed);
        double[] left = [-1, -0.6, 0.1, 0.7, 1], right = [1, -1, 0.8, -0.7, 0.05];
        var entries = new List<(int, int, float)>();
        var (numbers, classes) = (new float[count], new float[count]);
        for (int row = 0; row < count; row++)
        {
            int a = random.Next(5), b = random.Next(5);
            float number = (float)random.NextDouble();
            entries.AddRange([(row, a, 1f), (row, 5 + b, 1f), (row, 10, number)]);
            double signal = 2 * left[a] * right[b];
            numbers[row] = (float)signal + 0.5f * number;
            classes[row] = random.NextDouble() < 1 / (1 + Math.Exp(-4 * signal)) ? 1 : 0;
        }

        return (SparseMatrix.FromTriples(count, 11, entries), numbers, classes);
    }

    private static readonly int[] Fields = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2];

    private static (string Name, Func<int[], float[], float> Predict)[] Both(SparseMatrix rows, float[] targets, MachineOptions options)
    {
        var fm = FactorizationMachine.Fit(rows, targets, options);
        var ffm = FieldAwareFactorizationMachine.Fit(rows, Fields, targets, options);
        return [("FM", (i, x) => fm.Predict(i, x)), ("FFM", (i, x) => ffm.Predict(i, x))];
    }

    [Test]
    public void Products_of_categories_are_learned()
    {
        var train = Interactions(3000, 1);
        var test = Interactions(500, 2);
        foreach (var (name, predict) in Both(train.Rows, train.Numbers, Numbers))
        {
            double error = Enumerable.Range(0, 500).Average(r => Math.Pow(predict(test.Rows.RowIndices(r).ToArray(), test.Rows.RowValues(r).ToArray()) - test.Numbers[r], 2));
            error.ShouldBeLessThan(0.01, name);
        }
    }

    [Test]
    public void Classes_get_probabilities_that_beat_the_base_rate()
    {
        var train = Interactions(3000, 3);
        var test = Interactions(1000, 4);
        foreach (var (name, predict) in Both(train.Rows, train.Classes, new MachineOptions { Factors = 4 }))
        {
            var p = Enumerable.Range(0, 1000).Select(r => (double)predict(test.Rows.RowIndices(r).ToArray(), test.Rows.RowValues(r).ToArray())).ToArray();
            p.ShouldAllBe(x => x > 0 && x < 1);
            OKLA.ML.Algorithms.Evaluation.BinaryMetrics.RocAuc(p, test.Classes.Select(c => c > 0).ToArray()).ShouldBeGreaterThan(0.85, name);
        }
    }

    [Test]
    public void A_score_is_a_sum_of_terms_of_one_and_of_two_features()
    {
        // s(abc) = s(ab) + s(ac) + s(bc) − s(a) − s(b) − s(c) + s(), and a pair's term grows with the product of the values (Rendle 2010, eq. 1).
        var data = Interactions(500, 5);
        foreach (var (name, predict) in Both(data.Rows, data.Numbers, Numbers with { Iterations = 5 }))
        {
            float S(params (int I, float X)[] row) => predict([.. row.Select(r => r.I)], [.. row.Select(r => r.X)]);
            var (a, b, c) = ((1, 1f), (6, 2f), (10, 0.5f));
            S(a, b, c).ShouldBe(S(a, b) + S(a, c) + S(b, c) - S(a) - S(b) - S(c) + S(), 1e-4f, name);
            float pair = S((1, 1f), (6, 1f)) - S((1, 1f)) - S((6, 1f)) + S();
            (S((1, 2f), (6, 3f)) - S((1, 2f)) - S((6, 3f)) + S()).ShouldBe(6 * pair, 1e-4f, name);
            Math.Abs(pair).ShouldBeGreaterThan(0.01f, name);
        }
    }

    [Test]
    public void Early_stopping_answers_the_best_pass_on_the_validation_rows()
    {
        var train = Interactions(150, 6);
        var check = Interactions(400, 7);
        var losses = new List<double>();
        var options = new MachineOptions { Factors = 8, Iterations = 200, LearningRate = 0.5f, Patience = 4 };
        var fm = FactorizationMachine.Fit(train.Rows, train.Classes, options, new LabelledRows(check.Rows, check.Classes), new ImplicitAlsTests.Recorder(losses));

        losses.Count.ShouldBeLessThan(200);
        losses.IndexOf(losses.Min()).ShouldBe(losses.Count - 5);
        double loss = Enumerable.Range(0, 400).Average(r =>
        {
            double p = fm.Predict(check.Rows.RowIndices(r), check.Rows.RowValues(r));
            return -Math.Log(check.Classes[r] > 0 ? p : 1 - p);
        });
        loss.ShouldBe(losses.Min(), 1e-5);
    }

    [Test]
    public void Saved_machines_predict_as_before_and_unknown_features_are_ignored()
    {
        var data = Interactions(300, 8);
        var fm = FactorizationMachine.Fit(data.Rows, data.Classes, new MachineOptions { Factors = 4, Iterations = 2, Normalize = true });
        var ffm = FieldAwareFactorizationMachine.Fit(data.Rows, Fields, data.Classes, new MachineOptions { Factors = 4, Iterations = 2 });
        using var one = new MemoryStream();
        using var two = new MemoryStream();
        fm.Save(one);
        ffm.Save(two);
        one.Position = two.Position = 0;

        FactorizationMachine.Load(one).Predict([1, 7], [1, 1]).ShouldBe(fm.Predict([1, 7], [1, 1]));
        FieldAwareFactorizationMachine.Load(two).Predict([1, 7], [1, 1]).ShouldBe(ffm.Predict([1, 7], [1, 1]));
        ffm.Predict([1, 7, 99], [1, 1, 1]).ShouldBe(ffm.Predict([1, 7], [1, 1]));
    }

    [Test]
    public void A_target_that_is_no_class_or_a_missing_field_is_refused()
    {
        var data = Interactions(10, 9);
        Should.Throw<ArgumentException>(() => FactorizationMachine.Fit(data.Rows, data.Numbers));
        Should.Throw<ArgumentException>(() => FieldAwareFactorizationMachine.Fit(data.Rows, [0, 1], data.Classes));
    }
}
