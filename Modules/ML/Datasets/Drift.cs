using OKLA.ML.Algorithms.Drift;

namespace OKLA.ML.Datasets;

/// <summary>Compares where the values of a column lie now with where they lay in an earlier version.</summary>
internal static class Drift
{
    /// <summary>Population stability index of a column against an earlier version of it, missing values included; null where one of them has none, or they are of different kinds.</summary>
    public static double? Psi(ColumnStatistics earlier, ColumnStatistics now, SampledColumn sample)
    {
        if (earlier.Bins is not { } then || now.Bins is not { } bins || (then.Values.Count == 0) != sample.IsNumeric)
        {
            return null;
        }

        if (sample.IsNumeric)
        {
            return DistributionDrift.Psi(then.Counts, Counts(then.Edges, sample.Cells));
        }

        var found = now.Top.ToDictionary(entry => entry.Value, entry => entry.Count, StringComparer.Ordinal);
        long[] own = [.. then.Values.Select(value => found.GetValueOrDefault(value))];
        return DistributionDrift.Psi(then.Counts, [.. own, bins.Counts.SkipLast(1).Sum() - own.Sum(), bins.Counts[^1]]);
    }

    /// <summary>Numbers in each bin between inner edges, the missing ones last.</summary>
    public static long[] Counts(IReadOnlyList<double> edges, double[] cells)
    {
        double[] inner = [.. edges];
        var counts = new long[inner.Length + 2];
        foreach (var cell in cells)
        {
            if (double.IsNaN(cell))
            {
                counts[^1]++;
                continue;
            }

            var place = Array.BinarySearch(inner, cell);
            counts[place >= 0 ? place + 1 : ~place]++;
        }

        return counts;
    }
}
