using Microsoft.AspNetCore.Http.HttpResults;
using OKLA.Shared.EventLog;
using OKLA.Shared.Web;

namespace OKLA.Host.Admin;

/// <summary>/api/admin/subscriptions: where each reader of the log stands; rebuild, parked events, replay.</summary>
internal static class EventLogAdmin
{
    /// <summary>How a replay of parked events went.</summary>
    /// <param name="Replayed">Events that took effect.</param>
    /// <param name="Failed">Events that failed again and stay parked.</param>
    public sealed record Replay(int Replayed, int Failed);

    public static void MapEventLogAdmin(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/admin/subscriptions").WithTags("Event log").RequireAuthorization(Policies.Admin);
        group.MapGet("/", (Subscriptions subscriptions, CancellationToken ct) => subscriptions.StatusAsync(ct))
            .WithSummary("Where each subscription stands");
        group.MapGet("/parked", (Subscriptions subscriptions, CancellationToken ct) => subscriptions.ParkedAsync(200, ct))
            .WithSummary("Events that a subscription could not handle, with the reason");
        group.MapPost("/{name}/rebuild", RebuildAsync).WithSummary("Empty a subscription's tables and read the log again from zero");
        group.MapPost("/{name}/replay", ReplayAsync).WithSummary("Hand a subscription its parked events once more");
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> RebuildAsync(string name, Subscriptions subscriptions, CancellationToken ct)
    {
        if (!Exists(subscriptions, name))
        {
            return Unknown(name);
        }

        try
        {
            await subscriptions.RebuildAsync(name, ct);
        }
        catch (ArchiveException archived)
        {
            return TypedResults.Problem(archived.Message, statusCode: StatusCodes.Status409Conflict, title: "Events are archived");
        }

        return TypedResults.Accepted((string?)null);
    }

    private static async Task<Results<Ok<Replay>, ProblemHttpResult>> ReplayAsync(string name, Subscriptions subscriptions, CancellationToken ct)
    {
        if (!Exists(subscriptions, name))
        {
            return Unknown(name);
        }

        var (replayed, failed) = await subscriptions.ReplayParkedAsync(name, ct);
        return TypedResults.Ok(new Replay(replayed, failed));
    }

    private static bool Exists(Subscriptions subscriptions, string name) => subscriptions.All.Any(subscription => subscription.Name == name);

    private static ProblemHttpResult Unknown(string name) =>
        TypedResults.Problem($"No subscription is called {name}.", statusCode: StatusCodes.Status404NotFound, title: "Unknown subscription");
}
