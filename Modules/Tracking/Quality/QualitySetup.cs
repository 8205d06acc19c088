using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OKLA.Shared.EventLog;
using OKLA.Shared.Jobs;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Quality;

/// <summary>Data quality: what it registers and maps.</summary>
internal static class QualitySetup
{
    /// <summary>Adds the counting subscription and the judging job.</summary>
    public static IServiceCollection AddQuality(this IServiceCollection services)
    {
        services.AddOptions<QualityOptions>().BindConfiguration("Quality").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<QualityOptions>>().Value);
        services.AddJob("check-quality", "Holds the data of the last hours against what is expected of them", JobSchedule.Every(TimeSpan.FromMinutes(5)), _ => new CheckQuality());
        return services.AddSubscription<QualitySubscription>();
    }

    /// <summary>Maps the endpoints, for admins.</summary>
    public static void MapQuality(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/admin/quality").WithTags("Quality").RequireAuthorization(Policies.Admin);
        Expectations.Map(group);
        ReadResults.Map(group);
        Alerts.Map(group);
    }
}
