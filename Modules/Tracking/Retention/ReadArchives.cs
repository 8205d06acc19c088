using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Retention;

/// <summary>/api/admin/events/archives: the files that old events went to, and their way back.</summary>
internal static class ReadArchives
{
    /// <summary>What came back.</summary>
    /// <param name="Events">Events that are in the log again by this; 0 when they all were.</param>
    public sealed record Loaded(long Events);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/admin/events/archives").WithTags("Event log").RequireAuthorization(Policies.Admin);
        group.MapGet("/", (Archive archive, CancellationToken ct) => archive.ListAsync(ct)).WithSummary("Files that old events went to");
        group.MapPost("/{id:guid}/load", LoadAsync).WithSummary("Bring the events of a file back into the log")
            .WithDescription("They return with their positions, ids, versions and times, and leave again after `Archive:LoadedDays`. Loading twice changes nothing; of a damaged file nothing is loaded. A subscription that is to be rebuilt needs all its events back first.");
    }

    internal static async Task<Results<Ok<Loaded>, NotFound, ProblemHttpResult>> LoadAsync(Guid id, Archive archive, CancellationToken ct)
    {
        try
        {
            return await archive.LoadAsync(id, ct: ct) is { } events ? TypedResults.Ok(new Loaded(events)) : TypedResults.NotFound();
        }
        catch (ArchiveException refused)
        {
            return TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status409Conflict, title: "Not loaded");
        }
    }
}
