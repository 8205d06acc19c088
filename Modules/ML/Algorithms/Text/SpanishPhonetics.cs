using System.Text;

namespace OKLA.ML.Algorithms.Text;

/// <summary>
/// A key of how a word sounds in Caribbean Spanish: letters that sound alike become one (b v w, s z soft c, k q hard c, ll y, j soft g x), the silent h, doubled
/// letters and a final s or d fall away ("Honda Civic" and "onda sivic" are one key).
/// </summary>
public static class SpanishPhonetics
{
    /// <summary>The key of a word or name, in capitals; words are joined by one blank.</summary>
    public static string Key(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var key = new StringBuilder(text.Length);
        foreach (var word in text.ToLowerInvariant().Split([' ', '-', '\t', '.', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (key.Length > 0) key.Append(' ');
            Append(Characters.Fold(word), key);
        }
        return key.ToString();
    }

    private static void Append(string word, StringBuilder key)
    {
        var start = key.Length;
        for (var i = 0; i < word.Length; i++)
        {
            var c = word[i];
            var next = i + 1 < word.Length ? word[i + 1] : '\0';
            var soft = next is 'e' or 'i' or 'y';
            var sound = c switch
            {
                'b' or 'v' or 'w' => 'B',
                'c' when next == 'h' => 'X',
                's' when next == 'h' => 'X',
                'c' => soft ? 'S' : 'K',
                'k' or 'q' => 'K',
                's' or 'z' => 'S',
                'g' when next == 'u' && i + 2 < word.Length && word[i + 2] is 'e' or 'i' => 'G',
                'g' => soft ? 'J' : 'G',
                'j' => 'J',
                'x' => 'S',
                'l' when next == 'l' => 'Y',
                // Said as "i" at the end and after a consonant: hyundai.
                'y' => i + 1 == word.Length || (i > 0 && !IsVowel(word[i - 1])) ? 'I' : 'Y',
                'p' when next == 'h' => 'F',
                'ñ' => 'Ñ',
                'h' => '\0',
                _ => char.IsLetterOrDigit(c) ? char.ToUpperInvariant(c) : '\0',
            };
            if (c == 'l' && next == 'l') i++;
            if ((c is 'c' or 's' or 'p') && next == 'h') i++;
            if (c == 'q' && next == 'u') i++;
            if (c == 'g' && next == 'u' && i + 2 < word.Length && word[i + 2] is 'e' or 'i') i++;
            if (sound == '\0' || (key.Length > start && key[^1] == sound && !char.IsDigit(sound))) continue;
            key.Append(sound);
        }
        if (key.Length - start > 2 && key[^1] is 'S' or 'D') key.Length--;
    }

    private static bool IsVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u';
}
