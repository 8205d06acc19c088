using System.Globalization;
using System.Text;

namespace OKLA.Shared.Telemetry;

/// <summary>The tags of a series: equal whatever their order.</summary>
internal sealed class TagsComparer : IEqualityComparer<KeyValuePair<string, object?>[]>,
    IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, object?>[]>
{
    public static readonly TagsComparer Instance = new();

    public bool Equals(KeyValuePair<string, object?>[]? x, KeyValuePair<string, object?>[]? y) => x is not null && y is not null && Equals(x.AsSpan(), y);

    public int GetHashCode(KeyValuePair<string, object?>[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, object?>[] other)
    {
        if (alternate.Length != other.Length) return false;
        for (var i = 0; i < other.Length; i++)
            if (!Same(alternate[i], other[i]) && !Contains(other, alternate[i])) return false;
        return true;
    }

    // A sum, so that order does not matter.
    public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
    {
        var hash = alternate.Length;
        foreach (var (key, value) in alternate) hash += HashCode.Combine(key, value);
        return hash;
    }

    public KeyValuePair<string, object?>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => alternate.ToArray();

    private static bool Same(KeyValuePair<string, object?> x, KeyValuePair<string, object?> y) => x.Key == y.Key && Equals(x.Value, y.Value);

    private static bool Contains(KeyValuePair<string, object?>[] tags, KeyValuePair<string, object?> tag)
    {
        foreach (var other in tags)
            if (Same(other, tag)) return true;
        return false;
    }
}

/// <summary>One line (or, of a histogram, one group of lines) of the answer: a value under fixed labels.</summary>
/// <param name="labels">Written labels, without braces; empty when there are none.</param>
/// <param name="bounds">Upper bounds of a histogram's buckets, rising; null for a plain value.</param>
internal sealed class Series(string labels, double[]? bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _buckets = new long[bounds is null ? 0 : bounds.Length + 1];
    private double _value;
    private long _count;

    /// <summary>The scrape that last saw this series; only observable instruments use it.</summary>
    public int Scrape { get; set; }

    public void Add(double value)
    {
        lock (_lock)
        {
            _value += value;
            _count++;
            // A bucket holds what is at most its bound.
            if (bounds is not null) _buckets[BucketOf(value)]++;
        }
    }

    public void Set(double value)
    {
        lock (_lock) _value = value;
    }

    public void Write(StringBuilder text, string name)
    {
        lock (_lock)
        {
            if (bounds is null)
            {
                Line(text, name, labels, "", Number(_value));
                return;
            }

            long below = 0;
            for (var i = 0; i < _buckets.Length; i++)
                Line(text, name + "_bucket", labels, $"le=\"{Number(i < bounds.Length ? bounds[i] : double.PositiveInfinity)}\"", Number(below += _buckets[i]));
            Line(text, name + "_sum", labels, "", Number(_value));
            Line(text, name + "_count", labels, "", Number(_count));
        }
    }

    private int BucketOf(double value)
    {
        var found = Array.BinarySearch(bounds!, value);
        return found >= 0 ? found : double.IsNaN(value) ? bounds!.Length : ~found;
    }

    private static void Line(StringBuilder text, string name, string labels, string more, string value)
    {
        text.Append(name);
        if (labels.Length + more.Length > 0)
            text.Append('{').Append(labels).Append(labels.Length > 0 && more.Length > 0 ? "," : "").Append(more).Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
