using System.Buffers;
using System.Globalization;
using System.Text;

namespace OKLA.Tracking.Catalog;

/// <summary>Reads what people write in listings: numbers with separators, currencies, names.</summary>
internal static class ListingText
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.,' \u00A0");

    /// <summary>
    /// A number with any separators and words around it: <c>RD$ 1,250,000.00</c>, <c>1.250.000</c>, <c>35,000 Mi</c>. The last of two
    /// kinds of separator is the decimal one; a single separator before exactly three digits, with one to three before it, groups
    /// thousands. Null when there is no digit or more than one number.
    /// </summary>
    public static decimal? Number(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var start = text.AsSpan().IndexOfAnyInRange('0', '9');
        if (start < 0)
        {
            return null;
        }

        var end = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        var body = text.AsSpan(start, end - start);
        if (body.ContainsAnyExcept(NumberCharacters))
        {
            return null;
        }

        var digits = new StringBuilder(body.Length + 1);
        var decimalAt = DecimalSeparator(body);
        for (var i = 0; i < body.Length; i++)
        {
            if (char.IsAsciiDigit(body[i]))
            {
                digits.Append(body[i]);
            }
            else if (i == decimalAt)
            {
                digits.Append('.');
            }
        }

        var negative = text.AsSpan(0, start).TrimEnd().EndsWith("-");
        return decimal.TryParse(digits.ToString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) ? negative ? -value : value : null;
    }

    /// <summary><c>DOP</c> or <c>USD</c> out of the ways people write them (US, US$, dólares, RD$, pesos …); null when it is neither.</summary>
    public static string? Currency(string? text) => Key(text).Replace(" ", "", StringComparison.Ordinal) switch
    {
        "us" or "usd" or "u" or "dolar" or "dolares" or "dollar" or "dollars" => "USD",
        "rd" or "dop" or "rds" or "rdp" or "peso" or "pesos" or "pesosdominicanos" => "DOP",
        _ => null,
    };

    /// <summary>The currency that stands before or after the digits of a price, such as in <c>US$ 12,000</c>; null when there is none.</summary>
    public static string? CurrencyBeside(string price) => Currency(new string([.. price.Where(c => char.IsLetter(c))]));

    /// <summary>A text reduced to what identifies it: lower case, no accents, one blank for everything that is neither letter nor digit.</summary>
    public static string Key(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "";
        }

        var key = new StringBuilder(text.Length);
        foreach (var c in text.Normalize(NormalizationForm.FormD))
        {
            if (char.IsLetterOrDigit(c))
            {
                key.Append(char.ToLowerInvariant(c));
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && key.Length > 0 && key[^1] != ' ')
            {
                key.Append(' ');
            }
        }

        return key.ToString().TrimEnd();
    }

    /// <summary>A category as everybody writes it: lower case, no accents, punctuation kept (<c>Híbrido</c> → <c>hibrido</c>, <c>v.pesados</c> stays).</summary>
    public static string Category(string text) => new(
        [.. text.Trim().Normalize(NormalizationForm.FormD).Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark).Select(char.ToLowerInvariant)]);

    private static int DecimalSeparator(ReadOnlySpan<char> number)
    {
        var (dot, comma) = (number.LastIndexOf('.'), number.LastIndexOf(','));
        if (dot >= 0 && comma >= 0)
        {
            return Math.Max(dot, comma);
        }

        var (last, separator) = dot >= 0 ? (dot, '.') : (comma, ',');
        if (last < 0 || number.IndexOf(separator) != last)
        {
            return -1;
        }

        var groupsThousands = number.Length - last - 1 == 3 && last is >= 1 and <= 3 && number[0] != '0';
        return groupsThousands ? -1 : last;
    }
}
