namespace OKLA.Features.Monitoring;

/// <summary>The numbers of a feature, condensed.</summary>
/// <param name="NullRate">Share of entities without a number.</param>
/// <param name="Mean">Mean; null when there is none.</param>
/// <param name="Deviation">Standard deviation.</param>
/// <param name="Deciles">The nine bounds between the tenths; none when there are no numbers.</param>
/// <param name="Shares">Shares of the classes that the different ones among them make, the last above them all.</param>
internal sealed record FeatureStatistics(double NullRate, double? Mean, double? Deviation, double[] Deciles, double[] Shares)
{
    /// <summary>Condenses numbers, NaN where there is none.</summary>
    public static FeatureStatistics Of(IReadOnlyList<double> numbers)
    {
        var known = numbers.Where(number => !double.IsNaN(number)).Order().ToArray();
        var missing = numbers.Count == 0 ? 0 : 1 - (known.Length / (double)numbers.Count);
        if (known.Length == 0)
        {
            return new FeatureStatistics(missing, null, null, [], []);
        }

        var mean = known.Average();
        double[] deciles = [.. Enumerable.Range(1, 9).Select(tenth => known[Math.Min(known.Length - 1, known.Length * tenth / 10)])];
        return new FeatureStatistics(missing, mean, Math.Sqrt(known.Average(number => (number - mean) * (number - mean))), deciles, SharesOf(deciles, known));
    }

    /// <summary>
    /// Population stability index of numbers against those that gave the deciles and shares: the sum over classes of (p - q) ln (p / q).
    /// Below 0.1 is taken as steady, above 0.25 as another population. 0 without numbers.
    /// </summary>
    public static double Drift(double[] deciles, double[] shares, IReadOnlyList<double> numbers)
    {
        var known = numbers.Where(number => !double.IsNaN(number)).ToArray();
        return known.Length == 0 ? 0 : SharesOf(deciles, known).Zip(shares).Sum(pair => (pair.First - pair.Second) * Math.Log(pair.First / pair.Second));
    }

    /// <summary>Half a person is added to each class, so that an empty one is no infinity.</summary>
    private static double[] SharesOf(double[] deciles, double[] known)
    {
        var bounds = deciles.Distinct().ToArray();
        var counts = new int[bounds.Length + 1];
        foreach (var number in known)
        {
            counts[Array.FindIndex(bounds, bound => number <= bound) is >= 0 and var found ? found : bounds.Length]++;
        }

        return Array.ConvertAll(counts, count => (count + 0.5) / (known.Length + (0.5 * counts.Length)));
    }
}
