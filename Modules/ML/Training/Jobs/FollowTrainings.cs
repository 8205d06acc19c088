using System.ComponentModel.DataAnnotations;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using OKLA.Shared.Web;

namespace OKLA.ML.Training.Jobs;

/// <summary>GET /api/ml/jobs, GET /api/ml/jobs/{id}, GET /api/ml/jobs/{id}/events, POST /api/ml/jobs/{id}/cancel: how far trainings are, and an end to one.</summary>
internal static class FollowTrainings
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(15);

    /// <summary>Trainings, newest first.</summary>
    internal sealed record Response(IReadOnlyList<TrainingJob> Jobs);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", ListAsync).WithName("ListTrainings").WithSummary("Trainings queued, under way and over");
        routes.MapGet("/{id:guid}", GetAsync).WithName("ReadTraining").WithSummary("How far a training is");
        routes.MapGet("/{id:guid}/events", FollowAsync).WithName("FollowTraining").WithSummary("A training's progress as it happens (server-sent events)");
        routes.MapPost("/{id:guid}/cancel", CancelAsync).WithName("CancelTraining").WithSummary("Stop a training");
    }

    internal static async Task<Ok<Response>> ListAsync(
        TrainingJobs jobs, CancellationToken ct, [MaxLength(60)] string? model = null, [OneOf(null, "queued", "running", "succeeded", "failed", "cancelled")] string? state = null, [Range(1, 500)] int limit = 50) =>
        TypedResults.Ok(new Response(await jobs.ListAsync(model, state, limit, ct)));

    internal static async Task<Results<Ok<TrainingJob>, ProblemHttpResult>> GetAsync(Guid id, TrainingJobs jobs, CancellationToken ct) =>
        await jobs.FindAsync(id, ct) is { } job ? TypedResults.Ok(job) : Missing(id);

    internal static async Task<Results<Accepted<TrainingJob>, ProblemHttpResult>> CancelAsync(Guid id, TrainingJobs jobs, CancellationToken ct)
    {
        var cancelled = await jobs.CancelAsync(id, ct);
        return await jobs.FindAsync(id, ct) is not { } job ? Missing(id)
            : cancelled ? TypedResults.Accepted($"/api/ml/jobs/{id}", job)
            : TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Conflict", detail: $"The training is over: {job.State}.");
    }

    internal static async Task<Results<ServerSentEventsResult<TrainingJob>, ProblemHttpResult>> FollowAsync(
        Guid id, TrainingJobs jobs, TimeProvider clock, IHostApplicationLifetime life, HttpContext context) =>
        await jobs.FindAsync(id, context.RequestAborted) is null
            ? Missing(id)
            : TypedResults.ServerSentEvents(ChangesAsync(id, jobs, clock, CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, life.ApplicationStopping)));

    /// <summary>The job whenever it changed, at least now and then, until it is over.</summary>
    private static async IAsyncEnumerable<SseItem<TrainingJob>> ChangesAsync(
        Guid id, TrainingJobs jobs, TimeProvider clock, CancellationTokenSource stop, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var ends = stop;
        using var turn = new PeriodicTimer(Look, clock);
        TrainingJob? last = null;
        var told = clock.GetTimestamp();
        do
        {
            if (await jobs.FindAsync(id, ct) is not { } job)
            {
                yield break;
            }

            if (job != last || clock.GetElapsedTime(told) >= SignOfLife)
            {
                (last, told) = (job, clock.GetTimestamp());
                yield return new SseItem<TrainingJob>(job, job.IsOver ? "over" : "progress");
            }

            if (job.IsOver)
            {
                yield break;
            }
        }
        while (await NextAsync(turn, stop.Token));
    }

    private static async Task<bool> NextAsync(PeriodicTimer turn, CancellationToken stop)
    {
        try
        {
            return await turn.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // The reader went away, or the host stops: the stream ends.
            return false;
        }
    }

    private static ProblemHttpResult Missing(Guid id) => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no training {id}.");
}
