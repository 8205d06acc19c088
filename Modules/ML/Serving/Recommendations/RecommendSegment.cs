using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OKLA.ML.Models.Recommenders;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Recommendations;

/// <summary>
/// GET /api/recommendations/segments/{segment}: what to write to each person of a segment, page by page in the order of their ids, for who sends e-mails. Only people
/// whose last word on advertising was yes; what was seen does not come back, and nobody is explored on.
/// </summary>
internal static class RecommendSegment
{
    /// <summary>A page of people with their items.</summary>
    /// <param name="Segment">The segment.</param>
    /// <param name="People">By id.</param>
    /// <param name="Next">Id to go on after; null at the end.</param>
    public sealed record Response(string Segment, IReadOnlyList<Letter> People, string? Next);

    /// <summary>What to write to somebody.</summary>
    /// <param name="UserId">To whom.</param>
    /// <param name="Items">Best first.</param>
    /// <param name="ModelVersion">Version that answered; null for popularity.</param>
    /// <param name="Source">model, previous or popularity.</param>
    public sealed record Letter(string UserId, IReadOnlyList<RecommendVehicles.Recommendation> Items, int? ModelVersion, string Source);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder admin) =>
        admin.MapGet("/api/recommendations/segments/{segment}", Handle).WithName("RecommendSegment").WithSummary("Recommendations for the people of a segment who agreed to advertising, page by page");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> Handle(
        [MaxLength(100)] string segment, RecommendationDesk desk, IMessageBus bus, PredictionLog log, IOptions<MLOptions> options, TimeProvider clock, CancellationToken ct,
        [OneOf("vehicle", "activity")] string kind = "vehicle", [Range(1, 50)] int limit = 5, [Range(1, 1_000)] int people = 100, [MaxLength(200)] string? after = null)
    {
        var now = clock.GetUtcNow();
        if (await bus.InvokeAsync<IReadOnlyList<string>?>(new GetSegmentPeople(segment, after, people), ct) is not { } ids)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no segment {segment}.");
        }

        var letters = new List<Letter>();
        foreach (var id in ids)
        {
            var history = await bus.InvokeAsync<IReadOnlyList<HistoryItem>>(new GetRecentHistory(id, Limit: options.Value.HistoryItems), ct);
            var page = desk.Answer(new RecommendationQuestion(id, ItemKind.Find(kind)!, limit, "email", history));
            log.Write(RecommendVehicles.Served(id, ItemKind.Find(kind)!, "email", page));
            letters.Add(new Letter(id, [.. page.Items.Select(RecommendVehicles.Show)], page.Version, page.Source));
        }

        return TypedResults.Ok(new Response(segment, letters, ids.Count == people ? ids[^1] : null));
    }
}
