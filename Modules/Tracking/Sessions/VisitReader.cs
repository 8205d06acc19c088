using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Sessions;

/// <summary>Reads what an event says about its visit out of <c>itemId</c> and <c>context</c>; what is not there, or not as expected, is not known.</summary>
internal static class VisitReader
{
    private const int MaxText = 500;
    private const int Mobile = 768;
    private const int Tablet = 1_100;

    /// <summary>The visit of an event.</summary>
    public static Visit Read(RecordedEvent e)
    {
        using var body = JsonDocument.Parse(e.Data);
        var root = body.RootElement;
        var context = root.TryGetProperty("context", out var found) && found.ValueKind == JsonValueKind.Object ? found : default;
        var page = Part(context, "page") is { ValueKind: JsonValueKind.Object } parts ? Text(parts, "url") ?? Text(parts, "path")
            : Text(context, "url") ?? Text(context, "page") ?? (Part(root, "properties") is { } properties ? Text(properties, "path") : null);
        return new Visit(
            e.OccurredAt, e.Position, e.Type, page, Text(context, "referrer"), Utm(context, page), Device(context), Text(root, "itemId"),
            Part(context, "bot") is { ValueKind: JsonValueKind.True });
    }

    /// <summary>From <c>context.utm</c>, an object or <c>utm_source=…&amp;…</c>, else from the page's address.</summary>
    private static Dictionary<string, string>? Utm(JsonElement context, string? page)
    {
        var words = Part(context, "utm") is { ValueKind: JsonValueKind.Object } given
            ? given.EnumerateObject().Take(10).Select(word => (word.Name, Value: Text(given, word.Name)))
            : (Text(context, "utm") ?? Query(page)) is { } query
                ? QueryHelpers.ParseQuery(query).Take(50).Where(pair => pair.Key.StartsWith("utm_", StringComparison.Ordinal)).Select(pair => (Name: pair.Key[4..], Value: (string?)pair.Value.ToString()))
                : [];
        var utm = words.Where(word => !string.IsNullOrEmpty(word.Value) && word.Name.Length <= 50).ToDictionary(word => word.Name, word => Cut(word.Value!));
        return utm.Count == 0 ? null : utm;
    }

    private static string? Query(string? page) => page?.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at ? page[at..].Split('#')[0] : null;

    private static string? Device(JsonElement context) => Text(context, "device") is "mobile" or "tablet" or "desktop" ? Text(context, "device")
        : Part(context, "width") is { ValueKind: JsonValueKind.Number } width && width.TryGetDouble(out var pixels)
            ? pixels < Mobile ? "mobile" : pixels < Tablet ? "tablet" : "desktop"
            : null;

    private static JsonElement? Part(JsonElement from, string name) => from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var part) ? part : null;

    private static string? Text(JsonElement from, string name) => Part(from, name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } found ? Cut(found) : null;

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];
}
