using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// A non-decreasing step map from scores to probabilities (or any target), least squares by pooling adjacent violators (Ayer et al. 1955; Zadrozny and
/// Elkan 2002); straight lines between the pools' edges, constant outside. Immutable, safe for many threads.
/// </summary>
public sealed class IsotonicCalibration
{
    private const string Kind = "OKIC";
    private readonly double[] _scores;
    private readonly double[] _values;

    private IsotonicCalibration(double[] scores, double[] values)
    {
        _scores = scores;
        _values = values;
    }

    /// <summary>Learns from scores and targets (0 or 1, or numbers), weighed by <paramref name="weights"/> (null: each 1).</summary>
    /// <exception cref="ArgumentException">The lists are empty, differ in length or hold something not finite.</exception>
    public static IsotonicCalibration Fit(ReadOnlySpan<double> scores, ReadOnlySpan<double> targets, ReadOnlySpan<double> weights = default)
    {
        if (scores.Length == 0 || scores.Length != targets.Length || (weights.Length != 0 && weights.Length != scores.Length))
            throw new ArgumentException($"{scores.Length} scores, {targets.Length} targets, {weights.Length} weights.", nameof(targets));
        var x = scores.ToArray();
        var order = new int[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            if (!double.IsFinite(x[i]) || !double.IsFinite(targets[i]) || (weights.Length > 0 && !(weights[i] >= 0 && double.IsFinite(weights[i]))))
                throw new ArgumentException($"Row {i} is not finite or has a negative weight.", nameof(scores));
            order[i] = i;
        }
        Array.Sort(x, order);

        // A stack of pools: first and last score, mean and weight. Equal scores start as one pool.
        var n = x.Length;
        double[] from = new double[n], to = new double[n], mean = new double[n], mass = new double[n];
        var pools = 0;
        for (var i = 0; i < n;)
        {
            double sum = 0, total = 0;
            var score = x[i];
            for (; i < n && x[i] == score; i++)
            {
                var weight = weights.Length == 0 ? 1 : weights[order[i]];
                sum += weight * targets[order[i]];
                total += weight;
            }
            if (total == 0) continue;
            (from[pools], to[pools], mean[pools], mass[pools]) = (score, score, sum / total, total);
            pools++;
            while (pools > 1 && mean[pools - 2] >= mean[pools - 1])
            {
                pools--;
                var both = mass[pools - 1] + mass[pools];
                mean[pools - 1] += (mean[pools] - mean[pools - 1]) * mass[pools] / both;
                (mass[pools - 1], to[pools - 1]) = (both, to[pools]);
            }
        }
        if (pools == 0) throw new ArgumentException("All weights are 0.", nameof(weights));
        var (knots, values) = (new List<double>(), new List<double>());
        for (var k = 0; k < pools; k++)
        {
            knots.Add(from[k]);
            values.Add(mean[k]);
            if (to[k] == from[k]) continue;
            knots.Add(to[k]);
            values.Add(mean[k]);
        }
        return new IsotonicCalibration([.. knots], [.. values]);
    }

    /// <summary>Learns from scores and what happened.</summary>
    public static IsotonicCalibration Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> happened)
    {
        var targets = new double[happened.Length];
        for (var i = 0; i < targets.Length; i++) targets[i] = happened[i] ? 1 : 0;
        return Fit(scores, targets);
    }

    /// <summary>The calibrated value of a score.</summary>
    public double Calibrate(double score)
    {
        if (double.IsNaN(score)) throw new ArgumentException("The score is not a number.", nameof(score));
        if (score <= _scores[0]) return _values[0];
        if (score >= _scores[^1]) return _values[^1];
        var at = Array.BinarySearch(_scores, score);
        if (at >= 0) return _values[at];
        at = ~at;
        var share = (score - _scores[at - 1]) / (_scores[at] - _scores[at - 1]);
        return _values[at - 1] + share * (_values[at] - _values[at - 1]);
    }

    /// <summary>Writes the map (versioned, with a checksum).</summary>
    public void Save(Stream stream) => CheckedStream.Write(stream, Kind, 1, writer =>
    {
        writer.Write(_scores.Length);
        for (var i = 0; i < _scores.Length; i++)
        {
            writer.Write(_scores[i]);
            writer.Write(_values[i]);
        }
    });

    /// <summary>Reads a map that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Not one, cut off or damaged.</exception>
    public static IsotonicCalibration Load(Stream stream) => CheckedStream.Read(stream, Kind, 1, (reader, _) =>
    {
        var scores = new double[reader.ReadInt32()];
        var values = new double[scores.Length];
        for (var i = 0; i < scores.Length; i++) (scores[i], values[i]) = (reader.ReadDouble(), reader.ReadDouble());
        return new IsotonicCalibration(scores, values);
    });
}
