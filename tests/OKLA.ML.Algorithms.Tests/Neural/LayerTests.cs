using OKLA.ML.Algorithms.Neural;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class LayerTests
{
    [Test]
    public void Dense_gradients_equal_differences([Values] Activation activation)
    {
        // Inputs and weights are multiples of a half and biases an odd eighth, so no sum comes near ReLU's kink at 0.
        var layer = new DenseLayer(5, 19, activation, new Random(1), 1);
        var random = new Random(2);
        float Half() => random.Next(-2, 3) * 0.5f;
        var (weights, bias) = (layer.Parameters.First(), layer.Parameters.Last());
        for (var i = 0; i < weights.Values.Length; i++) weights.Values[i] = Half();
        Array.Fill(bias.Values, 0.125f);
        Check(layer, [.. Enumerable.Range(0, 7 * 5).Select(_ => Half())], 7);
    }

    [Test]
    public void Gelu_has_the_values_of_its_formula()
    {
        // ½z(1 + tanh(√(2/π)(z + 0.044715z³))): 0.841192 at 1, −0.158808 at −1, 0 at 0.
        var layer = new DenseLayer(1, 1, Activation.Gelu, new Random(1), 1);
        layer.Parameters.First().Values[0] = 1;
        var y = layer.Forward([1, -1, 0], 3, false);
        y[0].ShouldBe(0.841192f, 1e-5f);
        y[1].ShouldBe(-0.158808f, 1e-5f);
        y[2].ShouldBe(0);
    }

    [Test]
    public void Layer_normalisation_gradients_equal_differences()
    {
        var layer = new LayerNormLayer(9);
        GradientCheck.Numbers(9, 3).CopyTo(layer.Parameters.First().Values, 0);
        Check(layer, GradientCheck.Numbers(4 * 9, 4), 4);
    }

    [Test]
    public void Layer_normalisation_gives_mean_0_and_variance_1()
    {
        var y = new LayerNormLayer(4).Forward([1, 2, 3, 6], 1, false);
        // Mean 3, variance (4 + 1 + 0 + 9)/4 = 3.5.
        for (var i = 0; i < 4; i++) y[i].ShouldBe((new[] { 1, 2, 3, 6 }[i] - 3) / MathF.Sqrt(3.5f), 1e-4f);
    }

    [Test]
    public void Unit_length_gradients_equal_differences() => Check(new UnitLengthLayer(6), GradientCheck.Numbers(5 * 6, 5), 5);

    [Test]
    public void A_zero_row_has_no_direction_and_no_gradient()
    {
        var layer = new UnitLengthLayer(2);
        layer.Forward([0, 0, 3, 4], 2, true).AsSpan(0, 4).ToArray().ShouldBe([0, 0, 0.6f, 0.8f]);
        layer.Backward([1, 1, 1, 1], 2)[..2].ShouldBe([0, 0]);
    }

    [Test]
    public void Stacked_layers_pass_gradients_through()
    {
        var random = new Random(6);
        var stack = Stack.Hidden(4, [8, 6], Activation.Gelu, true, 0, 1, random, 1).Then(new DenseLayer(6, 3, Activation.None, random, 1));
        Check(stack, GradientCheck.Numbers(5 * 4, 7), 5);
    }

    [Test]
    public void Dropout_keeps_the_expectation_and_passes_gradients_where_it_passed_inputs()
    {
        const int count = 100_000;
        var layer = new DropoutLayer(100, 0.3f, 42, 0);
        var ones = Enumerable.Repeat(1f, count).ToArray();

        var y = layer.Forward(ones, count / 100, true).AsSpan(0, count).ToArray();

        // A kept input is divided by 0.7; the share kept has a standard error of √(0.21/100,000) = 0.0014.
        y.Distinct().Order().ToArray().ShouldBe([0, 1 / 0.7f], 1e-3);
        y.Count(v => v > 0).ShouldBeInRange(69_300, 70_700);
        y.Average().ShouldBe(1, 0.01f);
        layer.Backward([.. ones], count / 100).AsSpan(0, count).ToArray().ShouldBe(y);
        layer.Forward(ones, count / 100, true).AsSpan(0, count).ToArray().ShouldNotBe(y);
    }

    [Test]
    public void Dropout_changes_nothing_when_predicting()
    {
        var layer = new DropoutLayer(3, 0.5f, 42, 0);
        layer.Forward([1, 2, 3], 1, false).ShouldBe([1, 2, 3]);
        layer.Backward([4, 5, 6], 1).ShouldBe([4, 5, 6]);
    }

    [Test]
    public void Embedding_gradients_equal_differences_and_touch_only_the_rows_read()
    {
        var table = new Parameter(6, 3, true, true).Normal(1, new Random(8));
        var layer = new EmbeddingLayer(table);
        var bags = new Bags();
        bags.Add(1, 0.5f);
        bags.Add(4, -2);
        bags.Add(1, 1);
        bags.EndRow();
        bags.EndRow();
        bags.Add(0, 1);
        bags.EndRow();
        var coefficients = GradientCheck.Numbers(3 * 5, 9);
        var output = new float[3 * 5];
        double Loss()
        {
            layer.Forward(bags, output, 5, 2);
            return Enumerable.Range(0, 15).Sum(i => (double)coefficients[i] * output[i]);
        }

        Loss();
        output[5..10].ShouldAllBe(v => v == 0);
        layer.Backward(bags, coefficients, 5, 2);
        table.Touched.Order().ShouldBe([0, 1, 4]);
        GradientCheck.ShouldMatch([.. table.Gradient], table.Values, Loss, "table");
        table.ClearGradient();
        table.Gradient.ShouldAllBe(g => g == 0);
        table.Touched.ShouldBeEmpty();
    }

    [Test]
    public void A_shared_layer_answers_the_same_without_touching_the_first_ones_buffers()
    {
        var layer = new DenseLayer(2, 2, Activation.Relu, new Random(10), 1);
        var first = layer.Forward([1, 2], 1, true);
        var kept = first.ToArray();
        var shared = layer.Share();
        shared.Forward([1, 2], 1, false).ShouldBe(kept);
        shared.Forward([-5, 7], 1, false);
        first.ShouldBe(kept);
    }

    private static void Check(Layer layer, float[] input, int rows)
    {
        var coefficients = GradientCheck.Numbers(rows * layer.Outputs, 77);
        double Loss()
        {
            var y = layer.Forward(input, rows, true);
            double sum = 0;
            for (var i = 0; i < coefficients.Length; i++) sum += (double)coefficients[i] * y[i];
            return sum;
        }

        Loss();
        var inputGradient = layer.Backward([.. coefficients], rows).AsSpan(0, input.Length).ToArray();
        var parameters = layer.Parameters.ToArray();
        var gradients = parameters.Select(p => p.Gradient.ToArray()).ToArray();
        GradientCheck.ShouldMatch(inputGradient, input, Loss, "input");
        for (var p = 0; p < parameters.Length; p++) GradientCheck.ShouldMatch(gradients[p], parameters[p].Values, Loss, $"parameter {p}");
    }
}
