using System.Numerics.Tensors;
using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using OKLA.ML.Algorithms.Factorization;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>The distribution of durations.</summary>
public enum FailureDistribution
{
    /// <summary>Weibull: ε is Gumbel's of minima.</summary>
    Weibull,

    /// <summary>Log-normal: ε is standard normal.</summary>
    LogNormal,

    /// <summary>Log-logistic: ε is logistic.</summary>
    LogLogistic,
}

/// <summary>Settings of <see cref="AcceleratedFailureTime"/>.</summary>
public sealed record AcceleratedFailureOptions
{
    /// <summary>The distribution of durations.</summary>
    public FailureDistribution Distribution { get; init; } = FailureDistribution.LogNormal;

    /// <summary>λ of −log likelihood + λ|β|²/2, 0 or more; intercept and scale are free.</summary>
    public double Regularization { get; init; } = 1e-4;

    /// <summary>Most steps of L-BFGS.</summary>
    public int MaxIterations { get; init; } = 500;

    /// <summary>Largest slope of the mean objective at the end.</summary>
    public double Tolerance { get; init; } = 1e-8;

    /// <summary>Threads, 0 for one a core; the result does not depend on it.</summary>
    public int Threads { get; init; }
}

/// <summary>
/// log T = β·x + b + σ·ε for durations that may be right-censored (Kalbfleisch and Prentice 2002, ch. 2.3 and 3.6), by maximum likelihood with L-BFGS.
/// Immutable, safe for many threads.
/// </summary>
public sealed class AcceleratedFailureTime
{
    private const string Kind = "OKAF";
    private readonly LinearWeights _weights;

    private AcceleratedFailureTime(LinearWeights weights, FailureDistribution distribution, double scale, double logLikelihood)
    {
        _weights = weights;
        Distribution = distribution;
        Scale = scale;
        LogLikelihood = logLikelihood;
    }

    /// <summary>The distribution of durations.</summary>
    public FailureDistribution Distribution { get; }

    /// <summary>σ; of a Weibull, one over the shape.</summary>
    public double Scale { get; }

    /// <summary>Log likelihood of the durations at the answer, without the penalty.</summary>
    public double LogLikelihood { get; }

    /// <summary>The encoding of tables.</summary>
    public LinearInputs Inputs => _weights.Inputs!;

    /// <summary>β, one a feature: how the logarithm of the duration moves.</summary>
    public ReadOnlySpan<double> Weights => _weights.Values;

    /// <summary>b.</summary>
    public double Intercept => _weights.Intercepts[0];

    /// <summary>Trains on durations above 0 and whether each ended by the event (false: still going when last seen).</summary>
    /// <exception cref="ArgumentException">Lengths differ, a duration is not above 0 or not finite, or nothing happened.</exception>
    public static AcceleratedFailureTime Fit(
        Dataset x, float[] durations, bool[] happened, AcceleratedFailureOptions? options = null, float[]? weights = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        options ??= new AcceleratedFailureOptions();
        Require.Between(options.Regularization, 0, 1e12);
        if (!Enum.IsDefined(options.Distribution)) throw new ArgumentOutOfRangeException(nameof(options), $"Unknown distribution {options.Distribution}.");
        CoxRegression.CheckDurations(durations, happened, x.RowCount);
        if (durations.Contains(0)) throw new ArgumentException("Durations must be above 0.", nameof(durations));
        if (!happened.Contains(true)) throw new ArgumentException("No event was observed.", nameof(happened));
        var w = Checks.WeightsOrOnes(weights, x.RowCount);
        var inputs = LinearInputs.Fit(x, weights);
        var design = new TableDesign(inputs, x, options.Threads);
        int n = x.RowCount, p = inputs.Count;
        var logs = new double[n];
        for (var i = 0; i < n; i++) logs[i] = Math.Log(durations[i]);
        double total = TensorPrimitives.Sum<double>(w), logLikelihood = 0;

        // Parameters: β, then b, then log σ. Started at the mean and deviation of the logarithms.
        var parameters = new double[p + 2];
        parameters[p] = logs.Zip(w, (t, weight) => t * weight).Sum() / total;
        parameters[p + 1] = Math.Log(Math.Max(1e-3, Math.Sqrt(logs.Zip(w, (t, weight) => weight * (t - parameters[p]) * (t - parameters[p])).Sum() / total)));
        double[] scores = new double[n], residuals = new double[n];
        double Objective(double[] theta, double[] gradient)
        {
            design.Multiply(theta, 0, scores, 0);
            var sigma = Math.Exp(theta[p + 1]);
            double sum = 0, bySigma = 0;
            for (var i = 0; i < n; i++)
            {
                var z = (logs[i] - scores[i] - theta[p]) / sigma;
                var (value, slope) = happened[i] ? LogDensity(options.Distribution, z) : LogSurvival(options.Distribution, z);
                sum += w[i] * (happened[i] ? value - theta[p + 1] - logs[i] : value);
                residuals[i] = w[i] * slope / sigma;
                bySigma += w[i] * (slope * z + (happened[i] ? 1 : 0));
            }
            logLikelihood = sum;
            design.MultiplyTransposed(residuals, 0, gradient, 0);
            gradient[p] = TensorPrimitives.Sum<double>(residuals);
            gradient[p + 1] = bySigma;
            for (var j = 0; j < p; j++) gradient[j] += options.Regularization * theta[j];
            TensorPrimitives.Multiply(gradient, 1 / total, gradient);
            return (options.Regularization / 2 * TensorPrimitives.SumOfSquares<double>(theta.AsSpan(0, p)) - sum) / total;
        }
        Lbfgs.Minimize(Objective, parameters, options.MaxIterations, options.Tolerance, cancellation: cancellation);
        Objective(parameters, new double[p + 2]);
        return new AcceleratedFailureTime(new LinearWeights(inputs, p, parameters[..p], [parameters[p]]), options.Distribution, Math.Exp(parameters[p + 1]), logLikelihood);
    }

