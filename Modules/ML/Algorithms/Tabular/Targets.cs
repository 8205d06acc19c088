using System.Globalization;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>A column of numbers to be predicted, however they are written; the way is learned from training rows.</summary>
public sealed class NumberTarget
{
    private readonly bool _decimalComma;

    private NumberTarget(bool decimalComma) => _decimalComma = decimalComma;

    /// <summary>Learns from training rows whether decimals follow a comma.</summary>
    public static NumberTarget Fit(IReadOnlyList<string?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new NumberTarget(LooseNumber.UsesDecimalComma(values.OfType<string>().Take(20_000)));
    }

    /// <summary>The numbers, NaN where there is none.</summary>
    public float[] Read(IReadOnlyList<string?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return [.. values.Select(v => v is not null && LooseNumber.TryRead(v.Trim(), _decimalComma, out var number, out _) && float.IsFinite((float)number) ? (float)number : float.NaN)];
    }
}

/// <summary>A column of classes to be predicted: labels of training rows in order, the positive one last.</summary>
public sealed class ClassTarget
{
    /// <summary>What <see cref="Read"/> answers where there is no label.</summary>
    public const int Missing = -1;

    /// <summary>What <see cref="Read"/> answers for a label that training did not have.</summary>
    public const int Unknown = -2;

    private static readonly HashSet<string> Marks = new(["", "na", "n/a", "nan", "null", "#n/a", "?"], StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, int> _codes;

    private ClassTarget(IReadOnlyList<string> classes)
    {
        Classes = classes;
        _codes = classes.Select((label, code) => (Key: Key(label), code)).ToDictionary(p => p.Key, p => p.code, StringComparer.Ordinal);
    }

    /// <summary>The labels by class.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Learns the labels of training rows. Case, blanks and the zeros of a decimal do not part them.</summary>
    /// <param name="values">One label a row.</param>
    /// <param name="positive">The label to be the last class; without it the labels' order decides.</param>
    /// <exception cref="ArgumentException">No row bears <paramref name="positive"/>.</exception>
    public static ClassTarget Fit(IReadOnlyList<string?> values, string? positive = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        var labels = values.OfType<string>().Select(v => v.Trim()).Where(v => !Marks.Contains(v)).GroupBy(Key, StringComparer.Ordinal)
            .Select(g => g.GroupBy(v => v, StringComparer.Ordinal).OrderByDescending(w => w.Count()).ThenBy(w => w.Key, StringComparer.Ordinal).First().Key).ToList();
        labels.Sort(static (a, b) => IsNumber(a, out var x) && IsNumber(b, out var y) ? x.CompareTo(y) : string.CompareOrdinal(a, b));
        if (positive is null) return new ClassTarget(labels);
        var last = labels.FirstOrDefault(label => Key(label) == Key(positive.Trim()));
        if (last is null) throw new ArgumentException($"No row has '{positive}'. There is: {string.Join(", ", labels.Take(12))}{(labels.Count > 12 ? ", …" : "")}.", nameof(positive));
        labels.Remove(last);
        return new ClassTarget([.. labels, last]);
    }

    /// <summary>The classes, <see cref="Missing"/> where there is no label, <see cref="Unknown"/> where training had none such.</summary>
    public int[] Read(IReadOnlyList<string?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return [.. values.Select(v => v is null || Marks.Contains(v.Trim()) ? Missing : _codes.GetValueOrDefault(Key(v.Trim()), Unknown))];
    }

    private static string Key(string label) => IsNumber(label, out var number) ? number.ToString("R", CultureInfo.InvariantCulture) : label.ToLowerInvariant();

    private static bool IsNumber(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}
