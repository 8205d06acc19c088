namespace OKLA.ML.Algorithms.Retrieval;

/// <summary>An item's index and its score. Sorted: higher score first, the lower index first among equal scores.</summary>
/// <param name="Index">Zero-based index of the item.</param>
/// <param name="Score">Inner product or another score; higher is better.</param>
public readonly record struct Scored(int Index, float Score) : IComparable<Scored>
{
    /// <summary>Negative when this one stands before <paramref name="other"/> in a ranking.</summary>
    public int CompareTo(Scored other)
    {
        int byScore = other.Score.CompareTo(Score);
        return byScore != 0 ? byScore : Index.CompareTo(other.Index);
    }

    /// <summary>Whether the left one stands before the right one.</summary>
    public static bool operator <(Scored left, Scored right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left one stands after the right one.</summary>
    public static bool operator >(Scored left, Scored right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left one does not stand after the right one.</summary>
    public static bool operator <=(Scored left, Scored right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left one does not stand before the right one.</summary>
    public static bool operator >=(Scored left, Scored right) => left.CompareTo(right) >= 0;
}
