using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OKLA.Shared.Messaging;

/// <summary>Registration of the bus.</summary>
public static class MessagingServices
{
    /// <summary>
    /// Adds <see cref="IMessageBus"/> with the handlers of the given assemblies; calls add up. Contracts (<see cref="ICommand"/>,
    /// <see cref="IQuery{TAnswer}"/>) in these assemblies without exactly one fitting handler stop the start, each named.
    /// </summary>
    public static IServiceCollection AddMessaging(this IServiceCollection services, params Assembly[] assemblies)
    {
        foreach (var assembly in assemblies) services.AddSingleton(new MessageTypes(assembly.GetTypes()));
        return services.AddMessageBus();
    }

    internal static IServiceCollection AddMessageBus(this IServiceCollection services)
    {
        services.AddMetrics().AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<MessagingOptions>().BindConfiguration("Messaging").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(s => new HandlerMap(s.GetServices<MessageTypes>().SelectMany(t => t.Types), s.GetService<IServiceProviderIsService>()));
        if (services.Any(s => s.ServiceType == typeof(MessageBus))) return services;
        services.AddSingleton<MessageBus>();
        services.AddSingleton<IMessageBus>(s => s.GetRequiredService<MessageBus>());
        return services.AddHostedService(s => s.GetRequiredService<MessageBus>());
    }

    /// <summary>Types to search for handlers and contracts.</summary>
    internal sealed record MessageTypes(IReadOnlyList<Type> Types);
}
