using MathNet.Numerics.LinearAlgebra;
using OKLA.ML.Algorithms.Factorization;

namespace OKLA.ML.Algorithms.Tests.Factorization;

public class ImplicitAlsTests
{
    private static readonly ImplicitAlsOptions Small = new() { Factors = 8, Regularization = 0.1f, Alpha = 5, Iterations = 10, Threads = 2 };

    [Test]
    public void The_objective_falls_with_every_pass()
    {
        var losses = new List<double>();
        ImplicitAls.Fit(Synthetic.Groups(120, 60, 4, 8, 1), Small, new Recorder(losses));

        losses.Count.ShouldBe(10);
        for (int i = 1; i < losses.Count; i++) losses[i].ShouldBeLessThan(losses[i - 1] * 1.0001);
    }

    [Test]
    public void The_reported_objective_is_that_of_the_definition()
    {
        // Sum over all pairs of c(p - x·y)² plus the norms, written out (Hu et al. 2008, eq. 3).
        var data = Synthetic.Groups(20, 12, 3, 4, 2);
        var options = Small with { Factors = 3, Iterations = 2, UnobservedWeight = 0.5f, FrequencyExponent = 0.5f };
        var losses = new List<double>();
        var model = ImplicitAls.Fit(data, options, new Recorder(losses));

        double expected = 0;
        var counts = data.ColumnCounts();
        for (int u = 0; u < 20; u++)
        {
            for (int i = 0; i < 12; i++)
            {
                bool seen = data.Contains(u, i);
                double error = (seen ? 1 : 0) - model.Score(u, i);
                expected += (0.5 + (seen ? 5 * data[u, i] : 0)) * error * error;
            }

            expected += 0.1 * Math.Sqrt(data.RowCount(u) + 0.5 * 12) * Norm(model.User(u));
        }

        for (int i = 0; i < 12; i++) expected += 0.1 * Math.Sqrt(counts[i] + 0.5 * 20) * Norm(model.Item(i));
        losses[^1].ShouldBe(expected, expected * 1e-4);
    }

    [Test]
    public void Unseen_items_of_the_own_taste_stand_above_others()
    {
        var data = Synthetic.Groups(200, 80, 4, 8, 3);
        var model = ImplicitAls.Fit(data, Small);

        Synthetic.GroupAuc(data, 4, model.Score).ShouldBeGreaterThan(0.9);
    }

    [Test]
    public void One_thread_and_four_give_the_same_bits()
    {
        var data = Synthetic.Groups(300, 90, 4, 8, 4);
        var one = ImplicitAls.Fit(data, Small with { Threads = 1, Iterations = 3 });
        var four = ImplicitAls.Fit(data, Small with { Threads = 4, Iterations = 3 });

        one.UserFactors.Span.SequenceEqual(four.UserFactors.Span).ShouldBeTrue();
        one.ItemFactors.Span.SequenceEqual(four.ItemFactors.Span).ShouldBeTrue();
    }

    [TestCase(5)]
    [TestCase(16)]
    [TestCase(64)]
    [TestCase(83)]
    public void A_fold_in_solves_the_users_normal_equations(int factors)
    {
        var data = Synthetic.Groups(60, 40, 4, 8, 5);
        var model = ImplicitAls.Fit(data, Small with { Factors = factors, Iterations = 2 });
        int[] history = [1, 5, 9];
        float[] weights = [1, 2, 3];

        // (YᵀCY + λI) x = YᵀCp (Hu et al. 2008, eq. 4), dense.
        var y = Matrix<double>.Build.Dense(40, factors, (i, f) => model.Item(i)[f]);
        var c = Vector<double>.Build.Dense(40, i => 1.0);
        var p = Vector<double>.Build.Dense(40);
        for (int k = 0; k < 3; k++) (c[history[k]], p[history[k]]) = (1 + 5 * weights[k], 1);
        var left = y.TransposeThisAndMultiply(Matrix<double>.Build.DiagonalOfDiagonalVector(c)) * y + 0.1f * Matrix<double>.Build.DenseIdentity(factors);
        var expected = left.Solve(y.TransposeThisAndMultiply(c.PointwiseMultiply(p)));

        var actual = model.FoldIn(history, weights);
        for (int f = 0; f < factors; f++) ((double)actual[f]).ShouldBe(expected[f], 1e-4);
    }

