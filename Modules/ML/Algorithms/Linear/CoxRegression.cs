using System.Numerics.Tensors;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>Settings of <see cref="CoxRegression"/>.</summary>
public sealed record CoxOptions
{
    /// <summary>λ of −log likelihood + λ|β|²/2, 0 or more.</summary>
    public double Regularization { get; init; } = 1e-4;

    /// <summary>Most steps of L-BFGS.</summary>
    public int MaxIterations { get; init; } = 500;

    /// <summary>Largest slope of the mean objective at the end.</summary>
    public double Tolerance { get; init; } = 1e-8;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }
}

/// <summary>
/// Cox's proportional hazards (1972): h(t | x) = h₀(t)·e^(β·x) for durations that may be right-censored, ties by Efron's approximation (1977), fitted by L-BFGS
/// in O(rows) a step after one sort; the baseline hazard by Efron's estimator. Immutable, safe for many threads.
/// </summary>
public sealed class CoxRegression
{
    private const string Kind = "OKCX";
    private readonly LinearWeights _weights;
    private readonly double[] _times;
    private readonly double[] _hazard;

    private CoxRegression(LinearWeights weights, double[] times, double[] hazard, double logLikelihood)
    {
        _weights = weights;
        _times = times;
        _hazard = hazard;
        LogLikelihood = logLikelihood;
    }

    /// <summary>The encoding of tables.</summary>
    public LinearInputs Inputs => _weights.Inputs!;

    /// <summary>Log hazard ratios, one a feature (of standardised numbers: for one standard deviation).</summary>
    public ReadOnlySpan<double> Weights => _weights.Values;

    /// <summary>Log partial likelihood at the answer, without the penalty.</summary>
    public double LogLikelihood { get; }

    /// <summary>Trains on durations above or at 0 and whether each ended by the event (false: still going when last seen).</summary>
    /// <exception cref="ArgumentException">Lengths differ, a duration is negative or not finite, or nothing happened.</exception>
    public static CoxRegression Fit(Dataset x, float[] durations, bool[] happened, CoxOptions? options = null, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new CoxOptions();
        Require.Between(options.Regularization, 0, 1e12);
        CheckDurations(durations, happened, x.RowCount);
        if (!happened.Contains(true)) throw new ArgumentException("No event was observed.", nameof(happened));
        var w = Checks.WeightsOrOnes(weights, x.RowCount);
        var inputs = LinearInputs.Fit(x, weights);
        var design = new TableDesign(inputs, x, options.Threads);
        var likelihood = new PartialLikelihood(durations, happened, w);
        double total = TensorPrimitives.Sum<double>(w), logLikelihood = 0;
        double[] beta = new double[inputs.Count], scores = new double[x.RowCount], residuals = new double[x.RowCount];
        double Objective(double[] b, double[] gradient)
        {
            design.Multiply(b, 0, scores, 0);
            logLikelihood = likelihood.Evaluate(scores, residuals);
            design.MultiplyTransposed(residuals, 0, gradient, 0);
            TensorPrimitives.MultiplyAdd<double>(b, options.Regularization, gradient, gradient);
            TensorPrimitives.Multiply(gradient, 1 / total, gradient);
            return (options.Regularization / 2 * TensorPrimitives.SumOfSquares<double>(b) - logLikelihood) / total;
        }
        Lbfgs.Minimize(Objective, beta, options.MaxIterations, options.Tolerance, cancellation: cancellation);
        Objective(beta, new double[inputs.Count]);
        var (times, hazard) = likelihood.Baseline(scores);
        return new CoxRegression(new LinearWeights(inputs, inputs.Count, beta, [0]), times, hazard, logLikelihood);
    }

    /// <summary>β·x, the log of the hazard against the baseline's; higher is sooner.</summary>
    public double[] Risk(Dataset x) => _weights.Scores(x);

    /// <summary>P(T > t) of one row as <see cref="Dataset.CopyRow"/> gives it.</summary>
    public SurvivalCurve Curve(ReadOnlySpan<float> row)
    {
        Span<double> score = stackalloc double[1];
        _weights.ScoreRow(row, score);
        var ratio = Math.Exp(score[0]);
        var survival = new double[_times.Length];
        for (var k = 0; k < survival.Length; k++) survival[k] = Math.Exp(-_hazard[k] * ratio);
        return new SurvivalCurve(_times, survival);
    }

