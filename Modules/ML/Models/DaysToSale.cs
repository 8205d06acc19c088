using System.Text.Json;
using System.Text.Json.Serialization;
using OKLA.ML.Algorithms.Linear;
using OKLA.ML.Algorithms.Tabular;

namespace OKLA.ML.Models;

/// <summary>
/// How long an ad takes to sell: log T = β·x + b + σ·ε with ads that have not sold yet counted as lasting longer (<see cref="AcceleratedFailureTime"/>). Of
/// three distributions of ε the likeliest is taken. x is what an ad says at its listing, what it is worth (<see cref="PriceHedonics"/>) and how far its price
/// lies above that, which never shortens the time: where the data say so, that term is left out, as the best model with the constraint does.
/// </summary>
internal sealed class DaysToSale
{
    private const int Format = 1;
    private const double Regularization = 5;
    private const int BackgroundAds = 8;

    /// <summary>Prices this far from what an ad is worth, in logarithms, tell no more than those at the edge.</summary>
    private const double MostPremium = 0.7;

    private static readonly string[] CategoryNames = ["body", "fuel", "condition", "make"];
    private static readonly TableEncoderOptions Encoding = new() { Categorical = CategoryNames.ToHashSet(), MinCategoryRows = 30, MaxCategories = 60 };
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly PriceHedonics worth;
    private readonly TableEncoder categories;
    private readonly AcceleratedFailureTime times;
    private readonly bool withPremium;

    private DaysToSale(PriceHedonics worth, TableEncoder categories, AcceleratedFailureTime times, bool withPremium, IReadOnlyList<Ad> background)
    {
        this.worth = worth;
        this.categories = categories;
        this.times = times;
        this.withPremium = withPremium;
        Background = background;
    }

    /// <summary>An ad as it is listed.</summary>
    /// <param name="Features">What it says.</param>
    /// <param name="Usd">Its price in dollars; NaN when not stated.</param>
    public sealed record Ad(PriceFeatures Features, double Usd);

    /// <summary>Typical ads, that explanations compare with.</summary>
    public IReadOnlyList<Ad> Background { get; }

    /// <summary>Name of the distribution.</summary>
    public string Distribution => times.Distribution.ToString();

    /// <summary>Learns from ads, days on offer above 0, and whether they ended by a sale.</summary>
    public static DaysToSale Fit(IReadOnlyList<Ad> ads, float[] days, bool[] sold, int seed, int threads, CancellationToken ct = default)
    {
        var priced = ads.Where(ad => ad.Usd > 0).ToArray();
        PriceFeatures[] features = [.. priced.Select(ad => ad.Features)];
        double[] labels = [.. priced.Select(ad => Math.Log(ad.Usd))];
        var worth = PriceHedonics.Fit(features, labels, threads);
        var categories = TableEncoder.Fit(Categories(ads), Encoding);

        // What an ad is worth must not have been learned from its own price, or a dear one would seem fair.
        var said = new Queue<double>(PriceHedonics.OutOfFold(features, labels, seed, threads));
        double[] own = [.. ads.Select(ad => ad.Usd > 0 ? said.Dequeue() : worth.Predict(ad.Features))];
        var withPremium = true;
        var times = Likeliest(Table(categories, ads, own, withPremium), days, sold, threads, ct);
        if (PremiumOf(times) < 0)
        {
            withPremium = false;
            times = Likeliest(Table(categories, ads, own, withPremium), days, sold, threads, ct);
        }

        return new DaysToSale(worth, categories, times, withPremium, [.. PriceFeatures.Typical(features, [.. priced.Select(ad => ad.Usd)], BackgroundAds).Select(one => new Ad(one.Ad, one.Usd))]);
    }

    /// <summary>The median days of ads.</summary>
    public double[] Medians(IReadOnlyList<Ad> ads) => ads.Count == 0 ? [] : times.Medians(Table(categories, ads, [.. ads.Select(ad => worth.Predict(ad.Features))], withPremium));

    /// <summary>P(not sold after some days) of each ad, one list a time.</summary>
    public double[][] Survival(IReadOnlyList<Ad> ads, IReadOnlyList<double> days)
    {
        var table = Table(categories, ads, [.. ads.Select(ad => worth.Predict(ad.Features))], withPremium);
        var row = new float[table.Columns.Count];
        var survival = days.Select(_ => new double[ads.Count]).ToArray();
        for (var i = 0; i < ads.Count; i++)
        {
            table.CopyRow(i, row);
            for (var d = 0; d < days.Count; d++)
            {
                survival[d][i] = times.Survival(row, days[d]);
            }
        }

        return survival;
    }

