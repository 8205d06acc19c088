using System.Globalization;
using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>Why a row was set aside.</summary>
/// <param name="Reason">Chosen code such as <c>missing_price</c>.</param>
/// <param name="Field">Target the reason is about.</param>
internal sealed record Rejection(string Reason, string? Field);

/// <summary>A row of a listings file that says enough, in the catalogue's words.</summary>
/// <param name="Number">Line of data in the file, from 1.</param>
/// <param name="Raw">The row as it was read.</param>
/// <param name="AdId">The ad's own id; null when the file has none.</param>
/// <param name="AdKey">What identifies the ad otherwise: normalised make, model, title, year, body, fuel and the currency of its price.</param>
/// <param name="Item">The item but for its id.</param>
/// <param name="Snapshot">When the listing was seen (UTC); null when the file has no such column.</param>
internal sealed record ListingRow(long Number, string[] Raw, string? AdId, string AdKey, CatalogItem Item, DateTimeOffset? Snapshot)
{
    // Makes of two words whose first word some exports take for the make.
    private static readonly (string First, string Second, string Make)[] SplitMakes =
    [
        ("land", "rover", "Land Rover"), ("alfa", "romeo", "Alfa Romeo"), ("aston", "martin", "Aston Martin"), ("great", "wall", "Great Wall"),
        ("harley", "davidson", "Harley-Davidson"), ("john", "deere", "John Deere"), ("rolls", "royce", "Rolls-Royce"), ("mv", "agusta", "MV Agusta"),
        ("sea", "doo", "Sea-Doo"), ("super", "soco", "Super Soco"), ("super", "gato", "Super Gato"), ("royal", "enfield", "Royal Enfield"), ("sea", "ray", "Sea Ray"),
    ];

    private const double KilometresPerMile = 1.609344;

    /// <summary>Asking price; rows without one are set aside.</summary>
    public Money Price => Item.Price!;

