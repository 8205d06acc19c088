using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Language;

/// <summary>Reads years and amounts of money as Dominicans type them: "2015", "del 15", "1.2 millones", "millón y medio", "800 mil", "20k dólares", "RD$1,200,000".</summary>
internal static class SlotValues
{
    /// <summary>A number without a currency below this is dollars: no vehicle is offered for so few pesos.</summary>
    private const decimal LeastPesos = 40_000;

    private static readonly Dictionary<string, decimal> Numbers = new(StringComparer.Ordinal)
    {
        ["un"] = 1, ["una"] = 1, ["uno"] = 1, ["dos"] = 2, ["tres"] = 3, ["cuatro"] = 4, ["cinco"] = 5, ["seis"] = 6, ["siete"] = 7, ["ocho"] = 8, ["nueve"] = 9, ["diez"] = 10, ["once"] = 11, ["doce"] = 12,
        ["quince"] = 15, ["veinte"] = 20, ["veinticinco"] = 25, ["treinta"] = 30, ["cuarenta"] = 40, ["cincuenta"] = 50, ["cien"] = 100, ["ciento"] = 100, ["doscientos"] = 200, ["trescientos"] = 300,
        ["cuatrocientos"] = 400, ["quinientos"] = 500, ["seiscientos"] = 600, ["setecientos"] = 700, ["ochocientos"] = 800, ["novecientos"] = 900,
    };

    private static readonly Dictionary<string, decimal> Scales = new(StringComparer.Ordinal)
    {
        ["mil"] = 1_000, ["k"] = 1_000, ["tabla"] = 1_000, ["tablas"] = 1_000, ["m"] = 1_000_000, ["mm"] = 1_000_000, ["millon"] = 1_000_000, ["millones"] = 1_000_000, ["palo"] = 1_000_000, ["palos"] = 1_000_000,
    };

    private static readonly HashSet<string> Dollars = ["us", "us$", "us $", "u$s", "usd", "dolar", "dolares", "u$"], Pesos = ["rd", "rd$", "rd $", "dop", "peso", "pesos"];

    /// <summary>A year of four digits, or of two after 1980; null when it is none.</summary>
    public static int? Year(IReadOnlyList<string> words)
    {
        foreach (var word in words)
        {
            if (int.TryParse(word.TrimStart('\''), NumberStyles.None, CultureInfo.InvariantCulture, out var year))
            {
                year += year < 40 ? 2000 : year < 100 ? 1900 : 0;
                return year is >= 1950 and <= 2040 ? year : null;
            }
        }

        return null;
    }

    /// <summary>An amount with its currency; null when the words hold no number.</summary>
    /// <param name="words">Plain words.</param>
    /// <param name="scale">The scale of the other end of a range ("entre 500 y 800 mil"), for a number that has none of its own; 1 for none.</param>
    /// <param name="currency">The currency of the other end; null where it says none.</param>
    public static Money? Amount(IReadOnlyList<string> words, decimal scale = 1, string? currency = null)
    {
        var (total, pending, any, scaled) = (0m, (decimal?)null, false, false);
        var last = 1m;
        foreach (var word in words)
        {
            if (Dollars.Contains(word) || Pesos.Contains(word))
            {
                currency = Dollars.Contains(word) ? "USD" : "DOP";
            }
            else if (word is "medio" or "media")
            {
                // "medio millón" before its scale, "millón y medio" behind it.
                (total, pending, any) = any && scaled ? (total + last / 2, pending, true) : (total, 0.5m, true);
            }
            else if (Scales.TryGetValue(word, out var factor))
            {
                // "1 millón 200 mil" adds up; "mil" of "un millón de mil" is none.
                (total, pending, any, scaled, last) = (total + (pending ?? 1) * factor, null, true, true, factor);
            }
            else if (Numbers.TryGetValue(word, out var number) || TryNumber(word, out number))
            {
                (pending, any) = ((pending ?? 0) + number, true);
            }
        }

        if (!any)
        {
            return null;
        }

        // "1 millón 200" leaves its thousands out; "1.2" without a scale can only be millions.
        var rest = pending ?? 0;
        rest *= scaled ? (last == 1_000_000 && rest is > 0 and < 1_000 ? 1_000 : 1) : rest < 20 && rest != decimal.Truncate(rest) ? 1_000_000 : rest * scale >= 1 ? scale : 1;
        total += rest;
        currency ??= total < LeastPesos ? "USD" : "DOP";
        return total is > 0 and < 1_000_000_000m ? new Money(Math.Round(total, 2), currency) : null;
    }

    /// <summary>The scale that an amount's words name last; 1 for none.</summary>
    public static decimal ScaleOf(IReadOnlyList<string> words) => words.Select(word => Scales.GetValueOrDefault(word, 0)).LastOrDefault(factor => factor > 0) is var found and > 0 ? found : 1;

    /// <summary>The currency that an amount's words name; null for none.</summary>
    public static string? CurrencyOf(IReadOnlyList<string> words) => words.Any(Dollars.Contains) ? "USD" : words.Any(Pesos.Contains) ? "DOP" : null;

    // Groups of three digits are thousands; one mark with another number of digits behind it is a decimal.
    private static bool TryNumber(string word, out decimal number)
    {
        number = 0;
        if (word.Length is 0 or > 15 || !char.IsAsciiDigit(word[0]) || !word.All(c => char.IsAsciiDigit(c) || c is '.' or ','))
        {
            return false;
        }

        var parts = word.Split('.', ',');
        var plain = parts.Length > 1 && parts[1..].All(part => part.Length == 3) ? string.Concat(parts) : parts.Length == 2 ? $"{parts[0]}.{parts[1]}" : string.Concat(parts);
        return decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }
}
