using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Algorithms.Linear;

/// <summary>
/// How a <see cref="Dataset"/> becomes the features of a linear model, learned on training rows: a number is standardised (mean 0, deviation 1) and,
/// when missing, takes the mean and raises a flag of its own if training rows lacked it too; a category gets one 0/1 feature a code, and one for missing.
/// A code never seen in training sets none of them.
/// </summary>
public sealed class LinearInputs
{
    internal sealed record Part(string Name, bool Categorical, double Mean, double Scale, int Codes, bool Flag, int From)
    {
        /// <summary>Features the column takes.</summary>
        public int Width => (Categorical ? Codes : 1) + (Flag ? 1 : 0);

        /// <summary>Position of the feature that says missing, or -1.</summary>
        public int FlagAt => Flag ? From + Width - 1 : -1;
    }

    private LinearInputs(Part[] parts)
    {
        Parts = parts;
        Count = parts.Sum(part => part.Width);
        FeatureNames = [.. parts.SelectMany(Names)];
    }

    /// <summary>The number of features.</summary>
    public int Count { get; }

    /// <summary>Each feature's name: the column's, with "=code" for a category and "=missing" for a flag.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    internal Part[] Parts { get; }

    /// <summary>Learns means, deviations and codes from training rows; <paramref name="weights"/> count rows (null: each 1).</summary>
    public static LinearInputs Fit(Dataset x, float[]? weights = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Checks.Weights(weights, x.RowCount);
        var parts = new Part[x.ColumnCount];
        var from = 0;
        for (var c = 0; c < parts.Length; c++)
        {
            parts[c] = x.Columns[c].IsCategorical ? Category(x.Columns[c], from) : Number(x.Columns[c], weights, from);
            from += parts[c].Width;
        }
        return new LinearInputs(parts);
    }

    /// <summary>Writes one row (as <see cref="Dataset.CopyRow"/> gives it) as features into <paramref name="features"/>.</summary>
    /// <exception cref="ArgumentException">The row or the target has another length than the training's.</exception>
    public void Encode(ReadOnlySpan<float> row, Span<double> features)
    {
        if (row.Length != Parts.Length) throw new ArgumentException($"The row has {row.Length} columns, training had {Parts.Length}.", nameof(row));
        if (features.Length != Count) throw new ArgumentException($"{Count} features do not fit {features.Length} places.", nameof(features));
        features.Clear();
        for (var c = 0; c < Parts.Length; c++)
        {
            var part = Parts[c];
            if (float.IsNaN(row[c]))
            {
                if (part.Flag) features[part.FlagAt] = 1;
            }
            else if (!part.Categorical) features[part.From] = (row[c] - part.Mean) / part.Scale;
            else if (row[c] >= 0 && row[c] < part.Codes) features[part.From + (int)row[c]] = 1;
        }
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Parts.Length);
        foreach (var part in Parts)
        {
            writer.Write(part.Name);
            writer.Write(part.Categorical);
            writer.Write(part.Mean);
            writer.Write(part.Scale);
            writer.Write(part.Codes);
            writer.Write(part.Flag);
        }
    }

    internal static LinearInputs Read(BinaryReader reader)
    {
        var parts = new Part[reader.ReadInt32()];
        var from = 0;
        for (var c = 0; c < parts.Length; c++)
        {
            parts[c] = new Part(reader.ReadString(), reader.ReadBoolean(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt32(), reader.ReadBoolean(), from);
            from += parts[c].Width;
        }
        return new LinearInputs(parts);
    }

    private static Part Category(Column column, int from)
    {
        var missing = false;
        foreach (var code in column.Codes) missing |= code < 0;
        return new Part(column.Name, true, 0, 1, column.CategoryCount, missing, from);
    }

    private static Part Number(Column column, float[]? weights, int from)
    {
        var numbers = column.Numbers;
        double total = 0, sum = 0, squares = 0;
        var missing = false;
        for (var i = 0; i < numbers.Length; i++)
        {
            if (float.IsNaN(numbers[i]))
            {
                missing = true;
                continue;
            }
            if (float.IsInfinity(numbers[i])) throw new ArgumentException($"Column {column.Name}, row {i} is infinite.");
            double weight = weights?[i] ?? 1;
            total += weight;
            sum += weight * numbers[i];
        }
        var mean = total > 0 ? sum / total : 0;
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!float.IsNaN(numbers[i])) squares += (weights?[i] ?? 1) * (numbers[i] - mean) * (numbers[i] - mean);
        }
        var deviation = total > 0 ? Math.Sqrt(squares / total) : 0;
        // A constant column stays at zero: its differences from the mean are rounding only.
        return new Part(column.Name, false, mean, deviation > 1e-12 * Math.Max(1, Math.Abs(mean)) ? deviation : 1, 0, missing, from);
    }

    private static IEnumerable<string> Names(Part part)
    {
        if (!part.Categorical) yield return part.Name;
        for (var code = 0; code < part.Codes; code++) yield return $"{part.Name}={code}";
        if (part.Flag) yield return $"{part.Name}=missing";
    }
}
