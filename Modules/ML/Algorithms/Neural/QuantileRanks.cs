using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Neural;

/// <summary>
/// The place of a number among those of the training, P(X ≤ x) by quantiles (Cheng et al. 2016, section 4.1), centred and scaled to variance 1 for an
/// even spread: −√3 to √3. Unlike a standardised number it cannot be far out.
/// </summary>
internal sealed class QuantileRanks
{
    private const int Quantiles = 255;
    private readonly float[][] _bounds;

    private QuantileRanks(float[][] bounds) => _bounds = bounds;

    /// <summary>Learns the quantiles of each numeric column; missing numbers are left out.</summary>
    public static QuantileRanks Fit(Dataset x)
    {
        var bounds = new float[x.ColumnCount][];
        for (var c = 0; c < bounds.Length; c++)
        {
            bounds[c] = [];
            if (x.Columns[c].IsCategorical) continue;
            var known = x.Columns[c].Numbers.ToArray().Where(v => !float.IsNaN(v)).Order().ToArray();
            if (known.Length > 0) bounds[c] = [.. Enumerable.Range(0, Quantiles).Select(q => known[(int)((q + 0.5) / Quantiles * known.Length)])];
        }
        return new QuantileRanks(bounds);
    }

    /// <summary>The rank of a number of a column; the middle for a missing one. Equal bounds share the middle of their ranks.</summary>
    public float Rank(int column, float value)
    {
        var bounds = _bounds[column];
        if (bounds.Length == 0 || float.IsNaN(value)) return 0;
        int below = 0, to = bounds.Length;
        while (below < to)
        {
            var middle = (below + to) / 2;
            if (bounds[middle] < value) below = middle + 1;
            else to = middle;
        }
        var upTo = below;
        to = bounds.Length;
        while (upTo < to)
        {
            var middle = (upTo + to) / 2;
            if (bounds[middle] <= value) upTo = middle + 1;
            else to = middle;
        }
        return MathF.Sqrt(3) * ((below + upTo) / (float)bounds.Length - 1);
    }

    public void Write(BinaryWriter writer)
    {
        foreach (var bounds in _bounds) writer.WriteArray(bounds);
    }

    public static QuantileRanks Read(BinaryReader reader, LinearInputs inputs) => new([.. inputs.Parts.Select(_ => reader.ReadSingles())]);
}
