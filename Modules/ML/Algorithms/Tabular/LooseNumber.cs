using System.Globalization;

namespace OKLA.ML.Algorithms.Tabular;

/// <summary>Reads numbers as people write them in tables: "US$ 12,500", "120,000 km", "(1.250,75)", "15 %", "850 mil", "10,000+".</summary>
internal static class LooseNumber
{
    private const int LongestUnit = 16;

    private static readonly string[] CurrencyCodes = ["rd$", "us$", "u$s", "r$", "usd", "dop", "eur", "gbp", "mxn", "inr", "rs.", "rs", "$", "€", "£", "¥", "₹"];

    /// <summary>Whether the numbers among <paramref name="texts"/> mostly write their decimals after a comma.</summary>
    public static bool UsesDecimalComma(IEnumerable<string> texts)
    {
        int comma = 0, dot = 0;
        foreach (var text in texts)
        {
            int lastComma = text.LastIndexOf(','), lastDot = text.LastIndexOf('.');
            if (lastComma < 0 && lastDot < 0) continue;
            var last = Math.Max(lastComma, lastDot);
            var digits = 0;
            while (last + 1 + digits < text.Length && char.IsAsciiDigit(text[last + 1 + digits])) digits++;
            if (digits == 0) continue;
            var mark = text[last];
            // Three digits after a mark that stands alone say nothing; a mark that repeats parts thousands, so that the other one is the decimal.
            var repeats = text.AsSpan().Count(mark) > 1;
            var both = lastComma >= 0 && lastDot >= 0;
            if (!both && !repeats && digits == 3) continue;
            if (mark == ',' != repeats) comma++;
            else dot++;
        }
        return comma > dot;
    }

    /// <summary>Reads one number and what is written around it (a currency before it or a unit after it, in lower case; empty for a bare number).</summary>
    public static bool TryRead(string written, bool decimalComma, out double value, out string unit)
    {
        unit = "";
        if (!decimalComma && double.TryParse(written, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value))
            return double.IsFinite(value);
        value = 0;
        var text = written.AsSpan().Trim();
        var negative = false;
        if (text is ['(', .., ')'])
        {
            negative = true;
            text = text[1..^1].Trim();
        }
        if (text.Length > 1 && text[0] is '<' or '>' or '~' or '≈') text = text[1..].TrimStart();
        negative ^= SkipSign(ref text);
        var currency = SkipCurrency(ref text);
        negative ^= SkipSign(ref text);
        var length = ReadDigits(text, decimalComma, out value);
        if (length == 0) return false;
        var rest = text[length..];
        var attached = rest.Length > 0 && !char.IsWhiteSpace(rest[0]);
        rest = rest.Trim().TrimEnd('+').TrimEnd();
        if (!IsUnit(rest)) return false;
        var name = rest.ToString();
        (value, name) = Scaled(value, name, attached);
        unit = currency ?? name.ToLowerInvariant().TrimEnd('.');
        if (negative) value = -value;
        return double.IsFinite(value);
    }

    private static bool SkipSign(ref ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] is not ('-' or '−' or '+')) return false;
        var minus = text[0] != '+';
        text = text[1..].TrimStart();
        return minus;
    }

    private static string? SkipCurrency(ref ReadOnlySpan<char> text)
    {
        foreach (var code in CurrencyCodes)
        {
            if (!text.StartsWith(code, StringComparison.OrdinalIgnoreCase)) continue;
            text = text[code.Length..].TrimStart();
            return code;
        }
        return null;
    }

    // "k" and "M" count only right behind the digits: "12k", but not "12 K".
    private static (double Value, string Unit) Scaled(double value, string unit, bool attached) => unit switch
    {
        "k" or "K" when attached => (value * 1e3, ""),
        "M" when attached => (value * 1e6, ""),
        _ when unit.Equals("mil", StringComparison.OrdinalIgnoreCase) => (value * 1e3, ""),
        _ when unit.StartsWith("mill", StringComparison.OrdinalIgnoreCase) && unit.Length is >= 6 and <= 8 => (value * 1e6, ""),
        _ => (value, unit),
    };

    private static bool IsUnit(ReadOnlySpan<char> text)
    {
        if (text.Length > LongestUnit) return false;
        var spaces = 0;
        foreach (var c in text)
        {
            if (char.IsDigit(c) || c is '-' or ',' or ':' or '#' or '_' or '&' or '|') return false;
            if (char.IsWhiteSpace(c) && ++spaces > 1) return false;
        }
        return true;
    }

    private static int ReadDigits(ReadOnlySpan<char> text, bool decimalComma, out double value)
    {
        value = 0;
        int end = 0, commas = 0, dots = 0, lastMark = -1;
        Span<char> plain = stackalloc char[40];
        for (; end < text.Length && end < plain.Length; end++)
        {
            var c = text[end];
            if (char.IsAsciiDigit(c)) continue;
            if (c is not (',' or '.' or '\'' or '’' or ' ' or '\u00A0' or '\u202F') || end + 1 >= text.Length || !char.IsAsciiDigit(text[end + 1])) break;
            // A space parts thousands only.
            if (char.IsWhiteSpace(c) && (end == 0 || DigitsAt(text, end + 1) != 3)) break;
            if (c == ',') commas++;
            if (c == '.') dots++;
            if (c is ',' or '.') lastMark = end;
        }
        if (end == 0 || !text[..end].ContainsAnyInRange('0', '9')) return 0;
        var decimalAt = DecimalMark(text[..end], commas, dots, lastMark, decimalComma);
        if (decimalAt == -2) return 0;
        var used = 0;
        for (var i = 0; i < end; i++)
        {
            if (char.IsAsciiDigit(text[i])) plain[used++] = text[i];
            else if (i == decimalAt) plain[used++] = '.';
        }
        return double.TryParse(plain[..used], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) ? end : 0;
    }

    // The place of the decimal mark, -1 without one, -2 when the marks make no number.
    private static int DecimalMark(ReadOnlySpan<char> text, int commas, int dots, int lastMark, bool decimalComma)
    {
        if (lastMark < 0) return -1;
        var after = text.Length - lastMark - 1;
        if (commas > 0 && dots > 0) return (text[lastMark] == ',' ? commas : dots) == 1 ? lastMark : -2;
        var many = commas + dots > 1;
        if (many) return after == 3 ? -1 : -2;
        var isDecimal = text[lastMark] == ',' ? decimalComma || after != 3 : !decimalComma || after != 3;
        return isDecimal ? lastMark : -1;
    }

    private static int DigitsAt(ReadOnlySpan<char> text, int from)
    {
        var count = 0;
        while (from + count < text.Length && char.IsAsciiDigit(text[from + count])) count++;
        return count;
    }
}
