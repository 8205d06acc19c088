using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.ML.Training.Jobs;
using OKLA.Shared.Web;

namespace OKLA.ML.Training;

/// <summary>POST /api/ml/models/{name}/train: queues a training as it was set up last; POST /api/ml/jobs sets it up.</summary>
internal static class TrainOnDemand
{
    /// <summary>A training that was queued.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="Id">The job, to follow at /api/ml/jobs/{id}.</param>
    public sealed record Queued(string Model, Guid Id);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/{name}/train", Handle).WithName("TrainModel").WithSummary("Train a model now");

    internal static async Task<Results<Accepted<Queued>, ProblemHttpResult>> Handle([MaxLength(100)] string name, ModelCatalog models, TrainingJobs queue, CurrentUser admin, CancellationToken ct) =>
        await models.FindAsync(name, ct) is null ? TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no model named {name}.")
        : await queue.QueueOnceAsync(name, "demand", admin.Actor, 0, ct) is { } id ? TypedResults.Accepted($"/api/ml/jobs/{id}", new Queued(name, id))
        : TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"A training of {name} is queued or under way.");
}
