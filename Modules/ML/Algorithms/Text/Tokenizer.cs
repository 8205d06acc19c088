using System.Globalization;
using System.Text;

namespace OKLA.ML.Algorithms.Text;

/// <summary>Settings of <see cref="Tokenizer"/>.</summary>
public sealed record TokenizerOptions
{
    /// <summary>á → a and so on in words; ñ stays.</summary>
    public bool FoldAccents { get; init; }

    /// <summary>Replaces Dominican chat forms by their standard words (<see cref="DominicanLexicon"/>).</summary>
    public bool NormalizeSlang { get; init; } = true;

    /// <summary>Keeps runs of ! and ?, and ellipses, as tokens.</summary>
    public bool KeepPunctuation { get; init; } = true;
}

/// <summary>
/// Cuts Spanish chat and ad text into tokens: words in lower case with elongations shortened ("holaaa" → "hola", "jajaja" → "jaja"), numbers and prices with
/// their value, hashtags, emoji whole, and web addresses, mail addresses and mentions masked as "&lt;url&gt;", "&lt;email&gt;" and "&lt;user&gt;".
/// </summary>
public sealed class Tokenizer(TokenizerOptions? options = null)
{
    private static readonly string[] Emoticons = [":'(", ":-)", ":-(", ";-)", ":-d", ":-p", ":-*", ":)", ":(", ":d", ":p", ";)", "=)", "=(", "=d", ":*", ":/", ":|", ":3", "<3", "xd"];
    private readonly TokenizerOptions _options = options ?? new TokenizerOptions();

    /// <summary>The tokens of a text, in order.</summary>
    public IReadOnlyList<Token> Tokenize(string text)
    {
        var tokens = new List<Token>();
        Tokenize(text, tokens);
        return tokens;
    }

    /// <summary>Appends the tokens of a text to <paramref name="tokens"/>.</summary>
    public void Tokenize(string text, List<Token> tokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(tokens);
        // Composed, so that "é" is one char whoever wrote it; a lone surrogate cannot be normalised and is left as it is.
        if (IsWellFormed(text) && !text.IsNormalized(NormalizationForm.FormC)) text = text.Normalize(NormalizationForm.FormC);
        var lower = text.ToLowerInvariant();
        for (var at = 0; at < lower.Length;)
        {
            var rest = lower.AsSpan(at);
            if (char.IsWhiteSpace(rest[0]))
            {
                at++;
                continue;
            }
            var before = at == 0 ? ' ' : lower[at - 1];
            at += Next(rest, before, at, tokens);
        }
    }

    /// <summary>Appends at most the one token at the start of <paramref name="rest"/> (slang may stand for several words); returns the chars taken, at least 1.</summary>
    private int Next(ReadOnlySpan<char> rest, char before, int at, List<Token> tokens)
    {
        var startsWord = !char.IsLetterOrDigit(before);
        if (startsWord && UrlLength(rest) is > 0 and var url)
        {
            tokens.Add(new Token(TokenKind.Url, "<url>", at, url));
            return url;
        }
        if (startsWord && EmailLength(rest) is > 0 and var email)
        {
            tokens.Add(new Token(TokenKind.Email, "<email>", at, email));
            return email;
        }
        if (rest[0] is '@' or '#' && WordLength(rest[1..], true) is > 0 and var named)
        {
            tokens.Add(rest[0] == '@'
                ? new Token(TokenKind.Mention, "<user>", at, named + 1)
                : new Token(TokenKind.Hashtag, "#" + Plain(rest.Slice(1, named)), at, named + 1));
            return named + 1;
        }
        if (startsWord)
        {
            var (length, value, currency) = Amounts.Read(rest);
            if (length > 0)
            {
                var number = value.ToString("0.####", CultureInfo.InvariantCulture);
                tokens.Add(currency is null
                    ? new Token(TokenKind.Number, number, at, length, value)
                    : new Token(TokenKind.Price, $"{currency} {number}", at, length, value, currency));
                return length;
            }
            foreach (var face in Emoticons)
            {
                if (!rest.StartsWith(face, StringComparison.Ordinal) || (rest.Length > face.Length && char.IsLetterOrDigit(rest[face.Length]))) continue;
                tokens.Add(new Token(TokenKind.Emoji, face, at, face.Length));
                return face.Length;
            }
        }
        if (WordLength(rest, false) is > 0 and var word)
        {
            AddWord(rest[..word], at, tokens);
            return word;
        }
        return Sign(rest, at, tokens);
    }

