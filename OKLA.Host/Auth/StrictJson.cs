using System.Text.Json;
using System.Text.Unicode;

namespace OKLA.Host.Auth;

/// <summary>Reads JSON objects of which two readers cannot think differently: valid UTF-8, no name twice, no comments, shallow.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = 8,
    };

    /// <summary>Parses one object; false when it is anything else. The element lives as long as it is used.</summary>
    public static bool TryParseObject(ReadOnlyMemory<byte> utf8, out JsonElement value)
    {
        value = default;
        if (!Utf8.IsValid(utf8.Span)) return false;
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return false;
            value = document.RootElement.Clone();
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair in a name.
            return false;
        }
    }

    /// <summary>The text of an optional member: true with null when it is absent, false when it is no clean text of at most that many characters.</summary>
    /// <remarks>Control characters are refused: PostgreSQL stores no U+0000, and logs should stay one line an entry.</remarks>
    public static bool TryGetText(JsonElement owner, string name, int maximumLength, out string? text)
    {
        text = null;
        return !owner.TryGetProperty(name, out var member) || TryGetText(member, maximumLength, out text);
    }

    /// <summary>The text of a value; false when it is no clean text of 1 to that many characters.</summary>
    public static bool TryGetText(JsonElement value, int maximumLength, out string? text)
    {
        text = null;
        if (value.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = value.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair.
            return false;
        }

        return text is { Length: > 0 } && text.Length <= maximumLength && !text.Any(char.IsControl);
    }
}
