using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>
/// Handles <see cref="GetTrueProbabilities"/>, <see cref="GetTrueContactProbabilities"/>, <see cref="GetTrueDealProbabilities"/> and <see cref="GetTrueDaysToSale"/>: makes the tastes again out of the seed and the
/// parameters that the log keeps. NaN for people that no simulation here knows, and for items that the catalogue does not have.
/// </summary>
internal sealed class TrueProbabilitiesHandler(EventLog log, IMessageBus bus)
{
    private const int ItemsAtOnce = 10_000;

    public Task<TrueProbabilities> HandleAsync(GetTrueProbabilities query, CancellationToken ct) =>
        AnswerAsync(query.Pairs, (world, i, person, item) => world.Want(person, item, query.At), ct);

    public Task<TrueProbabilities> HandleAsync(GetTrueContactProbabilities query, CancellationToken ct) =>
        AnswerAsync([.. query.Looks.Select(look => (look.PersonId, look.ItemId))], (world, i, person, item) =>
            world.Run.Kind == SimulationRun.Vehicles ? Visitor.ContactShare * world.Wants.Probability(person, world.Vehicle(item), query.Looks[i].At) : double.NaN, ct);

    public Task<TrueProbabilities> HandleAsync(GetTrueDealProbabilities query, CancellationToken ct) =>
        AnswerAsync([.. query.Contacts.Select(contact => (contact.PersonId, contact.ItemId))], (world, i, person, item) =>
        {
            var contact = query.Contacts[i];
            var channel = Array.IndexOf(Visitor.Channels, contact.Channel);
            var vehicle = world.Vehicle(item);
            return channel < 0 || world.Run.Kind != SimulationRun.Vehicles ? double.NaN : world.Deals.Probability(person, vehicle.Seller, world.Wants.Probability(person, vehicle, contact.At), channel);
        }, ct);

    public async Task<TrueProbabilities> HandleAsync(GetTrueDaysToSale query, CancellationToken ct)
    {
        var days = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var seed in query.ItemIds.Select(DominicanCatalogue.SeedOf).OfType<ulong>().Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { Run: { Listings: > 0 } run })
            {
                foreach (var planned in DominicanCatalogue.Generate(run.Seed, run.Listings, run.Start, run.Days, run.Choice.PesosPerDollar, run.Choice.FraudShare))
                {
                    days[planned.Item.Id] = planned.UsualDays;
                }
            }
        }

        return new TrueProbabilities([.. query.ItemIds.Select(id => days.GetValueOrDefault(id, double.NaN))]);
    }

    private async Task<TrueProbabilities> AnswerAsync(
        IReadOnlyList<(string PersonId, string ItemId)> pairs, Func<World, int, int, CatalogEntry, double> ask, CancellationToken ct)
    {
        var people = pairs.Select(pair => pair.PersonId).Distinct().ToDictionary(id => id, SimulationRun.PersonOf);
        var worlds = new Dictionary<ulong, World>();
        foreach (var seed in people.Values.OfType<(ulong Seed, int Person)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { } found)
            {
                worlds[seed] = new World(found.Run);
            }
        }

        var items = new Dictionary<string, CatalogEntry>();
        if (worlds.Count > 0)
        {
            foreach (var ids in pairs.Select(pair => pair.ItemId).Distinct().Chunk(ItemsAtOnce))
            {
                foreach (var entry in await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems(ids), ct))
                {
                    items[entry.Item.Id] = entry;
                }
            }
        }

        var values = new double[pairs.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var (personId, itemId) = pairs[i];
            values[i] = people[personId] is { } known && worlds.TryGetValue(known.Seed, out var world) && known.Person < world.Run.Visitors
                && items.TryGetValue(itemId, out var item) && item.Item.Kind == world.Run.Kind
                ? ask(world, i, known.Person, item)
                : double.NaN;
        }

        return new TrueProbabilities(values);
    }

    /// <summary>A simulation made again. Money is compared at the rate that it was made with.</summary>
    private sealed class World(SimulationRun run)
    {
        private readonly Dictionary<CatalogEntry, Vehicle> vehicles = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<CatalogEntry, Activity> activities = new(ReferenceEqualityComparer.Instance);
        private readonly ActivityModel leisure = new(run);

        public SimulationRun Run => run;

        public WantModel Wants { get; } = new(run);

        public DealModel Deals { get; } = new(run);

        public double Want(int person, CatalogEntry item, DateTimeOffset at) =>
            run.Kind == SimulationRun.Activities ? leisure.Probability(person, Activity(item), at) : Wants.Probability(person, Vehicle(item), at);

        public Vehicle Vehicle(CatalogEntry item)
        {
            if (!vehicles.TryGetValue(item, out var vehicle))
            {
                vehicles[item] = vehicle = Demo.Vehicle.Of(item, run.Choice.PesosPerDollar);
            }

            return vehicle;
        }

        private Activity Activity(CatalogEntry item)
        {
            if (!activities.TryGetValue(item, out var activity))
            {
                activities[item] = activity = Demo.Activity.Of(item, run.Choice.PesosPerDollar);
            }

            return activity;
        }
    }
}
