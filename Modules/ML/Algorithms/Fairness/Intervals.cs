using OKLA.ML.Algorithms.Evaluation;

namespace OKLA.ML.Algorithms.Fairness;

/// <summary>
/// Intervals of differences between groups from resamples within each group (stratified percentile bootstrap, Davison and Hinkley 1997, section 3.2). The
/// corrections of <see cref="Bootstrap"/> are not used: a gap between the highest and the lowest group and a calibration error lie at the edge of their
/// draws.
/// </summary>
internal static class Intervals
{
    public static readonly Interval Unknown = new(double.NaN, double.NaN, double.NaN);

    /// <summary>
    /// The draws' quantiles at <paramref name="error"/>/2 and 1 − <paramref name="error"/>/2, widened to hold the estimate; draws that are NaN are left
    /// out.
    /// </summary>
    public static Interval Percentile(double estimate, IEnumerable<double> draws, double error)
    {
        double[] sorted = [.. draws.Where(d => !double.IsNaN(d)).Order()];
        if (sorted.Length == 0 || double.IsNaN(estimate)) return new Interval(estimate, double.NaN, double.NaN);
        return new Interval(estimate, Math.Min(estimate, Quantile(sorted, error / 2)), Math.Max(estimate, Quantile(sorted, 1 - error / 2)));
    }

    public static Interval Difference(GroupCases group, GroupCases other, Quantity quantity, double error) => group.IsLargeEnough(quantity) && other.IsLargeEnough(quantity)
        ? Percentile(group.Estimate(quantity) - other.Estimate(quantity), group.Draws(quantity).Zip(other.Draws(quantity), (a, b) => a - b), error)
        : Unknown;

    public static Interval SelectionRatio(GroupCases group, GroupCases other, double error)
    {
        const Quantity Rate = Quantity.SelectionRate;
        return other.Estimate(Rate) == 0 ? Unknown
            : Percentile(group.Estimate(Rate) / other.Estimate(Rate), group.Draws(Rate).Zip(other.Draws(Rate), (a, b) => b == 0 ? double.NaN : a / b), error);
    }

    /// <summary>
    /// The largest difference of <paramref name="quantities"/> between any two groups. Each ordered pair has an interval at the level shared among all
    /// (Bonferroni): the largest lower end and the largest upper end then hold the largest true difference.
    /// </summary>
    public static FairnessGap Gap(IReadOnlyList<GroupCases> all, double error, params Quantity[] quantities)
    {
        GroupCases[] groups = [.. all.Where(g => quantities.All(g.IsLargeEnough))];
        string[] tooSmall = [.. all.Except(groups).Select(g => g.Name)];
        if (groups.Length < 2) return new FairnessGap(Unknown, "", "", tooSmall);
        var shared = error / (quantities.Length * groups.Length * (groups.Length - 1) / 2.0);
        double lower = 0, upper = 0;
        var widest = (Size: double.NegativeInfinity, Highest: groups[0], Lowest: groups[0]);
        foreach (var quantity in quantities)
        {
            foreach (var high in groups)
            {
                foreach (var low in groups)
                {
                    if (high == low) continue;
                    var difference = Difference(high, low, quantity, shared);
                    lower = Math.Max(lower, difference.Lower);
                    upper = Math.Max(upper, difference.Upper);
                    if (difference.Estimate > widest.Size) widest = (difference.Estimate, high, low);
                }
            }
        }
        return new FairnessGap(new Interval(widest.Size, lower, upper), widest.Highest.Name, widest.Lowest.Name, tooSmall);
    }

    /// <summary>The smallest ratio of selection rates between any two groups, with its interval as for the gap.</summary>
    public static Interval DisparateImpact(IReadOnlyList<GroupCases> all, double error)
    {
        GroupCases[] groups = [.. all.Where(g => g.IsLargeEnough(Quantity.SelectionRate))];
        if (groups.Length < 2 || groups.All(g => g.Estimate(Quantity.SelectionRate) == 0)) return Unknown;
        var shared = error / (groups.Length * (groups.Length - 1) / 2.0);
        var least = new Interval(1, 1, 1);
        foreach (var group in groups)
        {
            foreach (var other in groups)
            {
                // Over a group of whom nobody is selected no ratio is the smallest.
                if (group == other || other.Estimate(Quantity.SelectionRate) == 0) continue;
                var ratio = SelectionRatio(group, other, shared);
                least = new Interval(Math.Min(least.Estimate, ratio.Estimate), Math.Min(least.Lower, ratio.Lower), Math.Min(least.Upper, ratio.Upper));
            }
        }
        return least;
    }

    private static double Quantile(double[] sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var low = (int)at;
        return low + 1 < sorted.Length ? sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]) : sorted[^1];
    }
}
