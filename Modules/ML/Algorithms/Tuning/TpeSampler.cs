using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>The knobs of <see cref="TpeSampler"/>.</summary>
public sealed record TpeOptions
{
    /// <summary>Trials drawn at random before the densities are believed.</summary>
    public int StartupTrials { get; init; } = 10;

    /// <summary>Share of the trials that count as good (γ); at most <see cref="MostGood"/> do.</summary>
    public double GoodShare { get; init; } = 0.1;

    /// <summary>Most trials that count as good.</summary>
    public int MostGood { get; init; } = 25;

    /// <summary>Draws from the good trials' density among which the best is taken.</summary>
    public int Candidates { get; init; } = 24;

    /// <summary>Weight of the kernel over the whole space beside 1 for a trial.</summary>
    public double PriorWeight { get; init; } = 1;

    /// <summary>So many latest trials weigh fully; older ones less, linearly.</summary>
    public int FullWeightTrials { get; init; } = 25;

    internal void Validate()
    {
        if (StartupTrials < 1 || !(GoodShare is > 0 and < 1) || MostGood < 1 || Candidates < 1 || !(PriorWeight > 0) || FullWeightTrials < 1)
            throw new ArgumentException("TPE options: a value is out of range.");
    }
}

/// <summary>
/// The tree-structured Parzen estimator (Bergstra et al. 2011, section 4; Bergstra, Yamins and Cox 2013) with one density over all parameters in use
/// together, as in BOHB (Falkner, Klein and Hutter 2018): the best share of the trials gives l(x), the others g(x), and of several draws from l the one
/// with the largest l(x) / g(x), which orders by expected improvement, is suggested. Parameters under a condition have a density of their own, of the
/// trials that used them. Trials stopped early rank behind those that went further. With several objectives trials are ordered by domination and then by
/// crowding (Deb et al. 2002).
/// </summary>
public sealed class TpeSampler : Sampler
{
    private readonly TpeOptions _options;

    /// <summary>A sampler with these knobs.</summary>
    /// <exception cref="ArgumentException">A knob is out of range.</exception>
    public TpeSampler(TpeOptions? options = null)
    {
        _options = options ?? new TpeOptions();
        _options.Validate();
    }

    internal override double[] Suggest(SearchSpace space, IReadOnlyList<FinishedTrial> history, RandomSource random)
    {
        if (history.Count < _options.StartupTrials) return Random(space, random);
        var ordered = Domination.Order(history);
        var values = new double[space.Parameters.Count];
        Array.Fill(values, double.NaN);
        foreach (var group in space.Groups())
        {
            if (!space.IsActive(group[0], values)) continue;
            FinishedTrial[] users = [.. ordered.Where(trial => !double.IsNaN(trial.Values[group[0]]))];
            var good = Math.Min((int)Math.Ceiling(_options.GoodShare * users.Length), _options.MostGood);
            Parameter[] parameters = [.. group.Select(p => space.Parameters[p])];
            var better = Density(parameters, group, users.AsSpan(0, good));
            var worse = Density(parameters, group, users.AsSpan(good));
            var best = double.NegativeInfinity;
            double[] chosen = [];
            for (var c = 0; c < _options.Candidates; c++)
            {
                var draw = better.Draw(ref random);
                var gain = better.LogDensity(draw) - worse.LogDensity(draw);
                if (!(gain > best) && chosen.Length > 0) continue;
                (best, chosen) = (gain, draw);
            }
            for (var i = 0; i < group.Length; i++) values[group[i]] = chosen[i];
        }
        return values;
    }

    private ParzenMixture Density(Parameter[] parameters, int[] group, ReadOnlySpan<FinishedTrial> trials)
    {
        var byAge = trials.ToArray().OrderBy(trial => trial.Number).ToArray();
        var old = byAge.Length - _options.FullWeightTrials;
        // The oldest weighs 1/n, rising evenly to 1.
        double[] weights = [.. byAge.Select((_, i) => i >= old ? 1 : old == 1 ? 1.0 / byAge.Length : 1.0 / byAge.Length + (1 - 1.0 / byAge.Length) * i / (old - 1))];
        return new ParzenMixture(parameters, [.. byAge.Select(trial => group.Select(p => trial.Values[p]).ToArray())], weights, _options.PriorWeight);
    }
}