    [Test]
    public void Enough_passes_bring_a_trained_user_to_its_fold_in()
    {
        var data = Synthetic.Groups(60, 40, 4, 8, 6);
        var model = ImplicitAls.Fit(data, Small with { Iterations = 300, Factors = 4 });

        for (int u = 0; u < 10; u++)
        {
            var folded = model.FoldIn(data.RowIndices(u), data.RowValues(u));
            for (int i = 0; i < 40; i++) model.Score(folded, i).ShouldBe(model.Score(u, i), 5e-3f);
        }
    }

    [Test]
    public void The_contributions_of_a_history_add_up_to_the_score()
    {
        var data = Synthetic.Groups(60, 40, 4, 8, 7);
        var model = ImplicitAls.Fit(data, Small);
        int[] history = [0, 4, 11];
        float[] weights = [1, 3, 1];

        for (int item = 0; item < 40; item++)
        {
            var parts = model.Explain(history, weights, item);
            parts.Select(part => part.Item).ShouldBe(history);
            parts.Sum(part => part.Value).ShouldBe(model.Score(model.FoldIn(history, weights), item), 1e-5);
        }
    }

    [Test]
    public void The_own_group_of_a_history_explains_more_than_the_other()
    {
        var data = Synthetic.Groups(200, 40, 4, 8, 8);
        var model = ImplicitAls.Fit(data, Small);

        var parts = model.Explain([0, 5], default, 8);

        parts[0].Value.ShouldBeGreaterThan(parts[1].Value);
    }

    [Test]
    public void A_saved_model_reads_back_the_same_and_a_flipped_byte_is_noticed()
    {
        var model = ImplicitAls.Fit(Synthetic.Groups(30, 20, 2, 5, 9), Small with { Iterations = 1 });
        using var stream = new MemoryStream();
        model.Save(stream);

        stream.Position = 0;
        var again = FactorModel.Load(stream);
        again.UserFactors.Span.SequenceEqual(model.UserFactors.Span).ShouldBeTrue();
        again.ItemFactors.Span.SequenceEqual(model.ItemFactors.Span).ShouldBeTrue();
        again.Settings.ShouldBe(model.Settings);

        var bytes = stream.ToArray();
        foreach (int at in new[] { 0, 9, 14, 100, bytes.Length - 1 })
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x40;
            Should.Throw<InvalidDataException>(() => FactorModel.Load(new MemoryStream(damaged)), $"byte {at}");
        }

        Should.Throw<InvalidDataException>(() => FactorModel.Load(new MemoryStream(bytes, 0, bytes.Length / 2)));
    }

    [Test]
    public void A_cancelled_training_stops()
    {
        using var source = new CancellationTokenSource();
        var progress = new Cancelling(source);

        Should.Throw<OperationCanceledException>(() => ImplicitAls.Fit(Synthetic.Groups(50, 20, 2, 5, 10), Small with { Iterations = 1000 }, progress, source.Token));
        progress.Reports.ShouldBe(1);
    }

    [Test]
    public void A_user_without_history_has_the_zero_vector_and_wrong_settings_are_refused()
    {
        var data = SparseMatrix.FromTriples(2, 3, [(0, 1, 1f)]);
        ImplicitAls.Fit(data, Small).User(1).ToArray().ShouldAllBe(x => x == 0);
        Should.Throw<ArgumentOutOfRangeException>(() => ImplicitAls.Fit(data, Small with { Factors = 0 })).Message.ShouldContain("Factors");
        Should.Throw<ArgumentException>(() => ImplicitAls.Fit(SparseMatrix.FromTriples(1, 1, [(0, 0, -1f)]), Small));
    }

    private static double Norm(ReadOnlySpan<float> x)
    {
        double sum = 0;
        foreach (float value in x) sum += value * value;
        return sum;
    }

    internal sealed class Recorder(List<double> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => losses.Add(value.Loss);
    }

    private sealed class Cancelling(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public int Reports { get; private set; }

        public void Report(TrainingProgress value)
        {
            Reports++;
            source.Cancel();
        }
    }
}
