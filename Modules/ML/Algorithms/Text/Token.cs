namespace OKLA.ML.Algorithms.Text;

/// <summary>What a token is.</summary>
public enum TokenKind
{
    /// <summary>Letters, possibly with digits: a word, a model name such as "crv" or "4runner".</summary>
    Word,

    /// <summary>A number; its value in <see cref="Token.Value"/>.</summary>
    Number,

    /// <summary>An amount of money; value and currency are known.</summary>
    Price,

    /// <summary>An emoji (whole grapheme) or an emoticon such as ":)".</summary>
    Emoji,

    /// <summary>"#word".</summary>
    Hashtag,

    /// <summary>"@name", masked.</summary>
    Mention,

    /// <summary>A web address, masked.</summary>
    Url,

    /// <summary>A mail address, masked.</summary>
    Email,

    /// <summary>A run of exclamation or question marks, or an ellipsis.</summary>
    Punctuation,
}

/// <summary>A piece of a text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its normalised text.</param>
/// <param name="Start">Position of its first char in the text that was read (in composed form).</param>
/// <param name="Length">Chars it took there.</param>
/// <param name="Value">The number of a number or price, otherwise null.</param>
/// <param name="Currency">"DOP", "USD" or "EUR" of a price, otherwise null.</param>
public readonly record struct Token(TokenKind Kind, string Text, int Start, int Length, double? Value = null, string? Currency = null);
