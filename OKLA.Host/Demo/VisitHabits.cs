using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>
/// How a simulated person comes: from a first day to a last one, so many visits a day. Visits are a Poisson process that an exponential life ends: the
/// Pareto/NBD model of customers (Schmittlein, Morrison, Colombo 1987), whose rate is known here.
/// </summary>
/// <param name="FirstDay">First day, since the simulation's first; people were there before.</param>
/// <param name="LastDay">Last day, unless something is bought before.</param>
/// <param name="VisitsADay">Visits a day after the first one.</param>
/// <param name="SignInVisit">Number of the visit in which they sign in; <see cref="int.MaxValue"/> for those who never do.</param>
/// <param name="HasTwoDevices">Whether they come with a second device, too.</param>
/// <param name="BringsPhone">Whether the first device is a phone.</param>
internal sealed record VisitHabits(double FirstDay, double LastDay, double VisitsADay, int SignInVisit, bool HasTwoDevices, bool BringsPhone)
{
    /// <summary>Share of visits with the second device, by those who have one.</summary>
    public const double SecondDeviceShare = 0.4;

    /// <summary>Days that whoever has bought still looks around.</summary>
    public const int DaysAfterPurchase = 3;

    // One in four comes once; the others stay two days and an exponential time.
    private const double OnceShare = 0.25, LeastDays = 2, MeanDays = 25;

    /// <summary>Draws a person's.</summary>
    public static VisitHabits Of(SimulationRun run, int person)
    {
        var random = SeededRandom.Of(run.Seed, (ulong)person, 0x1F3);
        // People were looking before the first day and go on after the last.
        var first = (random.Next() * (run.Days + 20)) - 20;
        var last = random.Chance(OnceShare) ? first + 1 : first + LeastDays + random.Exponential(MeanDays);
        // Whoever needs a vehicle soon comes more often.
        var rate = (0.15 + random.Exponential(0.25)) * Math.Exp(0.4 * new DealModel(run).UrgencyOf(person));
        var signIn = random.Chance(run.Choice.SignInShare) ? 1 + random.Next(3) : int.MaxValue;
        return new VisitHabits(first, last, rate, signIn, random.Chance(run.Choice.TwoDevicesShare), random.Chance(0.75));
    }

    /// <summary>
    /// P(no sign on any of <paramref name="days"/> days from <paramref name="day"/> on), for whoever knows how often the person comes and since when, and what
    /// was seen before, but not the last day: by Bayes' theorem over all last days.
    /// </summary>
    /// <param name="lastSign">Last day with a sign, before <paramref name="day"/>.</param>
    /// <param name="day">First day that is asked about.</param>
    /// <param name="days">How many.</param>
    /// <param name="signsADay">Visits a day that leave a sign.</param>
    /// <param name="boughtOn">Day of a purchase before <paramref name="day"/>; null without one.</param>
    public double StaysAway(int lastSign, int day, int days, double signsADay, int? boughtOn)
    {
        double Alive(int until) => Math.Exp(-Math.Max(0, until - FirstDay - LeastDays) / MeanDays);
        var (away, seen, end) = (0.0, 0.0, day + days);
        for (var last = lastSign; last <= end; last++)
        {
            // The last one stands for all later ones: they answer alike.
            var chance = ((1 - OnceShare) * (Alive(last) - (last < end ? Alive(last + 1) : 0))) + (last == (int)Math.Floor(FirstDay) + 1 ? OnceShare : 0);
            var gone = boughtOn is { } bought ? Math.Max(lastSign, Math.Min(last, bought + DaysAfterPurchase)) : last;
            var quiet = chance * Math.Exp(-signsADay * (Math.Min(gone, day - 1) - lastSign));
            seen += quiet;
            away += quiet * Math.Exp(-signsADay * Math.Max(0, Math.Min(gone, end - 1) - day + 1));
        }

        return away / seen;
    }
}

