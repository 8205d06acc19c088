using OKLA.Shared.Contracts;

namespace OKLA.Host.Demo;

/// <summary>A contact of a simulated person.</summary>
/// <param name="Person">Number of the person.</param>
/// <param name="Visit">Number of the visit.</param>
/// <param name="ItemId">The vehicle.</param>
/// <param name="Channel">Index of the way.</param>
/// <param name="At">When (UTC).</param>
internal sealed record SimulatedContact(int Person, int Visit, string ItemId, int Channel, DateTimeOffset At);

/// <summary>
/// What a simulation knew at any time of what was agreed and not yet kept, told again out of its contacts: the draws of <see cref="Visitor"/> hang on person, vehicle and visit alone.
/// With it the chance that a contact ends in a deal counts what already stands in its way: a deal of the person's own, one that somebody else made about the vehicle, and the day on
/// which the ad goes. Who comes later and is faster is not counted: that was still open.
/// </summary>
internal sealed class DealHistory
{
    private readonly SimulationRun run;
    private readonly DealModel deals;
    private readonly WantModel wants;
    private readonly Dictionary<string, PlannedListing> planned;
    private readonly IReadOnlyDictionary<string, (int Person, DateTimeOffset At)> sold;
    private readonly List<Agreement> agreed = [];
    private readonly ILookup<string, Agreement> byItem;
    private readonly ILookup<int, Agreement> byPerson;

    /// <summary>Tells the agreements again.</summary>
    /// <param name="run">The simulation.</param>
    /// <param name="deals">What comes of contacts.</param>
    /// <param name="wants">Who wants what.</param>
    /// <param name="vehicleOf">A vehicle as it stands in the catalogue; null when it is not there.</param>
    /// <param name="contacts">All its contacts.</param>
    /// <param name="sold">Who bought which vehicle, and when.</param>
    public DealHistory(
        SimulationRun run, DealModel deals, WantModel wants, Func<string, Vehicle?> vehicleOf, IEnumerable<SimulatedContact> contacts, IReadOnlyDictionary<string, (int Person, DateTimeOffset At)> sold)
    {
        (this.run, this.deals, this.wants, this.sold) = (run, deals, wants, sold);
        planned = run.Listings == 0 ? []
            : DominicanCatalogue.Generate(run.Seed, run.Listings, run.Start, run.Days, run.Choice.PesosPerDollar, run.Choice.FraudShare).ToDictionary(listing => listing.Item.Id, StringComparer.Ordinal);
        var last = new Dictionary<int, Agreement>();
        foreach (var contact in contacts.OrderBy(contact => contact.At))
        {
            if ((last.TryGetValue(contact.Person, out var before) && IsOpen(before, contact.At)) || vehicleOf(contact.ItemId) is not { } vehicle)
            {
                continue;
            }

            var random = SeededRandom.Of(run.Seed, (ulong)contact.Person, SeededRandom.Key(contact.ItemId) ^ (ulong)contact.Visit);
            if (random.Chance(Undisturbed(contact.Person, At(vehicle, contact.At), contact.Channel, contact.At)))
            {
                var one = new Agreement(contact.Person, contact.ItemId, contact.At, DayOf(contact.At) + Visitor.DaysToDeal(ref random));
                agreed.Add(one);
                last[contact.Person] = one;
            }
        }

        byItem = agreed.ToLookup(one => one.ItemId, StringComparer.Ordinal);
        byPerson = agreed.ToLookup(one => one.Person);
    }

    /// <summary>What was agreed, in the order of time: person, vehicle, and the day on which it is to be kept.</summary>
    public IEnumerable<(int Person, string ItemId, int Day)> Agreed => agreed.Select(one => (one.Person, one.ItemId, one.Day));

    /// <summary>P(deal | contact, what was agreed before it).</summary>
    public double Probability(int person, Vehicle vehicle, int channel, DateTimeOffset at)
    {
        var last = LastDay(person, vehicle.Id, at);
        return byPerson[person].FirstOrDefault(one => one.At < at && IsOpen(one, at)) is { } own
            ? own.ItemId == vehicle.Id && own.Day <= last ? 1 : 0
            : Undisturbed(person, At(vehicle, at), channel, at) * Visitor.DealWithin(last - DayOf(at));
    }

    /// <summary>The last day on which the person can still have the vehicle, for all that is known.</summary>
    private int LastDay(int person, string itemId, DateTimeOffset at)
    {
        if (sold.TryGetValue(itemId, out var sale) && sale.At < at)
        {
            return -1;
        }

        // An ad goes at the start of its last day.
        var last = planned.TryGetValue(itemId, out var listing) ? DayOf(listing.EndsAt) - 1 : int.MaxValue;
        foreach (var rival in byItem[itemId].Where(one => one.Person != person && one.At < at && IsOpen(one, at)))
        {
            // Of two who come on the same day the one with the lower number is there first.
            last = Math.Min(last, person < rival.Person ? rival.Day : rival.Day - 1);
        }

        return last;
    }

    /// <summary>Whether an agreement still binds: until its day, and for good when it was kept.</summary>
    private bool IsOpen(Agreement one, DateTimeOffset at) => DayOf(at) < one.Day || (sold.TryGetValue(one.ItemId, out var sale) && sale.Person == one.Person);

    private double Undisturbed(int person, Vehicle vehicle, int channel, DateTimeOffset at) => deals.Probability(person, vehicle.Seller, wants.Probability(person, vehicle, at), channel);

    /// <summary>The vehicle at the price of a day: a cut counts from the start of its day, unless that is the first.</summary>
    private Vehicle At(Vehicle vehicle, DateTimeOffset at)
    {
        if (!planned.TryGetValue(vehicle.Id, out var listing))
        {
            return vehicle;
        }

        var cut = listing.CutAt is { } when && DayOf(when) > Math.Max(0, DayOf(listing.ListedAt)) && DayOf(at) >= DayOf(when);
        var entry = new CatalogEntry(cut ? listing.Item with { Price = listing.CutPrice } : listing.Item, "live", vehicle.ListedAt, vehicle.ListedAt);
        return Vehicle.Of(entry, run.Choice.PesosPerDollar);
    }

    private int DayOf(DateTimeOffset at) => (int)Math.Floor((at - run.Start).TotalDays);

    private sealed record Agreement(int Person, string ItemId, DateTimeOffset At, int Day);
}
