namespace OKLA.ML.Models.Frames;

/// <summary>One copy of each text that many events bear.</summary>
internal sealed class Words
{
    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>The copy of a text.</summary>
    public string Of(string text) => known.TryGetValue(text, out var one) ? one : known[text] = text;

    /// <summary>The copy of a text, where there is one.</summary>
    public string? OfAny(string? text) => text is null ? null : Of(text);
}