/// <summary>Handles <see cref="GetTrueAbsences"/>: makes habits and tastes again out of the seed, and reads from the log who has bought.</summary>
internal sealed class TrueAbsencesHandler(EventLog log, IMessageBus bus)
{
    /// <summary>Vehicles by which it is told how much of what somebody sees they look at.</summary>
    private const int VehiclesAsked = 300;

    public async Task<TrueProbabilities> HandleAsync(GetTrueAbsences query, CancellationToken ct)
    {
        var runs = new Dictionary<ulong, SimulationRun>();
        foreach (var seed in query.People.Select(asked => SimulationRun.PersonOf(asked.PersonId)).OfType<(ulong Seed, int Person)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { Run: { Kind: SimulationRun.Vehicles } run })
            {
                runs[seed] = run;
            }
        }

        if (runs.Count == 0)
        {
            return new TrueProbabilities([.. query.People.Select(_ => double.NaN)]);
        }

        var purchases = await PurchasesAsync(ct);
        var vehicles = await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new ListCatalogItems(SimulationRun.Vehicles, Limit: VehiclesAsked), ct);
        var signs = runs.ToDictionary(pair => pair.Key, pair => new SignsOf(pair.Value, vehicles));
        return new TrueProbabilities([.. query.People.Select(asked =>
        {
            if (SimulationRun.PersonOf(asked.PersonId) is not { } known || !runs.TryGetValue(known.Seed, out var run) || known.Person >= run.Visitors)
            {
                return double.NaN;
            }

            int DayOf(DateTimeOffset at) => (int)Math.Floor((at - run.Start).TotalDays);
            var (habits, visits) = signs[known.Seed].Of(known.Person, asked.PersonId);
            var bought = purchases[known].Where(at => at < asked.At).Select(at => (int?)DayOf(at)).FirstOrDefault();
            return habits.StaysAway(DayOf(asked.LastSign), DayOf(asked.At), query.Days, visits, bought);
        })]);
    }

    /// <summary>When people bought, in the order of time.</summary>
    private async Task<ILookup<(ulong Seed, int Person), DateTimeOffset>> PurchasesAsync(CancellationToken ct)
    {
        var found = new List<((ulong, int) Person, DateTimeOffset At)>();
        await foreach (var sale in log.ReadAsync(0, [EventTypes.Sold], ct: ct))
        {
            if (SimulationRun.PersonOf(sale.Read<BehaviourEvent>().PersonId) is { } known)
            {
                found.Add((known, sale.OccurredAt));
            }
        }

        return found.OrderBy(one => one.At).ToLookup(one => one.Person, one => one.At);
    }

    /// <summary>Visits a day that leave a sign, by person.</summary>
    private sealed class SignsOf(SimulationRun run, IReadOnlyList<CatalogEntry> vehicles)
    {
        private readonly WantModel wants = new(run);
        private readonly Vehicle[] some = [.. vehicles.Select(entry => Vehicle.Of(entry, run.Choice.PesosPerDollar))];
        private readonly Dictionary<int, (VisitHabits Habits, double Signs)> people = [];

        public (VisitHabits Habits, double SignsADay) Of(int person, string id)
        {
            if (!people.TryGetValue(person, out var known))
            {
                var habits = VisitHabits.Of(run, person);
                var wanted = some.Length == 0 ? 0 : some.Average(vehicle => wants.Probability(person, vehicle, run.Start.AddDays(run.Days / 2.0)));
                people[person] = known = (habits, habits.VisitsADay * Visitor.SignShare(run, wanted));
            }

            // Who never signed in on a device is somebody else there.
            var share = !known.Habits.HasTwoDevices || id == run.UserId(person) ? 1 : id == run.AnonymousId(person, 2) ? VisitHabits.SecondDeviceShare : 1 - VisitHabits.SecondDeviceShare;
            return (known.Habits, known.Signs * share);
        }
    }
}
