using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Demo;

/// <summary>A generated listing and its life.</summary>
/// <param name="Item">As it is listed.</param>
/// <param name="ListedAt">When (UTC).</param>
/// <param name="EndsAt">When it leaves (UTC).</param>
/// <param name="Sold">Whether it leaves by a sale.</param>
/// <param name="CutAt">When the price is cut (UTC); null when it never is.</param>
/// <param name="CutPrice">Price from then on.</param>
/// <param name="Reason">Why it leaves otherwise, when somebody found out: <see cref="ItemEnded.Fraud"/>.</param>
internal sealed record PlannedListing(CatalogItem Item, DateTimeOffset ListedAt, DateTimeOffset EndsAt, bool Sold, DateTimeOffset? CutAt, Money? CutPrice, string? Reason = null)
{
    /// <summary>Median days on offer of such a listing.</summary>
    public double UsualDays { get; init; } = double.NaN;

    /// <summary>Whether a swindler offers it, found out or not.</summary>
    public bool IsSwindle { get; init; }
}

/// <summary>
/// A made-up catalogue that looks like the Dominican market, for when nothing was imported.
/// </summary>
/// <remarks>
/// Price levels and yearly losses of the models: medians by model year of 12,500 listings of supercarros.com (January to August 2022),
/// rounded. Weights of models: makes by country of origin as in the fleet (DGII 2023: 61 % Japanese, 13.5 % Korean, 11.6 % American,
/// 6.6 % European), body types by a blend of the fleet (2023: 19.3 % cars, 11.7 % jeepetas) and of the year's new registrations (2025:
/// 54,707 jeepetas, 28,167 cars, 24,160 freight). Places: registrations by province (DGII 2023: Distrito Nacional 30.2 %, Santo Domingo
/// 16.0 %, Santiago 7.9 %), the rest by population. Shares of pesos and dollars: dealers of new cars quote dollars, sellers of used
/// small cars pesos, as in the same listings. Durations on the market are an assumption: median 35 days, longer for dear ones, and a third
/// longer where the price is a tenth above what the vehicle is worth. Swindles are an assumption too: the share is a setting; moderators find
/// five of six within days.
/// </remarks>
internal static class DominicanCatalogue
{
    /// <summary>Listings of one swindler.</summary>
    /// <summary>Share of swindles that moderators find out (assumption: five in six).</summary>
    public const double FoundShare = 5.0 / 6;

    private const int ListingsOfAHand = 4;

