using System.Diagnostics;
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
    /// <summary>Adds the services; a host that serves also works on the queue, by <paramref name="trainer"/> where there is one.</summary>
    public static IServiceCollection AddTraining(this IServiceCollection services, bool serve, Func<ProcessStartInfo>? trainer)
    {
        if (trainer is not null)
        {
            services.AddSingleton(new TrainerStart(trainer));
        }

        services.AddSingleton<TrainingJobs>().AddSingleton<RunStore>().AddSingleton<RunTables>().AddSingleton<TrainingRunner>().AddSingleton<TrainingWorker>().AddSingleton<Tables>();
        services.AddJob(
            "train-brought-models", "Queues a training of every model that users brought", JobSchedule.Weekly(DayOfWeek.Sunday, new TimeOnly(3, 30)),
            progress => new QueueTrainings(null, progress.Reason == "schedule" ? "weekly" : progress.Reason));
        return serve ? services.AddHostedService<TrainingService>() : services;
    }

    /// <summary>Name of the weekly job that queues a training of a model of this house.</summary>
    public static string JobOf(string model) => $"train-{model}";

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

/// <summary>Command: puts trainings into the queue; a model that waits already, or is at it, does not wait twice.</summary>
/// <param name="Model">The model; null for every one that users brought.</param>
/// <param name="Reason">Why now.</param>
internal sealed record QueueTrainings(string? Model, string Reason) : ICommand;

/// <summary>Answers <see cref="QueueTrainings"/>.</summary>
internal static class QueueTrainingsHandler
{
    // Whoever asks for a training does not wait for those of the calendar.
    private const int Behind = -10;

    public static async Task HandleAsync(QueueTrainings command, ModelCatalog models, TrainingJobs jobs, CancellationToken ct)
    {
        foreach (var name in command.Model is { } one ? [one] : (await models.NamesAsync(ct)).Except(models.House))
        {
            await jobs.QueueOnceAsync(name, command.Reason, "house", Behind, ct);
        }
    }
}
