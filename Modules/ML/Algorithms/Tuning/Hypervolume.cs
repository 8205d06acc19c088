using OKLA.ML.Algorithms.Decisions;

namespace OKLA.ML.Algorithms.Tuning;

/// <summary>
/// The volume that points dominate above a reference point, all objectives to be maximised (Zitzler and Thiele 1998). Exact for two and three.
/// </summary>
public static class Hypervolume
{
    /// <summary>
    /// The area or volume between <paramref name="points"/> and <paramref name="reference"/>; points not above it in every objective add nothing. Time O(n²
    /// log n) for three.
    /// </summary>
    /// <exception cref="ArgumentException">Not two or three objectives, or points of other lengths.</exception>
    public static double Of(IReadOnlyList<double[]> points, double[] reference)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Length is not (2 or 3) || points.Any(p => p.Length != reference.Length))
            throw new ArgumentException("Points and reference must have two objectives, or three.", nameof(reference));
        if (reference.Length == 2) return ParetoFront.Hypervolume(points, reference[0], reference[1]);
        // Sweep downwards along the third objective: between two heights the dominated area is that of the points above.
        var above = new List<double[]>();
        double volume = 0;
        var order = points.Where(p => p[0] > reference[0] && p[1] > reference[1] && p[2] > reference[2]).OrderByDescending(p => p[2]).ToArray();
        for (var i = 0; i < order.Length; i++)
        {
            above.Add(order[i]);
            var floor = i + 1 < order.Length ? order[i + 1][2] : reference[2];
            if (order[i][2] > floor) volume += ParetoFront.Hypervolume(above, reference[0], reference[1]) * (order[i][2] - floor);
        }
        return volume;
    }
}
