using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>
/// Bayesian optimisation: a Gaussian process over the searched scale (Matérn 5/2, one length a parameter) and the point of largest expected improvement
/// (Jones, Schonlau and Welch 1998, equation 15), as Snoek, Larochelle and Adams (2012) have it. Categories take a dimension a name; parameters not in use
/// lie in the middle. For spaces of up to about ten parameters and one objective: time grows with the cube of the trials, of which the best and latest
/// are kept. Trials stopped early take no part.
/// </summary>
public sealed class GaussianProcessSampler : Sampler
{
    private const int MostTrials = 250;
    private const int Draws = 400;
    private const int LocalDraws = 100;
    private const int Refined = 3;
    private readonly int _startup;

    /// <summary>A sampler whose first <paramref name="startupTrials"/> trials are random.</summary>
    public GaussianProcessSampler(int startupTrials = 10)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(startupTrials, 2);
        _startup = startupTrials;
    }

    internal override double[] Suggest(SearchSpace space, IReadOnlyList<FinishedTrial> history, RandomSource random)
    {
        if (history.Count > 0 && history[0].Losses.Length > 1)
            throw new NotSupportedException("Expected improvement takes one objective; take TPE or NSGA-II for several.");
        history = [.. history.Where(trial => trial.Completed)];
        if (history.Count < _startup) return Random(space, random);
        var used = history.Count <= MostTrials ? history
            : [.. history.OrderBy(t => t.Losses[0]).Take(MostTrials / 2).Concat(history.TakeLast(MostTrials / 2)).Distinct().OrderBy(t => t.Number)];
        double[][] points = [.. used.Select(t => Point(space, t.Values))];
        var process = GaussianProcess.Fit(points, [.. used.Select(t => t.Losses[0])]);
        var leader = used.MinBy(t => t.Losses[0])!;
        var least = leader.Losses[0];

        var candidates = new List<(double[] Units, double[] Values, double Gain)>();
        void Try(double[] units)
        {
            var values = space.FromUnits(p => units[p]);
            candidates.Add((units, values, Gain(process, Point(space, values), least)));
        }
        var centre = Units(space, leader.Values);
        for (var i = 0; i < Draws; i++) Try([.. space.Parameters.Select(_ => random.NextDouble())]);
        for (var i = 0; i < LocalDraws; i++)
        {
            var reach = Math.Pow(10, -1 - 2 * random.NextDouble());
            Try([.. centre.Select(u => Math.Clamp(u + reach * Normal.InvCDF(0, 1, Math.Clamp(random.NextDouble(), 1e-12, 1 - 1e-12)), 0, 1))]);
        }
        var best = candidates.OrderByDescending(c => c.Gain).Take(Refined).Select(c => Refine(space, process, least, c)).MaxBy(c => c.Gain);
        return best.Values;
    }

    /// <summary>Steps along single parameters, halved when none helps.</summary>
    private static (double[] Units, double[] Values, double Gain) Refine(
        SearchSpace space, GaussianProcess process, double least, (double[] Units, double[] Values, double Gain) from)
    {
        for (var step = 0.1; step > 1e-4; step /= 2)
        {
            var moved = false;
            for (var p = 0; p < from.Units.Length; p++)
            {
                if (space.Parameters[p].IsCategorical || double.IsNaN(from.Values[p])) continue;
                foreach (var sign in (int[])[-1, 1])
                {
                    double[] units = [.. from.Units];
                    units[p] = Math.Clamp(units[p] + sign * step, 0, 1);
                    var values = space.FromUnits(k => units[k]);
                    var gain = Gain(process, Point(space, values), least);
                    if (!(gain > from.Gain)) continue;
                    (from, moved) = ((units, values, gain), true);
                }
            }
            if (moved) step *= 2;
            if (step > 0.4) step = 0.4;
        }
        return from;
    }

    /// <summary>
    /// The logarithm of the expected improvement, σ (φ(z) + z Φ(z)) with z = (best − μ)/σ; far out by its asymptote, so that hopeless points still compare.
    /// </summary>
    private static double Gain(GaussianProcess process, double[] point, double least)
    {
        var (mean, deviation) = process.Predict(point);
        var z = (least - mean) / deviation;
        var inner = z > -6 ? Math.Log(Normal.PDF(0, 1, z) + z * Normal.CDF(0, 1, z)) : -z * z / 2 - Math.Log(Math.Sqrt(2 * Math.PI)) - 2 * Math.Log(-z);
        return Math.Log(deviation) + inner;
    }

    private static double[] Units(SearchSpace space, double[] values) => [.. space.Parameters.Select((p, i) =>
        double.IsNaN(values[i]) ? 0.5 : p.IsCategorical ? (values[i] + 0.5) / p.Choices.Count : p.ToUnit(values[i]))];

    // Two different categories lie one apart, as the ends of a number do.
    private static double[] Point(SearchSpace space, double[] values) => [.. space.Parameters.SelectMany((p, i) =>
        p.IsCategorical ? Enumerable.Range(0, p.Choices.Count).Select(c => values[i] == c ? Math.Sqrt(0.5) : 0)
        : [double.IsNaN(values[i]) ? 0.5 : p.ToUnit(values[i])])];
}
