using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Host.Demo;

/// <summary>
/// Handles <see cref="GetTrueProbabilities"/>: makes the tastes again out of the seed and the parameters that the log keeps. NaN for
/// people that no simulation here knows, and for items that the catalogue does not have.
/// </summary>
internal sealed class GetTrueProbabilitiesHandler(EventLog log, IMessageBus bus)
{
    private const int ItemsAtOnce = 10_000;

    public async Task<TrueProbabilities> HandleAsync(GetTrueProbabilities query, CancellationToken ct)
    {
        var people = query.Pairs.Select(pair => pair.PersonId).Distinct().ToDictionary(id => id, SimulationRun.PersonOf);
        var models = new Dictionary<ulong, (WantModel Model, SimulationRun Run)>();
        foreach (var seed in people.Values.OfType<(ulong Seed, int Person)>().Select(known => known.Seed).Distinct())
        {
            if (await SimulationRuns.FindAsync(log, seed, ct) is { } found)
            {
                models[seed] = (new WantModel(found.Run), found.Run);
            }
        }

        var items = new Dictionary<string, CatalogEntry>();
        if (models.Count > 0)
        {
            foreach (var ids in query.Pairs.Select(pair => pair.ItemId).Distinct().Chunk(ItemsAtOnce))
            {
                foreach (var entry in await bus.InvokeAsync<IReadOnlyList<CatalogEntry>>(new GetCatalogItems(ids), ct))
                {
                    items[entry.Item.Id] = entry;
                }
            }
        }

        // Money is compared at the rate that the run was made with.
        var vehicles = models.ToDictionary(
            pair => pair.Key, pair => items.ToDictionary(item => item.Key, item => Vehicle.Of(item.Value, pair.Value.Run.Choice.PesosPerDollar)));
        var values = new double[query.Pairs.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var (personId, itemId) = query.Pairs[i];
            values[i] = people[personId] is { } known && models.TryGetValue(known.Seed, out var model) && known.Person < model.Run.Visitors
                && vehicles[known.Seed].TryGetValue(itemId, out var vehicle)
                ? model.Model.Probability(known.Person, vehicle, query.At)
                : double.NaN;
        }

        return new TrueProbabilities(values);
    }
}
