using OKLA.ML.Algorithms.Neural;

namespace OKLA.ML.Algorithms.Tests.Neural;

public class AdamTests
{
    private static readonly AdamOptions Plain = new() { LearningRate = 0.1f, WeightDecay = 0 };

    [Test]
    public void Two_steps_are_those_of_algorithm_1()
    {
        // Kingma and Ba 2015, algorithm 1, α = 0.1, β = (0.9, 0.999), gradients 0.5 then −0.25, from θ = 1:
        // t = 1: m̂ = 0.5, v̂ = 0.25, θ = 1 − 0.1·0.5/0.5 = 0.9;
        // t = 2: m = 0.9·0.05 − 0.025 = 0.02, m̂ = 0.02/0.19, v = 0.999·0.00025 + 0.001·0.0625 = 0.00031225, v̂ = v/0.001999,
        //        θ = 0.9 − 0.1·0.105263/0.395225 = 0.873366.
        var parameter = new Parameter(1, 11, false, true);
        Array.Fill(parameter.Values, 1);
        var adam = new Adam(Plain, [parameter]);

        Array.Fill(parameter.Gradient, 0.5f);
        adam.Step();
        parameter.Values.ShouldAllBe(v => Math.Abs(v - 0.9) < 1e-6);
        parameter.Gradient.ShouldAllBe(g => g == 0);
        Array.Fill(parameter.Gradient, -0.25f);
        adam.Step();
        parameter.Values.ShouldAllBe(v => Math.Abs(v - 0.873366) < 1e-6);
    }

    [Test]
    public void Decay_is_the_same_however_large_the_gradient()
    {
        // Decoupled: θ = (1 − α·λ)·2 − α·1 = 1.98·… whatever |g|. As an L2 term in the gradient, the larger gradient would drown it.
        var parameter = new Parameter(1, 2, false, true);
        var bias = new Parameter(1, 1, false, false);
        (parameter.Values[0], parameter.Values[1], bias.Values[0]) = (2, 2, 2);
        (parameter.Gradient[0], parameter.Gradient[1], bias.Gradient[0]) = (0.01f, 100, 1);

        new Adam(Plain with { WeightDecay = 0.5f }, [parameter, bias]).Step();

        parameter.Values[0].ShouldBe(2 * 0.95f - 0.1f, 1e-5f);
        parameter.Values[1].ShouldBe(2 * 0.95f - 0.1f, 1e-5f);
        bias.Values[0].ShouldBe(1.9f, 1e-5f);
    }

    [Test]
    public void Rows_that_no_batch_reads_stay()
    {
        var table = new Parameter(3, 2, true, true);
        Array.Fill(table.Values, 1);
        var adam = new Adam(Plain with { WeightDecay = 0.1f }, [table]);

        for (var step = 0; step < 3; step++)
        {
            table.GradientRow(1).Fill(1);
            adam.Step();
        }
        table.Values[2..4].ShouldAllBe(v => v < 0.8f);
        table.Values[..2].ShouldBe([1, 1]);
        table.Values[4..].ShouldBe([1, 1]);

        // Nor does a row move on by its own momentum.
        var kept = table.Values.ToArray();
        table.GradientRow(0).Fill(1);
        adam.Step();
        table.Values[2..].ShouldBe(kept[2..]);
    }

    [Test]
    public void The_bottom_of_a_valley_is_found()
    {
        var parameter = new Parameter(1, 2, false, true);
        var adam = new Adam(Plain, [parameter]);
        for (var step = 0; step < 500; step++)
        {
            parameter.Gradient[0] = 2 * (parameter.Values[0] - 3);
            parameter.Gradient[1] = 200 * (parameter.Values[1] + 1);
            adam.Step();
        }
        parameter.Values.ShouldBe([3, -1], 0.01);
    }

    [Test]
    public void The_best_pass_is_kept_and_patience_ends_the_training()
    {
        var parameter = new Parameter(1, 1, false, true);
        var best = new BestWeights([parameter], 2);
        double[] losses = [3, 2, 2.5, 2];
        for (var pass = 1; pass <= 4; pass++)
        {
            parameter.Values[0] = pass;
            best.Observe(pass, losses[pass - 1]).ShouldBe(pass == 4);
        }
        best.Restore();
        best.BestPass.ShouldBe(2);
        parameter.Values[0].ShouldBe(2);
    }

    [Test]
    public void Settings_out_of_range_are_refused_by_name()
    {
        Should.Throw<ArgumentOutOfRangeException>(new AdamOptions { LearningRate = 0 }.Check).ParamName.ShouldBe("LearningRate");
        Should.Throw<ArgumentOutOfRangeException>(new AdamOptions { Beta2 = 1 }.Check).ParamName.ShouldBe("Beta2");
        Should.Throw<ArgumentOutOfRangeException>(new AdamOptions { WeightDecay = float.NaN }.Check).ParamName.ShouldBe("WeightDecay");
    }
}
