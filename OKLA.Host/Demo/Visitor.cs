using System.Buffers;
using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>A simulated person on the way through the days: visits the site, looks, keeps, asks.</summary>
internal sealed class Visitor
{
    private const int PageSize = 12;

    // Visits by local hour (assumption: little at night, a bump at lunch, most in the evening).
    private static readonly double[] HourWeights = [1, .5, .3, .2, .2, .4, 1, 2, 3, 4, 4.5, 5, 6, 5.5, 5, 4.5, 4.5, 5, 6, 7, 8, 7.5, 5, 2.5];
    private static readonly string[] Channels = ["whatsapp", "call", "form", "chat"];
    private static readonly double[] ChannelWeights = [0.55, 0.25, 0.12, 0.08];

    // The Dominican Republic keeps UTC-4 all year.
    private static readonly TimeSpan LocalOffset = TimeSpan.FromHours(-4);

    private readonly SimulationRun run;
    private readonly int person;
    private readonly double firstDay;
    private readonly double lastDay;
    private readonly double visitRate;
    private readonly int signInVisit;
    private readonly bool hasTwoDevices;
    private readonly bool bringsPhone;
    private readonly List<string> favorites = [];
    private int visits;
    private string? lastBody;

    public Visitor(SimulationRun run, int person)
    {
        this.run = run;
        this.person = person;
        var random = SeededRandom.Of(run.Seed, (ulong)person, 0x1F3);
        // People were looking before the first day and go on after the last; one in four comes once.
        firstDay = (random.Next() * (run.Days + 20)) - 20;
        lastDay = random.Chance(0.25) ? firstDay + 1 : firstDay + 2 + random.Exponential(25);
        visitRate = 0.15 + random.Exponential(0.25);
        signInVisit = random.Chance(run.Choice.SignInShare) ? 1 + random.Next(3) : int.MaxValue;
        hasTwoDevices = random.Chance(run.Choice.TwoDevicesShare);
        bringsPhone = random.Chance(0.75);
    }

    /// <summary>Lets the person live a day; events go to <paramref name="events"/> in the order of the day within each visit.</summary>
    /// <returns>Visits.</returns>
    public int Live(int day, Market market, WantModel model, List<StreamEvent> events)
    {
        if (day < Math.Floor(firstDay) || day > lastDay || market.All.Length == 0)
        {
            return 0;
        }

        var random = SeededRandom.Of(run.Seed, (ulong)person, 0xDA7000UL + (ulong)day);
        // The first day is the day of the first visit; later visits come at the person's rate.
        var count = day == (int)Math.Floor(firstDay) ? 1 : 0;
        for (var left = random.Exponential(1); left < visitRate; left += random.Exponential(1))
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
            Visit(ref random, start.AddHours(hour), market, model, events);
        }

        return count;
    }

    private void Visit(ref SeededRandom random, DateTimeOffset at, Market market, WantModel model, List<StreamEvent> events)
    {
        visits++;
        var device = hasTwoDevices && random.Chance(0.4) ? 2 : 1;
        var visit = new Session(run, person, device, $"{run.AnonymousId(person, device)}-{visits}", (device == 1) == bringsPhone ? "mobile" : "desktop", at);
        var signsInAt = visits > signInVisit ? 0 : visits == signInVisit ? 1 : int.MaxValue;
        var pages = 1 + (int)random.Exponential(1.6);
        for (var page = 0; page < pages && page < 8; page++)
        {
            visit.SignedIn = page >= signsInAt || (visits == signInVisit && page == pages - 1);
            visit.Wait(2 + random.Exponential(12));
            BrowsePage(ref random, visit, market, model, events);
        }
    }

    private void BrowsePage(ref SeededRandom random, Session visit, Market market, WantModel model, List<StreamEvent> events)
    {
        var way = random.Next();
        List<Vehicle> shown;
        string origin;
        if (way < 0.55)
        {
            (shown, origin) = (SearchPage(ref random, visit, market, model, events), "search");
        }
        else if (way < 0.8)
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
                Look(ref random, visit, vehicle, position, origin, probability, events);
            }
        }
    }

    private List<Vehicle> SearchPage(ref SeededRandom random, Session visit, Market market, WantModel model, List<StreamEvent> events)
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

    private void Look(ref SeededRandom random, Session visit, Vehicle vehicle, int position, string origin, double probability, List<StreamEvent> events)
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

        // Assumptions: of people who surely want a vehicle, one in seven keeps it and one in twelve asks the seller.
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

        if (random.Chance(0.08 * probability))
        {
            visit.Wait(5 + random.Exponential(30));
            var channel = Channels[random.Pick(ChannelWeights)];
            events.Add(visit.Event(ref random, EventTypes.Contacted, vehicle.Id, json => json.WriteString("channel", channel)));
            if (random.Chance(0.25))
            {
                visit.Wait(5 + random.Exponential(30));
                events.Add(visit.Event(ref random, EventTypes.TestDriveRequested, vehicle.Id, null));
            }
        }
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

    /// <summary>One visit: its clock, its identities, and how its events are written.</summary>
    private sealed class Session(SimulationRun run, int person, int device, string id, string deviceType, DateTimeOffset start)
    {
        // Bodies are written by hand in the shape of BehaviourEvent: a JsonElement for each would cost more than all the rest.
        private readonly ArrayBufferWriter<byte> buffer = new(512);
        private readonly string anonymousId = run.AnonymousId(person, device);

        public DateTimeOffset Now { get; private set; } = start;

        public bool SignedIn { get; set; }

        public void Wait(double seconds) => Now = Now.AddSeconds(Math.Round(seconds, 3));

        public StreamEvent Event(ref SeededRandom random, string type, string? itemId, Action<Utf8JsonWriter>? properties)
        {
            buffer.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
            {
                json.WriteStartObject();
                json.WriteString("anonymousId", anonymousId);
                if (SignedIn)
                {
                    json.WriteString("userId", run.UserId(person));
                }

                json.WriteString("sessionId", id);
                if (itemId is not null)
                {
                    json.WriteString("itemId", itemId);
                }

                json.WriteStartObject("context");
                json.WriteString("device", deviceType);
                json.WriteEndObject();
                json.WriteStartObject("properties");
                properties?.Invoke(json);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            var body = new NewEvent(type, buffer.WrittenSpan.ToArray()) { Id = random.NextId(), OccurredAt = Now, KnownAt = Now };
            Now = Now.AddMilliseconds(50);
            return new StreamEvent(BehaviourEvent.StreamOf(anonymousId, null), body);
        }
    }
}
