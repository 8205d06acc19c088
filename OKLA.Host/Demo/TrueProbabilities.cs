using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>
/// Handles <see cref="GetTrueProbabilities"/>, <see cref="GetTrueDealProbabilities"/> and <see cref="GetTrueDaysToSale"/>: makes the tastes again out of the seed and the
/// parameters that the log keeps. NaN for people that no simulation here knows, and for items that the catalogue does not have.
/// </summary>
internal sealed class TrueProbabilitiesHandler(EventLog log, IMessageBus bus)
{
    private const int ItemsAtOnce = 10_000;

    public Task<TrueProbabilities> HandleAsync(GetTrueProbabilities query, CancellationToken ct) =>
        AnswerAsync(query.Pairs, (world, i, person, vehicle) => world.Wants.Probability(person, vehicle, query.At), ct);

    public Task<TrueProbabilities> HandleAsync(GetTrueDealProbabilities query, CancellationToken ct) =>
        AnswerAsync([.. query.Contacts.Select(contact => (contact.PersonId, contact.ItemId))], (world, i, person, vehicle) =>
        {
            var contact = query.Contacts[i];
            var channel = Array.IndexOf(Visitor.Channels, contact.Channel);
            return channel < 0 ? double.NaN : world.Deals.Probability(person, vehicle.Seller, world.Wants.Probability(person, vehicle, contact.At), channel);
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
        IReadOnlyList<(string PersonId, string ItemId)> pairs, Func<World, int, int, Vehicle, double> ask, CancellationToken ct)
    {
        var people = pairs.Select(pair => pair.PersonId).Distinct().ToDictionary(id => id, SimulationRun.PersonOf);
        var worlds = new Dictionary<ulong, World>();
        foreach (var seed in people.Values.OfType<(ulong Seed, int Person)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { } found)
            {
                worlds[seed] = new World(found.Run, new WantModel(found.Run), new DealModel(found.Run));
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

        // Money is compared at the rate that the run was made with.
        var vehicles = worlds.ToDictionary(
            pair => pair.Key, pair => items.ToDictionary(item => item.Key, item => Vehicle.Of(item.Value, pair.Value.Run.Choice.PesosPerDollar)));
        var values = new double[pairs.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var (personId, itemId) = pairs[i];
            values[i] = people[personId] is { } known && worlds.TryGetValue(known.Seed, out var world) && known.Person < world.Run.Visitors
                && vehicles[known.Seed].TryGetValue(itemId, out var vehicle)
                ? ask(world, i, known.Person, vehicle)
                : double.NaN;
        }

        return new TrueProbabilities(values);
    }

    private sealed record World(SimulationRun Run, WantModel Wants, DealModel Deals);
}
