namespace OKLA.Shared.Texts;

/// <summary>FNV-1a over UTF-16 units, 64 bits (Fowler, Noll and Vo): a text's own hash differs from process to process, this one never does.</summary>
public static class StableHash
{
    /// <summary>Where a hash begins.</summary>
    public const ulong Basis = 14695981039346656037;

    private const ulong Prime = 1099511628211;

    /// <summary>The hash of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="hash">What was hashed before it.</param>
    public static ulong Of(ReadOnlySpan<char> text, ulong hash = Basis)
    {
        foreach (var letter in text)
        {
            hash = (hash ^ letter) * Prime;
        }

        return hash;
    }
}
