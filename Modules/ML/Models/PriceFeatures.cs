using System.Globalization;
using System.Text;
using OKLA.ML.Algorithms.Tabular;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Models;

/// <summary>What the price model knows about an ad; texts are lower case without accents, null where the ad does not say.</summary>
/// <param name="Make">Make.</param>
/// <param name="Model">Model with its trim, such as "rio lx".</param>
/// <param name="Body">Body type.</param>
/// <param name="Fuel">Fuel.</param>
/// <param name="Condition">Condition.</param>
/// <param name="Transmission">Transmission.</param>
/// <param name="Year">Model year; NaN when not stated.</param>
/// <param name="MileageKm">Kilometres; NaN when not stated.</param>
/// <param name="Words">Words of the title.</param>
/// <param name="At">When the price was stated (UTC).</param>
internal sealed record PriceFeatures(
    string? Make, string? Model, string? Body, string? Fuel, string? Condition, string? Transmission, double Year, double MileageKm, string[] Words, DateTimeOffset At)
{
    private static readonly string[] CategoryNames = ["make", "model", "base", "body", "fuel", "transmission"];

    /// <summary>First word of the model, its name without the trim.</summary>
    private string? Base => Model?.Split(' ', 2)[0];

    /// <summary>Years from the start of the model year to the price; NaN when the year is not stated.</summary>
    public double Age => At.Year + ((At.Month - 1) / 12.0) - Year;

    public static PriceFeatures Of(ItemSnapshot snapshot)
    {
        var item = snapshot.Item;
        return new PriceFeatures(
            Plain(item.Text("make")), Plain(item.Text("model")), Plain(item.Text("bodyType")), Plain(item.Text("fuel")), Plain(item.Text("condition")), Plain(item.Text("transmission")),
            item.Number("year") ?? double.NaN, item.Number("mileageKm") ?? double.NaN,
            WordsOf(item.Title),
            snapshot.PricedAt);
    }

    /// <summary>
    /// Ads that stand for all, from cheap to dear: each is what ads of one make and model have in common, of models with at least five of them (of all where there is
    /// none). Nobody offered them, so that a version may carry them for good.
    /// </summary>
    /// <param name="ads">Ads.</param>
    /// <param name="usd">Their prices in dollars.</param>
    /// <param name="count">Ads wanted at most.</param>
    public static (PriceFeatures Ad, double Usd)[] Typical(IReadOnlyList<PriceFeatures> ads, IReadOnlyList<double> usd, int count)
    {
        int[][] groups = [.. Enumerable.Range(0, ads.Count).GroupBy(i => (ads[i].Make, ads[i].Model)).Where(group => group.Count() >= Anonymous.Least).Select(group => group.ToArray())];
        groups = groups.Length > 0 ? groups : ads.Count > 0 ? [[.. Enumerable.Range(0, ads.Count)]] : [];
        var typical = Array.ConvertAll(groups, group => (Ad: TypicalOf([.. group.Select(i => ads[i])]), Usd: Math.Round(Middle(group.Select(i => usd[i])), 2)));
        typical = [.. typical.OrderBy(one => one.Usd).ThenBy(one => one.Ad.Make, StringComparer.Ordinal).ThenBy(one => one.Ad.Model, StringComparer.Ordinal)];
        count = Math.Min(count, typical.Length);
        return [.. Enumerable.Range(0, count).Select(i => typical[(int)((i + 0.5) * typical.Length / count)])];
    }

    private static PriceFeatures TypicalOf(PriceFeatures[] group) => new(
        Most(group, ad => ad.Make), Most(group, ad => ad.Model), Most(group, ad => ad.Body), Most(group, ad => ad.Fuel), Most(group, ad => ad.Condition), Most(group, ad => ad.Transmission),
        Middle(group.Select(ad => ad.Year)), group.Count(ad => double.IsFinite(ad.MileageKm)) < Anonymous.Least ? double.NaN : Math.Round(group.Where(ad => double.IsFinite(ad.MileageKm)).Average(ad => ad.MileageKm)),
        [.. group.SelectMany(ad => ad.Words.Distinct(StringComparer.Ordinal)).CountBy(word => word, StringComparer.Ordinal).Where(pair => 2 * pair.Value >= group.Length).Select(pair => pair.Key).Order(StringComparer.Ordinal)],
        group.Select(ad => ad.At).Order().ElementAt(group.Length / 2).UtcDateTime.Date);

    private static string? Most(PriceFeatures[] group, Func<PriceFeatures, string?> of) =>
        group.GroupBy(of).OrderByDescending(same => same.Count()).ThenBy(same => same.Key, StringComparer.Ordinal).First().Key;

    private static double Middle(IEnumerable<double> values) => values.Where(double.IsFinite).Order().ToArray() is { Length: > 0 } known ? known[known.Length / 2] : double.NaN;

    /// <summary>The keys whose mean prices are features, widest first; each is drawn towards the one before it.</summary>
    public string[] Levels() =>
    [
        $"make {Make}", $"base {Make}|{Base}", Key($"base {Make}|{Base}", Year), $"model {Make}|{Model}", Key($"model {Make}|{Model}", Year),
    ];

    /// <summary>Names of the levels, in the order of <see cref="Levels"/>.</summary>
    public static IReadOnlyList<string> LevelNames { get; } = ["mean_make", "mean_base", "mean_base_year", "mean_model", "mean_model_year"];

    /// <summary>The categorical columns as texts.</summary>
    public static RawColumn[] Categories(IReadOnlyList<PriceFeatures> rows) =>
        [.. CategoryNames.Select((name, i) => new RawColumn(name, [.. rows.Select(row => row.Category(i))]))];

    /// <summary>How the categorical columns are read.</summary>
    public static TableEncoderOptions Encoding { get; } = new() { Categorical = CategoryNames.ToHashSet(), MinCategoryRows = 5, MaxCategories = 400 };

    /// <summary>The numeric columns.</summary>
    public static Column[] Numbers(IReadOnlyList<PriceFeatures> rows) =>
    [
        Column.Numeric("year", [.. rows.Select(row => (float)row.Year)]),
        Column.Numeric("age", [.. rows.Select(row => (float)row.Age)]),
        Column.Numeric("mileage_km", [.. rows.Select(row => (float)row.MileageKm)]),
        Column.Numeric("words", [.. rows.Select(row => (float)row.Words.Length)]),
    ];

    /// <summary>Words of a title, plain.</summary>
    internal static string[] WordsOf(string? title) =>
        Plain(title)?.Split([' ', ',', '.', '/', '-', '(', ')'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>Lower case without accents or needless space; null for an empty text.</summary>
    internal static string? Plain(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        if (Ascii.IsValid(text))
        {
            return text.Trim().ToLowerInvariant();
        }

        var plain = new StringBuilder(text.Length);
        foreach (var c in text.Trim().ToLowerInvariant().Normalize(NormalizationForm.FormD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark)
            {
                plain.Append(c);
            }
        }

        return plain.ToString();
    }

    private static string Key(string stem, double year) => string.Create(CultureInfo.InvariantCulture, $"{stem}|{year}");

    private string? Category(int i) => i switch
    {
        0 => Make,
        1 => Make + " " + Model,
        2 => Make + " " + Base,
        3 => Body,
        4 => Fuel,
        _ => Transmission,
    };
}
