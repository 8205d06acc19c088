using System.Globalization;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>
/// Handles <see cref="GetTrueProbabilities"/>, <see cref="GetTrueContactProbabilities"/>, <see cref="GetTrueDealProbabilities"/>, <see cref="GetTrueDaysToSale"/> and
/// <see cref="GetTrueSwindleProbabilities"/>: makes tastes and listings again out of the seed and the parameters that the log keeps. NaN for people that no simulation here knows, and for items that the catalogue does not have.
/// </summary>
internal sealed class TrueProbabilitiesHandler(EventLog log, IMessageBus bus)
{
    private const int ItemsAtOnce = 10_000;

    public Task<TrueProbabilities> HandleAsync(GetTrueProbabilities query, CancellationToken ct) =>
        AnswerAsync(query.Pairs, (world, i, person, item) => world.Want(person, item, query.At), ct);

    public Task<TrueProbabilities> HandleAsync(GetTrueContactProbabilities query, CancellationToken ct) =>
        AnswerAsync([.. query.Looks.Select(look => (look.PersonId, look.ItemId))], (world, i, person, item) =>
            world.Run.Kind == SimulationRun.Vehicles ? Visitor.ContactShare * world.Wants.Probability(person, world.Vehicle(item), query.Looks[i].At) : double.NaN, ct);

    public async Task<TrueProbabilities> HandleAsync(GetTrueDealProbabilities query, CancellationToken ct)
    {
        var (contacts, sold) = await DealsAsync(ct);
        return await AnswerAsync(
            [.. query.Contacts.Select(contact => (contact.PersonId, contact.ItemId))], (world, i, person, item) =>
            {
                var (contact, channel) = (query.Contacts[i], Array.IndexOf(Visitor.Channels, query.Contacts[i].Channel));
                if (channel < 0 || world.Run.Kind != SimulationRun.Vehicles)
                {
                    return double.NaN;
                }

                world.History ??= new DealHistory(world.Run, world.Deals, world.Wants, world.Find, contacts[world.Run.Seed], sold[world.Run.Seed].ToDictionary(one => one.ItemId, one => (one.Person, one.At), StringComparer.Ordinal));
                return world.History.Probability(person, world.Vehicle(item), channel, contact.At);
            }, ct, [.. contacts.SelectMany(seed => seed.Select(contact => contact.ItemId)).Distinct()]);
    }

    public Task<TrueProbabilities> HandleAsync(GetTrueDaysToSale query, CancellationToken ct) => OfListingsAsync(query.ItemIds, planned => planned.UsualDays, ct);

    public Task<TrueProbabilities> HandleAsync(GetTrueSwindleProbabilities query, CancellationToken ct) =>
        OfListingsAsync(query.ItemIds, planned => planned.IsSwindle ? DominicanCatalogue.FoundShare : 0, ct);

    private async Task<TrueProbabilities> OfListingsAsync(IReadOnlyList<string> ids, Func<PlannedListing, double> of, CancellationToken ct)
    {
        var known = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var seed in ids.Select(DominicanCatalogue.SeedOf).OfType<ulong>().Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { Run: { Listings: > 0 } run })
            {
                foreach (var planned in DominicanCatalogue.Generate(run.Seed, run.Listings, run.Start, run.Days, run.Choice.PesosPerDollar, run.Choice.FraudShare))
                {
                    known[planned.Item.Id] = of(planned);
                }
            }
        }

        return new TrueProbabilities([.. ids.Select(id => known.GetValueOrDefault(id, double.NaN))]);
    }

    private async Task<TrueProbabilities> AnswerAsync(
        IReadOnlyList<(string PersonId, string ItemId)> pairs, Func<World, int, int, CatalogEntry, double> ask, CancellationToken ct, IReadOnlyList<string>? others = null)
    {
        var people = pairs.Select(pair => pair.PersonId).Distinct().ToDictionary(id => id, SimulationRun.PersonOf);
        var (worlds, items) = (new Dictionary<ulong, World>(), new Dictionary<string, CatalogEntry>());
        foreach (var seed in people.Values.OfType<(ulong Seed, int Person)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { } found)
            {
                worlds[seed] = new World(found.Run, items);
            }
        }

        if (worlds.Count > 0)
        {
            foreach (var ids in pairs.Select(pair => pair.ItemId).Concat(others ?? []).Distinct().Chunk(ItemsAtOnce))
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

    /// <summary>Contacts and sales of simulated people, by seed.</summary>
    private async Task<(ILookup<ulong, SimulatedContact> Contacts, ILookup<ulong, (string ItemId, int Person, DateTimeOffset At)> Sold)> DealsAsync(CancellationToken ct)
    {
        var (contacts, sold) = (new List<(ulong Seed, SimulatedContact Contact)>(), new List<(ulong Seed, (string, int, DateTimeOffset) Sale)>());
        await foreach (var told in log.ReadAsync(0, [EventTypes.Contacted, EventTypes.Sold], ct: ct))
        {
            var body = told.Read<BehaviourEvent>();
            if (body.ItemId is not { } item || SimulationRun.PersonOf(body.PersonId) is not { } known)
            {
                continue;
            }

            if (told.Type == EventTypes.Sold)
            {
                sold.Add((known.Seed, (item, known.Person, told.OccurredAt)));
            }
            else if (body.Properties is { } said && said.TryGetProperty("channel", out var way) && Array.IndexOf(Visitor.Channels, way.GetString()) is >= 0 and var channel
                && int.TryParse(body.SessionId?[(body.SessionId.LastIndexOf('-') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var visit))
            {
                contacts.Add((known.Seed, new SimulatedContact(known.Person, visit, item, channel, told.OccurredAt)));
            }
        }

        return (contacts.ToLookup(one => one.Seed, one => one.Contact), sold.ToLookup(one => one.Seed, one => one.Sale));
    }

    /// <summary>A simulation made again. Money is compared at the rate that it was made with.</summary>
    private sealed class World(SimulationRun run, Dictionary<string, CatalogEntry> items)
    {
        private readonly Dictionary<CatalogEntry, Vehicle> vehicles = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<CatalogEntry, Activity> activities = new(ReferenceEqualityComparer.Instance);
        private readonly ActivityModel leisure = new(run);

        public SimulationRun Run => run;

        public WantModel Wants { get; } = new(run);

        public DealModel Deals { get; } = new(run);

        /// <summary>What had been agreed; told again when it is first asked for.</summary>
        public DealHistory? History { get; set; }

        /// <summary>A vehicle of the catalogue.</summary>
        public Vehicle? Find(string id) => items.TryGetValue(id, out var item) && item.Item.Kind == run.Kind ? Vehicle(item) : null;

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