    // Make, model, body, fuel, price new in USD, yearly loss once used, earliest year, weight.
    private static readonly Model[] Models =
    [
        new("Toyota", "Corolla", "sedan", "gasolina", 29_000, 0.075, 2003, 9), new("Toyota", "Camry", "sedan", "gasolina", 36_000, 0.085, 2005, 3),
        new("Toyota", "RAV4", "jeepeta", "gasolina", 47_000, 0.075, 2006, 5), new("Toyota", "4Runner", "jeepeta", "gasolina", 67_000, 0.065, 2005, 3),
        new("Toyota", "Land Cruiser Prado", "jeepeta", "diesel", 75_000, 0.06, 2005, 3), new("Toyota", "Hilux", "camioneta", "diesel", 56_000, 0.05, 2006, 5),
        new("Toyota", "Tacoma", "camioneta", "gasolina", 54_000, 0.06, 2006, 2), new("Toyota", "Passo", "hatchback", "gasolina", 15_500, 0.065, 2006, 2),
        new("Toyota", "Corolla Cross", "jeepeta", "hibrido", 39_300, 0.07, 2021, 3), new("Toyota", "Yaris", "sedan", "gasolina", 24_900, 0.075, 2007, 3),
        new("Honda", "Civic", "sedan", "gasolina", 34_000, 0.075, 2004, 7), new("Honda", "Accord", "sedan", "gasolina", 38_000, 0.085, 2005, 4),
        new("Honda", "CR-V", "jeepeta", "gasolina", 42_000, 0.075, 2004, 8), new("Honda", "Fit", "hatchback", "gasolina", 21_000, 0.07, 2005, 5),
        new("Honda", "HR-V", "jeepeta", "gasolina", 33_000, 0.075, 2016, 2), new("Honda", "Pilot", "jeepeta", "gasolina", 58_000, 0.085, 2006, 2),
        new("Nissan", "Note", "hatchback", "gasolina", 17_000, 0.06, 2006, 3), new("Nissan", "Sentra", "sedan", "gasolina", 23_000, 0.085, 2006, 2),
        new("Nissan", "Frontier", "camioneta", "diesel", 46_000, 0.075, 2006, 3), new("Nissan", "Kicks", "jeepeta", "gasolina", 29_900, 0.075, 2017, 2),
        new("Nissan", "Versa", "sedan", "gasolina", 21_200, 0.075, 2012, 2), new("Nissan", "Leaf", "hatchback", "electrico", 39_000, 0.11, 2012, 1),
        new("Mitsubishi", "L200", "camioneta", "diesel", 47_900, 0.075, 2006, 2), new("Mitsubishi", "Montero Sport", "jeepeta", "diesel", 52_000, 0.07, 2006, 1.5),
        new("Mazda", "CX-5", "jeepeta", "gasolina", 41_000, 0.075, 2013, 2), new("Mazda", "Demio", "hatchback", "gasolina", 17_000, 0.065, 2007, 2),
        new("Suzuki", "Swift", "hatchback", "gasolina", 20_900, 0.07, 2006, 2), new("Suzuki", "Vitara", "jeepeta", "gasolina", 29_500, 0.075, 2008, 2),
        new("Daihatsu", "Mira", "hatchback", "gasolina", 12_000, 0.06, 2007, 2), new("Daihatsu", "Hijet", "v.pesados", "gasolina", 14_000, 0.06, 2004, 1.5),
        new("Isuzu", "D-Max", "camioneta", "diesel", 55_900, 0.07, 2008, 1.5), new("Isuzu", "NPR", "v.pesados", "diesel", 52_000, 0.06, 2005, 1.5),
        new("Lexus", "RX 350", "jeepeta", "gasolina", 72_000, 0.085, 2006, 1.5), new("Subaru", "Forester", "jeepeta", "gasolina", 38_000, 0.085, 2009, 0.7),
        new("Hyundai", "Sonata", "sedan", "glp", 23_000, 0.09, 2008, 5), new("Hyundai", "Tucson", "jeepeta", "gasolina", 39_000, 0.085, 2006, 3),
        new("Hyundai", "Elantra", "sedan", "gasolina", 24_000, 0.085, 2008, 2), new("Hyundai", "Santa Fe", "jeepeta", "gasolina", 47_000, 0.085, 2007, 2),
        new("Hyundai", "Accent", "sedan", "gasolina", 22_000, 0.085, 2008, 1.5), new("Kia", "K5", "sedan", "glp", 23_000, 0.09, 2010, 3),
        new("Kia", "Picanto", "hatchback", "gasolina", 16_500, 0.075, 2006, 2), new("Kia", "Sportage", "jeepeta", "gasolina", 38_000, 0.085, 2007, 2),
        new("Kia", "Sorento", "jeepeta", "diesel", 47_000, 0.085, 2007, 1.5), new("Ford", "F-150", "camioneta", "gasolina", 76_000, 0.095, 2007, 2),
        new("Ford", "Explorer", "jeepeta", "gasolina", 58_000, 0.1, 2006, 2), new("Ford", "Ranger", "camioneta", "diesel", 60_000, 0.09, 2008, 1.5),
        new("Ford", "Mustang", "coupe-deportivo", "gasolina", 52_000, 0.09, 2006, 1), new("Chevrolet", "Colorado", "camioneta", "diesel", 48_900, 0.08, 2008, 1.5),
        new("Chevrolet", "Silverado", "camioneta", "gasolina", 80_000, 0.095, 2007, 1), new("Chevrolet", "Tahoe", "jeepeta", "gasolina", 98_000, 0.095, 2007, 1),
        new("Chevrolet", "Spark", "hatchback", "gasolina", 16_900, 0.08, 2007, 1.5), new("Chevrolet", "Camaro", "coupe-deportivo", "gasolina", 60_000, 0.09, 2010, 0.7),
        new("Jeep", "Wrangler", "jeepeta", "gasolina", 68_000, 0.075, 2007, 1.5), new("Jeep", "Grand Cherokee", "jeepeta", "gasolina", 66_000, 0.1, 2007, 1.5),
        new("Dodge", "Ram 1500", "camioneta", "gasolina", 90_000, 0.1, 2008, 1), new("Tesla", "Model 3", "sedan", "electrico", 62_000, 0.11, 2018, 0.8),
        new("Mercedes-Benz", "Clase C", "sedan", "gasolina", 75_000, 0.11, 2006, 1.2), new("Mercedes-Benz", "Clase GLE", "jeepeta", "gasolina", 118_000, 0.11, 2012, 0.8),
        new("BMW", "X5", "jeepeta", "gasolina", 112_000, 0.115, 2007, 1), new("BMW", "Serie 3", "sedan", "gasolina", 68_000, 0.11, 2006, 0.8),
        new("Audi", "Q5", "jeepeta", "gasolina", 72_000, 0.11, 2009, 0.7), new("Volkswagen", "Amarok", "camioneta", "diesel", 58_900, 0.085, 2011, 0.8),
        new("Mini", "Cooper", "coupe-deportivo", "gasolina", 52_000, 0.1, 2006, 0.7), new("Porsche", "Cayenne", "jeepeta", "gasolina", 125_000, 0.11, 2006, 0.7),
        new("Porsche", "911", "coupe-deportivo", "gasolina", 240_000, 0.07, 2006, 0.2), new("Changan", "CS35 Plus", "jeepeta", "gasolina", 28_900, 0.12, 2019, 1.5),
        new("BYD", "Song Plus", "jeepeta", "hibrido", 40_000, 0.12, 2022, 1), new("Jac", "T8", "camioneta", "diesel", 34_000, 0.12, 2019, 0.7),
        new("Yamaha", "MT-07", "motores", "gasolina", 10_500, 0.08, 2014, 0.8), new("Honda", "Navi", "motores", "gasolina", 1_900, 0.1, 2018, 1),
        new("Bajaj", "Platina 100", "motores", "gasolina", 1_700, 0.1, 2016, 1), new("Can-Am", "Maverick", "motores", "gasolina", 27_000, 0.09, 2015, 0.6),
        new("Boston Whaler", "270 Dauntless", "barcos", "gasolina", 190_000, 0.06, 2005, 0.1),
    ];

