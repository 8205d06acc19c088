using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OKLA.Features.Interactions;
using OKLA.Features.Items;
using OKLA.Features.Online;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
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
        services.AddTransformations(FeaturesLineage.All(new FeaturesOptions()));
        return services.AddSubscription<BehaviourSubscription>().AddSubscription<CatalogSubscription>();
    }

    /// <summary>Maps the room's endpoints.</summary>
    public static IEndpointRouteBuilder MapFeatures(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/features").WithTags("Features").RequireAuthorization(Policies.FeaturesRead);
        GetFeatures.Map(group);
        return routes;
    }
}
