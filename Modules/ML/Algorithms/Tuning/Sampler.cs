using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>A finished trial as samplers see it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Values">One value a parameter, NaN where not in use.</param>
/// <param name="Losses">One number an objective, less is better.</param>
/// <param name="StoppedAt">The step it was stopped at early; the largest number for a completed trial.</param>
internal sealed record FinishedTrial(int Number, double[] Values, double[] Losses, int StoppedAt)
{
    public bool Completed => StoppedAt == int.MaxValue;
}

/// <summary>
/// Suggests parameters from the trials finished so far: <see cref="RandomSampler"/>, <see cref="TpeSampler"/>, <see cref="GaussianProcessSampler"/> or
/// <see cref="Nsga2Sampler"/>.
/// </summary>
public abstract class Sampler
{
    private protected Sampler()
    {
    }

    /// <summary>Values by parameter, NaN where not in use; decided by the arguments alone.</summary>
    internal abstract double[] Suggest(SearchSpace space, IReadOnlyList<FinishedTrial> history, RandomSource random);

    private protected static double[] Random(SearchSpace space, RandomSource random)
    {
        double[] units = [.. space.Parameters.Select(_ => random.NextDouble())];
        return space.FromUnits(p => units[p]);
    }
}

/// <summary>Independent draws (Bergstra and Bengio 2012).</summary>
public sealed class RandomSampler : Sampler
{
    internal override double[] Suggest(SearchSpace space, IReadOnlyList<FinishedTrial> history, RandomSource random) => Random(space, random);
}
