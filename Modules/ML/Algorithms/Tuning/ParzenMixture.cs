using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Trees;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>
/// A density over several parameters at once: a product kernel around each observation and a wide one over the whole space (Bergstra et al. 2011; Falkner,
/// Klein and Hutter 2018). Numbers have normal kernels cut to [0, 1] of the searched scale, whole numbers their mass within half a unit, categories a share
/// of the prior added to the one seen. The width is 0.2·n^(−1/(d+4)), at least 1 / min(100, n + 2).
/// </summary>
internal sealed class ParzenMixture
{
    private const double WidthAtOne = 0.2;
    private readonly Parameter[] _parameters;
    private readonly double[] _logWeights;
    private readonly double[] _cumulative;
    private readonly double _width;

    // By kernel and parameter: the centre in [0, 1] (a category: its place, −1 for the prior) and the logarithm of the kernel's constant.
    private readonly double[][] _centres;
    private readonly double[][] _constants;
    private readonly double _own;

    /// <summary>The density of <paramref name="observations"/> (by observation: one value a parameter) with these weights.</summary>
    public ParzenMixture(Parameter[] parameters, IReadOnlyList<double[]> observations, IReadOnlyList<double> weights, double priorWeight)
    {
        _parameters = parameters;
        int n = observations.Count, kernels = n + 1;
        _width = Math.Clamp(WidthAtOne * Math.Pow(Math.Max(1, n), -1.0 / (parameters.Length + 4)), 1.0 / Math.Min(100, kernels + 1), 1);
        _own = priorWeight / kernels;
        var total = weights.Sum() + priorWeight;
        _logWeights = new double[kernels];
        _cumulative = new double[kernels];
        _centres = new double[kernels][];
        _constants = new double[kernels][];
        double sum = 0;
        for (var k = 0; k < kernels; k++)
        {
            var weight = (k < n ? weights[k] : priorWeight) / total;
            _logWeights[k] = Math.Log(weight);
            _cumulative[k] = sum += weight;
            _centres[k] = [.. parameters.Select((p, d) => k == n ? p.IsCategorical ? -1 : 0.5 : p.IsCategorical ? observations[k][d] : p.ToUnit(observations[k][d]))];
            var width = Width(k);
            _constants[k] = [.. parameters.Select((p, d) =>
            {
                if (p.IsCategorical) return -Math.Log(1 + p.Choices.Count * _own);
                var mass = Mass(_centres[k][d], width, 0, 1);
                return p.IsInteger ? -Math.Log(mass) : -Math.Log(mass * width * Math.Sqrt(2 * Math.PI));
            })];
        }
    }

    /// <summary>Draws one value a parameter.</summary>
    public double[] Draw(ref RandomSource random)
    {
        var place = random.NextDouble();
        var kernel = Array.FindIndex(_cumulative, c => place < c);
        if (kernel < 0) kernel = _cumulative.Length - 1;
        var values = new double[_parameters.Length];
        for (var d = 0; d < values.Length; d++)
        {
            var (p, centre) = (_parameters[d], _centres[kernel][d]);
            var u = random.NextDouble();
            if (p.IsCategorical)
            {
                // With the prior's share any category, otherwise the one seen.
                var any = centre < 0 ? 1 : p.Choices.Count * _own / (1 + p.Choices.Count * _own);
                values[d] = u < any ? p.FromUnit(u / any) : centre;
                continue;
            }
            var width = Width(kernel);
            double low = Normal.CDF(0, 1, -centre / width), high = Normal.CDF(0, 1, (1 - centre) / width);
            values[d] = p.FromUnit(Math.Clamp(centre + width * Normal.InvCDF(0, 1, Math.Clamp(low + u * (high - low), 1e-15, 1 - 1e-15)), 0, 1));
        }
        return values;
    }

    /// <summary>The logarithm of the density at <paramref name="values"/>.</summary>
    public double LogDensity(double[] values)
    {
        var terms = new double[_logWeights.Length];
        var units = new double[values.Length];
        var (lows, highs) = (new double[values.Length], new double[values.Length]);
        for (var d = 0; d < values.Length; d++)
        {
            var p = _parameters[d];
            if (p.IsCategorical) continue;
            units[d] = p.ToUnit(values[d]);
            if (p.IsInteger) (lows[d], highs[d]) = (p.ToUnit(values[d] - 0.5), p.ToUnit(values[d] + 0.5));
        }
        var largest = double.NegativeInfinity;
        for (var k = 0; k < terms.Length; k++)
        {
            var term = _logWeights[k];
            var width = Width(k);
            for (var d = 0; d < values.Length; d++)
            {
                var p = _parameters[d];
                var centre = _centres[k][d];
                term += _constants[k][d];
                if (p.IsCategorical) term += centre < 0 ? Math.Log((1 + p.Choices.Count * _own) / p.Choices.Count) : Math.Log(_own + (values[d] == centre ? 1 : 0));
                else if (p.IsInteger) term += Math.Log(Math.Max(Mass(centre, width, lows[d], highs[d]), 1e-300));
                else term -= (units[d] - centre) * (units[d] - centre) / (2 * width * width);
            }
            terms[k] = term;
            largest = Math.Max(largest, term);
        }
        double sum = 0;
        foreach (var term in terms) sum += Math.Exp(term - largest);
        return largest + Math.Log(sum);
    }

    private double Width(int kernel) => kernel == _centres.Length - 1 ? 1 : _width;

    private static double Mass(double centre, double width, double low, double high)
    {
        var scale = width * Constants.Sqrt2;
        return (SpecialFunctions.Erf((high - centre) / scale) - SpecialFunctions.Erf((low - centre) / scale)) / 2;
    }
}
