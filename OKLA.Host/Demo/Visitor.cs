using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>A simulated person on the way through the days: visits the site, looks, keeps, asks.</summary>
internal sealed class Visitor
{
    /// <summary>Share of looks by people who surely want the vehicle that end in a contact with its seller (assumption: one in twelve).</summary>
    internal const double ContactShare = 0.08;

    // Pages are search results, front pages and recommendations.
    private const double SearchShare = 0.55, FrontShare = 0.25, MeanFurtherPages = 1.6;
    private const int PageSize = 12;
    private const int MostDaysToDeal = 21;
    private const double MeanDaysToDeal = 4;

    // Visits by local hour (assumption: little at night, a bump at lunch, most in the evening).
    private static readonly double[] HourWeights = [1, .5, .3, .2, .2, .4, 1, 2, 3, 4, 4.5, 5, 6, 5.5, 5, 4.5, 4.5, 5, 6, 7, 8, 7.5, 5, 2.5];
    internal static readonly string[] Channels = ["whatsapp", "call", "form", "chat"];
    private static readonly double[] ChannelWeights = [0.55, 0.25, 0.12, 0.08];

    // The Dominican Republic keeps UTC-4 all year.
    private static readonly TimeSpan LocalOffset = TimeSpan.FromHours(-4);

    private readonly SimulationRun run;
    private readonly int person;
    private readonly VisitHabits habits;
    private double lastDay;
    private readonly List<string> favorites = [];
    private readonly List<Deal> deals = [];
    private int visits;
    private string? lastBody;

    public Visitor(SimulationRun run, int person)
    {
        this.run = run;
        this.person = person;
        habits = VisitHabits.Of(run, person);
        lastDay = habits.LastDay;
    }

    /// <summary>Share of visits in which somebody searches or looks at something, who wants such a share of what they see.</summary>
    internal static double SignShare(SimulationRun run, double wanted)
    {
        // A page leaves none when it is no search and nothing on it is looked at; after each page there is another one with the same chance.
        var unseen = (1 - SearchShare) * Enumerable.Range(0, PageSize).Aggregate(1.0, (none, position) => none * (1 - (wanted / (1 + (run.Choice.PositionDecay * position)))));
        var another = Math.Exp(-1 / MeanFurtherPages);
        return 1 - (unseen * (1 - another) / (1 - (another * unseen)));
    }

    /// <summary>Days from a contact to the deal that was agreed: exponential with mean 4, one to twenty-one.</summary>
    internal static int DaysToDeal(ref SeededRandom random) => 1 + (int)Math.Min(MostDaysToDeal - 1, random.Exponential(MeanDaysToDeal));

    /// <summary>P(<see cref="DaysToDeal"/> ≤ days).</summary>
    internal static double DealWithin(int days) => days < 1 ? 0 : days >= MostDaysToDeal ? 1 : 1 - Math.Exp(-days / MeanDaysToDeal);

    /// <summary>Lets the person live a day; events go to <paramref name="events"/> in the order of the day within each visit.</summary>
    /// <returns>Visits.</returns>
    public int Live(int day, Market market, WantModel model, DealModel dealing, DealBook book, List<StreamEvent> events)
    {
        Close(day, market, dealing, book, events);
        if (day < Math.Floor(habits.FirstDay) || day > lastDay || market.All.Length == 0)
        {
            return 0;
        }

        var random = SeededRandom.Of(run.Seed, (ulong)person, 0xDA7000UL + (ulong)day);
        // The first day is the day of the first visit; later visits come at the person's rate.
        var count = day == (int)Math.Floor(habits.FirstDay) ? 1 : 0;
        for (var left = random.Exponential(1); left < habits.VisitsADay; left += random.Exponential(1))
        {
            count++;
        }

        var start = run.Start.AddDays(day);
        var hours = Enumerable.Range(0, count).Select(_ => 0.0).ToArray();
        for (var i = 0; i < count; i++)
        {
            hours[i] = random.Pick(HourWeights) + random.Next();
        }

        Array.Sort(hours);
        foreach (var hour in hours)
        {
            // Days are local: they begin at midnight in Santo Domingo.
            Visit(ref random, start.AddHours(hour), market, model, dealing, events);
        }

        return count;
    }

