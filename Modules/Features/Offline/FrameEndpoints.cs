using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;

namespace OKLA.Features.Offline;

/// <summary>POST /api/features/frames fixes a training frame; GET /api/features/frames/{id} tells what it is, and with .csv streams it.</summary>
internal static class FrameEndpoints
{
    /// <summary>A frame that is wanted.</summary>
    /// <param name="Features">Full names such as user.views_7d.</param>
    /// <param name="Spine">Moments, whom they are about, and what came of them; up to 100,000.</param>
    public sealed record Request([Required, MinLength(1), MaxLength(1000)] string[] Features, [Required, MinLength(1), MaxLength(100_000)] SpineRow[] Spine);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/frames", CreateAsync).WithName("BuildFrame").RequireAuthorization(Policies.Admin);
        routes.MapGet("/frames/{id:guid}", FindAsync).WithName("GetFrame").RequireAuthorization(Policies.Admin);
        routes.MapGet("/frames/{id:guid}.csv", ExportAsync).WithName("ExportFrame").RequireAuthorization(Policies.Admin).Produces(StatusCodes.Status200OK, contentType: "text/csv");
    }

    internal static async Task<Results<Created<FrameInfo>, ValidationProblem>> CreateAsync(Request request, CurrentUser admin, FrameStore frames, CancellationToken ct)
    {
        try
        {
            var frame = await frames.CreateAsync(new BuildFrame(request.Spine, request.Features, admin.Actor), ct);
            return TypedResults.Created($"/api/features/frames/{frame.Id}", frame);
        }
        catch (FrameRefusedException refused)
        {
            return Problems.Invalid(refused.Message.StartsWith("There is no feature", StringComparison.Ordinal) ? "features" : "spine", refused.Message);
        }
    }

    internal static async Task<Results<Ok<FrameInfo>, ProblemHttpResult>> FindAsync(Guid id, FrameStore frames, CancellationToken ct) =>
        await frames.FindAsync(id, ct) is { } frame ? TypedResults.Ok(frame) : Absent(id);

    internal static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> ExportAsync(Guid id, FrameStore frames, CancellationToken ct) =>
        await frames.FindAsync(id, ct) is null
            ? Absent(id)
            : TypedResults.Stream(
                async output =>
                {
                    await foreach (var bytes in frames.ReadCsvAsync(id, ct))
                    {
                        await output.WriteAsync(bytes, ct);
                    }
                },
                "text/csv", $"{id}.csv");

    private static ProblemHttpResult Absent(Guid id) => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no frame {id}.");
}
