namespace OKLA.ML.Algorithms.Decisions;

/// <summary>Pareto fronts of objectives that are all to be maximised.</summary>
public static class ParetoFront
{
    /// <summary>Places of the points no other dominates, ascending; equal points all stay. Time O(n²·objectives).</summary>
    public static int[] Of(IReadOnlyList<double[]> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        return [.. Enumerable.Range(0, points.Count).Where(i => !points.Any(p => Dominates(p, points[i])))];
    }

    /// <summary>Area that two-objective points dominate above a reference point (Zitzler, Thiele 1998).</summary>
    public static double Hypervolume(IReadOnlyList<double[]> points, double referenceX, double referenceY)
    {
        ArgumentNullException.ThrowIfNull(points);
        double area = 0, top = referenceY;
        foreach (double[] p in points.Where(p => p[0] > referenceX && p[1] > referenceY).OrderByDescending(p => p[0]))
        {
            if (p[1] <= top) continue;
            area += (p[0] - referenceX) * (p[1] - top);
            top = p[1];
        }

        return area;
    }

    private static bool Dominates(double[] a, double[] b)
    {
        bool better = false;
        for (int k = 0; k < a.Length; k++)
        {
            if (a[k] < b[k]) return false;
            better |= a[k] > b[k];
        }

        return better;
    }
}
