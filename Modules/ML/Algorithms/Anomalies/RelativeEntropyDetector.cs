namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>
/// Relative entropy (Wang, Viswanathan, Choudur, Talwar, Satterfield, Schwan 2011, section 4): the values of the last window, counted in equal bins, are
/// compared with every distribution accepted so far by the likelihood ratio 2·W·KL; when none is near, the window is anomalous and becomes a new distribution.
/// The score is how far beyond the critical value of χ² the nearest one is, 0 where a distribution fits that was seen often enough. The bins span the
/// smallest and the greatest value so far, redrawn when those move.
/// </summary>
public sealed class RelativeEntropyDetector : IStreamDetector
{
    private const int Window = 52, Bins = 5, Few = 1;

    // The 99 % point of χ² with 4 degrees of freedom.
    private const double Critical = 13.277;
    private readonly double[] _values = new double[Window];
    private readonly List<(double[] Shares, int Times)> _accepted = [];
    private double _least = double.PositiveInfinity, _most = double.NegativeInfinity;
    private long _seen;

    /// <inheritdoc />
    public double Next(double value, double seconds)
    {
        if (!double.IsFinite(value)) return 0;
        if (value < _least || value > _most)
        {
            (_least, _most) = (Math.Min(_least, value), Math.Max(_most, value));
            // Shares in other bins cannot be compared; what was accepted is learned anew.
            if (_seen < Window) _accepted.Clear();
        }

        _values[_seen++ % Window] = value;
        if (_seen < Window || _most <= _least) return 0;
        var shares = new double[Bins];
        foreach (double x in _values) shares[Math.Clamp((int)((x - _least) / (_most - _least) * Bins), 0, Bins - 1)] += 1.0 / Window;
        int nearest = -1;
        double distance = double.PositiveInfinity;
        for (int i = 0; i < _accepted.Count; i++)
        {
            double ratio = 2 * Window * Divergence(shares, _accepted[i].Shares);
            if (ratio < distance) (distance, nearest) = (ratio, i);
        }

        if (nearest >= 0 && distance < Critical)
        {
            _accepted[nearest] = (_accepted[nearest].Shares, _accepted[nearest].Times + 1);
            return _accepted[nearest].Times > Few ? 0 : 0.5;
        }

        bool first = _accepted.Count == 0;
        _accepted.Add((shares, 0));
        return first ? 0 : 1 - Critical / (2 * distance);
    }

    /// <summary>Kullback-Leibler in nats, shares smoothed so that an empty bin is no proof.</summary>
    private static double Divergence(double[] p, double[] q)
    {
        const double Smooth = 0.5 / Window;
        double sum = 0;
        for (int b = 0; b < Bins; b++) sum += p[b] > 0 ? p[b] * Math.Log((p[b] + Smooth) / (q[b] + Smooth)) : 0;
        return Math.Max(0, sum);
    }
}
