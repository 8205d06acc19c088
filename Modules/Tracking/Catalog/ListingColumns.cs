using OKLA.Shared.Contracts;

namespace OKLA.Tracking.Catalog;

/// <summary>Which column of a file holds what: target name to place in the row.</summary>
internal sealed class ListingColumns
{
    public const string Id = "id";
    public const string Make = "make";
    public const string Model = "model";
    public const string Title = "title";
    public const string Year = "year";
    public const string Price = "price";
    public const string Currency = "currency";
    public const string Snapshot = "snapshot";
    public const string MileageKm = "mileageKm";
    public const string MileageMiles = "mileageMiles";
    public const string Description = "description";
    public const string Place = "place";
    public const string Seller = "seller";
    public const string BodyType = "bodyType";
    public const string Fuel = "fuel";
    public const string Condition = "condition";
    public const string Transmission = "transmission";

    /// <summary>Attributes whose values are categories.</summary>
    public static readonly string[] Categories = [BodyType, Fuel, Condition, Transmission];

    private static readonly string[] Fields = [Id, Make, Model, Title, Year, Price, Currency, Snapshot, MileageKm, MileageMiles, Description, Place, Seller];

    // Names by which the columns go in English and Spanish exports, reduced as ListingText.Key does.
    private static readonly (string Target, string[] Names)[] KnownNames =
    [
        (Id, ["id", "ad id", "listing id", "anuncio", "anuncio id", "codigo", "stock"]),
        (Make, ["make", "brand", "marca", "fabricante", "manufacturer"]),
        (Model, ["model", "modelo"]),
        (Title, ["title", "titulo", "name", "nombre"]),
        (Year, ["year", "ano", "model year", "anio"]),
        (BodyType, ["bodytype", "body type", "body", "type", "tipo", "carroceria", "tipo de vehiculo"]),
        (Fuel, ["fuel", "fuel type", "combustible"]),
        (Condition, ["condition", "condicion", "estado"]),
        (Transmission, ["transmission", "transmision", "caja"]),
        (MileageKm, ["mileage km", "km", "mileagekm", "kilometraje", "kilometros", "odometer km"]),
        (MileageMiles, ["mileage mi", "miles", "millas", "millaje", "mileage miles"]),
        (Price, ["price", "precio", "asking price"]),
        (Currency, ["currency", "moneda", "divisa"]),
        (Snapshot, ["snapshot", "fecha", "date", "scraped at", "fecha captura"]),
        (Description, ["description", "descripcion"]),
        (Place, ["place", "location", "province", "provincia", "ciudad", "city", "ubicacion"]),
        (Seller, ["seller", "dealer", "vendedor", "seller id", "dealer id"]),
    ];

    private readonly Dictionary<string, int> places;

    private ListingColumns(IReadOnlyList<string> header, Dictionary<string, int> places)
    {
        this.places = places;
        Header = header;
        Attributes = [.. places.Where(pair => !Fields.Contains(pair.Key)).Select(pair => (pair.Key, pair.Value))];
        Text = string.Join(',', places.OrderBy(pair => pair.Value).Select(pair => $"{pair.Key}={header[pair.Value]}"));
    }

    /// <summary>The file's header.</summary>
    public IReadOnlyList<string> Header { get; }

    /// <summary>The mapping as <c>target=column</c> pairs in the order of the columns.</summary>
    public string Text { get; }

    /// <summary>Targets that are attributes of the item, and their places.</summary>
    public IReadOnlyList<(string Name, int Place)> Attributes { get; }

    /// <summary>Place of a target's column; null when the file has none.</summary>
    public int? this[string target] => places.TryGetValue(target, out var place) ? place : null;

    /// <summary>Reads a mapping, or guesses it when <paramref name="map"/> is null.</summary>
    /// <exception cref="ImportRefusedException">A pair that cannot be read, a column that is not there, or no column for make, model, year or price.</exception>
    public static ListingColumns Of(IReadOnlyList<string> header, string? map)
    {
        var columns = new ListingColumns(header, map is null ? Guess(header) : Parse(header, map));
        var missing = new[] { Make, Model, Year, Price }.Where(target => columns[target] is null).ToList();
        return missing.Count == 0 ? columns : throw new ImportRefusedException(
            $"No column for {string.Join(", ", missing)}. The file has: {string.Join(", ", header)}. Name them with --map make=COLUMN,model=COLUMN,…");
    }

    private static Dictionary<string, int> Guess(IReadOnlyList<string> header)
    {
        var places = new Dictionary<string, int>();
        for (var i = 0; i < header.Count; i++)
        {
            var name = ListingText.Key(header[i]);
            if (KnownNames.FirstOrDefault(known => known.Names.Contains(name)) is { Target: { } target })
            {
                places.TryAdd(target, i);
            }
        }

        return places;
    }

    private static Dictionary<string, int> Parse(IReadOnlyList<string> header, string map)
    {
        var places = new Dictionary<string, int>();
        foreach (var pair in map.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (pair.Split('=', 2, StringSplitOptions.TrimEntries) is not [{ Length: > 0 } target, { Length: > 0 } column])
            {
                throw new ImportRefusedException($"'{pair}' in the mapping is not of the form target=column.");
            }

            var place = Enumerable.Range(0, header.Count).Where(i => header[i].Equals(column, StringComparison.OrdinalIgnoreCase)).Cast<int?>().FirstOrDefault()
                ?? throw new ImportRefusedException($"The file has no column '{column}'. It has: {string.Join(", ", header)}.");
            if (!places.TryAdd(target, place))
            {
                throw new ImportRefusedException($"The mapping names '{target}' twice.");
            }
        }

        return places;
    }
}