    private static readonly (string Place, double Share)[] Places =
    [
        ("Distrito Nacional", 30.2), ("Santo Domingo", 16.0), ("Santiago", 7.9), ("San Cristóbal", 6.3), ("La Vega", 4.0), ("La Altagracia", 4.0), ("Puerto Plata", 3.2),
        ("San Pedro de Macorís", 3.1), ("Duarte", 3.0), ("La Romana", 2.7), ("San Juan", 2.3), ("Espaillat", 2.2), ("Azua", 2.1), ("Barahona", 1.8), ("Peravia", 1.8),
        ("Monte Plata", 1.6), ("Monseñor Nouel", 1.6), ("Valverde", 1.6), ("Sánchez Ramírez", 1.4), ("María Trinidad Sánchez", 1.3), ("Monte Cristi", 1.1), ("Samaná", 1.0),
    ];

    private static readonly (string Trim, double Factor)[] Trims = [("", 0.96), ("LE", 1.0), ("EX", 1.03), ("Sport", 1.06), ("Limited", 1.14)];

    private static readonly string[] DealerNames = ["Auto", "Motors", "Importadora", "Dealer", "Carros"];

    /// <summary>
    /// <paramref name="count"/> listings: half are there at <paramref name="start"/>, one to six weeks old, the others come evenly over
    /// <paramref name="days"/>, each at the start of its day. The same arguments always give the same listings.
    /// </summary>
    public static IReadOnlyList<PlannedListing> Generate(ulong seed, int count, DateTimeOffset start, int days, double pesosPerDollar, double fraudShare = 0)
    {
        var weights = Models.Select(model => model.Weight).ToArray();
        var shares = Places.Select(place => place.Share).ToArray();
        var dealers = Math.Max(5, count / 40);
        return [.. Enumerable.Range(0, count).Select(number =>
        {
            var random = SeededRandom.Of(seed, (ulong)number, 0xCA7A);
            var listedAt = number < count / 2 ? start.AddDays(-7 * (1 + random.Next(6))) : start.AddDays(random.Next(days));
            var honest = Plan(ref random, seed, number, Models[random.Pick(weights)], Places[random.Pick(shares)].Place, dealers, listedAt, start, pesosPerDollar);
            return number >= count / 2 && SeededRandom.Of(seed, (ulong)(number / ListingsOfAHand), 0xF4A0).Chance(fraudShare) ? Swindle(seed, number, honest) : honest;
        }).OrderBy(planned => planned.ListedAt)];
    }

