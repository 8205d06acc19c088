using System.Text.Json;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Host.Demo;

/// <summary>The city with its calendar of activities, and the people who look for something to do.</summary>
internal sealed class ActivityWorld : IWorld
{
    private readonly SimulationRun run;
    private readonly ActivityModel model;
    private readonly List<ActivityVisitor> visitors;
    private readonly Dictionary<CatalogEntry, Activity> seen = new(ReferenceEqualityComparer.Instance);
    private Calendar calendar;

    public ActivityWorld(SimulationRun run)
    {
        (this.run, model) = (run, new ActivityModel(run));
        visitors = [.. Enumerable.Range(0, run.Visitors).Select(person => new ActivityVisitor(run, person, model))];
        calendar = new Calendar([], model);
        Planned = run.Listings > 0 ? ActivityCatalogue.Generate(run.Seed, run.Listings, run.Start, run.Days) : [];
    }

    public IReadOnlyList<PlannedListing> Planned { get; }

    public IReadOnlyList<string> TakeSold() => [];

    public void Open(IReadOnlyCollection<CatalogEntry> offered) => calendar = new Calendar([.. offered.Select(Seen)], model);

    public int Live(int day, List<StreamEvent> events, CancellationToken ct)
    {
        var visits = 0;
        foreach (var visitor in visitors)
        {
            ct.ThrowIfCancellationRequested();
            visits += visitor.Live(day, calendar, events);
        }

        return visits;
    }

    private Activity Seen(CatalogEntry entry)
    {
        if (!seen.TryGetValue(entry, out var activity))
        {
            seen[entry] = activity = Activity.Of(entry, run.Choice.PesosPerDollar);
        }

        return activity;
    }
}

/// <summary>The activities on offer during one simulated day, findable the way people look for them.</summary>
internal sealed class Calendar
{
    private readonly Dictionary<string, Activity[]> byType;
    private readonly Dictionary<string, Activity[]> byTag;
    private readonly Dictionary<string, Activity[]> byPlace;
    private readonly Activity[] popular;
    private readonly Activity[] soonest;

    public Calendar(IReadOnlyCollection<Activity> activities, ActivityModel model)
    {
        All = [.. activities.OrderBy(activity => activity.Id, StringComparer.Ordinal)];
        byType = All.GroupBy(activity => activity.Type).ToDictionary(group => group.Key, group => group.ToArray());
        byTag = All.SelectMany(activity => activity.Tags.Select(tag => (tag, activity))).GroupBy(pair => pair.tag, pair => pair.activity).ToDictionary(group => group.Key, group => group.ToArray());
        byPlace = All.GroupBy(activity => activity.Locality).ToDictionary(group => group.Key, group => group.ToArray());
        popular = [.. All.OrderByDescending(activity => model.QualityOf(activity.Id))];
        soonest = [.. All.OrderBy(activity => activity.StartsAt ?? DateTimeOffset.MaxValue)];
    }

    public Activity[] All { get; }

    public Activity[] Search(string? type, string? tag, string? place) =>
        type is not null ? byType.GetValueOrDefault(type, []) : tag is not null ? byTag.GetValueOrDefault(tag, []) : place is not null ? byPlace.GetValueOrDefault(place, []) : All;

    /// <summary>The soonest or the best, the head far more often than the tail.</summary>
    public List<Activity> Front(ref SeededRandom random, int size) => Head(ref random, random.Chance(0.5) ? soonest : popular, size);

    /// <summary>What a simple recommender shows: the best of a type, or of all.</summary>
    public List<Activity> Recommend(ref SeededRandom random, string? type, int size) => Head(ref random, type is null ? popular : [.. popular.Where(activity => activity.Type == type)], size);

    /// <summary>Draws a page without repeats, each with the same chance.</summary>
    public static List<Activity> Draw(ref SeededRandom random, Activity[] from, int size) => Page(ref random, from, size, static (chance, count) => chance * count);

    /// <summary>Draws a page without repeats; rank r with density proportional to 1 / (r + 20).</summary>
    private static List<Activity> Head(ref SeededRandom random, Activity[] from, int size) =>
        Page(ref random, from, size, static (chance, count) => (20 * Math.Pow((count + 20) / 20.0, chance)) - 20);

    private static List<Activity> Page(ref SeededRandom random, Activity[] from, int size, Func<double, int, double> rank)
    {
        var page = new List<Activity>(Math.Min(size, from.Length));
        for (var tries = 0; page.Count < Math.Min(size, from.Length) && tries < size * 4; tries++)
        {
            var activity = from[Math.Clamp((int)rank(random.Next(), from.Length), 0, from.Length - 1)];
            if (!page.Contains(activity))
            {
                page.Add(activity);
            }
        }

        return page;
    }
}