    private void Visit(ref SeededRandom random, DateTimeOffset at, Market market, WantModel model, DealModel dealing, List<StreamEvent> events)
    {
        visits++;
        var device = habits.HasTwoDevices && random.Chance(VisitHabits.SecondDeviceShare) ? 2 : 1;
        var visit = new VisitSession(run, person, device, $"{run.AnonymousId(person, device)}-{visits}", (device == 1) == habits.BringsPhone ? "mobile" : "desktop", at);
        var signsInAt = visits > habits.SignInVisit ? 0 : visits == habits.SignInVisit ? 1 : int.MaxValue;
        var pages = 1 + (int)random.Exponential(MeanFurtherPages);
        for (var page = 0; page < pages && page < 8; page++)
        {
            visit.SignedIn = page >= signsInAt || (visits == habits.SignInVisit && page == pages - 1);
            visit.Wait(2 + random.Exponential(12));
            BrowsePage(ref random, visit, market, model, dealing, events);
        }
    }

    private void BrowsePage(ref SeededRandom random, VisitSession visit, Market market, WantModel model, DealModel dealing, List<StreamEvent> events)
    {
        var way = random.Next();
        List<Vehicle> shown;
        string origin;
        if (way < SearchShare)
        {
            (shown, origin) = (SearchPage(ref random, visit, market, model, events), "search");
        }
        else if (way < SearchShare + FrontShare)
        {
            (shown, origin) = (market.FrontPage(ref random, PageSize), "list");
        }
        else
        {
            (shown, origin) = (market.Recommend(ref random, lastBody, PageSize), "recommendation");
            events.Add(visit.Event(ref random, EventTypes.RecommendationShown, null, json =>
            {
                json.WriteString("placement", "home");
                WriteIds(json, shown);
            }));
        }

        for (var position = 0; position < shown.Count; position++)
        {
            if (!random.Chance(1 / (1 + (run.Choice.PositionDecay * position))))
            {
                continue;
            }

            var vehicle = shown[position];
            var probability = model.Probability(person, vehicle, visit.Now);
            if (random.Chance(probability))
            {
                Look(ref random, visit, vehicle, position, origin, probability, dealing, events);
            }
        }
    }

    private List<Vehicle> SearchPage(ref SeededRandom random, VisitSession visit, Market market, WantModel model, List<StreamEvent> events)
    {
        // People search for what they like: the seen body's pull, the budget's band, sometimes a make.
        var taste = model.TasteOf(person);
        Span<double> pull = stackalloc double[Taste.Bodies.Length];
        for (var i = 0; i < pull.Length; i++)
        {
            pull[i] = Math.Exp(taste.ForBody(Taste.Bodies[i]));
        }

        string? body = random.Chance(0.8) ? Taste.Bodies[random.Pick(pull)] : null;
        var make = body is null ? market.All[random.Next(market.All.Length)].Make : null;
        int? band = body is not null && random.Chance(0.5) ? Market.BandOf(taste.LogBudget + (0.25 * random.Gaussian())) : null;
        var found = market.Search(body, make, band);
        var shown = Market.Draw(ref random, found, PageSize);
        events.Add(visit.Event(ref random, EventTypes.Searched, null, json =>
        {
            json.WriteString("query", body ?? make);
            json.WriteStartObject("filters");
            if (body is not null)
            {
                json.WriteString("bodyType", body);
            }

            if (make is not null)
            {
                json.WriteString("make", make);
            }

            if (band is { } b)
            {
                json.WriteNumber("minPriceUsd", Math.Round(Math.Exp((b - 0.5) / 2)));
                json.WriteNumber("maxPriceUsd", Math.Round(Math.Exp((b + 0.5) / 2)));
            }

            json.WriteEndObject();
            json.WriteNumber("resultCount", found.Length);
            WriteIds(json, shown);
        }));
        return shown;
    }

