using System.Globalization;
using System.Text.Json;
using OKLA.Shared.Contracts;

namespace OKLA.Host.Demo;

/// <summary>A part of the city, with its place on the map and its share of people and of activities.</summary>
/// <param name="Name">Name.</param>
/// <param name="Latitude">Degrees north.</param>
/// <param name="Longitude">Degrees east.</param>
/// <param name="People">Share of the people who live there.</param>
/// <param name="Activities">Share of the activities that take place there.</param>
internal sealed record Locality(string Name, double Latitude, double Longitude, double People, double Activities);

/// <summary>
/// A made-up calendar of things to do in Greater Santo Domingo, for when nothing was imported.
/// </summary>
/// <remarks>
/// Places are real, to about a kilometre. Shares of people follow the four municipalities (census of 2022: Distrito Nacional and Santo Domingo
/// Este about a million each, Norte and Oeste together about a million), split evenly within them; activities crowd in the centre. Those shares, kinds, prices and
/// hours are assumptions: no open calendar of the city states them.
/// </remarks>
internal static class ActivityCatalogue
{
    /// <summary>For whom an activity is, from the easiest.</summary>
    public static readonly string[] Levels = ["beginner", "intermediate", "advanced"];

    public static readonly Locality[] Localities =
    [
        new("Zona Colonial", 18.473, -69.884, 5, 22), new("Gazcue", 18.467, -69.903, 6, 10), new("Piantini", 18.475, -69.938, 6, 14), new("Naco", 18.478, -69.925, 6, 9),
        new("Bella Vista", 18.455, -69.943, 6, 7), new("Arroyo Hondo", 18.500, -69.953, 6, 5), new("Ensanche Ozama", 18.487, -69.866, 11, 7), new("Los Mina", 18.497, -69.853, 11, 4),
        new("San Isidro", 18.503, -69.795, 11, 4), new("Villa Mella", 18.553, -69.905, 11, 4), new("Los Guaricanos", 18.540, -69.925, 6, 2), new("Herrera", 18.478, -69.975, 9, 5),
        new("Los Alcarrizos", 18.517, -70.014, 6, 2), new("Boca Chica", 18.449, -69.606, 4, 5),
    ];

    public static readonly ActivityType[] Types =
    [
        new("deporte", 22, ["yoga", "running", "ciclismo", "baloncesto", "natación", "béisbol"], 1.5, 250, true), new("música", 16, ["bachata", "merengue", "jazz", "rock", "clásica"], 2.5, 700, false),
        new("arte", 12, ["pintura", "fotografía", "cerámica", "exposición"], 2, 400, true), new("gastronomía", 12, ["cocina", "cata", "café", "feria"], 2.5, 1_200, false),
        new("naturaleza", 10, ["senderismo", "playa", "aves", "kayak"], 5, 900, true), new("tecnología", 8, ["programación", "robótica", "charla"], 2, 300, true),
        new("teatro", 8, ["comedia", "drama", "danza"], 2, 800, false), new("infantil", 6, ["cuentos", "títeres", "juegos"], 1.5, 250, false),
        new("idiomas", 4, ["inglés", "francés", "conversación"], 1.5, 350, true), new("voluntariado", 2, ["limpieza", "reforestación"], 4, 0, false),
    ];

    /// <summary>Tags that any type may carry.</summary>
    public static readonly string[] CommonTags = ["aire libre", "familia", "nocturno", "con transporte"];

    private static readonly string[] LevelWords = ["para principiantes", "intermedio", "avanzado"];

    /// <summary>
    /// <paramref name="count"/> activities: half are announced at <paramref name="start"/>, the others come evenly over <paramref name="days"/>. Each is announced 2 to 30
    /// days ahead and leaves the day after it ends; one in ten has no date. The same arguments always give the same activities.
    /// </summary>
    public static IReadOnlyList<PlannedListing> Generate(ulong seed, int count, DateTimeOffset start, int days) =>
        [.. Enumerable.Range(0, count).Select(number => Plan(seed, number, number < count / 2, start, days)).OrderBy(planned => planned.ListedAt)];