    /// <summary>The seed that a made-up listing's id names; null for others.</summary>
    public static ulong? SeedOf(string itemId) => itemId.Split('-') is ["demo", var seed, _] && ulong.TryParse(seed, out var number) ? number : null;

    private static PlannedListing Plan(
        ref SeededRandom random, ulong seed, int number, Model model, string place, int dealers, DateTimeOffset listedAt, DateTimeOffset start, double pesosPerDollar)
    {
        // One in four is new; used ones come at every age up to fifteen years with a mode around six.
        var isNew = random.Chance(0.25);
        var age = isNew ? 0 : (int)Math.Clamp(1 + random.Exponential(3) + random.Exponential(3), 1, 15);
        var year = Math.Max(model.FirstYear, start.Year - age);
        age = Math.Max(0, start.Year - year);
        isNew = isNew && age == 0;
        var km = isNew ? 0 : 100 * Math.Round(Math.Max(500, (age + 0.5) * 14_000 * Math.Exp(0.4 * random.Gaussian())) / 100);
        var (trim, factor) = Trims[random.Next(Trims.Length)];

        // The first step out of the shop costs about a sixth; then a steady yearly loss; mileage beyond the usual weighs little.
        var unusualKm = isNew ? 0 : (km - ((age + 0.5) * 14_000)) / 100_000;
        var usd = model.PriceNew * factor * (isNew ? 1 : 0.84 * Math.Exp(-model.YearlyLoss * age)) * Math.Exp(-0.12 * unusualKm);
        var premium = 0.09 * random.Gaussian();
        usd *= Math.Exp(premium);
        var inPesos = random.Chance(isNew ? 0.05 : usd < 20_000 ? 0.85 : 0.25);
        var price = Round(usd, inPesos, pesosPerDollar);

        var isDealer = isNew || random.Chance(0.7);
        var dealer = (int)(dealers * Math.Pow(random.Next(), 2));
        var title = string.Join(' ', new[] { model.Make, model.Name, trim }.Where(part => part.Length > 0));
        var attributes = new Dictionary<string, JsonElement>
        {
            ["make"] = JsonSerializer.SerializeToElement(model.Make),
            ["model"] = JsonSerializer.SerializeToElement(trim.Length == 0 ? model.Name : $"{model.Name} {trim}"),
            ["year"] = JsonSerializer.SerializeToElement(year),
            ["bodyType"] = JsonSerializer.SerializeToElement(model.Body),
            ["fuel"] = JsonSerializer.SerializeToElement(model.Fuel),
            ["condition"] = JsonSerializer.SerializeToElement(isNew ? "nuevo" : "usado"),
        };
        var gear = random.Chance(model.Body is "v.pesados" or "motores" ? 0.9 : 0.12) ? "mecanica" : "automatica";
        attributes["transmission"] = JsonSerializer.SerializeToElement(gear);
        // Sellers leave the mileage out often.
        var tellsKm = !isNew && random.Chance(0.7);
        if (tellsKm)
        {
            attributes["mileageKm"] = JsonSerializer.SerializeToElement(km);
        }

        var words = SeededRandom.Of(seed, (ulong)number, 0x7E47);
        var item = new CatalogItem($"demo-{seed}-{number:00000}", "vehicle", $"{title} {year}", price, attributes)
        {
            Place = place,
            Description = ListingText.Honest(ref words, $"{title} {year}", gear, model.Fuel, tellsKm ? km : null, isDealer),
            SellerId = isDealer ? $"dealer-{DealerNames[dealer % DealerNames.Length].ToLowerInvariant()}-{dealer}" : $"particular-{seed}-{number}",
        };

        // Log-normal, median 35 days for a car of US$ 20,000, half as long again at four times the price; three of four leave by a sale.
        var usual = 35 * Math.Pow(usd / 20_000, 0.3) * Math.Exp(3 * premium);
        var duration = Math.Clamp(usual * Math.Exp(0.8 * random.Gaussian()), 4, 400);
        DateTimeOffset? cutAt = random.Chance(0.3) ? listedAt.AddDays(duration * (0.4 + (0.3 * random.Next()))) : null;
        var cut = Round(usd * (0.93 + (0.04 * random.Next())), inPesos, pesosPerDollar);
        // What is there at the start is what has not left before.
        var endsAt = listedAt.AddDays(duration);
        if (endsAt <= start)
        {
            endsAt = start.AddDays(1 + random.Exponential(20));
        }

        return new PlannedListing(item, listedAt, endsAt, random.Chance(0.75), cutAt > start && cut.Amount < price.Amount ? cutAt : null, cut) { UsualDays = usual };
    }

