namespace OKLA.ML.Algorithms.Text;

/// <summary>Reads numbers and amounts of money as Dominicans write them: "RD$1.5M", "1,250,000", "850 mil", "US$ 12k", "900 mil pesos".</summary>
internal static class Amounts
{
    private static readonly (string Text, string Currency)[] Before =
        [("rd$", "DOP"), ("us$", "USD"), ("u$s", "USD"), ("dop", "DOP"), ("usd", "USD"), ("eur", "EUR"), ("rd", "DOP"), ("$", "DOP"), ("€", "EUR")];

    private static readonly (string Text, double Factor)[] Scales =
        [("millones", 1e6), ("millón", 1e6), ("millon", 1e6), ("palos", 1e6), ("palo", 1e6), ("mil", 1e3), ("mm", 1e6), ("m", 1e6), ("k", 1e3)];

    private static readonly (string Text, string Currency)[] After =
        [("dolares", "USD"), ("dólares", "USD"), ("dolar", "USD"), ("dólar", "USD"), ("pesos", "DOP"), ("peso", "DOP"), ("us$", "USD"), ("usd", "USD"), ("rd$", "DOP"),
         ("dop", "DOP"), ("euros", "EUR"), ("eur", "EUR"), ("€", "EUR")];

    /// <summary>Reads an amount or number at the start of <paramref name="text"/> (lower case); length 0 when there is none.</summary>
    public static (int Length, double Value, string? Currency) Read(ReadOnlySpan<char> text)
    {
        var at = 0;
        string? currency = null;
        foreach (var (sign, name) in Before)
        {
            if (!text.StartsWith(sign, StringComparison.Ordinal)) continue;
            (at, currency) = (sign.Length, name);
            while (at < text.Length && text[at] == ' ') at++;
            if (at == text.Length || !char.IsAsciiDigit(text[at])) return default;
            break;
        }
        var digits = Digits(text[at..], out var value, out var grouped);
        if (digits == 0) return default;
        at += digits;

        // A scale must end the word: "5m" is five million pesos only with a currency, and "5mil" is not the start of "5milkm".
        foreach (var (scale, factor) in Scales)
        {
            var from = SkipSpace(text, at, scale.Length > 2);
            if (!EndsWord(text, from, scale) || (scale.Length <= 2 && scale != "k" && currency is null)) continue;
            at = from + scale.Length;
            value = factor * (grouped && digits == 5 ? value / 1000 : value);
            break;
        }
        if (currency is null)
        {
            foreach (var (word, name) in After)
            {
                var from = SkipSpace(text, SkipDe(text, at), true);
                if (!EndsWord(text, from, word)) continue;
                return (from + word.Length, value, name);
            }
        }
        // Letters right behind make it a part of a word: "4runner", "3ra".
        return currency is null && at < text.Length && char.IsLetter(text[at]) ? default : (at, value, currency);
    }

    /// <summary>
    /// Digits with , or . between: groups of three are thousands ("1,250,000", "1.250.000"), and one mark with another number of digits behind it is a decimal.
    /// <paramref name="ambiguous"/>: one dot and three digits, read as thousands ("1.500"), a decimal where a scale follows ("1.500 millones").
    /// </summary>
    private static int Digits(ReadOnlySpan<char> text, out double value, out bool ambiguous)
    {
        value = 0;
        ambiguous = false;
        var at = 0;
        while (at < text.Length && char.IsAsciiDigit(text[at])) value = value * 10 + (text[at++] - '0');
        if (at == 0) return 0;
        var first = at;
        char mark = '\0';
        var groups = 0;
        while (at < text.Length && text[at] is '.' or ',' or '\'')
        {
            var count = 0;
            while (at + 1 + count < text.Length && char.IsAsciiDigit(text[at + 1 + count])) count++;
            if (count == 0) break;
            if (count == 3 && first <= 3 && (mark == '\0' || mark == text[at]))
            {
                for (var i = 1; i <= 3; i++) value = value * 10 + (text[at + i] - '0');
                (mark, groups, at) = (text[at], groups + 1, at + 4);
                continue;
            }
            double unit = 0.1;
            for (var i = 1; i <= count; i++, unit /= 10) value += (text[at + i] - '0') * unit;
            at += 1 + count;
            break;
        }
        ambiguous = groups == 1 && mark == '.' && at == first + 4;
        return at;
    }

    private static int SkipSpace(ReadOnlySpan<char> text, int at, bool allowed) => allowed && at < text.Length && text[at] == ' ' ? at + 1 : at;

    private static int SkipDe(ReadOnlySpan<char> text, int at) => text[at..].StartsWith(" de ", StringComparison.Ordinal) ? at + 3 : at;

    private static bool EndsWord(ReadOnlySpan<char> text, int at, string word) =>
        text[at..].StartsWith(word, StringComparison.Ordinal) && (at + word.Length == text.Length || !char.IsLetterOrDigit(text[at + word.Length]));
}
