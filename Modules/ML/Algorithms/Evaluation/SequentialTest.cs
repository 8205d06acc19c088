namespace OKLA.ML.Algorithms.Evaluation;

/// <summary>Where a running comparison stands.</summary>
/// <param name="Difference">Mean of the second less mean of the first.</param>
/// <param name="PValue">Always-valid p-value: the smallest so far; may be looked at after every case.</param>
/// <param name="Lower">Lower end of the always-valid interval at this look.</param>
/// <param name="Upper">Upper end of the always-valid interval at this look.</param>
public readonly record struct SequentialOutcome(double Difference, double PValue, double Lower, double Upper);

/// <summary>
/// Mixture sequential probability ratio test (Johari, Koomen, Pekelis, Walsh 2017) of a difference of two means with a normal mixture N(0, τ²) over
/// effects. Error stays below 1 − level however often it is looked at. Holds the running minimum of its p-values, so keep one a comparison.
/// </summary>
public sealed class SequentialTest
{
    private readonly double tau2;
    private readonly double level;

    /// <summary>τ = <paramref name="expectedEffect"/>: the order of size of the differences that matter, in the measure's unit.</summary>
    public SequentialTest(double expectedEffect, double level = 0.95, double pValueSoFar = 1)
    {
        if (!(expectedEffect > 0)) throw new ArgumentOutOfRangeException(nameof(expectedEffect), expectedEffect, "The expected effect must be positive.");
        if (!(level is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "A level lies between 0 and 1.");
        tau2 = expectedEffect * expectedEffect;
        this.level = level;
        PValue = pValueSoFar;
    }

    /// <summary>The always-valid p-value so far; store it to go on after a restart.</summary>
    public double PValue { get; private set; }

    /// <summary>
    /// Looks at the data so far: means, sample variances and sizes of both arms. With s² = v₁/n₁ + v₂/n₂ the ratio is
    /// Λ = √(s²/(s² + τ²)) · exp(τ²δ² / (2s²(s² + τ²))) (eq. 11 for two streams), p = min(p, 1/Λ).
    /// </summary>
    public SequentialOutcome Look(double mean1, double variance1, long n1, double mean2, double variance2, long n2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(n2, 1);
        double difference = mean2 - mean1, s2 = variance1 / n1 + variance2 / n2;
        if (!(s2 > 0)) return new SequentialOutcome(difference, PValue, double.NegativeInfinity, double.PositiveInfinity);
        double logRatio = 0.5 * Math.Log(s2 / (s2 + tau2)) + tau2 * difference * difference / (2 * s2 * (s2 + tau2));
        PValue = Math.Min(PValue, Math.Exp(-logRatio));
        double half = Math.Sqrt(2 * s2 * (s2 + tau2) / tau2 * (-Math.Log(1 - level) + 0.5 * Math.Log((s2 + tau2) / s2)));
        return new SequentialOutcome(difference, PValue, difference - half, difference + half);
    }

    /// <summary>Looks at two conversion rates. An arm with no success (or only successes) so far counts half a case of each, so that its variance is not 0.</summary>
    public SequentialOutcome LookAtProportions(long successes1, long n1, long successes2, long n2)
    {
        var (p1, v1) = Rate(successes1, n1);
        var (p2, v2) = Rate(successes2, n2);
        return Look(p1, v1, n1, p2, v2, n2);
    }

    private static (double Mean, double Variance) Rate(long successes, long n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, n);
        double p = (double)successes / n;
        double q = successes == 0 || successes == n ? (successes + 0.5) / (n + 1) : p;
        return (p, q * (1 - q));
    }
}
