using System.Text;
using System.Text.RegularExpressions;

namespace OKLA.ML.Models.Language;

/// <summary>A word of a query: lower case without accents, and where it stands in what was typed.</summary>
internal readonly record struct QueryToken(string Text, int Start, int Length);

/// <summary>A slot of a query: its name and its words, in one run of tokens.</summary>
internal sealed record QuerySpan(string Slot, int First, int Count);

/// <summary>A query with its intent and its slots.</summary>
internal sealed record TaggedQuery(string Intent, string Text, IReadOnlyList<QueryToken> Tokens, IReadOnlyList<QuerySpan> Slots)
{
    /// <summary>Reads "intent|words [slot words] words".</summary>
    /// <exception cref="FormatException">No bar, or a bracket without its partner.</exception>
    public static TaggedQuery Read(string line)
    {
        var bar = line.IndexOf('|', StringComparison.Ordinal);
        var text = new StringBuilder();
        var marked = new List<(string Slot, int From, int To)>();
        for (var at = bar < 0 ? throw new FormatException($"'{line}' has no intent.") : bar + 1; at < line.Length; at++)
        {
            if (line[at] != '[')
            {
                text.Append(line[at]);
                continue;
            }

            var (space, end) = (line.IndexOf(' ', at), line.IndexOf(']', at));
            if (space < 0 || end < space)
            {
                throw new FormatException($"'{line}' has a bracket without words or without end.");
            }

            marked.Add((line[(at + 1)..space], text.Length, text.Length + end - space - 1));
            text.Append(line, space + 1, end - space - 1);
            at = end;
        }

        var typed = text.ToString();
        var tokens = QueryTokens.Of(typed);
        return new TaggedQuery(line[..bar], typed, tokens, [.. marked.Select(slot =>
        {
            int[] inside = [.. Enumerable.Range(0, tokens.Count).Where(i => tokens[i].Start >= slot.From && tokens[i].Start + tokens[i].Length <= slot.To)];
            return new QuerySpan(slot.Slot, inside[0], inside.Length);
        })]);
    }

    /// <summary>A tag a token: B-slot at its first word, I-slot at the others, O outside.</summary>
    public string[] Tags()
    {
        var tags = new string[Tokens.Count];
        Array.Fill(tags, "O");
        foreach (var slot in Slots)
        {
            for (var i = 0; i < slot.Count; i++)
            {
                tags[slot.First + i] = (i == 0 ? "B-" : "I-") + slot.Slot;
            }
        }

        return tags;
    }

    /// <summary>The slots that tags say.</summary>
    public static List<QuerySpan> Spans(IReadOnlyList<string> tags)
    {
        var spans = new List<QuerySpan>();
        for (var i = 0; i < tags.Count; i++)
        {
            if (tags[i].StartsWith("B-", StringComparison.Ordinal))
            {
                var count = 1;
                while (i + count < tags.Count && tags[i + count] == "I-" + tags[i][2..])
                {
                    count++;
                }

                spans.Add(new QuerySpan(tags[i][2..], i, count));
            }
        }

        return spans;
    }
}

/// <summary>Cuts what people type into words: money signs, numbers and their scale ("rd$1.2m", "20k") stay apart, model names ("cx5", "4runner") whole.</summary>
internal static partial class QueryTokens
{
    /// <summary>The words in order.</summary>
    public static IReadOnlyList<QueryToken> Of(string text) =>
        [.. Words().Matches(text).Select(word => new QueryToken(PriceFeatures.Plain(word.Value) ?? word.Value, word.Index, word.Length))];

    // Money signs; amounts with a scale behind; then words with digits, hyphens and dots inside; years of a range part at their hyphen.
    [GeneratedRegex(@"(?:rd|us|u)?\s?\$s?|(?<![\p{L}\d])(?:19|20)\d\d(?=-(?:19|20)\d\d)|(?<![\p{L}\d.,])\d+(?:[.,]\d+)*(?=(?:mil|k|m|mm|millones|millon|millón|dolares|usd|us|pesos|km)(?![\p{L}\d]))|(?<![\p{L}\d])\d+(?:[.,]\d+)+(?![\p{L}\d])|[\p{L}\d]+(?:-[\p{L}\d]+)*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
