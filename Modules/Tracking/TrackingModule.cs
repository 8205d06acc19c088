using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OKLA.Tracking.Catalog;
using OKLA.Tracking.Ingest;

namespace OKLA.Tracking;

/// <summary>The Tracking room: events and catalogue in.</summary>
public static class TrackingModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services)
    {
        services.AddValidation();
        services.AddOptions<TrackingOptions>().BindConfiguration("Tracking").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<TrackingOptions>>().Value);
        services.AddSingleton<EventParser>();
        return services.AddCatalog();
    }

    /// <summary>Maps the room's endpoints.</summary>
    public static void MapTracking(this IEndpointRouteBuilder routes)
    {
        RecordEvents.Map(routes);
        routes.MapCatalog();
    }
}
