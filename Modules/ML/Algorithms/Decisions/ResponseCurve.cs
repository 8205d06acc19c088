namespace OKLA.ML.Algorithms.Decisions;

/// <summary>Shape of a response to spend, with scale a and place b above 0.</summary>
public enum ResponseShape
{
    /// <summary>a·x/(b + x), Hill's with exponent 1, which is concave.</summary>
    Hill,

    /// <summary>a·ln(1 + x/b).</summary>
    Log,

    /// <summary>a·(1 − e^(−x/b)).</summary>
    Exponential,
}

/// <summary>A concave response curve, with the uncertainty of its two parameters when it was fitted.</summary>
/// <param name="Shape">Shape.</param>
/// <param name="Scale">Scale a, in results.</param>
/// <param name="Place">Place b, in money.</param>
public sealed record ResponseCurve(ResponseShape Shape, double Scale, double Place)
{
    /// <summary>Covariance of (ln a, ln b), 2 × 2 row by row; zeros where not fitted.</summary>
    public IReadOnlyList<double> LogCovariance { get; private init; } = [0, 0, 0, 0];

    /// <summary>Expected results of a spend of 0 or more.</summary>
    public double At(double spend) => Shape switch
    {
        ResponseShape.Hill => Scale * spend / (Place + spend),
        ResponseShape.Log => Scale * Math.Log(1 + spend / Place),
        _ => Scale * (1 - Math.Exp(-spend / Place)),
    };

    /// <summary>Expected results of one more unit of money.</summary>
    public double Slope(double spend) => Shape switch
    {
        ResponseShape.Hill => Scale * Place / ((Place + spend) * (Place + spend)),
        ResponseShape.Log => Scale / (Place + spend),
        _ => Scale / Place * Math.Exp(-spend / Place),
    };

    /// <summary>Standard error of <see cref="At"/> by the delta method on (ln a, ln b).</summary>
    public double StandardError(double spend)
    {
        // Every shape is a·g(x/b), so ∂/∂ln a is the value and ∂/∂ln b is −x times the slope.
        double da = At(spend), db = -spend * Slope(spend);
        return Math.Sqrt(Math.Max(0, da * da * LogCovariance[0] + 2 * da * db * LogCovariance[1] + db * db * LogCovariance[3]));
    }

    /// <summary>
    /// Least squares by Levenberg (1944) and Marquardt (1963) in (ln a, ln b), which keeps both positive. Needs 3 points, spends of 0 or more,
    /// and some positive result. The covariance is s²·(JᵀJ)⁻¹.
    /// </summary>
    public static ResponseCurve Fit(ReadOnlySpan<double> spends, ReadOnlySpan<double> results, ResponseShape shape)
    {
        if (spends.Length < 3 || spends.Length != results.Length) throw new ArgumentException("At least 3 spends and as many results.", nameof(spends));
        double[] x = spends.ToArray(), y = results.ToArray();
        if (x.Any(v => !(v >= 0) || double.IsInfinity(v)) || y.Any(v => !double.IsFinite(v)) || x.Max() == 0 || y.Max() <= 0)
            throw new ArgumentException("Spends are 0 or more, not all 0, and some result is positive.", nameof(spends));
        double a = Math.Log(y.Max()), b = Math.Log(x.Average() + 1e-12), damping = 1e-3, error = Error(a, b);
        for (int step = 0; step < 500 && damping < 1e12; step++)
        {
            var (aa, ab, bb, ga, gb) = Normal(a, b);
            double p = aa * (1 + damping), q = bb * (1 + damping) + 1e-300, determinant = p * q - ab * ab;
            double da = (q * ga - ab * gb) / determinant, db = (p * gb - ab * ga) / determinant;
            double next = Math.Abs(da) < 20 && Math.Abs(db) < 20 ? Error(a + da, b + db) : double.PositiveInfinity;
            if (!(next < error))
            {
                damping *= 10;
                continue;
            }

            bool done = error - next <= 1e-14 * error && Math.Abs(da) + Math.Abs(db) < 1e-9;
            (a, b, error, damping) = (a + da, b + db, next, Math.Max(damping / 10, 1e-12));
            if (done) break;
        }

        var (jaa, jab, jbb, _, _) = Normal(a, b);
        double variance = error / (x.Length - 2), d = jaa * jbb - jab * jab;
        double[] covariance = d > 0 ? [variance * jbb / d, -variance * jab / d, -variance * jab / d, variance * jaa / d]
            : [double.PositiveInfinity, 0, 0, double.PositiveInfinity];
        return new ResponseCurve(shape, Math.Exp(a), Math.Exp(b)) { LogCovariance = covariance };

        double Error(double la, double lb)
        {
            var curve = new ResponseCurve(shape, Math.Exp(la), Math.Exp(lb));
            double sum = 0;
            for (int i = 0; i < x.Length; i++) sum += (y[i] - curve.At(x[i])) * (y[i] - curve.At(x[i]));
            return sum;
        }

        (double Aa, double Ab, double Bb, double Ga, double Gb) Normal(double la, double lb)
        {
            var curve = new ResponseCurve(shape, Math.Exp(la), Math.Exp(lb));
            double aa = 0, ab = 0, bb = 0, ga = 0, gb = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double ja = curve.At(x[i]), jb = -x[i] * curve.Slope(x[i]), residual = y[i] - ja;
                aa += ja * ja;
                ab += ja * jb;
                bb += jb * jb;
                ga += ja * residual;
                gb += jb * residual;
            }

            return (aa, ab, bb, ga, gb);
        }
    }
}