/// <summary>A simulated person who looks for something to do, goes there, and says how it was.</summary>
internal sealed class ActivityVisitor
{
    private const int PageSize = 12;

    // Visits by local hour (assumption: lunch and evening), and by weekday from Sunday (assumption: more as the weekend comes near).
    private static readonly double[] HourWeights = [1, .5, .3, .2, .2, .4, 1, 2, 3, 3.5, 4, 4.5, 6, 5.5, 4.5, 4, 4, 5, 6.5, 8, 8.5, 7.5, 5, 2.5];
    private static readonly double[] DayWeights = [0.9, 0.7, 0.8, 0.95, 1.2, 1.4, 1.1];

    private readonly SimulationRun run;
    private readonly int person;
    private readonly ActivityModel model;
    private readonly Leisure leisure;
    private readonly double firstDay;
    private readonly double lastDay;
    private readonly double visitRate;
    private readonly int signInVisit;
    private readonly HashSet<string> favorites = [];
    private readonly HashSet<string> judged = [];
    private readonly List<(Activity Activity, double Want)> plans = [];
    private int visits;
    private string? lastType;

    public ActivityVisitor(SimulationRun run, int person, ActivityModel model)
    {
        (this.run, this.person, this.model, leisure) = (run, person, model, model.LeisureOf(person));
        var random = SeededRandom.Of(run.Seed, (ulong)person, 0x1F4);
        // People were looking before the first day; one in four comes once, the others stay for weeks.
        firstDay = (random.Next() * (run.Days + 30)) - 30;
        lastDay = random.Chance(0.25) ? firstDay + 1 : firstDay + 3 + random.Exponential(40);
        visitRate = 0.12 + random.Exponential(0.2);
        signInVisit = random.Chance(run.Choice.SignInShare) ? 1 + random.Next(3) : int.MaxValue;
    }

    /// <summary>Lets the person live a day; answers the visits.</summary>
    public int Live(int day, Calendar calendar, List<StreamEvent> events)
    {
        var start = run.Start.AddDays(day);
        Go(start, start.AddDays(1), events);
        if (day < Math.Floor(firstDay) || day > lastDay || calendar.All.Length == 0)
        {
            return 0;
        }

        var random = SeededRandom.Of(run.Seed, (ulong)person, 0xDA8000UL + (ulong)day);
        var count = day == (int)Math.Floor(firstDay) ? 1 : 0;
        var rate = visitRate * DayWeights[(int)start.ToOffset(TimeSpan.FromHours(-4)).DayOfWeek];
        for (var left = random.Exponential(1); left < rate; left += random.Exponential(1))
        {
            count++;
        }

        var hours = new double[count];
        for (var i = 0; i < count; i++)
        {
            hours[i] = random.Pick(HourWeights) + random.Next();
        }

        Array.Sort(hours);
        foreach (var hour in hours)
        {
            visits++;
            var visit = new VisitSession(run, person, 1, $"{run.AnonymousId(person, 1)}-{visits}", "mobile", start.AddHours(hour));
            var pages = 1 + (int)random.Exponential(1.6);
            for (var page = 0; page < pages && page < 8; page++)
            {
                visit.SignedIn = visits > signInVisit || (visits == signInVisit && page == pages - 1);
                visit.Wait(2 + random.Exponential(12));
                Browse(ref random, visit, calendar, events);
            }
        }

        return count;
    }

    private void Browse(ref SeededRandom random, VisitSession visit, Calendar calendar, List<StreamEvent> events)
    {
        var way = random.Next();
        var (shown, origin) = way < 0.5 ? (Search(ref random, visit, calendar, events), "search")
            : way < 0.75 ? (calendar.Front(ref random, PageSize), "list") : (calendar.Recommend(ref random, lastType, PageSize), "recommendation");
        if (origin == "recommendation")
        {
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

            var want = model.Probability(person, shown[position], visit.Now);
            if (random.Chance(want))
            {
                Look(ref random, visit, shown[position], position, origin, want, events);
            }
        }
    }