    private void Look(ref SeededRandom random, VisitSession visit, Vehicle vehicle, int position, string origin, double probability, DealModel dealing, List<StreamEvent> events)
    {
        visit.Wait(1 + random.Exponential(6));
        if (origin == "recommendation")
        {
            events.Add(visit.Event(ref random, EventTypes.RecommendationClicked, vehicle.Id, json => json.WriteNumber("position", position)));
        }

        // Whoever wants it more looks longer; the rest is chance.
        var seconds = Math.Round(Math.Min(900, 3 + random.Exponential(20 + (120 * probability))), 1);
        var depth = Math.Round(Math.Min(1, random.Next() * (0.4 + (1.2 * probability)) + 0.05), 2);
        events.Add(visit.Event(ref random, EventTypes.ItemViewed, vehicle.Id, json =>
        {
            json.WriteNumber("visibleSeconds", seconds);
            json.WriteNumber("scrollDepth", depth);
            json.WriteString("origin", origin);
            json.WriteNumber("position", position);
        }));
        visit.Wait(seconds);
        lastBody = vehicle.Body.Length > 0 ? vehicle.Body : lastBody;

        // Assumption: of people who surely want a vehicle, one in seven keeps it.
        if (random.Chance(0.15 * probability) && !favorites.Contains(vehicle.Id))
        {
            favorites.Add(vehicle.Id);
            events.Add(visit.Event(ref random, EventTypes.FavoriteAdded, vehicle.Id, null));
        }
        else if (favorites.Contains(vehicle.Id) && random.Chance(0.1))
        {
            favorites.Remove(vehicle.Id);
            events.Add(visit.Event(ref random, EventTypes.FavoriteRemoved, vehicle.Id, null));
        }

        if (random.Chance(ContactShare * probability))
        {
            visit.Wait(5 + random.Exponential(30));
            var channel = random.Pick(ChannelWeights);
            events.Add(visit.Event(ref random, EventTypes.Contacted, vehicle.Id, json => json.WriteString("channel", Channels[channel])));
            if (random.Chance(dealing.TestDrive(person, probability)))
            {
                visit.Wait(5 + random.Exponential(30));
                events.Add(visit.Event(ref random, EventTypes.TestDriveRequested, vehicle.Id, null));
            }

            Negotiate(visit, vehicle, dealing.Probability(person, vehicle.Seller, probability, channel), events);
        }
    }

    /// <summary>What comes of a contact: a deal on a later day, or an offer that leads nowhere, or nothing.</summary>
    private void Negotiate(VisitSession visit, Vehicle vehicle, double chanceOfDeal, List<StreamEvent> events)
    {
        var random = SeededRandom.Of(run.Seed, (ulong)person, SeededRandom.Key(vehicle.Id) ^ (ulong)visits);
        if (deals.Count == 0 && random.Chance(chanceOfDeal))
        {
            var day = (visit.Now - run.Start).TotalDays;
            deals.Add(new Deal(vehicle.Id, (int)day + DaysToDeal(ref random), 1 - (0.07 * random.Next())));
        }
        else if (random.Chance(0.12) && vehicle.Price is { } price)
        {
            visit.Wait(20 + random.Exponential(60));
            Offer(ref random, visit, vehicle, price, 0.7 + (0.2 * random.Next()), events);
        }
    }

