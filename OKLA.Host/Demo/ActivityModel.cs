using System.Collections.Concurrent;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Demo;

/// <summary>What a simulated person sees of an activity.</summary>
/// <param name="Id">The item.</param>
/// <param name="Type">Type.</param>
/// <param name="Tags">Tags.</param>
/// <param name="Locality">Part of the city.</param>
/// <param name="Latitude">Degrees north; NaN when it is not stated.</param>
/// <param name="Longitude">Degrees east; NaN when it is not stated.</param>
/// <param name="Level">Index of its level; -1 when it has none.</param>
/// <param name="StartsAt">When it begins (UTC); null for always.</param>
/// <param name="EndsAt">When it ends (UTC); null for never.</param>
/// <param name="Usd">Price in dollars; 0 when it is free.</param>
/// <param name="ListedAt">When it was announced (UTC).</param>
internal sealed record Activity(
    string Id, string Type, IReadOnlyList<string> Tags, string Locality, double Latitude, double Longitude, int Level, DateTimeOffset? StartsAt, DateTimeOffset? EndsAt, double Usd,
    DateTimeOffset ListedAt)
{
    public static Activity Of(CatalogEntry entry, double pesosPerDollar)
    {
        var item = entry.Item;
        var usd = item.Price is { } price ? (double)price.Amount / (price.Currency == "DOP" ? pesosPerDollar : 1) : 0;
        return new Activity(
            item.Id, item.Text("type") ?? "", item.Tags, item.Text("locality") ?? item.Place ?? "", item.Location?.Latitude ?? item.Number("latitude") ?? double.NaN,
            item.Location?.Longitude ?? item.Number("longitude") ?? double.NaN, Array.IndexOf(ActivityCatalogue.Levels, item.Text("level")), item.Window?.From, item.Window?.Until, usd, entry.ListedAt);
    }
}

/// <summary>What one simulated person likes to do, where they live and when they have time; a function of the seed and the person's number alone.</summary>
/// <param name="Seed">Seed of the simulation.</param>
/// <param name="Person">Number of the person, from 0.</param>
/// <param name="Home">Part of the city.</param>
/// <param name="Latitude">Where they live, degrees north.</param>
/// <param name="Longitude">Where they live, degrees east.</param>
/// <param name="Level">Index of their level.</param>
/// <param name="Thrift">How much a price puts them off, from 0.</param>
internal sealed record Leisure(ulong Seed, int Person, Locality Home, double Latitude, double Longitude, int Level, double Thrift)
{
    public static Leisure Of(ulong seed, int person)
    {
        var random = SeededRandom.Of(seed, (ulong)person, 0x1E15);
        var home = ActivityCatalogue.Localities[random.Pick([.. ActivityCatalogue.Localities.Select(place => place.People)])];
        return new Leisure(
            seed, person, home, home.Latitude + (0.01 * random.Gaussian()), home.Longitude + (0.01 * random.Gaussian()), random.Pick([5, 3, 2]), Math.Exp(0.5 * random.Gaussian()));
    }

    /// <summary>Log-odds for a type or a tag: the person's own, standard normal times <paramref name="deviation"/>.</summary>
    public double For(string word, double deviation) => deviation * SeededRandom.Of(Seed, (ulong)Person, SeededRandom.Key(word)).Gaussian();

    /// <summary>Whether the person is free at a time: three in ten on weekdays by day, seven in ten in the evening, eight in ten at weekends, the same every week.</summary>
    public bool IsFree(DateTimeOffset at)
    {
        var local = at.ToOffset(TimeSpan.FromHours(-4));
        var part = local.Hour < 12 ? 0 : local.Hour < 17 ? 1 : 2;
        var share = local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 0.8 : part == 2 ? 0.7 : 0.3;
        return SeededRandom.Of(Seed, (ulong)Person, 0xF3EEUL + (ulong)((3 * (int)local.DayOfWeek) + part)).Chance(share);
    }
}

/// <summary>
/// The logistic choice model of the simulation of activities (McFadden 1974, with two alternatives): the probability that a person who looks at an activity wants to
/// go. Type and tags against interests, distance from home, level, free time, price, the activity's own quality and how soon it is add up to log-odds; a share of
/// choices ignores them all.
/// </summary>
/// <remarks>
/// Interest falls exponentially with distance, as surveys of leisure trips find (Iacono, Krizek, El-Geneidy 2008, "Access to destinations: how close is close
/// enough?"); the length is a setting, and that and all weights are assumptions.
/// </remarks>
internal sealed class ActivityModel(SimulationRun run)
{
    private readonly ConcurrentDictionary<int, Leisure> people = new();
    private readonly ConcurrentDictionary<string, double> qualities = new();

    /// <summary>What a person likes.</summary>
    public Leisure LeisureOf(int person) => people.GetOrAdd(person, static (number, seed) => Leisure.Of(seed, number), run.Seed);

    /// <summary>How good an activity is: the same for everybody, in log-odds.</summary>
    public double QualityOf(string itemId) => qualities.GetOrAdd(itemId, static (id, seed) => 0.6 * SeededRandom.Of(seed, SeededRandom.Key(id), 0x0A12).Gaussian(), run.Seed);

    /// <summary>P(person wants to go) when asked at a time, 0 to 1.</summary>
    public double Probability(int person, Activity activity, DateTimeOffset at)
    {
        var fit = Fit(LeisureOf(person), activity);
        var soon = activity.StartsAt is { } starts ? 0.6 * Math.Exp(-Math.Max(0, (starts - at).TotalDays) / run.Choice.FreshnessDays) : 0;
        var over = activity.EndsAt < at ? -4 : 0;
        var logOdds = run.Choice.BaseInterest + (run.Choice.TasteStrength * fit) + QualityOf(activity.Id) + soon + over;
        return ((1 - run.Choice.Distraction) / (1 + Math.Exp(-logOdds))) + (run.Choice.Distraction * run.Choice.DistractedInterest);
    }

    /// <summary>How an activity suits a person, in log-odds.</summary>
    public double Fit(Leisure person, Activity activity)
    {
        var tags = activity.Tags.Count == 0 ? 0 : activity.Tags.Sum(tag => person.For(tag, 0.6)) / Math.Sqrt(activity.Tags.Count);
        var kilometres = Kilometres(person.Latitude, person.Longitude, activity.Latitude, activity.Longitude);
        var near = double.IsNaN(kilometres) ? 0 : (1.6 * Math.Exp(-kilometres / run.Choice.DistanceKm)) - 0.4;
        var level = activity.Level < 0 ? 0 : 0.4 - (0.7 * Math.Abs(activity.Level - person.Level));
        var free = activity.StartsAt is not { } starts ? 0 : person.IsFree(starts) ? 0.5 : -1.3;
        var price = activity.Usd <= 0 ? 0.3 : -0.35 * person.Thrift * Math.Log(1 + (activity.Usd / 5));
        return person.For(activity.Type, 1.1) + tags + near + level + free + price;
    }

    /// <summary>Great-circle distance (haversine, mean radius 6,371 km).</summary>
    private static double Kilometres(double latitude, double longitude, double toLatitude, double toLongitude)
    {
        var (up, across) = (double.DegreesToRadians(toLatitude - latitude) / 2, double.DegreesToRadians(toLongitude - longitude) / 2);
        var h = Math.Pow(Math.Sin(up), 2) + (Math.Cos(double.DegreesToRadians(latitude)) * Math.Cos(double.DegreesToRadians(toLatitude)) * Math.Pow(Math.Sin(across), 2));
        return 2 * 6371 * Math.Asin(Math.Sqrt(h));
    }
}
