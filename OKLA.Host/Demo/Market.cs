namespace OKLA.Host.Demo;

/// <summary>The vehicles on offer during one simulated day, findable the way visitors look for them.</summary>
internal sealed class Market
{
    private readonly Dictionary<string, Vehicle> byId;
    private readonly Dictionary<string, Vehicle[]> byBody;
    private readonly Dictionary<string, Vehicle[]> byMake;
    private readonly Dictionary<(string Body, int Band), Vehicle[]> byBodyAndBand;
    private readonly Dictionary<string, Vehicle[]> popularByBody;
    private readonly Vehicle[] popular;
    private readonly Vehicle[] newest;

    public Market(IReadOnlyCollection<Vehicle> vehicles, WantModel model)
    {
        All = [.. vehicles];
        byId = All.ToDictionary(vehicle => vehicle.Id, StringComparer.Ordinal);
        byBody = Group(All, vehicle => vehicle.Body);
        byMake = Group(All, vehicle => vehicle.Make);
        byBodyAndBand = Group(All, vehicle => (vehicle.Body, BandOf(vehicle.LogPrice ?? 0)));
        popular = [.. All.OrderByDescending(vehicle => model.QualityOf(vehicle.Id)).ThenBy(vehicle => vehicle.Id, StringComparer.Ordinal)];
        popularByBody = Group(popular, vehicle => vehicle.Body);
        newest = [.. All.OrderByDescending(vehicle => vehicle.ListedAt).ThenBy(vehicle => vehicle.Id, StringComparer.Ordinal)];
    }

    public Vehicle[] All { get; }

    /// <summary>A vehicle on offer; null when it is not.</summary>
    public Vehicle? Find(string id) => byId.GetValueOrDefault(id);

    /// <summary>Price bands of a factor e^0.5 (1.65).</summary>
    public static int BandOf(double logPrice) => (int)Math.Round(logPrice * 2);

    /// <summary>Results of a search by what the visitor asked for; a missing wish matches all.</summary>
    public Vehicle[] Search(string? body, string? make, int? band) => (body, make, band) switch
    {
        ({ } b, _, { } p) => byBodyAndBand.GetValueOrDefault((b, p), []),
        ({ } b, _, _) => byBody.GetValueOrDefault(b, []),
        (_, { } m, _) => byMake.GetValueOrDefault(m, []),
        _ => All,
    };

    /// <summary>Draws a page without repeats: uniformly out of search results, as sellers come in no order of merit.</summary>
    public static List<Vehicle> Draw(ref SeededRandom random, Vehicle[] from, int size)
    {
        var page = new List<Vehicle>(Math.Min(size, from.Length));
        for (var tries = 0; page.Count < Math.Min(size, from.Length) && tries < size * 3; tries++)
        {
            var vehicle = from[random.Next(from.Length)];
            if (!page.Contains(vehicle))
            {
                page.Add(vehicle);
            }
        }

        return page;
    }

    /// <summary>A front page: the newest and the popular, the head far more often than the tail (Zipf's law with exponent 1, by inversion).</summary>
    public List<Vehicle> FrontPage(ref SeededRandom random, int size) => DrawHead(ref random, random.Chance(0.5) ? newest : popular, size);

    /// <summary>What a simple recommender shows: the popular ones of a body type, or of all.</summary>
    public List<Vehicle> Recommend(ref SeededRandom random, string? body, int size) =>
        DrawHead(ref random, body is null ? popular : popularByBody.GetValueOrDefault(body, popular), size);

    private static List<Vehicle> DrawHead(ref SeededRandom random, Vehicle[] ranked, int size)
    {
        var page = new List<Vehicle>(Math.Min(size, ranked.Length));
        for (var tries = 0; page.Count < Math.Min(size, ranked.Length) && tries < size * 4; tries++)
        {
            // Rank r with density proportional to 1 / (r + 20): u uniform, r = 20 ((n + 20) / 20)^u - 20.
            var rank = (int)((20 * Math.Pow((ranked.Length + 20) / 20.0, random.Next())) - 20);
            var vehicle = ranked[Math.Clamp(rank, 0, ranked.Length - 1)];
            if (!page.Contains(vehicle))
            {
                page.Add(vehicle);
            }
        }

        return page;
    }

    private static Dictionary<TKey, Vehicle[]> Group<TKey>(Vehicle[] vehicles, Func<Vehicle, TKey> key)
        where TKey : notnull =>
        vehicles.GroupBy(key).ToDictionary(group => group.Key, group => group.ToArray());
}
