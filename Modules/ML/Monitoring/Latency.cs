namespace OKLA.ML.Monitoring;

/// <summary>
/// Counts of latencies in classes of 20 % width from 50 microseconds to over a minute: counts of several hosts and minutes add up, and a percentile of
/// their sum is exact to the width of a class.
/// </summary>
internal static class Latency
{
    private const int Classes = 80;
    private const double Smallest = 0.05;
    private static readonly double Step = Math.Log(1.2);

    /// <summary>Empty counts.</summary>
    public static int[] Empty() => new int[Classes];

    /// <summary>Class of a latency in milliseconds.</summary>
    public static int ClassOf(double milliseconds) => milliseconds <= Smallest ? 0 : Math.Min(Classes - 1, (int)Math.Ceiling(Math.Log(milliseconds / Smallest) / Step));

    /// <summary>The latency in milliseconds that a share of the counted ones does not exceed, as the upper end of its class; null when nothing was counted.</summary>
    public static double? Percentile(IReadOnlyList<int> counts, double share)
    {
        var total = counts.Sum(count => (long)count);
        if (total == 0)
        {
            return null;
        }

        var wanted = Math.Max(1, (long)Math.Ceiling(share * total));
        var seen = 0L;
        for (var i = 0; i < counts.Count; i++)
        {
            if ((seen += counts[i]) >= wanted)
            {
                return Smallest * Math.Exp(i * Step);
            }
        }

        return Smallest * Math.Exp((counts.Count - 1) * Step);
    }
}
