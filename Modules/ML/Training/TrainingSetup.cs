using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Training.Jobs;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Web;

namespace OKLA.ML.Training;

/// <summary>Registration of trainings: the queue, its worker, runs and their endpoints.</summary>
internal static class TrainingSetup
{
    /// <summary>Adds the services; a host that serves also works on the queue.</summary>
    public static IServiceCollection AddTraining(this IServiceCollection services, bool serve)
    {
        services.AddSingleton<TrainingJobs>().AddSingleton<RunStore>().AddSingleton<TrainingRunner>().AddSingleton<TrainingWorker>();
        return serve ? services.AddHostedService(provider => provider.GetRequiredService<TrainingWorker>()) : services;
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapTraining(this IEndpointRouteBuilder routes)
    {
    }
}
