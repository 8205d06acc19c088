namespace OKLA.EndToEnd.Browser;

/// <summary>Answers of the API for what a page does with them; the shapes are those of <c>web/openapi.json</c>.</summary>
internal static class Answers
{
    public const string Recommendations = "**/api/recommendations/users/*";
    public const string PriceEstimate = "**/api/vehicles/*/price-estimate*";
    public const string Events = "**/api/events";
    public const string Demo = "**/api/auth/demo";

    /// <summary>A cheap jeepeta with a reason and a dear pick-up in pesos without one.</summary>
    public static object TwoVehicles { get; } = Of(
        "model",
        3,
        Vehicle("v-1", "Hyundai Tucson GL", "jeepeta", 17_900, "USD", 17_900, 1_056_100, "Porque viste Kia Sportage", "good"),
        Vehicle("v-2", "Toyota Hilux SR", "camioneta", 2_450_000, "DOP", 41_525, 2_450_000, null, "high"));

    public static object NoVehicles { get; } = Of("popularity", null);

    public static object Estimate { get; } = new
    {
        itemId = "v-1",
        estimate = new { usd = 20_000, dop = 1_180_000 },
        low = new { usd = 18_000, dop = 1_062_000 },
        high = new { usd = 22_300, dop = 1_315_700 },
        coverage = 0.8,
        verdict = new { code = "good", label = "Buen precio" },
        listed = new { amount = 17_900, currency = "USD" },
        modelVersion = 2,
        source = "model",
    };

    public static object Busy { get; } = new { type = "about:blank", title = "La base de datos no responde", status = 503, detail = "Vuelve a intentarlo en unos segundos." };

    public static object Of(string source, int? modelVersion, params object[] items) =>
        new { userId = "x", items, modelVersion, source, generatedAt = "2026-11-21T15:30:00Z" };

    public static object Vehicle(
        string id, string title, string bodyType, decimal amount, string currency, decimal usd, decimal dop, string? reason, string? verdict) => new
        {
            itemId = id,
            score = 0.9,
            reason,
            item = new
            {
                title,
                make = title.Split(' ')[0],
                model = title.Split(' ', 2)[1],
                year = 2021,
                bodyType,
                fuel = "gasolina",
                price = new { amount, currency },
                priceUsd = usd,
                priceDop = dop,
                place = "Santiago",
                sellerId = (string?)null,
                image = (string?)null,
            },
            verdict = verdict is null ? null : new { code = verdict, label = verdict },
        };
}
