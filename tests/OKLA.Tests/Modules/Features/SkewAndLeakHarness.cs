using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Features;
using OKLA.Features.Facts;
using OKLA.Features.Offline;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;

namespace OKLA.Tests.Modules.Features;

/// <summary>
/// Replays a log and tells every feature of a registry whose served value differs from the value that a frame gives for the same moment, or
/// whose value in a frame changes by what happened or became known later. It knows no feature by name.
/// </summary>
internal sealed class SkewAndLeakHarness : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Said = new() { ["channel"] = "whatsapp", ["place"] = "La Romana" };
    private readonly Room room;
    private readonly FeatureRegistry registry;

    public SkewAndLeakHarness(NpgsqlDataSource database, FeatureRegistry registry)
    {
        this.registry = registry;
        room = new Room(database, Village.Start, services => services.AddFeatures().AddSingleton(registry).AddMessaging(typeof(FeaturesModule).Assembly));
    }

    /// <summary>A value of a feature: of whom, when.</summary>
    public sealed record Reading(string Feature, string Id, DateTimeOffset At, Value Value)
    {
        public (string, string, DateTimeOffset) Key => (Feature, Id, At);
    }

    public Room Room => room;

    /// <summary>Entities that are looked at; a lead is a person and an item within a visit.</summary>
    private static IEnumerable<(Entity Entity, string Id)> Subjects =>
    [
        .. Village.People.Append(Village.User).Append("nobody").Select(id => (Entity.User, id)), .. Village.Cars.Append("no-car").Select(id => (Entity.Item, id)),
        .. Village.Sessions.Where((_, n) => n % 5 == 0).Select(id => (Entity.Session, id)), .. Village.Dealers.Select(id => (Entity.Dealer, id)),
        .. Village.Campaigns.Select(id => (Entity.Campaign, id)), .. Village.People.SelectMany((person, n) => new[] { (Entity.Lead, $"{person}|car-{n}|{person}-3"), (Entity.Lead, $"{person}|car-{n + 5}") }),
    ];

    /// <summary>Tells the log bit by bit and asks the online store at each stop what is true now.</summary>
    public async Task<IReadOnlyList<Reading>> ServeAsync(IReadOnlyList<StreamEvent> events, IReadOnlyList<DateTimeOffset> stops)
    {
        var (readings, told) = (new List<Reading>(), 0);
        var store = room.Services.GetRequiredService<OnlineStore>();
        foreach (var stop in stops)
        {
            var now = events.Skip(told).TakeWhile(e => e.Event.KnownAt <= stop).ToList();
            told += now.Count;
            await room.TellAsync(now);
            room.Clock.Now = stop;
            foreach (var (entity, id) in Subjects)
            {
                var all = registry.Of(entity).ToList();
                var vector = entity == Entity.Lead
                    ? await GetFeatures.LeadAsync(store, id, [], Said, default)
                    : await store.GetAsync(entity, id, default);
                readings.AddRange(all.Zip(vector.Values, (feature, value) => new Reading(feature.Id.ToString(), id, stop, value)));
            }
        }

        await room.TellAsync(events.Skip(told));
        return readings;
    }

    /// <summary>Asks frames, from all that the log holds now, what was true at each stop.</summary>
    public async Task<IReadOnlyList<Reading>> FrameAsync(IReadOnlyList<DateTimeOffset> stops)
    {
        var readings = new List<Reading>();
        var catalogue = new CatalogueHistory(room.Services.GetRequiredService<NpgsqlDataSource>(), room.Services.GetRequiredService<ExchangeRates>());
        await catalogue.ReadOnAsync(long.MaxValue, default);
        var frames = new FrameEvaluation(room.Services.GetRequiredService<PointInTime>(), catalogue, long.MaxValue);
        foreach (var group in Subjects.GroupBy(subject => subject.Entity))
        {
            var features = registry.Of(group.Key).Select(feature => feature.Id).ToList();
            var rows = group.SelectMany(subject => stops.Select(stop => (subject.Id, At: stop))).ToList();
            var values = await frames.EvaluateAsync(new LeadPlan(registry, features), [.. rows.Select(row => new FrameRow(row.At.UtcTicks, group.Key == Entity.Lead
                ? GetFeatures.PartsOf(row.Id) : new Dictionary<Entity, string> { [group.Key] = row.Id }, Said))], default);
            for (var row = 0; row < rows.Count; row++)
            {
                readings.AddRange(features.Zip(values[row], (feature, value) => new Reading(feature.ToString(), rows[row].Id, rows[row].At, value)));
            }
        }

        return readings;
    }

    /// <summary>Features that differ between two sets of readings, each with one example.</summary>
    public static IReadOnlyDictionary<string, string> Differences(IReadOnlyList<Reading> left, IReadOnlyList<Reading> right)
    {
        var other = right.ToDictionary(reading => reading.Key, reading => reading.Value);
        left.Count.ShouldBe(right.Count);
        return left.Where(reading => other[reading.Key] != reading.Value).GroupBy(reading => reading.Feature)
            .ToDictionary(group => group.Key, group => $"{group.First().Id} at {group.First().At:u}: {Show(group.First().Value)} and {Show(other[group.First().Key])}");
    }

    public ValueTask DisposeAsync() => room.DisposeAsync();

    private static string Show(Value value) => value.Other?.ToString() ?? value.Number.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