    private static PlannedListing Plan(ulong seed, int number, bool early, DateTimeOffset start, int days)
    {
        var random = SeededRandom.Of(seed, (ulong)number, 0xAC71);
        var listedAt = early ? start.AddDays(-random.Next(20)) : start.AddDays(random.Next(days));
        var type = Types[random.Pick([.. Types.Select(one => one.Weight)])];
        var place = Localities[random.Pick([.. Localities.Select(one => one.Activities)])];
        var tag = type.Tags[random.Next(type.Tags.Length)];
        var level = type.HasLevels ? random.Pick([5, 3, 2]) : -1;
        var isDated = !random.Chance(0.1);
        // Announced ahead; what is already announced at the start lies still ahead then. Weekends and evenings are the usual times.
        var day = Math.Max((listedAt - start).TotalDays, 0) + 2 + random.Next(29);
        var date = start.AddDays(Math.Floor(day));
        while (isDated && date.ToOffset(Local).DayOfWeek is not (DayOfWeek.Friday or DayOfWeek.Saturday or DayOfWeek.Sunday) && random.Chance(0.5))
        {
            date = date.AddDays(1);
        }

        var isWeekend = date.ToOffset(Local).DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
        var hour = random.Pick(isWeekend ? [3, 4, 5] : [1, 2, 7]) switch { 0 => 8 + random.Next(4), 1 => 13 + random.Next(4), _ => 17 + random.Next(4) };
        var begins = date.AddHours(hour).AddMinutes(30 * random.Next(2));
        var ends = begins.AddHours(type.Hours);
        var isFree = type.Price == 0 || random.Chance(0.35);
        var pesos = (decimal)Math.Max(100, Math.Round(type.Price * Math.Exp(0.5 * random.Gaussian()) / 50) * 50);
        var (latitude, longitude) = (Math.Round(place.Latitude + (0.006 * random.Gaussian()), 5), Math.Round(place.Longitude + (0.006 * random.Gaussian()), 5));
        string[] tags = [tag, .. CommonTags.Where((_, i) => i == 2 ? hour >= 19 && random.Chance(0.5) : random.Chance(0.2)), .. isFree ? (string[])["gratis"] : []];
        var attributes = new Dictionary<string, object>
        {
            ["type"] = type.Name, ["tags"] = string.Join(", ", tags), ["locality"] = place.Name, ["latitude"] = latitude, ["longitude"] = longitude,
            ["durationMinutes"] = 60 * type.Hours, ["capacity"] = 10 * (1 + random.Next(20)),
        };
        if (level >= 0)
        {
            attributes["level"] = Levels[level];
        }

        if (isDated)
        {
            (attributes["startsAt"], attributes["endsAt"]) = (Stamp(begins), Stamp(ends));
        }

        var title = string.Create(CultureInfo.InvariantCulture, $"{Capital(tag)} en {place.Name}{(level > 0 ? ", " + LevelWords[level] : "")}");
        var item = new CatalogItem(
            $"actividad-{seed}-{number}", SimulationRun.Activities, title, new Money(isFree ? 0 : pesos, "DOP"),
            attributes.ToDictionary(pair => pair.Key, pair => JsonSerializer.SerializeToElement(pair.Value)))
        {
            Tags = tags, Place = place.Name, SellerId = $"organizador-{random.Next(60)}", Location = new GeoPoint(latitude, longitude),
            Window = isDated ? new TimeWindow(begins, ends) : null,
            Description = $"{Capital(type.Name)}: {tag}{(level >= 0 ? ", " + LevelWords[level] : "")}. {(isFree ? "Entrada libre." : "Incluye materiales y refrigerio.")}",
        };
        return new PlannedListing(item, listedAt, isDated ? Visitor.LocalMidnight(ends).AddDays(1) : start.AddDays(days + 365), false, null, null);
    }

    private static readonly TimeSpan Local = TimeSpan.FromHours(-4);

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}

/// <summary>A kind of thing to do.</summary>
/// <param name="Name">Name.</param>
/// <param name="Weight">Share among all.</param>
/// <param name="Tags">What it may be about.</param>
/// <param name="Hours">How long it lasts.</param>
/// <param name="Price">Typical price in pesos; 0 for always free.</param>
/// <param name="HasLevels">Whether it is for beginners or for the practised.</param>
internal sealed record ActivityType(string Name, double Weight, string[] Tags, double Hours, double Price, bool HasLevels);
