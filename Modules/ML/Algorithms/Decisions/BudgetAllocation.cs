namespace OKLA.ML.Algorithms.Decisions;

/// <summary>One receiver of money.</summary>
/// <param name="Curve">Its response.</param>
/// <param name="Least">Least spend, 0 or more.</param>
/// <param name="Most">Greatest spend.</param>
/// <param name="Group">Group whose limit it counts towards.</param>
public sealed record Channel(ResponseCurve Curve, double Least, double Most, int Group = 0);

/// <summary>
/// Budget allocation Σ f(x) → max under bounds, group limits and a total. The problem is separable and concave, so bisection on the price of money
/// (the Lagrange multiplier), inside each full group on the group's own, finds the optimum to rounding.
/// </summary>
public static class BudgetAllocation
{
    /// <summary>
    /// Spends by channel, in the budget's unit. Groups missing from <paramref name="groupLimits"/> have none. Throws <see cref="ArgumentException"/> where the least
    /// spends pass the budget or a limit. Money no channel may take is left over.
    /// </summary>
    public static double[] Allocate(IReadOnlyList<Channel> channels, double budget, IReadOnlyDictionary<int, double>? groupLimits = null)
    {
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentOutOfRangeException.ThrowIfNegative(budget);
        foreach (Channel channel in channels)
            if (!(channel.Least >= 0 && channel.Most >= channel.Least && double.IsFinite(channel.Most))) throw new ArgumentException("Bounds are 0 ≤ least ≤ most, finite.", nameof(channels));
        if (channels.Sum(c => c.Least) > budget) throw new ArgumentException("The least spends pass the budget.", nameof(budget));
        int[][] groups = [.. channels.Select((c, i) => (c.Group, i)).GroupBy(p => p.Group, p => p.i).Select(g => g.ToArray())];
        double[] limits = [.. groups.Select(g => groupLimits is not null && groupLimits.TryGetValue(channels[g[0]].Group, out double limit) ? limit : double.PositiveInfinity)];
        for (int g = 0; g < groups.Length; g++)
            if (groups[g].Sum(i => channels[i].Least) > limits[g]) throw new ArgumentException($"The least spends of group {channels[groups[g][0]].Group} pass its limit.", nameof(groupLimits));
        var spend = new double[channels.Count];
        // A full group's spends are those at its own, higher price; the others pay the common one.
        double[] groupPrice = [.. groups.Select((g, at) => Price(g, limits[at], _ => 0))];
        var floor = new double[channels.Count];
        for (int g = 0; g < groups.Length; g++)
            foreach (int i in groups[g]) floor[i] = groupPrice[g];
        int[] all = [.. Enumerable.Range(0, channels.Count)];
        double price = Price(all, budget, i => floor[i]);
        foreach (int i in all) spend[i] = At(i, Math.Max(price, floor[i]));
        return spend;

        double Price(int[] members, double limit, Func<int, double> least)
        {
            double low = 0, high = members.Length == 0 ? 0 : members.Max(i => channels[i].Curve.Slope(0));
            if (members.Sum(i => At(i, least(i))) <= limit) return 0;
            for (int step = 0; step < 200 && high - low > 1e-16 * high; step++)
            {
                double middle = (low + high) / 2;
                if (members.Sum(i => At(i, Math.Max(middle, least(i)))) > limit) low = middle;
                else high = middle;
            }

            return high;
        }

        double At(int i, double price)
        {
            Channel channel = channels[i];
            ResponseCurve curve = channel.Curve;
            if (price <= 0) return channel.Most;
            double x = curve.Shape switch
            {
                ResponseShape.Hill => Math.Sqrt(curve.Scale * curve.Place / price) - curve.Place,
                ResponseShape.Log => curve.Scale / price - curve.Place,
                _ => curve.Place * Math.Log(curve.Scale / curve.Place / price),
            };
            return Math.Clamp(x, channel.Least, channel.Most);
        }
    }
}
