using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Training.Jobs;
using OKLA.ML.Training.Runs;
using OKLA.Shared.Jobs;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Training;

/// <summary>Registration of trainings: the queue, its worker, runs and their endpoints.</summary>
internal static class TrainingSetup
{
    /// <summary>Adds the services; a host that serves also works on the queue.</summary>
    public static IServiceCollection AddTraining(this IServiceCollection services, bool serve)
    {
        services.AddSingleton<TrainingJobs>().AddSingleton<RunStore>().AddSingleton<RunTables>().AddSingleton<TrainingRunner>().AddSingleton<TrainingWorker>().AddSingleton<Tables>();
        services.AddJob(
            "train-brought-models", "Queues a training of every model that users brought", JobSchedule.Weekly(DayOfWeek.Sunday, new TimeOnly(3, 30)),
            progress => new QueueBroughtTrainings(progress.Reason == "schedule" ? "weekly" : progress.Reason));
        return serve ? services.AddHostedService(provider => provider.GetRequiredService<TrainingWorker>()) : services;
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapTraining(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/api/ml/jobs").WithTags("ML").RequireAuthorization(Policies.Admin);
        QueueTraining.Map(jobs);
        FollowTrainings.Map(jobs);
        ReadRuns.Map(routes.MapGroup("/api/ml/runs").WithTags("ML").RequireAuthorization(Policies.Admin));
        var versions = routes.MapGroup("/api/ml/models").WithTags("ML").RequireAuthorization(Policies.Admin);
        ManageVersions.Map(versions);
        ExportVersion.Map(versions);
        ImportVersion.Map(versions);
        VersionReports.Map(versions);
    }
}

/// <summary>Command: a training of every model that users brought.</summary>
/// <param name="Reason">Why now.</param>
internal sealed record QueueBroughtTrainings(string Reason) : ICommand;

/// <summary>Answers <see cref="QueueBroughtTrainings"/>; a model that waits already does not wait twice.</summary>
internal static class QueueBroughtTrainingsHandler
{
    public static async Task HandleAsync(QueueBroughtTrainings command, ModelCatalog models, TrainingJobs jobs, CancellationToken ct)
    {
        foreach (var name in (await models.NamesAsync(ct)).Except(models.House))
        {
            if ((await jobs.ListAsync(name, "queued", 1, ct)).Count == 0)
            {
                await jobs.QueueAsync(name, command.Reason, "house", -10, ct);
            }
        }
    }
}
