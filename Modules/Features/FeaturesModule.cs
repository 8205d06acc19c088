using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OKLA.Features.Definitions;
using OKLA.Features.Facts;
using OKLA.Features.Interactions;
using OKLA.Features.Items;
using OKLA.Features.Monitoring;
using OKLA.Features.Offline;
using OKLA.Features.Online;
using OKLA.Features.Profiles;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Web;

namespace OKLA.Features;

/// <summary>The Features room: what it registers and serves.</summary>
public static class FeaturesModule
{
    /// <summary>Adds the room's services.</summary>
    public static IServiceCollection AddFeatures(this IServiceCollection services)
    {
        services.AddValidation();
        services.AddOptions<FeaturesOptions>().BindConfiguration("Features").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<MoneyOptions>().BindConfiguration("Money").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(provider => new ExchangeRates(provider.GetRequiredService<IOptions<MoneyOptions>>().Value));
        services.AddSingleton(AllFeatures.Registry()).AddSingleton<CatalogueHistory>().AddSingleton<FactStore>().AddSingleton<PointInTime>().AddSingleton<OnlineStore>().AddSingleton<RecentHistories>().AddSingleton<FirstVisits>().AddSingleton<FrameStore>();
        services.AddJob("count-segments", "Puts everybody into segments and counts them", JobSchedule.Daily(new TimeOnly(4, 0)), progress => new CountSegments(progress));
        services.AddJob("watch-features", "Compares what is served with what training reads, and with the week before", JobSchedule.Daily(new TimeOnly(4, 30)), _ => new WatchFeatures());
        services.AddTransformations(FeaturesLineage.Steps(new FeaturesOptions())).AddSingleton<ILineageSource, FeaturesLineage>();
        return services.AddSubscription<FactSubscription>().AddSubscription<CatalogSubscription>();
    }

    /// <summary>Maps the room's endpoints.</summary>
    public static IEndpointRouteBuilder MapFeatures(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/features").WithTags("Features").RequireAuthorization(Policies.Anonymous);
        ListFeatures.Map(group);
        GetFeatures.Map(group);
        GetFeatureBatch.Map(group);
        FrameEndpoints.Map(group);
        var users = routes.MapGroup("/api/users").WithTags("Features").RequireAuthorization(Policies.Anonymous);
        WatchFeaturesHandler.Map(group);
        GetProfile.Map(users);
        ListSegments.Map(group, users);
        return routes;
    }
}
