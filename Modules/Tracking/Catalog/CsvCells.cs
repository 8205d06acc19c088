using System.Globalization;
using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>The cells of one row by column name, read as the fields of an item.</summary>
internal sealed class CsvCells(string[] header, string[] row)
{
    private static readonly HashSet<string> Fields = new(
        ["id", "title", "kind", "price", "currency", "description", "tags", "images", "sellerId", "place", "latitude", "longitude", "from", "until"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The first cell that could not be read; null when all could.</summary>
    public (string Field, string Message)? Problem { get; private set; }

    /// <summary>A cell as text; null when it is empty or there is no such column.</summary>
    public string? Text(string column)
    {
        var place = Array.FindIndex(header, name => name.Equals(column, StringComparison.OrdinalIgnoreCase));
        return place < 0 || string.IsNullOrWhiteSpace(row[place]) ? null : row[place];
    }

    /// <summary>The item that the row states.</summary>
    public ItemBody Body(string kind, KindSchema? schema) => new(
        Text("kind") ?? kind, Text("title"), Price(), Attributes(schema), Text("description"), List("tags"), Text("sellerId"), Text("place"), List("images"),
        Text("latitude") is null && Text("longitude") is null ? null : new GeoPoint(Number("latitude"), Number("longitude")),
        Text("from") is null && Text("until") is null ? null : new TimeWindow(Time("from"), Time("until")));

    private Money? Price() => Text("price") is not { } text ? null
        : new Money(ListingText.Number(text) ?? 0, ListingText.Currency(Text("currency")) ?? ListingText.CurrencyBeside(text) ?? Text("currency") ?? "");

    private string[]? List(string column) => Text(column)?.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private double Number(string column) => (double?)ListingText.Number(Text(column)) ?? double.NaN;

    private DateTimeOffset? Time(string column)
    {
        if (Text(column) is not { } text)
        {
            return null;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
        {
            return time;
        }

        Problem ??= (column, "A time in ISO 8601.");
        return null;
    }

    private Dictionary<string, JsonElement> Attributes(KindSchema? schema)
    {
        var attributes = new Dictionary<string, JsonElement>();
        for (var i = 0; i < header.Length; i++)
        {
            if (!Fields.Contains(header[i]) && !string.IsNullOrWhiteSpace(row[i]))
            {
                attributes[header[i]] = Value(row[i], schema?.Attributes.GetValueOrDefault(header[i])?.Type);
            }
        }

        return attributes;
    }

    /// <summary>Without a schema a cell is what it looks like; with one it is what it must be, or stays a text for the check to refuse.</summary>
    private static JsonElement Value(string text, string? type)
    {
        if (type is "number" && ListingText.Number(text) is { } number)
        {
            return JsonSerializer.SerializeToElement(number);
        }

        if (type is null && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var plain) && double.IsFinite(plain))
        {
            return JsonSerializer.SerializeToElement(plain);
        }

        return type is null or "boolean" && ListingText.Key(text) is "true" or "false" or "si" or "yes" or "no" or "verdadero" or "falso"
            ? JsonSerializer.SerializeToElement(ListingText.Key(text) is "true" or "si" or "yes" or "verdadero")
            : JsonSerializer.SerializeToElement(text);
    }
}
