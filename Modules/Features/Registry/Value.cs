namespace OKLA.Features.Registry;

/// <summary>What a feature came to: a number, a short text, shares by key, or nothing.</summary>
/// <param name="Number">The number; NaN when there is none.</param>
/// <param name="Other">A text or <see cref="Shares"/>; null for a number or nothing.</param>
internal readonly record struct Value(double Number, object? Other)
{
    /// <summary>Nothing is known.</summary>
    public static readonly Value None = new(double.NaN, null);

    public bool IsNone => Other is null && double.IsNaN(Number);

    public string? Text => Other as string;

    public Shares? Shares => Other as Shares;

    public static implicit operator Value(double number) => new(number, null);

    public static implicit operator Value(double? number) => new(number ?? double.NaN, null);

    public static implicit operator Value(string? text) => new(double.NaN, text);

    public static implicit operator Value(Shares? shares) => new(double.NaN, shares);

    /// <summary>For JSON: a number, a text, an object of shares, or null.</summary>
    public object? Plain => Other switch
    {
        Shares shares => shares.ToDictionary(),
        null => double.IsNaN(Number) ? null : Number,
        _ => Other,
    };
}

/// <summary>Shares of a whole by key, largest first, ties by key; two with the same entries are equal.</summary>
internal sealed class Shares(params KeyValuePair<string, double>[] entries) : IEquatable<Shares>
{
    public IReadOnlyList<KeyValuePair<string, double>> Entries => entries;

    /// <summary>The share of a key; 0 when it has none.</summary>
    public double Of(string? key)
    {
        foreach (var entry in entries)
        {
            if (entry.Key == key)
            {
                return entry.Value;
            }
        }

        return 0;
    }

    public Dictionary<string, double> ToDictionary() => new(entries);

    /// <summary>Cosine of the angle between two sets of shares, 0 to 1.</summary>
    public double Cosine(Shares other)
    {
        double dot = 0, left = 0, right = 0;
        foreach (var (key, share) in entries)
        {
            dot += share * other.Of(key);
            left += share * share;
        }

        foreach (var (_, share) in other.Entries)
        {
            right += share * share;
        }

        return dot == 0 ? 0 : dot / Math.Sqrt(left * right);
    }

    public bool Equals(Shares? other) => other is not null && entries.AsSpan().SequenceEqual([.. other.Entries]);

    public override bool Equals(object? obj) => Equals(obj as Shares);

    public override int GetHashCode() => entries.Length == 0 ? 0 : HashCode.Combine(entries.Length, entries[0]);

    public override string ToString() => string.Join('|', entries.Select(entry => FormattableString.Invariant($"{entry.Key}:{entry.Value}")));
}
