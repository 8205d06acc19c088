using System.Globalization;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models.Recommenders;

/// <summary>
/// What a kind of item tells a recommender, declared by names. A name is an attribute of the kind or one of these readings: <c>price</c> and
/// <c>price'</c> (half-octave bands of dollars, the second half a band off; <c>free</c> for nothing), <c>age</c> (model year in steps of two),
/// <c>tags</c>, <c>place</c>, <c>title</c> and <c>description</c> (their words), <c>weekday</c> and <c>hours</c> (morning, afternoon, evening of its beginning in Santo Domingo).
/// </summary>
/// <param name="Name">The kind, as the catalogue names it.</param>
/// <param name="Model">Name of its model.</param>
/// <param name="Kin">What makes items kin, closest first: an item that few people met is drawn towards those that agree in all names of an entry.</param>
/// <param name="Content">What items are compared by: each entry one token of an item, or one a tag or word.</param>
/// <param name="Context">What depends on the moment and the person: <c>daysUntil</c> its beginning, <c>distanceKm</c> from what the person looks at; empty for none.</param>
internal sealed record ItemKind(string Name, string Model, IReadOnlyList<string[]> Kin, IReadOnlyList<string[]> Content, IReadOnlyList<string> Context)
{
    /// <summary>Vehicles.</summary>
    public static ItemKind Vehicle { get; } = new(
        "vehicle", ModelNames.VehicleRecommender,
        [["make", "model"], ["make", "bodyType"], ["bodyType", "price"]],
        [["make"], ["make", "model"], ["bodyType"], ["make", "bodyType"], ["fuel"], ["condition"], ["transmission"], ["age"], ["price"], ["price'"], ["bodyType", "price"], ["bodyType", "age"], ["place"]],
        []);

    /// <summary>Activities: what one goes to at a place and time.</summary>
    public static ItemKind Activity { get; } = new(
        "activity", ModelNames.ActivityRecommender,
        [["type", "locality"], ["type", "level"], ["type"], ["locality"]],
        [["type"], ["tags"], ["locality"], ["level"], ["type", "level"], ["type", "locality"], ["price"], ["weekday"], ["hours"], ["title"]],
        ["daysUntil", "distanceKm"]);

    /// <summary>Every kind that is recommended.</summary>
    public static IReadOnlyList<ItemKind> All { get; } = [Vehicle, Activity];

    /// <summary>The kind of a name; null when nothing of it is recommended.</summary>
    public static ItemKind? Find(string name) => All.FirstOrDefault(kind => kind.Name == name);

    /// <summary>Whether a model is asked through the endpoints of recommendations and not by rows.</summary>
    public static bool Recommends(string model) => model is ModelNames.SimilarVehicles or ModelNames.BuyerRecommender || All.Any(kind => kind.Model == model);

    /// <summary>Names of which an item has one value at most, so that people and items can be grouped by them.</summary>
    public IReadOnlyList<string> Traits => [.. Content.Where(names => names is [not ("tags" or "title" or "description" or "price'")]).Select(names => names[0])];

    /// <summary>An item's value of a name; null when it does not say.</summary>
    public static string? TraitOf(ItemSnapshot item, string name, ExchangeRates rates) => Values(item, name, rates).FirstOrDefault();

    /// <summary>Keys of an item's kin, closest first.</summary>
    public string[] KinOf(ItemSnapshot item, ExchangeRates rates) =>
        [.. Kin.Select(names => $"{string.Join('+', names)} {string.Join('|', names.Select(name => Values(item, name, rates).FirstOrDefault()))}")];

