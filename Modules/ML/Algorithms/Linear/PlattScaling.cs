using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// P(1) = 1 / (1 + e^(A·s + B)) of a score s (Platt 1999), fitted by Newton's method with backtracking on softened targets (Lin, Lin and Weng 2007, algorithm 1).
/// </summary>
/// <param name="A">Slope; below 0 when higher scores are likelier.</param>
/// <param name="B">Offset.</param>
public sealed record PlattScaling(double A, double B)
{
    private const string Kind = "OKPS";

    /// <summary>Learns from scores and what happened.</summary>
    /// <exception cref="ArgumentException">The lists are empty, differ in length or hold something not finite.</exception>
    public static PlattScaling Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> happened)
    {
        if (scores.Length == 0 || scores.Length != happened.Length) throw new ArgumentException($"{scores.Length} scores and {happened.Length} outcomes.", nameof(happened));
        double positives = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (!double.IsFinite(scores[i])) throw new ArgumentException($"Score {i} is not finite.", nameof(scores));
            if (happened[i]) positives++;
        }
        var negatives = scores.Length - positives;
        // Targets of eq. 3: the posterior means under a uniform prior.
        double high = (positives + 1) / (positives + 2), low = 1 / (negatives + 2);
        double a = 0, b = Math.Log((negatives + 1) / (positives + 1));
        var value = Objective(scores, happened, high, low, a, b);
        for (var iteration = 0; iteration < 100; iteration++)
        {
            double h11 = 1e-12, h22 = 1e-12, h21 = 0, g1 = 0, g2 = 0;
            for (var i = 0; i < scores.Length; i++)
            {
                var p = LinearClassifierModel.Sigmoid(-(a * scores[i] + b));
                var curvature = p * (1 - p);
                h11 += scores[i] * scores[i] * curvature;
                h22 += curvature;
                h21 += scores[i] * curvature;
                var miss = (happened[i] ? high : low) - p;
                g1 += scores[i] * miss;
                g2 += miss;
            }
            if (Math.Abs(g1) < 1e-8 && Math.Abs(g2) < 1e-8) break;
            var determinant = h11 * h22 - h21 * h21;
            double da = -(h22 * g1 - h21 * g2) / determinant, db = -(h11 * g2 - h21 * g1) / determinant, slope = g1 * da + g2 * db;
            var moved = false;
            for (double step = 1; step >= 1e-10 && !moved; step /= 2)
            {
                var next = Objective(scores, happened, high, low, a + step * da, b + step * db);
                if (!(next < value + 1e-4 * step * slope)) continue;
                (a, b, value, moved) = (a + step * da, b + step * db, next, true);
            }
            if (!moved) break;
        }
        return new PlattScaling(a, b);
    }

    /// <summary>The calibrated probability of a score.</summary>
    public double Calibrate(double score) => LinearClassifierModel.Sigmoid(-(A * score + B));

    /// <summary>Writes the map (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(A);
        writer.Write(B);
    });

    /// <summary>Reads a map that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static PlattScaling Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) => new PlattScaling(reader.ReadDouble(), reader.ReadDouble()));

    /// <summary>The cross entropy, in the form of eq. 11 and 12 that loses no digits.</summary>
    private static double Objective(ReadOnlySpan<double> scores, ReadOnlySpan<bool> happened, double high, double low, double a, double b)
    {
        double sum = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var f = a * scores[i] + b;
            var t = happened[i] ? high : low;
            sum += f >= 0 ? t * f + Math.Log(1 + Math.Exp(-f)) : (t - 1) * f + Math.Log(1 + Math.Exp(f));
        }
        return sum;
    }
}