    /// <summary>The median duration of each row, in the training's unit.</summary>
    public double[] Medians(Dataset x)
    {
        var result = _weights.Scores(x);
        var shift = Scale * Quantile(0.5);
        for (var i = 0; i < result.Length; i++) result[i] = Math.Exp(result[i] + shift);
        return result;
    }

    /// <summary>The time by which a row (as <see cref="Dataset.CopyRow"/> gives it) has had the event with probability <paramref name="share"/>, above 0 and below 1.</summary>
    public double Quantile(ReadOnlySpan<float> row, double share)
    {
        if (!(share > 0 && share < 1)) throw new ArgumentOutOfRangeException(nameof(share), "The share lies between 0 and 1.");
        return Math.Exp(Score(row) + Scale * Quantile(share));
    }

    /// <summary>P(T > time) of a row.</summary>
    public double Survival(ReadOnlySpan<float> row, double time) =>
        time <= 0 ? 1 : Math.Exp(LogSurvival(Distribution, (Math.Log(time) - Score(row)) / Scale).Value);

    /// <summary>P(T > t) of a row at ascending times.</summary>
    public SurvivalCurve Curve(ReadOnlySpan<float> row, IReadOnlyList<double> times)
    {
        ArgumentNullException.ThrowIfNull(times);
        var survival = new double[times.Count];
        for (var k = 0; k < survival.Length; k++) survival[k] = Survival(row, times[k]);
        return new SurvivalCurve(times, survival);
    }

    /// <summary>Writes the model (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write((byte)Distribution);
        writer.Write(Scale);
        writer.Write(LogLikelihood);
        _weights.Write(writer);
    });

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static AcceleratedFailureTime Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var distribution = (FailureDistribution)reader.ReadByte();
        if (!Enum.IsDefined(distribution)) throw new InvalidDataException($"Unknown distribution {distribution}.");
        double scale = reader.ReadDouble(), logLikelihood = reader.ReadDouble();
        return new AcceleratedFailureTime(LinearWeights.Read(reader), distribution, scale, logLikelihood);
    });

    private double Score(ReadOnlySpan<float> row)
    {
        Span<double> score = stackalloc double[1];
        _weights.ScoreRow(row, score);
        return score[0];
    }

    private double Quantile(double share) => Distribution switch
    {
        FailureDistribution.Weibull => Math.Log(-Math.Log(1 - share)),
        FailureDistribution.LogNormal => Normal.InvCDF(0, 1, share),
        _ => Math.Log(share / (1 - share)),
    };

    /// <summary>log f(z) of ε and its slope.</summary>
    private static (double Value, double Slope) LogDensity(FailureDistribution distribution, double z)
    {
        switch (distribution)
        {
            case FailureDistribution.Weibull:
                var e = Math.Exp(z);
                return (z - e, 1 - e);
            case FailureDistribution.LogNormal:
                return (-0.5 * z * z - 0.5 * Math.Log(2 * Math.PI), -z);
            default:
                return (z - 2 * Softplus(z), 1 - 2 * LinearClassifierModel.Sigmoid(z));
        }
    }

    /// <summary>log P(ε > z) and its slope.</summary>
    private static (double Value, double Slope) LogSurvival(FailureDistribution distribution, double z)
    {
        switch (distribution)
        {
            case FailureDistribution.Weibull:
                var e = Math.Exp(z);
                return (-e, -e);
            case FailureDistribution.LogNormal:
                // Far out the tail is φ(z)/z·(1 − 1/z² + 3/z⁴), where erfc has underflowed (Abramowitz and Stegun 26.2.12).
                var density = -0.5 * z * z - 0.5 * Math.Log(2 * Math.PI);
                var tail = z < 20 ? Math.Log(0.5 * SpecialFunctions.Erfc(z / Math.Sqrt(2))) : density - Math.Log(z) + Math.Log(1 - 1 / (z * z) + 3 / (z * z * z * z));
                return (tail, -Math.Exp(density - tail));
            default:
                return (-Softplus(z), -LinearClassifierModel.Sigmoid(z));
        }
    }

    private static double Softplus(double z) => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));
}
