using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OKLA.Shared.EventLog;

/// <summary>Registers the log, its queue and its subscriptions.</summary>
public static class EventLogSetup
{
    /// <summary>Adds the log; <paramref name="runSubscriptions"/> is false for command-line verbs that advance them by hand.</summary>
    public static IServiceCollection AddEventLog(this IServiceCollection services, bool runSubscriptions = true)
    {
        services.AddOptions<EventLogOptions>().BindConfiguration("EventLog").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Upcasts>();
        services.AddOptions<ArchiveOptions>().BindConfiguration("Archive").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<EventLog>().AddSingleton<PersonEvents>().AddSingleton<Archive>();
        services.AddSingleton<EventWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<EventWriter>());
        services.AddSingleton<Subscriptions>();
        return runSubscriptions ? services.AddHostedService<SubscriptionRunner>() : services;
    }

    /// <summary>Adds a durable reader of the log.</summary>
    public static IServiceCollection AddSubscription<T>(this IServiceCollection services)
        where T : Subscription =>
        services.AddSingleton<Subscription, T>();
}
