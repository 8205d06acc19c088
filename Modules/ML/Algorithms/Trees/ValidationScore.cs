namespace OKLA.ML.Algorithms.Trees;

/// <summary>The metric that early stopping watches.</summary>
internal sealed class ValidationScore
{
    private readonly BoostingMetric _metric;
    private readonly float[] _targets;
    private readonly Objective? _objective;
    private readonly bool _logistic;

    public ValidationScore(GradientBoostingOptions options, float[] targets, int[]? groups)
    {
        _metric = options.Metric;
        _targets = targets;
        _logistic = options.Objective is BoostingObjective.BinaryLogistic;
        if (_metric == BoostingMetric.Default) _objective = Objective.Create(options with { ClassWeights = [] }, targets, null, groups);
    }

    public bool IsBetter(double score, double than) => _metric == BoostingMetric.AreaUnderCurve ? score > than : score < than;

    public double Of(float[][] margins) => _metric switch
    {
        BoostingMetric.Default => _objective!.Loss(margins),
        BoostingMetric.RootMeanSquaredError => Math.Sqrt(Mean(i => Math.Pow(margins[0][i] - (double)_targets[i], 2))),
        BoostingMetric.MeanAbsoluteError => Mean(i => Math.Abs(margins[0][i] - (double)_targets[i])),
        BoostingMetric.AreaUnderCurve => AreaUnderCurve(margins[0]),
        BoostingMetric.ErrorRate => Mean(i => Class(margins, i) == (int)_targets[i] ? 0 : 1),
        _ => throw new InvalidOperationException($"Unknown metric {_metric}."),
    };

    private int Class(float[][] margins, int row)
    {
        if (margins.Length == 1) return margins[0][row] > (_logistic ? 0 : 0.5f) ? 1 : 0;
        var best = 0;
        for (var k = 1; k < margins.Length; k++)
        {
            if (margins[k][row] > margins[best][row]) best = k;
        }
        return best;
    }

    private double Mean(Func<int, double> value)
    {
        double sum = 0;
        for (var i = 0; i < _targets.Length; i++) sum += value(i);
        return sum / _targets.Length;
    }

    // The Mann-Whitney statistic: mean ranks of ties.
    private double AreaUnderCurve(float[] margins)
    {
        var keys = (float[])margins.Clone();
        var labels = (float[])_targets.Clone();
        Array.Sort(keys, labels);
        double rankSum = 0, positives = 0;
        for (var i = 0; i < keys.Length;)
        {
            var end = i;
            double inTie = 0;
            for (; end < keys.Length && keys[end] == keys[i]; end++) inTie += labels[end] > 0 ? 1 : 0;
            rankSum += inTie * ((i + 1 + end) / 2.0);
            positives += inTie;
            i = end;
        }
        var negatives = keys.Length - positives;
        return positives == 0 || negatives == 0 ? 0.5 : (rankSum - positives * (positives + 1) / 2) / (positives * negatives);
    }
}