    /// <summary>An item's tokens; what it does not tell gives none.</summary>
    public string[] TokensOf(ItemSnapshot item, ExchangeRates rates)
    {
        var tokens = new List<string>();
        foreach (var names in Content)
        {
            if (names is [var single])
            {
                tokens.AddRange(Values(item, single, rates).Select(value => $"{single}={value}"));
                continue;
            }

            var values = Array.ConvertAll(names, name => Values(item, name, rates).FirstOrDefault());
            if (!values.Contains(null))
            {
                tokens.Add($"{string.Join('+', names)}={string.Join('|', values)}");
            }
        }

        return [.. tokens.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>When it begins (UTC); null for always.</summary>
    public static DateTimeOffset? BeginsAt(CatalogItem item) => TimeOf(item, "startsAt") ?? item.Window?.From;

    /// <summary>When it is over (UTC): its end, else its beginning; null for never.</summary>
    public static DateTimeOffset? OverAt(CatalogItem item) => TimeOf(item, "endsAt") ?? item.Window?.Until ?? BeginsAt(item);

    /// <summary>Where it is; null when that is not known.</summary>
    public static GeoPoint? PointOf(CatalogItem item) =>
        item.Number("latitude") is { } latitude && item.Number("longitude") is { } longitude ? new GeoPoint(latitude, longitude) : item.Location;

    /// <summary>Kilometres between two points on the great circle (haversine, Earth's mean radius 6,371 km).</summary>
    public static double Kilometres(GeoPoint a, GeoPoint b)
    {
        static double Radians(double degrees) => degrees * Math.PI / 180;
        var (south, east) = (Math.Sin(Radians(b.Latitude - a.Latitude) / 2), Math.Sin(Radians(b.Longitude - a.Longitude) / 2));
        return 2 * 6_371 * Math.Asin(Math.Min(1, Math.Sqrt((south * south) + (Math.Cos(Radians(a.Latitude)) * Math.Cos(Radians(b.Latitude)) * east * east))));
    }

    /// <summary>Band of a price in dollars, half an octave wide.</summary>
    public static int BandOf(decimal usd, double shift = 0) => (int)Math.Floor((2 * Math.Log2((double)usd)) + shift);

    private static IEnumerable<string> Values(ItemSnapshot snapshot, string name, ExchangeRates rates)
    {
        var item = snapshot.Item;
        switch (name)
        {
            case "price" or "price'":
                return item.Price is { Amount: 0 } ? ["free"]
                    : rates.ToUsd(item.Price, snapshot.PricedAt) is > 0 and var usd ? [BandOf(usd, name == "price" ? 0 : 0.5).ToString(CultureInfo.InvariantCulture)] : [];
            case "age":
                return item.Number("year") is { } year ? [((int)year / 2).ToString(CultureInfo.InvariantCulture)] : [];
            case "tags":
                return item.Tags.Concat(ListOf(item, "tags")).Select(tag => tag.ToLowerInvariant());
            case "place":
                return item.Place is { Length: > 0 } place ? [place.ToLowerInvariant()] : [];
            case "title" or "description":
                return ((name == "title" ? item.Title : item.Description) ?? "").ToLowerInvariant().Split([' ', ',', '.', '-', ':', '(', ')', '/'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.Length > 3);
            case "weekday":
                return Local(item) is { } day ? [day.DayOfWeek.ToString()] : [];
            case "hours":
                return Local(item) is { } hour ? [hour.Hour < 12 ? "morning" : hour.Hour < 18 ? "afternoon" : "evening"] : [];
            default:
                return item.Text(name) is { Length: > 0 } text ? [text.ToLowerInvariant()] : [];
        }
    }

    private static IEnumerable<string> ListOf(CatalogItem item, string name) =>
        item.Attributes.TryGetValue(name, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.Array ? value.EnumerateArray().Select(tag => tag.ToString())
        : item.Text(name) is { } text ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];

    private static DateTimeOffset? TimeOf(CatalogItem item, string name) =>
        item.Text(name) is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    /// <summary>Its beginning on Dominican clocks: UTC-4 all year.</summary>
    private static DateTime? Local(CatalogItem item) => BeginsAt(item) is { } at ? at.UtcDateTime.AddHours(-4) : null;
}
