using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Tracking.Catalog;
using OKLA.Tracking.Identity;
using OKLA.Tracking.Ingest;
using OKLA.Tracking.Lineage;
using OKLA.Tracking.Privacy;
using OKLA.Tracking.Quality;
using OKLA.Tracking.Retention;
using OKLA.Tracking.Schemas;
using OKLA.Tracking.Sessions;
using OKLA.Tracking.Tail;

namespace OKLA.Tracking;

/// <summary>The Tracking room: events and catalogue in.</summary>
public static class TrackingModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddTracking(this IServiceCollection services)
    {
        services.AddValidation();
        services.AddOptions<TrackingOptions>().BindConfiguration("Tracking").ValidateDataAnnotations().ValidateOnStart()
            .PostConfigure<IHostEnvironment>((options, host) => options.RequireKey ??= !host.IsDevelopment());
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<TrackingOptions>>().Value);
        services.AddSingleton<CustomSchemas>().AddSingleton<AddressKeys>().AddSingleton<RejectedEvents>().AddSingleton<KnownPeople>();
        services.AddTail().AddRetention();
        foreach (var upcast in EventCatalogue.Upcasts)
        {
            services.AddSingleton(upcast);
        }

        services.AddJob(
            "trim-tracking", "Forgets rejected events and address keys that are past their time", JobSchedule.Every(TimeSpan.FromHours(1)), _ => new TrimTracking());
        services.AddTransformations(TrackingLineage.All).AddQuality();
        return services.AddSubscription<IdentitySubscription>().AddSubscription<SessionSubscription>().AddCatalog();
    }

    /// <summary>Maps the room's endpoints.</summary>
    public static void MapTracking(this IEndpointRouteBuilder routes)
    {
        RecordEvents.Map(routes);
        var schemas = routes.MapGroup("/api/events/schemas").WithTags("Events");
        ReadSchemas.Map(schemas);
        PutCustomSchema.Map(schemas);
        ReplayRejected.Map(routes);
        People.Map(routes);
        ListSessions.Map(routes);
        Subjects.Map(routes);
        TailEvents.Map(routes);
        ReadArchives.Map(routes);
        ReadLineage.Map(routes);
        routes.MapQuality();
        routes.MapCatalog();
    }
}