    /// <summary>
    /// The days still to come until an ad has sold with some probabilities, given that it has been on offer for <paramref name="sinceListed"/> days:
    /// the t with S(t + d) = (1 − share) · S(d).
    /// </summary>
    public double[] Remaining(Ad ad, double sinceListed, params ReadOnlySpan<double> shares)
    {
        var row = Row(ad);
        var lasted = times.Survival(row, sinceListed);
        var days = new double[shares.Length];
        for (var i = 0; i < days.Length; i++)
        {
            var share = Math.Clamp(1 - ((1 - shares[i]) * lasted), 1e-12, 1 - 1e-12);
            days[i] = Math.Max(0, times.Quantile(row, share) - sinceListed);
        }

        return days;
    }

    /// <summary>P(sold within some days from now) of an ad that has been on offer for <paramref name="sinceListed"/> days.</summary>
    public double SoldWithin(Ad ad, double sinceListed, double days)
    {
        var row = Row(ad);
        return 1 - Math.Min(1, times.Survival(row, sinceListed + days) / Math.Max(1e-12, times.Survival(row, sinceListed)));
    }

    /// <summary>The model as bytes.</summary>
    public byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("OKLA.DaysToSale");
        writer.Write(Format);
        writer.Write(withPremium);
        writer.Write(JsonSerializer.Serialize(Background, Json));
        worth.Save(writer);
        writer.Flush();
        categories.Save(stream);
        times.Save(stream);
        return stream.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Something else, or of another format.</exception>
    public static DaysToSale Load(byte[] artefact)
    {
        using var stream = new MemoryStream(artefact);
        using var reader = new BinaryReader(stream);
        if (reader.ReadString() != "OKLA.DaysToSale" || reader.ReadInt32() != Format)
        {
            throw new InvalidDataException("This is not a model of days to sale of a known format.");
        }

        var withPremium = reader.ReadBoolean();
        var background = JsonSerializer.Deserialize<Ad[]>(reader.ReadString(), Json)!;
        var worth = PriceHedonics.Load(reader);
        return new DaysToSale(worth, TableEncoder.Load(stream), AcceleratedFailureTime.Load(stream), withPremium, background);
    }

    private static AcceleratedFailureTime Likeliest(Dataset table, float[] days, bool[] sold, int threads, CancellationToken ct) =>
        Enum.GetValues<FailureDistribution>()
            .Select(distribution => AcceleratedFailureTime.Fit(
                table, days, sold, new AcceleratedFailureOptions { Distribution = distribution, Regularization = Regularization, Threads = threads, Tolerance = 1e-6 }, cancellation: ct))
            .MaxBy(model => model.LogLikelihood)!;

    /// <summary>How much the premium alone moves the logarithm of the time: it stands last in every table.</summary>
    private static double PremiumOf(AcceleratedFailureTime times) => times.Weights[^1];

    private float[] Row(Ad ad)
    {
        var table = Table(categories, [ad], [worth.Predict(ad.Features)], withPremium);
        var row = new float[table.Columns.Count];
        table.CopyRow(0, row);
        return row;
    }

    private static RawColumn[] Categories(IReadOnlyList<Ad> ads) =>
    [
        new("body", [.. ads.Select(ad => ad.Features.Body)]), new("fuel", [.. ads.Select(ad => ad.Features.Fuel)]),
        new("condition", [.. ads.Select(ad => ad.Features.Condition)]), new("make", [.. ads.Select(ad => ad.Features.Make)]),
    ];

    private static Dataset Table(TableEncoder categories, IReadOnlyList<Ad> ads, double[] worth, bool withPremium)
    {
        List<Column> columns =
        [
            .. categories.Transform(Categories(ads)).Columns,
            Column.Numeric("worth", [.. worth.Select(value => (float)value)]),
            Column.Numeric("age", [.. ads.Select(ad => (float)(double.IsNaN(ad.Features.Age) ? 8 : Math.Clamp(ad.Features.Age, 0, 30)))]),
            Column.Numeric("priced", [.. ads.Select(ad => ad.Usd > 0 ? 1f : 0)]),
        ];
        if (withPremium)
        {
            columns.Add(Column.Numeric("premium", [.. ads.Select((ad, i) => ad.Usd > 0 ? (float)Math.Clamp(Math.Log(ad.Usd) - worth[i], -MostPremium, MostPremium) : 0)]));
        }

        return new Dataset([.. columns]);
    }
}