    /// <summary>The same vehicle as a swindler offers it: too cheap, under a name of yesterday, with a text that stands under others as well.</summary>
    private static PlannedListing Swindle(ulong seed, int number, PlannedListing honest)
    {
        var (random, hand) = (SeededRandom.Of(seed, (ulong)number, 0xF4A1), SeededRandom.Of(seed, (ulong)(number / ListingsOfAHand), 0xF4A2));
        var price = honest.Item.Price!;
        var cheap = price with { Amount = Math.Round(price.Amount * (decimal)(0.45 + (0.35 * random.Next())) / 100) * 100 };
        var lure = ListingText.Lure(ref hand);
        var item = honest.Item with
        {
            Price = cheap, SellerId = $"particular-{seed}-m{number / ListingsOfAHand}", Description = random.Chance(0.7) ? lure : $"{honest.Item.Description} {lure}".Trim(),
        };
        var found = random.Chance(FoundShare);
        return honest with { Item = item, Sold = false, CutAt = null, CutPrice = null, EndsAt = honest.ListedAt.AddDays(found ? 2 + random.Next(8) : 15 + random.Next(15)), Reason = found ? ItemEnded.Fraud : null, IsSwindle = true };
    }

    private static Money Round(double usd, bool inPesos, double pesosPerDollar) => inPesos
        ? new Money((decimal)Math.Max(5_000, Math.Round(usd * pesosPerDollar / 5_000) * 5_000), "DOP")
        : new Money((decimal)Math.Max(100, Math.Round(usd / 100) * 100), "USD");

    private sealed record Model(string Make, string Name, string Body, string Fuel, double PriceNew, double YearlyLoss, int FirstYear, double Weight);
}