    private int Sign(ReadOnlySpan<char> rest, int at, List<Token> tokens)
    {
        if (rest[0] is '!' or '?' or '¡' or '¿' or '…' || rest.StartsWith("..", StringComparison.Ordinal))
        {
            var length = 1;
            while (length < rest.Length && (rest[length] == rest[0] || (rest[0] is '!' or '?' && rest[length] is '!' or '?'))) length++;
            if (_options.KeepPunctuation && rest[0] is not ('¡' or '¿'))
            {
                var run = rest[..length];
                tokens.Add(new Token(TokenKind.Punctuation, rest[0] is '.' or '…' ? "…" : !run.Contains('?') ? "!" : run.Contains('!') ? "?!" : "?", at, length));
            }
            return length;
        }
        var taken = StringInfo.GetNextTextElementLength(rest);
        Rune.DecodeFromUtf16(rest, out var rune, out _);
        var keycap = taken > 1 && rest[taken - 1] == '\u20E3';
        if (keycap || Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherSymbol || rune.Value is >= 0x1F3FB and <= 0x1F3FF)
        {
            // Without the selector of presentation the same sign is the same token.
            tokens.Add(new Token(TokenKind.Emoji, rest[..taken].ToString().Replace("\uFE0F", "", StringComparison.Ordinal), at, taken));
        }
        return Math.Max(1, taken);
    }

    private void AddWord(ReadOnlySpan<char> word, int at, List<Token> tokens)
    {
        var plain = Plain(word);
        if (_options.NormalizeSlang && DominicanLexicon.Standard(plain) is { } standard)
        {
            foreach (var part in standard.Split(' ')) tokens.Add(new Token(TokenKind.Word, _options.FoldAccents ? Characters.Fold(part) : part, at, word.Length));
            return;
        }
        tokens.Add(new Token(TokenKind.Word, plain, at, word.Length));
    }

    /// <summary>The word with elongations shortened, laughter as "jaja" and, if asked for, without accents.</summary>
    private string Plain(ReadOnlySpan<char> word)
    {
        var buffer = word.Length <= 128 ? stackalloc char[word.Length] : new char[word.Length];
        var length = 0;
        for (var i = 0; i < word.Length; i++)
        {
            // Three and more of one letter are never spelling; digits are left alone.
            if (i + 2 < word.Length && word[i] == word[i + 1] && word[i] == word[i + 2] && char.IsLetter(word[i]))
            {
                while (i + 1 < word.Length && word[i + 1] == word[i]) i++;
            }
            buffer[length++] = _options.FoldAccents ? Characters.Fold(word[i]) : word[i];
        }
        return IsLaughter(buffer[..length]) ? "jaja" : new string(buffer[..length]);
    }

    /// <summary>At least four letters, only j, h and vowels, with j or h at every second place or so: "jajaja", "jejeje", "ajajj", "hahaha".</summary>
    private static bool IsLaughter(ReadOnlySpan<char> word)
    {
        if (word.Length < 4) return false;
        int breaths = 0, vowels = 0;
        foreach (var c in word)
        {
            if (c is 'j' or 'h') breaths++;
            else if (c is 'a' or 'e' or 'i' or 'o' or 'u') vowels++;
            else return false;
        }
        return breaths >= 2 && vowels >= 1 && breaths * 2 >= word.Length - 1;
    }

    private static int WordLength(ReadOnlySpan<char> text, bool underscores)
    {
        var at = 0;
        while (at < text.Length)
        {
            var c = text[at];
            if (char.IsLetterOrDigit(c) || (at > 0 && char.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark) || (underscores && c == '_')) at++;
            else if (char.IsHighSurrogate(c) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) && Rune.IsLetterOrDigit(new Rune(c, text[at + 1]))) at += 2;
            else break;
        }
        return at;
    }

    private static int UrlLength(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith("http://", StringComparison.Ordinal) && !text.StartsWith("https://", StringComparison.Ordinal) && !text.StartsWith("www.", StringComparison.Ordinal)) return 0;
        var at = 0;
        while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not ('"' or '<' or '>')) at++;
        while (at > 0 && text[at - 1] is '.' or ',' or ')' or '!' or '?' or ';' or ':') at--;
        return at;
    }

    private static int EmailLength(ReadOnlySpan<char> text)
    {
        var at = 0;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '.' or '_' or '-' or '+')) at++;
        if (at == 0 || at == text.Length || text[at] != '@') return 0;
        int domain = ++at, dots = 0;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || (text[at] is '.' or '-' && at + 1 < text.Length && char.IsAsciiLetterOrDigit(text[at + 1]))))
        {
            if (text[at++] == '.') dots++;
        }
        return dots > 0 && at > domain ? at : 0;
    }

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }
        return true;
    }
}