    /// <summary>The median duration of each row, in the training's unit; infinity where more than half outlast all times seen.</summary>
    public double[] Medians(Dataset x)
    {
        var result = Risk(x);
        for (var i = 0; i < result.Length; i++)
        {
            // S₀(t)^ratio ≤ ½ from the first time with cumulative hazard ≥ ln 2 / ratio.
            var at = Array.BinarySearch(_hazard, Math.Log(2) / Math.Exp(result[i]));
            at = at < 0 ? ~at : at;
            result[i] = at < _times.Length ? _times[at] : double.PositiveInfinity;
        }
        return result;
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        _weights.Write(writer);
        writer.Write(LogLikelihood);
        writer.Write(_times.Length);
        for (var k = 0; k < _times.Length; k++)
        {
            writer.Write(_times[k]);
            writer.Write(_hazard[k]);
        }
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static CoxRegression Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var weights = LinearWeights.Read(reader);
        var logLikelihood = reader.ReadDouble();
        var times = new double[reader.ReadInt32()];
        var hazard = new double[times.Length];
        for (var k = 0; k < times.Length; k++) (times[k], hazard[k]) = (reader.ReadDouble(), reader.ReadDouble());
        return new CoxRegression(weights, times, hazard, logLikelihood);
    });

    internal static void CheckDurations(float[] durations, bool[] happened, int rows)
    {
        ArgumentNullException.ThrowIfNull(durations);
        ArgumentNullException.ThrowIfNull(happened);
        if (rows == 0 || durations.Length != rows || happened.Length != rows) throw new ArgumentException($"{rows} rows, {durations.Length} durations, {happened.Length} outcomes.", nameof(durations));
        if (durations.Any(t => !(t >= 0) || float.IsInfinity(t))) throw new ArgumentException("Durations must be finite and at least 0.", nameof(durations));
    }
}

/// <summary>The partial likelihood over rows in falling order of time, so that the set at risk only grows.</summary>
internal sealed class PartialLikelihood
{
    private readonly int[] _order;
    private readonly float[] _durations;
    private readonly bool[] _happened;
    private readonly double[] _weights;
    private readonly double[] _risks;

    public PartialLikelihood(float[] durations, bool[] happened, double[] weights)
    {
        (_durations, _happened, _weights) = (durations, happened, weights);
        _order = [.. Enumerable.Range(0, durations.Length).OrderByDescending(i => durations[i])];
        _risks = new double[durations.Length];
    }

    /// <summary>Log likelihood of scores η, and −∂/∂η into <paramref name="residuals"/>.</summary>
    public double Evaluate(double[] scores, double[] residuals)
    {
        var highest = Risks(scores);
        double value = 0;
        // Each tie adds (a, b) to the hazard sums: all at risk get a·risk, those who had the event at that time only b·risk (Efron's share).
        var groups = Groups();
        double later = 0;
        for (var g = groups.Count - 1; g >= 0; g--)
        {
            var (from, to, sum, dead, mass, deaths) = groups[g];
            double all = 0, own = 0;
            for (var l = 0; l < deaths; l++)
            {
                var share = (double)l / deaths;
                var denominator = sum - share * dead;
                value -= mass / deaths * (Math.Log(denominator) + highest);
                all += mass / deaths / denominator;
                own += mass / deaths * (1 - share) / denominator;
            }
            // Groups go from the earliest time on here: whoever is at risk now collected all that came before.
            for (var k = from; k < to; k++)
            {
                var i = _order[k];
                residuals[i] = _risks[i] * (later + (_happened[i] ? own : all));
                if (!_happened[i]) continue;
                residuals[i] -= _weights[i];
                value += _weights[i] * scores[i];
            }
            later += all;
        }
        return value;
    }

    /// <summary>Event times, ascending, and Efron's cumulative baseline hazard there.</summary>
    public (double[] Times, double[] Hazard) Baseline(double[] scores)
    {
        var highest = Risks(scores);
        var (times, hazards) = (new List<double>(), new List<double>());
        double cumulative = 0;
        var groups = Groups();
        for (var g = groups.Count - 1; g >= 0; g--)
        {
            var (from, _, sum, dead, mass, deaths) = groups[g];
            if (mass == 0) continue;
            for (var l = 0; l < deaths; l++) cumulative += mass / deaths / (sum - (double)l / deaths * dead) * Math.Exp(-highest);
            times.Add(_durations[_order[from]]);
            hazards.Add(cumulative);
        }
        return ([.. times], [.. hazards]);
    }

    private double Risks(double[] scores)
    {
        var highest = TensorPrimitives.Max<double>(scores);
        for (var i = 0; i < scores.Length; i++) _risks[i] = _weights[i] * Math.Exp(scores[i] - highest);
        return highest;
    }

    /// <summary>Runs of equal time, latest first: range, Σ risk of all at risk, Σ risk and Σ weight of those with the event, and their number.</summary>
    private List<(int From, int To, double Sum, double Dead, double Mass, int Deaths)> Groups()
    {
        var groups = new List<(int, int, double, double, double, int)>();
        double sum = 0;
        for (var k = 0; k < _order.Length;)
        {
            var from = k;
            double dead = 0, mass = 0;
            var deaths = 0;
            for (; k < _order.Length && _durations[_order[k]] == _durations[_order[from]]; k++)
            {
                var i = _order[k];
                sum += _risks[i];
                if (!_happened[i] || _weights[i] == 0) continue;
                dead += _risks[i];
                mass += _weights[i];
                deaths++;
            }
            groups.Add((from, k, sum, dead, mass, deaths));
        }
        return groups;
    }
}
