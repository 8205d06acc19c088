using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using Log = OKLA.Shared.EventLog.EventLog;

namespace OKLA.Tests.Modules;

/// <summary>Modules over a test's database, without a host: the log, its subscriptions, the bus and a clock that stands still.</summary>
internal sealed class Room : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public Room(NpgsqlDataSource database, DateTimeOffset now, Action<IServiceCollection> modules, params (string Key, string Value)[] settings)
    {
        Clock = new StillClock(now);
        var collection = new ServiceCollection();
        collection.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))).Build());
        collection.AddLogging();
        collection.AddSingleton(database);
        collection.AddSingleton<TimeProvider>(Clock);
        collection.AddEventLog(runSubscriptions: false);
        modules(collection);
        services = collection.BuildServiceProvider();
    }

    public StillClock Clock { get; }

    public IServiceProvider Services => services;

    public IMessageBus Bus => services.GetRequiredService<IMessageBus>();

    public Subscriptions Subscriptions => services.GetRequiredService<Subscriptions>();

    /// <summary>Appends events and lets every subscription take them in.</summary>
    public async Task TellAsync(params IEnumerable<StreamEvent> events)
    {
        await AppendAsync(events);
        await Subscriptions.CatchUpAsync();
    }

    public async Task AppendAsync(params IEnumerable<StreamEvent> events)
    {
        await using var connection = await services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await services.GetRequiredService<Log>().AppendAsync(transaction, [.. events]);
        await transaction.CommitAsync();
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();

    public static StreamEvent Behaviour(string type, string? anonymousId, string? userId, string? itemId, DateTimeOffset occurred, DateTimeOffset? known = null) => new(
        BehaviourEvent.StreamOf(anonymousId, userId),
        NewEvent.Of(type, new BehaviourEvent(anonymousId, userId, null, itemId, null, null), occurred) with { KnownAt = known ?? occurred });

    public static StreamEvent View(string person, string item, DateTimeOffset at, DateTimeOffset? known = null) =>
        Behaviour(EventTypes.ItemViewed, person, null, item, at, known);

    public static StreamEvent Listed(CatalogItem item, DateTimeOffset at, DateTimeOffset? known = null) =>
        new($"item-{item.Id}", NewEvent.Of(EventTypes.ItemListed, new ItemListed(item), at) with { KnownAt = known ?? at });

    public static StreamEvent Updated(CatalogItem item, DateTimeOffset at, DateTimeOffset? known = null) =>
        new($"item-{item.Id}", NewEvent.Of(EventTypes.ItemUpdated, new ItemListed(item), at) with { KnownAt = known ?? at });

    public static StreamEvent Repriced(string item, decimal amount, string currency, DateTimeOffset at, DateTimeOffset? known = null) =>
        new($"item-{item}", NewEvent.Of(EventTypes.ItemPriceChanged, new ItemPriceChanged(item, null, new Money(amount, currency)), at) with { KnownAt = known ?? at });

    public static StreamEvent Ended(string type, string item, DateTimeOffset at) =>
        new($"item-{item}", NewEvent.Of(type, new ItemEnded(item), at) with { KnownAt = at });

    public static CatalogItem Car(string id, string make, string model, int year, decimal price, string currency = "USD", string body = "sedan", double? km = null, string fuel = "Gasolina") => new(
        id, "vehicle", $"{make} {model}", new Money(price, currency), new Dictionary<string, JsonElement>
        {
            ["make"] = JsonSerializer.SerializeToElement(make),
            ["model"] = JsonSerializer.SerializeToElement(model),
            ["year"] = JsonSerializer.SerializeToElement(year),
            ["bodyType"] = JsonSerializer.SerializeToElement(body),
            ["fuel"] = JsonSerializer.SerializeToElement(fuel),
            ["mileageKm"] = JsonSerializer.SerializeToElement(km),
        })
    {
        SellerId = "dealer-1",
        Place = "Santiago",
    };

    internal sealed class StillClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
