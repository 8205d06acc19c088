using System.Buffers;
using System.Buffers.Text;

namespace OKLA.Host.Auth;

/// <summary>
/// Base64url as RFC 7515 section 2 wants it: its alphabet only, no padding, no white space, and unused last bits zero,
/// so that every byte string has exactly one spelling (the framework's decoder is kinder).
/// </summary>
internal static class StrictBase64Url
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static readonly SearchValues<char> Allowed = SearchValues.Create(Alphabet);

    /// <summary>Decodes; false when the text is not the one right spelling of some bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.ContainsAnyExcept(Allowed)) return false;
        var unusedBits = (text.Length % 4) switch { 0 => 0, 2 => 0b1111, 3 => 0b11, _ => -1 };
        if (unusedBits < 0) return false;
        if (unusedBits > 0 && (Alphabet.IndexOf(text[^1], StringComparison.Ordinal) & unusedBits) != 0) return false;

        var decoded = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, decoded, out _, out var written) != OperationStatus.Done) return false;
        bytes = decoded.Length == written ? decoded : decoded[..written];
        return true;
    }
}