    /// <summary>Keeps what was agreed: the last offer and the deal on its day, unless somebody else was faster; stars for the seller some days later.</summary>
    private void Close(int day, Market market, DealModel dealing, DealBook book, List<StreamEvent> events)
    {
        foreach (var deal in deals.ToArray())
        {
            var random = SeededRandom.Of(run.Seed, (ulong)person, SeededRandom.Key(deal.ItemId) ^ 0xC105EUL);
            var visit = new VisitSession(run, person, 1, $"{run.AnonymousId(person, 1)}-{deal.ItemId}-{day}", habits.BringsPhone ? "mobile" : "desktop", run.Start.AddDays(day).AddHours(9 + (8 * random.Next())))
            {
                SignedIn = visits >= habits.SignInVisit,
            };
            if (deal.RateOn == day)
            {
                Rate(ref random, visit, deal, dealing.ServiceOf(deal.Seller), events);
                deals.Remove(deal);
            }
            else if (deal.Day == day && (book.IsSold(deal.ItemId) || market.Find(deal.ItemId) is null))
            {
                deals.Remove(deal);
            }
            else if (deal.Day == day && market.Find(deal.ItemId) is { } vehicle)
            {
                if (vehicle.Price is { } price)
                {
                    Offer(ref random, visit, vehicle, price, deal.Share, events);
                }

                visit.Wait(3_600);
                book.Sell(vehicle.Id);
                events.Add(visit.Event(ref random, EventTypes.Sold, vehicle.Id, json =>
                {
                    WriteAmount(json, vehicle.Price, deal.Share);
                    if (vehicle.Seller is { } seller)
                    {
                        json.WriteString("sellerId", seller);
                    }
                }));

                // Whoever has bought looks around a few days more.
                lastDay = Math.Min(lastDay, day + VisitHabits.DaysAfterPurchase);
                deals[deals.IndexOf(deal)] = deal with { RateOn = random.Chance(0.5) ? day + 3 + random.Next(10) : int.MaxValue, Seller = vehicle.Seller };
            }
        }
    }

    private static void Offer(ref SeededRandom random, VisitSession visit, Vehicle vehicle, Money price, double share, List<StreamEvent> events) =>
        events.Add(visit.Event(ref random, EventTypes.OfferMade, vehicle.Id, json => WriteAmount(json, price, share)));

    private static void WriteAmount(Utf8JsonWriter json, Money? price, double share)
    {
        if (price is null)
        {
            return;
        }

        json.WriteNumber("amount", Math.Round(price.Amount * (decimal)share));
        json.WriteString("currency", price.Currency);
    }

    private static void Rate(ref SeededRandom random, VisitSession visit, Deal deal, double service, List<StreamEvent> events)
    {
        var stars = (int)Math.Clamp(Math.Round(3.7 + (0.9 * service) + (0.6 * random.Gaussian())), 1, 5);
        var comment = random.Chance(0.7) ? ReviewText.Of(ref random, stars) : null;
        events.Add(visit.Event(ref random, EventTypes.Rated, deal.ItemId, json =>
        {
            json.WriteNumber("rating", stars);
            json.WriteString("subject", "seller");
            if (comment is not null)
            {
                json.WriteString("comment", comment);
            }
        }));
    }

    private static void WriteIds(Utf8JsonWriter json, List<Vehicle> vehicles)
    {
        json.WriteStartArray("itemIds");
        foreach (var vehicle in vehicles)
        {
            json.WriteStringValue(vehicle.Id);
        }

        json.WriteEndArray();
    }

    /// <summary>Midnight in Santo Domingo of the day that a moment falls in (UTC).</summary>
    internal static DateTimeOffset LocalMidnight(DateTimeOffset moment) => new DateTimeOffset(moment.ToOffset(LocalOffset).Date, LocalOffset).ToUniversalTime();

    /// <summary>What was agreed with a seller.</summary>
    /// <param name="ItemId">The vehicle.</param>
    /// <param name="Day">Day of the deal.</param>
    /// <param name="Share">Share of the asking price.</param>
    /// <param name="RateOn">Day of the review, once it is sold.</param>
    /// <param name="Seller">Who sold it.</param>
    private sealed record Deal(string ItemId, int Day, double Share, int RateOn = -1, string? Seller = null);
}
