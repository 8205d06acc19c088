using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OKLA.Shared.Jobs;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Clusters;

/// <summary>Learned kinds of people: what they register and map.</summary>
internal static class ClusterSetup
{
    /// <summary>Name of the count, nightly and at each new version.</summary>
    public const string Count = "count-clusters";

    /// <summary>Adds the count.</summary>
    public static IServiceCollection AddClusters(this IServiceCollection services) => services.AddJob(
        Count, "Finds everybody's learned kind and counts the kinds", JobSchedule.Daily(new TimeOnly(4, 15)), progress => new CountClusters(progress));

    /// <summary>Maps the endpoints, for whom the rules' segments are open too.</summary>
    public static void MapClusters(this IEndpointRouteBuilder routes)
    {
        var read = routes.MapGroup("").WithTags("ML").RequireAuthorization(Policies.FeaturesRead);
        ListClusters.Map(read);
        FindClusterLookAlikes.Map(read);
    }
}
