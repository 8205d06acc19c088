using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>Recommendations: what they register and map.</summary>
internal static class RecommendationSetup
{
    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddRecommendations(this IServiceCollection services) =>
        services.AddSingleton<OperatorRules>().AddSingleton<SellerExposure>().AddSingleton<RecommendationDesk>().AddSingleton<ActiveBuyers>();

    /// <summary>Maps the endpoints.</summary>
    public static void MapRecommendations(this IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Anonymous);
        RecommendVehicles.Map(open);
        FindSimilar.Map(open);
        FindBuyers.Map(routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Dealer));
        RecommendSegment.Map(routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.Admin));
        RuleEndpoints.Map(routes.MapGroup("/api/recommendations/rules").WithTags("ML").RequireAuthorization(Policies.Admin));
    }
}
