using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OKLA.Host.Demo;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Messaging;
using OKLA.Tracking.Catalog;

namespace OKLA.Tests.Host.Demo;

/// <summary>The few services that the simulator and the catalogue need, on a test database.</summary>
internal static class DemoServices
{
    public static ServiceProvider Build(NpgsqlDataSource database, TimeProvider clock, params Type[] more)
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        return services.AddDemoServices(database, clock, more).BuildServiceProvider();
    }

    public static IServiceCollection AddDemoServices(this IServiceCollection services, NpgsqlDataSource database, TimeProvider clock, params Type[] more)
    {
        services.AddSingleton(database).AddSingleton(clock).AddSingleton(new ExchangeRates(new MoneyOptions()));
        services.AddEventLog(runSubscriptions: false).AddCatalog().AddDemo();
        services.AddSingleton(new MessagingServices.MessageTypes(
        [
            typeof(PutCatalogItemsHandler), typeof(WithdrawCatalogItemsHandler), typeof(GetCatalogItemsHandler), typeof(ListCatalogItemsHandler),
            typeof(ImportListingsHandler), typeof(SimulateHandler), typeof(TrueProbabilitiesHandler), typeof(TrueAbsencesHandler), typeof(TrueCampaignsHandler), .. more,
        ]));
        return services.AddMessageBus();
    }
}

/// <summary>A clock that stands still.</summary>
internal sealed class StoppedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
