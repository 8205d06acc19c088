namespace OKLA.ML.Algorithms.Drift;

/// <summary>What a drift detector says after a value.</summary>
public enum DriftState
{
    /// <summary>Nothing to see.</summary>
    Stable,

    /// <summary>Perhaps: begin to keep data for a new model.</summary>
    Warning,

    /// <summary>The distribution has changed; the detector has begun anew.</summary>
    Drift,
}

/// <summary>Drift detection method on a stream of errors (Gama, Medas, Castillo, Rodrigues 2004): warns at 2, alarms at 3 deviations above the least error rate.</summary>
public sealed class Ddm
{
    private const int LeastCases = 30;
    private long _cases;
    private double _rate, _leastRate = double.PositiveInfinity, _leastDeviation = double.PositiveInfinity;

    /// <summary>Takes in whether a prediction was wrong.</summary>
    public DriftState Next(bool wrong)
    {
        _cases++;
        _rate += ((wrong ? 1 : 0) - _rate) / _cases;
        double deviation = Math.Sqrt(_rate * (1 - _rate) / _cases);
        if (_cases < LeastCases) return DriftState.Stable;
        if (_rate + deviation <= _leastRate + _leastDeviation) (_leastRate, _leastDeviation) = (_rate, deviation);
        if (_rate + deviation > _leastRate + 3 * _leastDeviation)
        {
            (_cases, _rate, _leastRate, _leastDeviation) = (0, 0, double.PositiveInfinity, double.PositiveInfinity);
            return DriftState.Drift;
        }

        return _rate + deviation > _leastRate + 2 * _leastDeviation ? DriftState.Warning : DriftState.Stable;
    }
}

/// <summary>Page-Hinkley's test for an increase of a stream's mean (Page 1954; Hinkley 1971).</summary>
/// <param name="slack">Change δ that is tolerated, in the stream's unit.</param>
/// <param name="limit">Alarm at a cumulated excess λ.</param>
/// <param name="leastCases">Values before the first alarm.</param>
public sealed class PageHinkley(double slack = 0.005, double limit = 50, int leastCases = 30)
{
    private long _cases;
    private double _mean, _sum, _least;

    /// <summary>Takes in a value.</summary>
    public DriftState Next(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "A value must be finite.");
        _cases++;
        _mean += (value - _mean) / _cases;
        _sum += value - _mean - slack;
        _least = Math.Min(_least, _sum);
        if (_cases < leastCases || _sum - _least <= limit) return DriftState.Stable;
        (_cases, _mean, _sum, _least) = (0, 0, 0, 0);
        return DriftState.Drift;
    }
}

/// <summary>
/// ADWIN (Bifet, Gavaldà 2007): an adaptive window kept as exponential buckets; its old part is dropped when its mean differs from the new part's beyond
/// the bound ε_cut (theorem 3.1, with the variance term). Memory and time a value are O(log n).
/// </summary>
public sealed class Adwin
{
    private const int BucketsASize = 5, LeastPart = 5;
    private readonly double _delta;
    private readonly List<(double Count, double Sum, double Squares)> _buckets = [];

    /// <summary>Confidence 1 − <paramref name="delta"/> that a cut is a change.</summary>
    public Adwin(double delta = 0.002)
    {
        if (!(delta is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(delta), delta, "Delta lies between 0 and 1.");
        _delta = delta;
    }

    /// <summary>Values in the window.</summary>
    public long Width { get; private set; }

    /// <summary>Mean of the window, 0 while empty.</summary>
    public double Mean => Width == 0 ? 0 : _buckets.Sum(b => b.Sum) / Width;

    /// <summary>Takes in a value (of bounded range, errors in [0, 1] by the theory) and says <see cref="DriftState.Drift"/> where the window was cut.</summary>
    public DriftState Next(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "A value must be finite.");
        _buckets.Add((1, value, 0));
        Width++;
        Merge();
        bool cut = false;
        while (Cut()) cut = true;
        return cut ? DriftState.Drift : DriftState.Stable;
    }

    /// <summary>Oldest first; the sixth bucket of a size makes the two oldest of that size one.</summary>
    private void Merge()
    {
        int end = _buckets.Count;
        for (double size = 1; end > 0; size *= 2)
        {
            int first = end;
            while (first > 0 && _buckets[first - 1].Count == size) first--;
            if (end - first <= BucketsASize) return;
            var (a, b) = (_buckets[first], _buckets[first + 1]);
            double gap = a.Sum / a.Count - b.Sum / b.Count;
            _buckets[first] = (a.Count + b.Count, a.Sum + b.Sum, a.Squares + b.Squares + gap * gap * a.Count * b.Count / (a.Count + b.Count));
            _buckets.RemoveAt(first + 1);
            end = first + 1;
        }
    }

    private bool Cut()
    {
        double total = Width, sum = _buckets.Sum(b => b.Sum), mean = sum / total, squares = 0;
        foreach (var b in _buckets) squares += b.Squares + b.Count * (b.Sum / b.Count - mean) * (b.Sum / b.Count - mean);
        double variance = squares / total, log = Math.Log(2 * Math.Log(Math.Max(total, Math.E)) / _delta), oldCount = 0, oldSum = 0;
        for (int i = 0; i + 1 < _buckets.Count; i++)
        {
            oldCount += _buckets[i].Count;
            oldSum += _buckets[i].Sum;
            double newCount = total - oldCount;
            if (oldCount < LeastPart) continue;
            if (newCount < LeastPart) break;
            double harmonic = 1 / oldCount + 1 / newCount;
            double bound = Math.Sqrt(2 * harmonic * variance * log) + 2.0 / 3 * harmonic * log;
            if (Math.Abs(oldSum / oldCount - (sum - oldSum) / newCount) <= bound) continue;
            Width -= (long)_buckets[0].Count;
            _buckets.RemoveAt(0);
            return true;
        }

        return false;
    }
}
