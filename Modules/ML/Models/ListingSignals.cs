using System.Globalization;
using OKLA.ML.Algorithms.Tabular;
using OKLA.Shared.Contracts;
using OKLA.Shared.Privacy;
using OKLA.Shared.Texts;
using static OKLA.ML.Models.NumberText;

namespace OKLA.ML.Models;

/// <summary>
/// What stands out about a listing when it comes: its price among its kin, its text among others' texts, its seller's haste. Listings are told one
/// after the other; each is judged by those before it alone, so that a listing of the past is judged as it was when it came.
/// </summary>
internal sealed class ListingSignals(ExchangeRates rates)
{
    /// <summary>Names of the signals, in the order of <see cref="Judge"/>.</summary>
    public static readonly string[] Names =
    [
        "price_against_kin", "kin", "description", "description_words", "copied_share", "copied_from_sellers", "same_text_listings", "contact_in_text", "seller_listings",
        "seller_listings_week", "seller_days", "photos", "mileage_stated", "price_ends_round", "make", "body_type", "year",
    ];

    /// <summary>Words of a run that is compared with other texts.</summary>
    private const int RunWords = 6;

    private readonly Dictionary<string, List<double>> prices = new(StringComparer.Ordinal);
    private readonly Dictionary<int, HashSet<string>> runs = [];
    private readonly Dictionary<string, int> texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<DateTimeOffset>> sellers = new(StringComparer.Ordinal);

    /// <summary>The signals of a listing as texts (null: nothing known); afterwards it is one of those that others are judged by.</summary>
    public string?[] Judge(CatalogItem item, DateTimeOffset at)
    {
        var usd = (double?)rates.ToUsd(item.Price, at);
        var (against, kin) = Price(item, usd);
        var words = PriceFeatures.WordsOf(item.Description);
        var seller = item.SellerId ?? "";
        var (copied, from) = Copied(words, seller);
        var text = string.Join(' ', words);
        var repeated = words.Length == 0 ? 0 : texts.GetValueOrDefault(text);
        texts[text] = repeated + 1;
        var own = sellers.TryGetValue(seller, out var times) ? times : sellers[seller] = [];
        string?[] told =
        [
            Text(against), Text(kin), item.Description is null ? null : PersonalData.Mask(item.Description), Text(words.Length), Text(copied), Text(from), Text(repeated),
            Flag(item.Description is { } said && PersonalData.Find(said).Count > 0), Text(own.Count), Text(own.Count(one => one > at.AddDays(-7))),
            own.Count == 0 ? "0" : Text((at - own[0]).TotalDays), Text(item.Images.Count), Flag(item.Number("mileageKm") is not null),
            Flag(item.Price is { } price && price.Amount % (price.Currency == "DOP" ? 50_000 : 1_000) == 0), PriceFeatures.Plain(item.Text("make")), PriceFeatures.Plain(item.Text("bodyType")),
            Text(item.Number("year")),
        ];
        own.Add(at);
        return told;
    }

    /// <summary>Signals of many as columns.</summary>
    public static RawColumn[] Columns(IReadOnlyList<string?[]> judged) => RawRows.Columns(Names, judged);

    // Logarithm of the price against the median of the same model and year, else of the model with its usual loss a year, else of the make.
    private (double? Against, int Kin) Price(CatalogItem item, double? usd)
    {
        if (usd is not > 0)
        {
            return (null, 0);
        }

        var (make, model) = (PriceFeatures.Plain(item.Text("make")), PriceFeatures.Plain(item.Text("model"))?.Split(' ', 2)[0]);
        var year = item.Number("year") ?? 0;
        string[] circles =
        [
            string.Create(CultureInfo.InvariantCulture, $"{make}|{model}|{year}"), string.Create(CultureInfo.InvariantCulture, $"{make}|{model}|{Math.Round(year / 3)}"), $"{make}|{model}", $"{make}",
        ];
        (double?, int) told = (null, 0);
        foreach (var circle in circles)
        {
            var known = prices.TryGetValue(circle, out var list) ? list : prices[circle] = [];
            if (told.Item1 is null && known.Count >= 3)
            {
                told = (Math.Log(usd.Value) - known[known.Count / 2], known.Count);
            }

            var place = known.BinarySearch(Math.Log(usd.Value));
            known.Insert(place < 0 ? ~place : place, Math.Log(usd.Value));
        }

        return told;
    }

    // The share of runs of words that stand under another seller's listing already, and under how many sellers the commonest one does.
    private (double Share, int Sellers) Copied(string[] words, string seller)
    {
        var (all, copied, most) = (0, 0, 0);
        for (var i = 0; i + RunWords <= words.Length; i++)
        {
            var run = 17;
            for (var w = i; w < i + RunWords; w++)
            {
                run = unchecked((run * 31) + (int)StableHash.Of(words[w]));
            }

            all++;
            var who = runs.TryGetValue(run, out var known) ? known : runs[run] = new HashSet<string>(StringComparer.Ordinal);
            var others = who.Count - (who.Contains(seller) ? 1 : 0);
            copied += others > 0 ? 1 : 0;
            most = Math.Max(most, others);
            who.Add(seller);
        }

        return (all == 0 ? 0 : (double)copied / all, most);
    }

    private static string Flag(bool yes) => yes ? "1" : "0";
}
