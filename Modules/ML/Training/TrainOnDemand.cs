using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.ML.Training.Jobs;
using OKLA.Shared.Jobs;
using OKLA.Shared.Web;

namespace OKLA.ML.Training;

/// <summary>POST /api/ml/models/{name}/train: queues a training now; the jobs tell how far it is.</summary>
internal static class TrainOnDemand
{
    /// <summary>A training that was queued.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Job">The job that does it; queue for a model that a user brought, which is trained by the queue (/api/ml/jobs).</param>
    /// <param name="RunId">The job's run.</param>
    public sealed record Queued(string Model, string Job, Guid RunId);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/train", Handle).WithName("TrainModel");

    internal static async Task<Results<Accepted<Queued>, ProblemHttpResult>> Handle([MaxLength(100)] string name, ModelCatalog models, JobRuns jobs, TrainingJobs queue, CurrentUser admin, CancellationToken ct)
    {
        if (await models.FindAsync(name, ct) is not { } model)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no model named {name}.");
        }

        if (model is BroughtModel)
        {
            var id = await queue.QueueAsync(name, "demand", admin.Actor, 0, ct);
            return TypedResults.Accepted($"/api/ml/jobs/{id}", new Queued(name, "queue", id));
        }

        var job = JobOf(name);
        return await jobs.TriggerAsync(job, ct: ct) is { } run
            ? TypedResults.Accepted((string?)null, new Queued(name, job, run))
            : TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"A training of {name} is queued or under way.");
    }

    /// <summary>Name of the job that trains a model.</summary>
    internal static string JobOf(string model) => $"train-{model}";
}
