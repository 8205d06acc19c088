using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>An item as it now is, as a server or a file states it; what is left out is taken as absent.</summary>
/// <param name="Kind">Kind, such as <c>vehicle</c>.</param>
/// <param name="Title">What people read first.</param>
/// <param name="Price">Asking price; left out when it is not stated.</param>
/// <param name="Attributes">Text, numbers and booleans by camelCase name, held to the kind's schema where it has one.</param>
/// <param name="Description">Longer text.</param>
/// <param name="Tags">Free tags.</param>
/// <param name="SellerId">Seller.</param>
/// <param name="Place">Province or city.</param>
/// <param name="Images">Addresses of pictures.</param>
/// <param name="Location">Where it is on the map.</param>
/// <param name="Window">When it takes place or can be had.</param>
internal sealed record ItemBody(
    string? Kind, string? Title, Money? Price, Dictionary<string, JsonElement>? Attributes, string? Description,
    string[]? Tags, string? SellerId, string? Place, string[]? Images, GeoPoint? Location = null, TimeWindow? Window = null)
{
    internal const int MaxId = 200;
    private const int MaxTitle = 500;
    private const int MaxDescription = 20_000;
    internal const int MaxText = 2_000;
    private const int MaxAttributes = 100;
    private const int MaxTags = 50;
    private const int MaxImages = 50;

    /// <summary>The item; only of a body in which nothing is wrong.</summary>
    internal CatalogItem As(string id) => new(id, Kind!, Title!, Price, Attributes?.Where(pair => pair.Value.ValueKind != JsonValueKind.Null).ToDictionary() ?? [])
    {
        Description = Description,
        Tags = Tags ?? [],
        SellerId = SellerId,
        Place = Place,
        Images = Images ?? [],
        Location = Location,
        Window = Window is null ? null : new TimeWindow(Window.From?.ToUniversalTime(), Window.Until?.ToUniversalTime()),
    };

    /// <summary>What is wrong with an item, by field as the client writes it; empty when nothing is.</summary>
    internal static Dictionary<string, string[]> Check(string id, ItemBody item, KindSchema? schema)
    {
        var errors = new Dictionary<string, string[]>();
        void Require(bool right, string field, string message)
        {
            if (!right)
            {
                errors.TryAdd(field, [message]);
            }
        }

        void Text(string? text, string field, int max, bool required = false)
        {
            Require(!required || !string.IsNullOrWhiteSpace(text), field, "The value is required.");
            Require(text is null || text.Length <= max, field, $"At most {max} characters.");
            Require(text is null || !text.Contains('\0'), field, "The character U+0000 cannot be stored.");
        }

        void Texts(string[]? texts, string field, int max)
        {
            Require(texts is null || texts.Length <= max, field, $"At most {max} entries.");
            for (var i = 0; i < Math.Min(texts?.Length ?? 0, max); i++)
            {
                Text(texts![i], $"{field}[{i}]", MaxText, required: true);
            }
        }

        Text(id, "id", MaxId, required: true);
        Text(item.Kind, "kind", MaxId, required: true);
        Text(item.Title, "title", MaxTitle, required: true);
        Text(item.Description, "description", MaxDescription);
        Text(item.SellerId, "sellerId", MaxId);
        Text(item.Place, "place", MaxId);
        Texts(item.Tags, "tags", MaxTags);
        Texts(item.Images, "images", MaxImages);
        Require(item.Price is null or { Amount: > 0 and < 1_000_000_000_000m }, "price.amount", "Above 0 and below 1,000,000,000,000.");
        Require(item.Price is null or { Currency: "DOP" or "USD" }, "price.currency", "DOP or USD.");
        Require(item.Attributes is null || item.Attributes.Count <= MaxAttributes, "attributes", $"At most {MaxAttributes} attributes.");
        Require(item.Location is null or { Latitude: >= -90 and <= 90, Longitude: >= -180 and <= 180 }, "location", "Latitude from -90 to 90, longitude from -180 to 180.");
        Require(item.Window is not { } window || !(window.From > window.Until), "window.until", "Not before window.from.");
        foreach (var (name, value) in (item.Attributes ?? []).Take(MaxAttributes))
        {
            Text(name, "attributes", MaxId, required: true);
            var field = $"attributes.{name}";
            Require(value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Undefined), field, "Text, a number or true/false.");
            Require(value.ValueKind != JsonValueKind.Number || Storable(value), field, "A number of at most 30 digits and below 1e300.");
            if (value.ValueKind == JsonValueKind.String)
            {
                Require(TryGetText(value, out var text), field, "Not a valid Unicode text.");
                Text(text, field, MaxText);
            }
        }

        if (errors.Count == 0 && schema is not null)
        {
            foreach (var (field, message) in schema.Check(item.Attributes ?? []))
            {
                Require(false, field, message);
            }
        }

        return errors;
    }

    internal static bool IsStorable(string id) => id.Length <= MaxId && !id.Contains('\0');

    // PostgreSQL's jsonb refuses numbers outside its range, also tiny ones that a double reads as zero.
    private static bool Storable(JsonElement number)
    {
        var text = number.GetRawText();
        return text.Length <= 30 && number.TryGetDouble(out var value) && Math.Abs(value) < 1e300
            && (!text.Contains('e', StringComparison.OrdinalIgnoreCase) || Math.Abs(value) > 1e-300);
    }

    private static bool TryGetText(JsonElement element, out string? text)
    {
        try
        {
            text = element.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair: valid JSON, but no text.
            text = null;
            return false;
        }
    }
}