    /// <summary>Everything that the mapped columns say, for finding exact repeats.</summary>
    public string Fingerprint => $"{AdKey}|{Price.Amount.ToString(CultureInfo.InvariantCulture)}|{Item.Place}|{Item.SellerId}|{Item.Description}|"
        + string.Join('|', Item.Attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>Cars to compare the price with: same make, same first word of the model.</summary>
    public string PeerKey => $"{ListingText.Key(Item.Text(ListingColumns.Make))}|{ListingText.Key(Item.Text(ListingColumns.Model)).Split(' ')[0]}|{Item.Text(ListingColumns.BodyType)}";

    /// <summary>Cars to compare the price with where the model is rare: same make and body.</summary>
    public string WiderPeerKey => $"{ListingText.Key(Item.Text(ListingColumns.Make))}|{Item.Text(ListingColumns.BodyType)}";

    /// <summary>Reads one row; pure. Prices are checked against absolute bounds here and against peers once the snapshot is complete.</summary>
    /// <returns>The row, or why it is set aside.</returns>
    public static (ListingRow? Row, Rejection? Rejection) Read(long number, string[] raw, ListingColumns columns, string kind, ImportOptions options, DateTimeOffset now)
    {
        string? Field(string target) => columns[target] is { } place && place < raw.Length && !string.IsNullOrWhiteSpace(raw[place]) ? raw[place].Trim() : null;
        static (ListingRow?, Rejection?) Reject(string reason, string? field) => (null, new Rejection(reason, field));

        if (raw.Length != columns.Header.Count)
        {
            return Reject("malformed_row", null);
        }

        if (raw.Any(value => value.Length > 20_000 || value.Contains('\0')))
        {
            return Reject("unreadable_text", null);
        }

        if (Field(ListingColumns.Make) is not { } make)
        {
            return Reject("missing_make", ListingColumns.Make);
        }

        if (Field(ListingColumns.Model) is not { } model)
        {
            return Reject("missing_model", ListingColumns.Model);
        }

        (make, model) = Rejoin(make, model);
        DateTimeOffset? snapshot = null;
        if (columns[ListingColumns.Snapshot] is not null)
        {
            if (!DateTimeOffset.TryParse(Field(ListingColumns.Snapshot), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var seen))
            {
                return Reject("unreadable_snapshot", ListingColumns.Snapshot);
            }

            if (seen > now)
            {
                return Reject("snapshot_in_the_future", ListingColumns.Snapshot);
            }

            snapshot = seen;
        }

        if (Field(ListingColumns.Year) is not { } yearText)
        {
            return Reject("missing_year", ListingColumns.Year);
        }

        if (ListingText.Number(yearText) is not { } year || year != Math.Truncate(year) || year < options.MinYear || year > (snapshot ?? now).Year + options.YearsAhead)
        {
            return Reject("implausible_year", ListingColumns.Year);
        }

        if (Field(ListingColumns.Price) is not { } priceText)
        {
            return Reject("missing_price", ListingColumns.Price);
        }

        if (ListingText.Number(priceText) is not { } amount)
        {
            return Reject("unreadable_price", ListingColumns.Price);
        }

        if ((ListingText.Currency(Field(ListingColumns.Currency)) ?? ListingText.CurrencyBeside(priceText)) is not { } currency)
        {
            return Reject("unknown_currency", ListingColumns.Currency);
        }

        var (low, high) = currency == "USD" ? (options.MinPriceUsd, options.MaxPriceUsd) : (options.MinPriceDop, options.MaxPriceDop);
        if (amount < low || amount > high)
        {
            return Reject("implausible_price", ListingColumns.Price);
        }

        var (km, kmField) = Mileage(Field(ListingColumns.MileageKm), Field(ListingColumns.MileageMiles));
        if (km is < 0 || km > options.MaxMileageKm)
        {
            return Reject("implausible_mileage", kmField);
        }

        var attributes = new Dictionary<string, JsonElement>
        {
            [ListingColumns.Make] = JsonSerializer.SerializeToElement(make),
            [ListingColumns.Model] = JsonSerializer.SerializeToElement(model),
            [ListingColumns.Year] = JsonSerializer.SerializeToElement((int)year),
        };
        if (km is { } known)
        {
            attributes[ListingColumns.MileageKm] = JsonSerializer.SerializeToElement(Math.Round(known));
        }

        foreach (var (name, place) in columns.Attributes)
        {
            if (!string.IsNullOrWhiteSpace(raw[place]))
            {
                attributes[name] = JsonSerializer.SerializeToElement(ListingColumns.Categories.Contains(name) ? ListingText.Category(raw[place]) : raw[place].Trim());
            }
        }

        var title = Field(ListingColumns.Title) ?? $"{make} {model}";
        var item = new CatalogItem("", kind, title, new Money(amount, currency), attributes)
        {
            Description = Field(ListingColumns.Description),
            Place = Field(ListingColumns.Place),
            SellerId = Field(ListingColumns.Seller),
        };
        var key = string.Join('|', new[] { make, model, title, item.Text(ListingColumns.BodyType), item.Text(ListingColumns.Fuel) }.Select(ListingText.Key).Append($"{(int)year}").Append(currency));
        return (new ListingRow(number, raw, Field(ListingColumns.Id), key, item, snapshot), null);
    }

    private static (double? Km, string Field) Mileage(string? km, string? miles)
    {
        if (ListingText.Number(km) is { } value)
        {
            var inMiles = ListingText.Key(km).Split(' ')[^1] is "mi" or "milla" or "millas" or "miles";
            return ((double)value * (inMiles ? KilometresPerMile : 1), ListingColumns.MileageKm);
        }

        return ((double?)ListingText.Number(miles) * KilometresPerMile, ListingColumns.MileageMiles);
    }

    private static (string Make, string Model) Rejoin(string make, string model)
    {
        var (first, words) = (ListingText.Key(make), model.Split(' ', 2));
        var whole = SplitMakes.FirstOrDefault(known => known.First == first && words.Length == 2 && ListingText.Key(words[0]) == known.Second);
        return whole.Make is null ? (make, model) : (whole.Make, words[1].Trim());
    }
}
