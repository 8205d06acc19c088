namespace OKLA.ML.Algorithms.Linear;

/// <summary>P(T > t) of one row as a step function: <see cref="Times"/> ascend, <see cref="Survival"/> falls; 1 before the first time.</summary>
/// <param name="Times">Times in the training's unit.</param>
/// <param name="Survival">P(T > t) from that time up to the next.</param>
public sealed record SurvivalCurve(IReadOnlyList<double> Times, IReadOnlyList<double> Survival)
{
    /// <summary>P(T > time).</summary>
    public double At(double time)
    {
        int low = 0, high = Times.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Times[middle] <= time) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? 1 : Survival[low - 1];
    }

    /// <summary>The first time with P(T > t) ≤ 1 − <paramref name="share"/>; infinity when the curve stays above.</summary>
    public double Quantile(double share)
    {
        for (var k = 0; k < Times.Count; k++)
        {
            if (Survival[k] <= 1 - share) return Times[k];
        }
        return double.PositiveInfinity;
    }

    /// <summary>The time that half outlast; infinity when more than half outlast all times seen.</summary>
    public double Median => Quantile(0.5);

    /// <summary>The mean of min(T, <paramref name="horizon"/>): the area under the curve up to there.</summary>
    public double RestrictedMean(double horizon)
    {
        double area = 0, from = 0, level = 1;
        for (var k = 0; k < Times.Count && Times[k] < horizon; k++)
        {
            area += (Times[k] - from) * level;
            (from, level) = (Times[k], Survival[k]);
        }
        return area + (horizon - from) * level;
    }
}
