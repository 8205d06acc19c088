namespace OKLA.ML.Algorithms.Anomalies;

/// <summary>
/// The anomaly likelihood (Ahmad, Lavin, Purdy, Agha 2017, section 3.2) of one or more statistics: not how large each is but how rare that is in its own past,
/// so that one threshold fits every stream. The rarities of several add up. A score that an earlier one within the last <c>quiet</c> values reached already
/// is 0: one event gives one alarm, unless it grows.
/// </summary>
internal sealed class LikelihoodDetector(Func<IReadOnlyList<IStreamStatistic>> statistics, int quiet = 100) : IStreamDetector
{
    private const double Rarest = 12;
    private readonly (IStreamStatistic Statistic, TailRarity Past)[] _parts = [.. statistics().Select(statistic => (statistic, new TailRarity()))];
    private readonly Queue<(long At, double Score)> _recent = new();
    private long _seen;

    public double Next(double value, double seconds)
    {
        _seen++;
        if (!double.IsFinite(value)) return 0;
        double sum = 0;
        foreach (var (statistic, past) in _parts)
        {
            double now = statistic.Next(value, seconds);
            if (double.IsFinite(now)) sum += past.Next(now);
        }

        double score = Math.Min(1, sum / _parts.Length / Rarest);
        while (_recent.Count > 0 && _recent.Peek().At < _seen - quiet) _recent.Dequeue();
        double highest = _recent.Count == 0 ? 0 : _recent.Max(r => r.Score);
        if (score > highest) _recent.Enqueue((_seen, score));
        return score > highest ? score : 0;
    }
}

/// <summary>
/// −log₁₀ of the share of a statistic's past that is at least as large. Beyond the 98th percentile the share follows the heavier of an exponential and a Pareto
/// tail fitted to what lies above it (peaks over threshold; Hill 1975), so that a new record can be rarer than 1 in the past's length.
/// </summary>
internal sealed class TailRarity(int kept = 4000, int least = 50)
{
    private const double Body = 0.98, Most = 12;
    private readonly List<double> _sorted = [];
    private readonly Queue<double> _order = new();

    public double Next(double value)
    {
        double rarity = _sorted.Count >= least ? Rarity(value) : 0;
        int at = _sorted.BinarySearch(value);
        _sorted.Insert(at < 0 ? ~at : at, value);
        _order.Enqueue(value);
        if (_order.Count > kept) _sorted.RemoveAt(_sorted.BinarySearch(_order.Dequeue()));
        return rarity;
    }

    private double Rarity(double value)
    {
        int n = _sorted.Count, border = (int)(Body * n);
        double threshold = _sorted[border];
        if (value <= threshold)
        {
            int at = _sorted.BinarySearch(value);
            int below = at < 0 ? ~at : at;
            while (below > 0 && _sorted[below - 1] == value) below--;
            return -Math.Log10(Math.Min(1, (n - below + 1.0) / (n + 1)));
        }

        double excess = 0, logs = 0;
        int above = n - border;
        for (int i = border; i < n; i++)
        {
            excess += _sorted[i] - threshold;
            if (threshold > 0) logs += Math.Log(_sorted[i] / threshold);
        }

        double share = (double)above / n, exponential = excess > 0 ? (value - threshold) / (excess / above) : double.PositiveInfinity;
        double pareto = threshold > 0 && logs > 0 ? Math.Log(value / threshold) / (logs / above) : exponential;
        return Math.Min(Most, (Math.Min(exponential, pareto) - Math.Log(share)) / Math.Log(10));
    }
}
