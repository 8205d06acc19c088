namespace OKLA.ML.Algorithms.Fairness;

/// <summary>
/// When a case of a group is called positive: always from <see cref="Certain"/> on, with a probability from <see cref="Possible"/> on, never below.
/// </summary>
/// <param name="Group">The group.</param>
/// <param name="Certain">Scores at or above it are positive; infinity when none is for certain.</param>
/// <param name="Possible">Scores at or above it and below <paramref name="Certain"/> are positive with <paramref name="Probability"/>.</param>
/// <param name="Probability">That probability, 0 to 1.</param>
/// <param name="Pooled">True when the group had too few cases of its own and takes the thresholds of all cases together.</param>
public sealed record GroupThreshold(string Group, double Certain, double Possible, double Probability, bool Pooled);

/// <summary>
/// Thresholds per group that give each group the same true positive rate at the least cost of errors (Hardt, Price and Srebro 2016, section 4.3): each
/// group's rate is reached on the convex hull of its ROC curve, between two corners by chance. Learn them on cases the model was not trained on. Immutable.
/// </summary>
public sealed class EqualOpportunityThresholds
{
    private readonly Dictionary<string, GroupThreshold> _groups;
    private readonly GroupThreshold _pooled;

    private EqualOpportunityThresholds(double truePositiveRate, double cost, IReadOnlyList<GroupThreshold> groups, GroupThreshold pooled)
    {
        TruePositiveRate = truePositiveRate;
        Cost = cost;
        Groups = groups;
        _groups = groups.ToDictionary(g => g.Group, StringComparer.Ordinal);
        _pooled = pooled;
    }

    /// <summary>The true positive rate that each group has on the cases learned from (in expectation).</summary>
    public double TruePositiveRate { get; }

    /// <summary>Expected cost of errors a case at these thresholds.</summary>
    public double Cost { get; }

    /// <summary>The rule of each group.</summary>
    public IReadOnlyList<GroupThreshold> Groups { get; }

    /// <summary>
    /// Learns thresholds. A group with fewer than <paramref name="minOutcomes"/> positives or negatives takes those of all cases together, at the same
    /// rate.
    /// </summary>
    /// <exception cref="ArgumentException">Lengths differ, a score is NaN, a class is missing or a cost is not positive.</exception>
    public static EqualOpportunityThresholds Fit(
        bool[] labels, double[] scores, IReadOnlyList<string> groups, double falsePositiveCost = 1, double falseNegativeCost = 1, int minOutcomes = 20)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(groups);
        if (labels.Length == 0 || scores.Length != labels.Length || groups.Count != labels.Length)
            throw new ArgumentException($"{labels.Length} labels, {scores.Length} scores and {groups.Count} groups.", nameof(labels));
        if (scores.Any(double.IsNaN)) throw new ArgumentException("A score is not a number.", nameof(scores));
        if (!labels.Contains(true) || !labels.Contains(false)) throw new ArgumentException("Both classes must be present.", nameof(labels));
        if (!(falsePositiveCost > 0 && falseNegativeCost > 0)) throw new ArgumentException("Costs must be positive.", nameof(falsePositiveCost));
        ArgumentOutOfRangeException.ThrowIfLessThan(minOutcomes, 1);

        var all = RocHull.Of(labels, scores, [.. Enumerable.Range(0, labels.Length)]);
        var members = Enumerable.Range(0, labels.Length).GroupBy(i => groups[i], StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToArray();
        var positives = members.Select(g => g.Count(i => labels[i])).ToArray();
        var negatives = members.Select((g, k) => g.Count() - positives[k]).ToArray();
        var hulls = members.Select((g, k) => Math.Min(positives[k], negatives[k]) >= minOutcomes ? RocHull.Of(labels, scores, [.. g]) : null).ToArray();

        // The cost is linear in the common rate between corners of the hulls: the least lies at a corner.
        double best = double.PositiveInfinity, rate = 0;
        foreach (var candidate in hulls.Append(all).OfType<RocHull>().SelectMany(h => h.TruePositiveRates).Distinct().Order())
        {
            double cost = 0;
            for (var k = 0; k < hulls.Length; k++)
                cost += falseNegativeCost * positives[k] * (1 - candidate) + falsePositiveCost * negatives[k] * (hulls[k] ?? all).FalsePositiveRate(candidate);
            if (cost < best) (best, rate) = (cost, candidate);
        }
        return new EqualOpportunityThresholds(rate, best / labels.Length,
            [.. members.Select((g, k) => (hulls[k] ?? all).At(rate, g.Key, hulls[k] is null))], all.At(rate, "", true));
    }

    /// <summary>
    /// The decision for a case. <paramref name="chance"/> in [0, 1) settles scores between the two thresholds: derive it from the case's id, so that the
    /// same case always gets the same answer. An unknown group is decided by the thresholds of all cases together.
    /// </summary>
    public bool Decide(string group, double score, double chance)
    {
        var rule = _groups.GetValueOrDefault(group, _pooled);
        return score >= rule.Certain || (score >= rule.Possible && chance < rule.Probability);
    }

    /// <summary>The upper convex hull of a ROC curve, corners from (0, 0) to (1, 1) by rising rates.</summary>
    private sealed class RocHull
    {
        private readonly List<(double FalseRate, double TrueRate, double Threshold)> _corners = [];

        public IEnumerable<double> TruePositiveRates => _corners.Select(c => c.TrueRate);

        public static RocHull Of(bool[] labels, double[] scores, int[] rows)
        {
            var hull = new RocHull();
            double positives = rows.Count(row => labels[row]), negatives = rows.Length - positives;
            hull.Add((0, 0, double.PositiveInfinity));
            int hits = 0, alarms = 0;
            foreach (var tied in rows.GroupBy(row => scores[row]).OrderByDescending(g => g.Key))
            {
                var right = tied.Count(row => labels[row]);
                hits += right;
                alarms += tied.Count() - right;
                hull.Add((alarms / negatives, hits / positives, tied.Key));
            }
            return hull;
        }

        /// <summary>The least false positive rate at a true positive rate.</summary>
        public double FalsePositiveRate(double rate)
        {
            var (low, high, share) = Between(rate);
            return low.FalseRate + share * (high.FalseRate - low.FalseRate);
        }

        public GroupThreshold At(double rate, string group, bool pooled)
        {
            var (low, high, share) = Between(rate);
            return new GroupThreshold(group, low.Threshold, high.Threshold, share, pooled);
        }

        private ((double FalseRate, double TrueRate, double Threshold) Low, (double FalseRate, double TrueRate, double Threshold) High, double Share) Between(double rate)
        {
            for (var i = 1; i < _corners.Count; i++)
            {
                var (low, high) = (_corners[i - 1], _corners[i]);
                if (rate == low.TrueRate) return (low, low, 0);
                if (rate < high.TrueRate) return (low, high, (rate - low.TrueRate) / (high.TrueRate - low.TrueRate));
                if (rate == high.TrueRate) return (high, high, 0);
            }
            return (_corners[^1], _corners[^1], 0);
        }

        // Graham's scan: a corner at or below the line from the one before it to the new one goes.
        private void Add((double FalseRate, double TrueRate, double Threshold) corner)
        {
            while (_corners.Count >= 2)
            {
                var (a, b) = (_corners[^2], _corners[^1]);
                if ((b.TrueRate - a.TrueRate) * (corner.FalseRate - a.FalseRate) > (corner.TrueRate - a.TrueRate) * (b.FalseRate - a.FalseRate)) break;
                _corners.RemoveAt(_corners.Count - 1);
            }
            _corners.Add(corner);
        }
    }
}
