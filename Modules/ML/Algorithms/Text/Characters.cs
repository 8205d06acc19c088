using System.Globalization;
using System.Text;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Letters without case and accents, and hashes of texts.</summary>
internal static class Characters
{
    private static readonly char[] Folded = MakeFolded();

    /// <summary>The letter without its accent (á → a, ü → u, ç → c); ñ stays, since año is not ano.</summary>
    public static char Fold(char c) => c < Folded.Length ? Folded[c] : c;

    /// <summary>The text without accents, ñ kept unless <paramref name="enye"/>.</summary>
    public static string Fold(string text, bool enye = false)
    {
        var at = 0;
        while (at < text.Length && Fold(text[at]) == text[at] && !(enye && text[at] is 'ñ' or 'Ñ')) at++;
        if (at == text.Length) return text;
        return string.Create(text.Length, (text, enye), static (span, state) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                var c = Fold(state.text[i]);
                span[i] = !state.enye ? c : c == 'ñ' ? 'n' : c == 'Ñ' ? 'N' : c;
            }
        });
    }

    /// <summary>FNV-1a over chars with the running state <paramref name="hash"/>; finish with <see cref="Mix"/>.</summary>
    public static ulong Hash(ReadOnlySpan<char> text, ulong hash = Basis)
    {
        foreach (var c in text) hash = (hash ^ c) * Prime;
        return hash;
    }

    public const ulong Basis = 14695981039346656037;
    public const ulong Prime = 1099511628211;

    /// <summary>The 64-bit finaliser of MurmurHash3 (Appleby): every input bit reaches every output bit.</summary>
    public static ulong Mix(ulong h)
    {
        h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCDUL;
        h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53UL;
        return h ^ (h >> 33);
    }

    private static char[] MakeFolded()
    {
        var table = new char[0x250];
        for (var i = 0; i < table.Length; i++)
        {
            var c = (char)i;
            var apart = c is 'ñ' or 'Ñ' ? c.ToString() : c.ToString().Normalize(NormalizationForm.FormD);
            table[i] = apart.Length > 1 && CharUnicodeInfo.GetUnicodeCategory(apart[1]) == UnicodeCategory.NonSpacingMark ? apart[0] : c;
        }
        return table;
    }
}
