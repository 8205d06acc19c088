using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>
/// NSGA-II (Deb et al. 2002) for several objectives: each population's worth of finished trials is a generation; the best of it and of the parents before
/// are the parents of the next, paired by tournament, with simulated binary crossover and polynomial mutation (Deb and Agrawal 1995) on the searched scale.
/// </summary>
public sealed class Nsga2Sampler : Sampler
{
    private readonly int _population;
    private readonly double _crossover;
    private readonly double _spread;

    /// <summary>A sampler with <paramref name="population"/> trials a generation, a chance of <paramref name="crossover"/> to mix two parents, and
    /// the distribution
    /// index <paramref name="spread"/> (larger: children nearer to their parents).</summary>
    public Nsga2Sampler(int population = 40, double crossover = 0.9, double spread = 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(population, 4);
        if (!(crossover is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(crossover), crossover, "A chance lies between 0 and 1.");
        if (!(spread > 0)) throw new ArgumentOutOfRangeException(nameof(spread), spread, "The index must be positive.");
        (_population, _crossover, _spread) = (population, crossover, spread);
    }

    internal override double[] Suggest(SearchSpace space, IReadOnlyList<FinishedTrial> history, RandomSource random)
    {
        var generations = history.Count / _population;
        if (generations == 0) return Random(space, random);
        List<FinishedTrial> parents = [];
        for (var g = 0; g < generations; g++) parents = [.. Domination.Order([.. parents, .. history.Skip(g * _population).Take(_population)]).Take(_population)];
        // Parents are in order, so that a tournament is won by the smaller place.
        var first = parents[Math.Min(random.NextInt(parents.Count), random.NextInt(parents.Count))].Values;
        var second = parents[Math.Min(random.NextInt(parents.Count), random.NextInt(parents.Count))].Values;
        var mixed = random.NextDouble() < _crossover;
        var units = new double[space.Parameters.Count];
        for (var p = 0; p < units.Length; p++)
        {
            var parameter = space.Parameters[p];
            double a = Unit(parameter, first[p], ref random), b = Unit(parameter, second[p], ref random);
            if (parameter.IsCategorical) units[p] = mixed && random.NextDouble() < 0.5 ? b : a;
            else units[p] = mixed ? Cross(a, b, ref random) : a;
            if (random.NextDouble() < 1.0 / units.Length) units[p] = parameter.IsCategorical ? random.NextDouble() : Mutate(units[p], ref random);
        }
        return space.FromUnits(p => units[p]);
    }

    // A value that a parent had no use for is drawn anew.
    private static double Unit(Parameter parameter, double value, ref RandomSource random) => double.IsNaN(value) ? random.NextDouble()
        : parameter.IsCategorical ? (value + 0.5) / parameter.Choices.Count
        : parameter.ToUnit(value);

    private double Cross(double a, double b, ref RandomSource random)
    {
        var u = random.NextDouble();
        var beta = u <= 0.5 ? Math.Pow(2 * u, 1 / (_spread + 1)) : Math.Pow(1 / (2 * (1 - u)), 1 / (_spread + 1));
        var child = random.NextDouble() < 0.5 ? ((1 + beta) * a + (1 - beta) * b) / 2 : ((1 - beta) * a + (1 + beta) * b) / 2;
        return Math.Clamp(child, 0, 1);
    }

    private double Mutate(double value, ref RandomSource random)
    {
        var u = random.NextDouble();
        var step = u < 0.5 ? Math.Pow(2 * u, 1 / (_spread + 1)) - 1 : 1 - Math.Pow(2 * (1 - u), 1 / (_spread + 1));
        return Math.Clamp(value + step, 0, 1);
    }
}
