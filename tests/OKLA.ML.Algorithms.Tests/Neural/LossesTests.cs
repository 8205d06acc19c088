using OKLA.ML.Algorithms.Neural;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class LossesTests
{
    private static readonly float[] RowWeights = [1, 0.5f, 2, 1.5f];

    [Test]
    public void Binary_cross_entropy_gradients_equal_differences() =>
        Check(4, s => Losses.BinaryCrossEntropy(s, [0, 1, 1, 0], RowWeights));

    [Test]
    public void Squared_error_gradients_equal_differences() =>
        Check(4, s => Losses.SquaredError(s, [0.3f, -1, 2, 0], RowWeights));

    [Test]
    public void Softmax_gradients_equal_differences() =>
        Check(4 * 5, s => Losses.SoftmaxCrossEntropy(s, 5, [0, 4, 2, 2], RowWeights));

    [Test]
    public void Sampled_softmax_gradients_equal_differences() =>
        Check(4 * 6, s => Losses.SampledSoftmax(s, 6, [3, 0, 5, 3], [-1, -2, -0.5f, -3, -1.5f, 0], RowWeights));

    [Test]
    public void Losses_have_the_values_worked_out_by_hand()
    {
        // −ln σ(0) = ln 2; −ln(1 − σ(ln 3)) = ln 4: mean (ln 2 + ln 4)/2, slopes (0.5 − 1)/2 and 0.75/2.
        float[] scores = [0, MathF.Log(3)];
        Losses.BinaryCrossEntropy(scores, [1, 0], default).ShouldBe(1.5 * Math.Log(2), 1e-6);
        scores.ShouldBe([-0.25f, 0.375f], 1e-6);

        // ½(3² + 1²)/2.
        scores = [3, 1];
        Losses.SquaredError(scores, [0, 2], default).ShouldBe(2.5, 1e-6);
        scores.ShouldBe([1.5f, -0.5f], 1e-6);

        // Softmax of (ln 1, ln 2, ln 3) is (1, 2, 3)/6.
        scores = [0, MathF.Log(2), MathF.Log(3)];
        Losses.SoftmaxCrossEntropy(scores, 3, [2], default).ShouldBe(Math.Log(2), 1e-6);
        scores.ShouldBe([1 / 6f, 1 / 3f, -0.5f], 1e-6);

        // With ln q = (ln ½, ln ¼): the first counts half as much more, e⁰/½ = 2 against e⁰/¼ = 4; P(first) = 2/6.
        scores = [0, 0];
        Losses.SampledSoftmax(scores, 2, [0], [MathF.Log(0.5f), MathF.Log(0.25f)], default).ShouldBe(Math.Log(3), 1e-6);
        scores.ShouldBe([-2 / 3f, 2 / 3f], 1e-6);
    }

    [Test]
    public void A_column_taken_out_has_no_part_in_the_loss()
    {
        float[] scores = [1, float.NegativeInfinity, 1];
        Losses.SoftmaxCrossEntropy(scores, 3, [0], default).ShouldBe(Math.Log(2), 1e-6);
        scores.ShouldBe([-0.5f, 0, 0.5f], 1e-6);
    }

    [Test]
    public void Huge_scores_overflow_nowhere()
    {
        float[] scores = [1000, -1000];
        Losses.BinaryCrossEntropy(scores, [0, 1], default).ShouldBe(1000, 1e-3);
        scores.ShouldBe([0.5f, -0.5f]);
        scores = [1000, -1000];
        Losses.SoftmaxCrossEntropy(scores, 2, [1], default).ShouldBe(2000, 1e-3);
        scores.ShouldBe([1, -1]);
    }

    private delegate double Loss(Span<float> scores);

    private static void Check(int count, Loss loss)
    {
        var scores = GradientCheck.Numbers(count, 11);
        var gradient = scores.ToArray();
        loss(gradient);
        GradientCheck.ShouldMatch(gradient, scores, () => loss([.. scores]), "score");
    }
}
