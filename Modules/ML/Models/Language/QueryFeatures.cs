using System.Globalization;

namespace OKLA.ML.Models.Language;

/// <summary>What the tagger sees of each word of a query: the word, its shape, the names it may be, what kind of number it is, and the same of its neighbours.</summary>
internal static class QueryFeatures
{
    private static readonly HashSet<string> Scales = ["mil", "k", "m", "mm", "millon", "millones", "palo", "palos", "medio", "media"];
    private static readonly HashSet<string> Currencies = ["$", "rd$", "us$", "rd", "us", "u$s", "usd", "dop", "pesos", "peso", "dolares", "dolar", "rd $", "us $"];
    private static readonly HashSet<string> NumberWords = ["un", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "quince", "veinte", "cien", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos", "ochocientos", "novecientos"];

    /// <summary>The features of each token.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Of(IReadOnlyList<QueryToken> tokens, Gazetteer gazetteer)
    {
        var names = new List<string>[tokens.Count];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = [];
        }

        foreach (var found in gazetteer.Find(tokens))
        {
            for (var i = 0; i < found.Count; i++)
            {
                names[found.First + i].Add($"{(i == 0 ? "B" : "I")}-{found.Name.Slot}{(found.Exact ? "" : "~")}");
            }
        }

        string Word(int i) => i < 0 ? "<s>" : i >= tokens.Count ? "</s>" : Kind(tokens[i].Text) is var kind and not "word" ? $"<{kind}>" : tokens[i].Text;
        string Known(int i) => i < 0 || i >= tokens.Count ? "-" : string.Join('+', names[i].Order(StringComparer.Ordinal));
        var features = new IReadOnlyList<string>[tokens.Count];
        for (var i = 0; i < tokens.Count; i++)
        {
            var (text, kind, near) = (tokens[i].Text, Kind(tokens[i].Text), Near(tokens, i));
            var of = new List<string>
            {
                "bias", $"w={Word(i)}", $"k={kind}", $"w-1={Word(i - 1)}", $"w+1={Word(i + 1)}", $"w-2={Word(i - 2)}", $"w+2={Word(i + 2)}", $"w-1w={Word(i - 1)} {Word(i)}", $"ww+1={Word(i)} {Word(i + 1)}",
                $"w-2w-1={Word(i - 2)} {Word(i - 1)} {kind}", $"g={Known(i)}", $"g-1={Known(i - 1)}", $"g+1={Known(i + 1)}", $"g-1g={Known(i - 1)} {Known(i)}", $"gg+1={Known(i)} {Known(i + 1)}",
                $"w-1g={Word(i - 1)} {Known(i)}", $"gw+1={Known(i)} {Word(i + 1)}", $"near={near} {kind}", $"end={(text.Length > 3 ? text[^3..] : text)}", $"start={(text.Length > 3 ? text[..3] : text)}",
            };
            of.AddRange(names[i].Select(name => $"n={name}"));
            if (kind is "year" or "number" or "amount" or "scale" or "currency" or "numberword")
            {
                of.Add($"k-1k+1={(i > 0 ? Kind(tokens[i - 1].Text) : "")} {kind} {(i + 1 < tokens.Count ? Kind(tokens[i + 1].Text) : "")}");
                of.Add($"bound={Bound(tokens, i)} {kind}");
                of.Add($"after={After(tokens, i)} {kind}");
                of.Add($"both={Bound(tokens, i)} {After(tokens, i)} {kind} {near}");
            }

            features[i] = of;
        }

        return features;
    }

    /// <summary>What a word is: year, amount (a large number), number, scale, currency, numberword or word.</summary>
    internal static string Kind(string text)
    {
        if (Currencies.Contains(text))
        {
            return "currency";
        }

        if (Scales.Contains(text))
        {
            return "scale";
        }

        if (NumberWords.Contains(text))
        {
            return "numberword";
        }

        if (!char.IsAsciiDigit(text[0]) || !text.All(c => char.IsAsciiDigit(c) || c is '.' or ','))
        {
            return "word";
        }

        var value = double.Parse(string.Concat(text.Where(char.IsAsciiDigit)), CultureInfo.InvariantCulture);
        return text.Length == 4 && value is >= 1980 and <= 2030 ? "year" : value >= 4_000 ? "amount" : "number";
    }

    private static bool IsAmount(IReadOnlyList<QueryToken> tokens, int i) => i >= 0 && i < tokens.Count && Kind(tokens[i].Text) is not "word";

    // Whether the run of number words around a place holds a scale or a currency: "900", "mil", "pesos".
    private static string Near(IReadOnlyList<QueryToken> tokens, int i)
    {
        if (!IsAmount(tokens, i))
        {
            return "";
        }

        var (from, to) = (i, i);
        while (IsAmount(tokens, from - 1))
        {
            from--;
        }

        while (IsAmount(tokens, to + 1))
        {
            to++;
        }

        var kinds = Enumerable.Range(from, to - from + 1).Select(at => Kind(tokens[at].Text)).ToHashSet();
        return (kinds.Contains("scale"), kinds.Contains("currency")) switch { (true, true) => "money+", (true, _) => "scaled", (_, true) => "money", _ => "bare" };
    }

    // The last two words before the run of number words, which say whether it is a bound: "menos de 900 mil".
    private static string Bound(IReadOnlyList<QueryToken> tokens, int i)
    {
        while (IsAmount(tokens, i - 1) || (i > 1 && tokens[i - 1].Text == "y" && Kind(tokens[i - 2].Text) == "scale"))
        {
            i--;
        }

        return i == 0 ? "<s>" : i == 1 ? tokens[0].Text : $"{Plain(tokens[i - 2].Text)} {tokens[i - 1].Text}";

        static string Plain(string text) => Kind(text) is var kind and not "word" ? $"<{kind}>" : text;
    }

    // The two words behind the run: "2015 en adelante", "900 mil maximo".
    private static string After(IReadOnlyList<QueryToken> tokens, int i)
    {
        while (IsAmount(tokens, i + 1))
        {
            i++;
        }

        return i + 1 >= tokens.Count ? "</s>" : i + 2 >= tokens.Count ? tokens[i + 1].Text : $"{tokens[i + 1].Text} {(Kind(tokens[i + 2].Text) is var kind and not "word" ? $"<{kind}>" : tokens[i + 2].Text)}";
    }
}