    private List<Activity> Search(ref SeededRandom random, VisitSession visit, Calendar calendar, List<StreamEvent> events)
    {
        // People search for what they like, or near where they live.
        var taste = leisure;
        var types = ActivityCatalogue.Types;
        var type = types[random.Pick([.. types.Select(one => one.Weight * Math.Exp(taste.For(one.Name, 1.1)))])];
        var how = random.Next();
        var name = how < 0.4 ? type.Name : null;
        var tag = how is >= 0.4 and < 0.75 ? type.Tags[random.Pick([.. type.Tags.Select(one => Math.Exp(taste.For(one, 0.6)))])] : null;
        var place = how >= 0.75 ? leisure.Home.Name : null;
        var found = calendar.Search(name, tag, place);
        var shown = Calendar.Draw(ref random, found, PageSize);
        events.Add(visit.Event(ref random, EventTypes.Searched, null, json =>
        {
            json.WriteString("query", name ?? tag ?? place);
            json.WriteStartObject("filters");
            foreach (var (filter, value) in new[] { ("type", name), ("tag", tag), ("locality", place) })
            {
                if (value is not null)
                {
                    json.WriteString(filter, value);
                }
            }

            json.WriteEndObject();
            json.WriteNumber("resultCount", found.Length);
            WriteIds(json, shown);
        }));
        return shown;
    }

    private void Look(ref SeededRandom random, VisitSession visit, Activity activity, int position, string origin, double want, List<StreamEvent> events)
    {
        visit.Wait(1 + random.Exponential(6));
        if (origin == "recommendation")
        {
            events.Add(visit.Event(ref random, EventTypes.RecommendationClicked, activity.Id, json => json.WriteNumber("position", position)));
        }

        var seconds = Math.Round(Math.Min(900, 3 + random.Exponential(15 + (90 * want))), 1);
        var depth = Math.Round(Math.Min(1, (random.Next() * (0.4 + (1.2 * want))) + 0.05), 2);
        events.Add(visit.Event(ref random, EventTypes.ItemViewed, activity.Id, json =>
        {
            json.WriteNumber("visibleSeconds", seconds);
            json.WriteNumber("scrollDepth", depth);
            json.WriteString("origin", origin);
            json.WriteNumber("position", position);
        }));
        visit.Wait(seconds);
        lastType = activity.Type;

        // Assumptions: of people who surely want to go, one in four keeps it and one in five plans it; one view in twenty-five is judged.
        if (random.Chance(0.25 * want) && favorites.Add(activity.Id))
        {
            events.Add(visit.Event(ref random, EventTypes.FavoriteAdded, activity.Id, null));
        }

        if (random.Chance(0.2 * want) && activity.StartsAt > visit.Now && plans.All(plan => plan.Activity.Id != activity.Id))
        {
            plans.Add((activity, want));
        }

        if (random.Chance(0.04) && judged.Add(activity.Id))
        {
            var feedback = random.Chance(Math.Min(1, 2 * want)) ? "like" : random.Chance(0.3) ? "maybe" : "dislike";
            events.Add(visit.Event(ref random, EventTypes.FeedbackGiven, activity.Id, json => json.WriteString("feedback", feedback)));
        }
    }

    /// <summary>What was planned comes about on its day, mostly for those who have time; half of those who went give stars.</summary>
    private void Go(DateTimeOffset from, DateTimeOffset to, List<StreamEvent> events)
    {
        foreach (var plan in plans.Where(plan => plan.Activity.StartsAt >= from && plan.Activity.StartsAt < to).ToArray())
        {
            plans.Remove(plan);
            var activity = plan.Activity;
            var random = SeededRandom.Of(run.Seed, (ulong)person, SeededRandom.Key(activity.Id) ^ 0x60UL);
            var went = random.Chance(leisure.IsFree(activity.StartsAt!.Value) ? 0.85 : 0.35);
            var ended = activity.EndsAt ?? activity.StartsAt.Value.AddHours(2);
            var visit = new VisitSession(run, person, 1, $"{run.AnonymousId(person, 1)}-{activity.Id}", "mobile", ended < to ? ended : to.AddMinutes(-20)) { SignedIn = visits >= signInVisit };
            events.Add(visit.Event(ref random, EventTypes.Attended, activity.Id, json => json.WriteBoolean("attended", went)));
            if (went && random.Chance(0.5))
            {
                visit.Wait(30 + random.Exponential(200));
                // Whoever wanted it more is more content, and better activities please all.
                var stars = (int)Math.Clamp(Math.Round(3.1 + (1.2 * plan.Want) + model.QualityOf(activity.Id) + (0.8 * random.Gaussian())), 1, 5);
                events.Add(visit.Event(ref random, EventTypes.Rated, activity.Id, json =>
                {
                    json.WriteNumber("rating", stars);
                    json.WriteString("subject", "item");
                }));
            }
        }
    }

    private static void WriteIds(Utf8JsonWriter json, List<Activity> activities)
    {
        json.WriteStartArray("itemIds");
        foreach (var activity in activities)
        {
            json.WriteStringValue(activity.Id);
        }

        json.WriteEndArray();
    }
}
