using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Tests.Modules.Features;

/// <summary>
/// Some weeks of a small marketplace, drawn from one seed: every type of event that features read, one in eight known late, no two at the
/// same time, so that the order of arrival can be changed without changing what happened.
/// </summary>
internal static class Village
{
    public const int Days = 40;
    public static readonly DateTimeOffset Start = new(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);
    public static readonly string[] People = ["ana", "ben", "eva", "leo", "mia"];
    /// <summary>Whom ana turns out to be, and ben too for some weeks, by mistake.</summary>
    public const string User = "user-ana";

    public static readonly string[] Cars = [.. Enumerable.Range(0, 12).Select(n => $"car-{n}")];
    public static readonly string[] Dealers = ["dealer-0", "dealer-1", "dealer-2"];
    public static readonly string[] Campaigns = ["verano", "navidad"];
    public static readonly string[] Sessions = [.. People.SelectMany(person => Enumerable.Range(0, Days / 2).Select(visit => $"{person}-{visit}"))];

    private static readonly string[] Makes = ["Toyota", "Honda", "Kia"];
    private static readonly string[] Bodies = ["sedan", "jeepeta"];
    private static readonly string[] Places = ["Santiago", "La Romana", "Distrito Nacional"];
    private static readonly string[] Channels = ["whatsapp", "call"];
    private static readonly string[] Origins = ["search", "list", "recommendation"];

    /// <summary>The events in the order in which the log comes to know them.</summary>
    public static IReadOnlyList<StreamEvent> Events(int seed, int perPersonAndDay = 4)
    {
        var random = new Random(seed);
        var events = new List<StreamEvent>();
        for (var car = 0; car < Cars.Length; car++)
        {
            var item = Car(car, random);
            var listed = Start.AddDays(car < 8 ? 0 : random.Next(Days - 8)).AddMinutes(car);
            events.Add(Room.Listed(item, listed));
            events.Add(Room.Updated(item with { Description = "Como nuevo", Images = ["a.jpg"], SellerId = car == 3 ? Dealers[1] : item.SellerId }, listed.AddDays(2).AddSeconds(car)));
            events.Add(Room.Repriced(item.Id, item.Price!.Amount - random.Next(200, 900), item.Price.Currency, listed.AddDays(4).AddSeconds(car), listed.AddDays(4 + (car % 3)).AddSeconds(car)));
            if (car % 3 != 1)
            {
                events.Add(Room.Ended(car % 3 == 0 ? EventTypes.ItemSold : EventTypes.ItemWithdrawn, item.Id, listed.AddDays(12 + random.Next(20)).AddSeconds(car)));
            }
        }

        for (var day = 0; day < Days; day++)
        {
            foreach (var person in People)
            {
                for (var n = 0; n < perPersonAndDay; n++)
                {
                    var at = Start.AddDays(day).AddHours(6 + (12 * random.NextDouble()));
                    events.Add(Deed(random, person, $"{person}-{day / 2}", at, random.Next(8) == 0 ? at.AddHours(1 + random.Next(72)) : at));
                }
            }

            foreach (var campaign in Campaigns)
            {
                var at = Start.AddDays(day).AddHours(random.NextDouble());
                foreach (var (type, n) in new[] { ("campaign_impression", 6), ("campaign_click", 3), ("campaign_application", 1), ("campaign_conversion", 1), ("campaign_cost_recorded", 1), ("campaign_budget_set", day % 7 == 0 ? 1 : 0) })
                {
                    for (var i = 0; i < n; i++)
                    {
                        at = at.AddMinutes(1 + random.Next(30));
                        events.Add(Campaign(random, type, campaign, People[random.Next(People.Length)], at));
                    }
                }
            }
        }

        // Something within the hour before one of the moments that tests look at.
        for (var n = 0; n < 2 * Campaigns.Length; n++)
        {
            events.Add(Campaign(random, n % 2 == 0 ? "campaign_cost_recorded" : "campaign_application", Campaigns[n / 2], People[n], Start.AddDays(16.1).AddMinutes(n).AddSeconds(7.25)));
        }

        for (var day = 3; day < Days; day += 2)
        {
            var at = Start.AddDays(day).AddHours(19 + random.NextDouble());
            events.Add(Deed(random, User, $"{User}-{day}", at, random.Next(4) == 0 ? at.AddHours(1 + random.Next(72)) : at));
        }

        // Known late; and what the two visitors did is known late now and then as well.
        events.Add(Linked("ana", Start.AddDays(10), Start.AddDays(10)));
        events.Add(Linked("ben", Start.AddDays(12), Start.AddDays(14)));
        events.Add(Split("ben", Start.AddDays(30)));
        return [.. events.OrderBy(e => e.Event.KnownAt).ThenBy(e => e.Event.OccurredAt)];
    }

    public static StreamEvent Told(string type, string? person, string? session, string? item, object? properties, DateTimeOffset at, DateTimeOffset known, string device = "mobile") => new(
        BehaviourEvent.StreamOf(person, null),
        NewEvent.Of(type, new BehaviourEvent(person, null, session, item, JsonSerializer.SerializeToElement(new { device }), JsonSerializer.SerializeToElement(properties ?? new { })), at) with { KnownAt = known });

    /// <summary>A visitor turns out to be <see cref="User"/>.</summary>
    public static StreamEvent Linked(string visitor, DateTimeOffset at, DateTimeOffset known) =>
        new($"identity-{visitor}", NewEvent.Of(EventTypes.PersonLinked, new PersonLinked(LinkOf(visitor), visitor, User, "sign-in"), at) with { KnownAt = known });

    /// <summary>A visitor turns out not to be after all.</summary>
    public static StreamEvent Split(string visitor, DateTimeOffset at) =>
        new($"identity-{visitor}", NewEvent.Of(EventTypes.PersonSplit, new PersonSplit(LinkOf(visitor), visitor, User, "admin", "Two people, one computer"), at) with { KnownAt = at });

    private static Guid LinkOf(string visitor) => new([.. System.Text.Encoding.UTF8.GetBytes(visitor.PadRight(16))]);

    private static StreamEvent Deed(Random random, string person, string session, DateTimeOffset at, DateTimeOffset known)
    {
        // Each person has a favourite half of the cars, so that shares differ.
        var car = Cars[random.Next(3) == 0 ? random.Next(Cars.Length) : (Math.Max(0, Array.IndexOf(People, person)) * 2) + random.Next(4)];
        var device = random.Next(3) == 0 ? "desktop" : "mobile";
        StreamEvent Of(string type, string? item, object? properties = null) => Told(type, person, session, item, properties, at, known, device);
        return random.Next(31) switch
        {
            < 11 => Of(EventTypes.ItemViewed, car, new { visibleSeconds = Math.Round(100 * random.NextDouble(), 1), scrollDepth = Math.Round(random.NextDouble(), 2), origin = Origins[random.Next(3)], position = random.Next(9) }),
            11 => Of(EventTypes.Searched, null, new { resultCount = 0, filters = new { make = Makes[random.Next(3)] } }),
            12 => Of(EventTypes.Searched, null, new { resultCount = random.Next(50), filters = new { bodyType = Bodies[random.Next(2)], maxPriceUsd = random.Next(9, 30) * 1000 } }),
            13 => Of(EventTypes.FavoriteAdded, car),
            14 => Of(EventTypes.FavoriteRemoved, car),
            15 => Of(EventTypes.Contacted, car, new { channel = Channels[random.Next(2)] }),
            16 => Of(EventTypes.TestDriveRequested, car),
            17 => Of(EventTypes.RecommendationShown, null, new { itemIds = Cars.Take(4), placement = "home" }),
            18 => Of(EventTypes.RecommendationClicked, car, new { position = random.Next(4) }),
            19 => Of("feedback_given", car, new { feedback = "like" }),
            20 => Of("feedback_given", car, new { feedback = "dislike" }),
            21 => Of("rated", car, new { rating = 1 + random.Next(5) }),
            22 when at.Minute % 2 == 0 => Of(EventTypes.Sold, car, new { amount = 9_000, currency = "USD" }),
            22 => Of("offer_made", car, new { amount = 9_000, currency = "USD" }),
            23 => Of("shared", car, new { channel = "whatsapp" }),
            24 => Of("page_viewed", null, new { path = "/", visibleSeconds = 3 }),
            25 => Of("filter_applied", null, new { filter = "make" }),
            26 => Of("chat_message", car, new { role = "user" }),
            27 => Of("chat_handed_over", car),
            29 => Of("attended", car, new { attended = random.Next(4) > 0 }),
            28 => Of("dealer_replied", car, new { minutes = random.Next(90), sellerId = Dealers[random.Next(3)] }),
            _ => Of("campaign_click", null, new { campaignId = Campaigns[random.Next(2)], channel = "instagram" }),
        };
    }

    private static StreamEvent Campaign(Random random, string type, string campaign, string person, DateTimeOffset at) => Told(type, person, null, null, type switch
    {
        "campaign_conversion" => new { campaignId = campaign, channel = "instagram", goal = "sale", value = 50 + random.Next(100), currency = "USD" },
        "campaign_cost_recorded" => new { campaignId = campaign, channel = "instagram", amount = 1_000 + random.Next(1_000), currency = "DOP", competition = Math.Round(random.NextDouble(), 3) },
        "campaign_budget_set" => new { campaignId = campaign, amount = 20_000 + random.Next(9_000), currency = "DOP", days = 1 + random.Next(9) },
        _ => new { campaignId = campaign, channel = random.Next(2) == 0 ? "instagram" : "facebook" },
    }, at, at);

    private static CatalogItem Car(int n, Random random)
    {
        var car = Room.Car(Cars[n], Makes[n % 3], n % 2 == 0 ? "Uno LE" : "Dos", 2010 + n, n % 4 == 0 ? 600_000 : 9_000 + random.Next(15_000), n % 4 == 0 ? "DOP" : "USD", Bodies[n % 2], 10_000 * n, n % 2 == 0 ? "Gasolina" : "Diesel");
        return car with
        {
            SellerId = Dealers[n % 3],
            Place = Places[n % 3],
            Window = new TimeWindow(Start.AddDays(60 + n).AddHours(n), null),
            Location = new GeoPoint(18.4 + (0.05 * n), -69.9),
            Tags = n % 2 == 0 ? ["familia", Makes[n % 3]] : ["aire libre"],
            Price = n == 7 ? new Money(0, "USD") : car.Price,
            Attributes = new Dictionary<string, JsonElement>(car.Attributes)
            {
                ["type"] = JsonSerializer.SerializeToElement(n % 2 == 0 ? "feria" : "paseo"), ["level"] = JsonSerializer.SerializeToElement(n % 3 == 0 ? "beginner" : "advanced"),
            },
        };
    }
}
