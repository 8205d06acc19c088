using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Recommendations;

/// <summary><c>/api/recommendations/rules</c>: what operators pin, boost and block, for a time; every rule stays readable with who made and ended it.</summary>
internal static class RuleEndpoints
{
    /// <summary>A rule to put.</summary>
    /// <param name="Action">pin, boost or block.</param>
    /// <param name="Target">item, seller, or the name of an attribute such as make.</param>
    /// <param name="Value">The item's or seller's id, or the attribute's value.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Kind">Kind of items.</param>
    /// <param name="Strength">Of a boost: share of the range of scores from -1 to 1.</param>
    /// <param name="Place">Of a pin: place from 0.</param>
    /// <param name="Page">Only on this page: home, item, favorites or email.</param>
    /// <param name="From">When it begins (UTC); now when left out.</param>
    /// <param name="Until">When it ends (UTC); never when left out.</param>
    public sealed record Request(
        [property: Required, OneOf("pin", "boost", "block")] string Action, [property: Required, MaxLength(100)] string Target, [property: Required, MaxLength(200)] string Value,
        [property: Required, MaxLength(500)] string Reason, [property: OneOf("vehicle", "activity")] string Kind = "vehicle", [property: Range(-1, 1)] double Strength = 0, [property: Range(0, 99)] int Place = 0,
        [property: OneOf(null, "home", "item", "favorites", "email")] string? Page = null, DateTimeOffset? From = null, DateTimeOffset? Until = null);

    public static void Map(IEndpointRouteBuilder rules)
    {
        rules.MapGet("/", ListAsync).WithName("ListRecommendationRules").WithSummary("Operators' rules, newest first, ended ones too");
        rules.MapPost("/", PostAsync).WithName("PutRecommendationRule").WithSummary("Pin, boost or block items for a time");
        rules.MapDelete("/{id:guid}", EndAsync).WithName("EndRecommendationRule").WithSummary("End a rule before its time");
    }

    internal static async Task<Ok<IReadOnlyList<OperatorRule>>> ListAsync(OperatorRules rules, CancellationToken ct, [Range(1, 1_000)] int limit = 100) =>
        TypedResults.Ok(await rules.ListAsync(limit, ct));

    internal static async Task<Results<Created<OperatorRule>, ValidationProblem>> PostAsync(Request request, CurrentUser admin, OperatorRules rules, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (request.Action == RuleAction.Pin && request.Target != "item")
        {
            return Problems.Invalid("target", "Only an item can be pinned.");
        }

        if (request.Action == RuleAction.Boost && request.Strength == 0)
        {
            return Problems.Invalid("strength", "A boost of 0 changes nothing.");
        }

        if (request.Until <= (request.From ?? now))
        {
            return Problems.Invalid("until", "A rule must end after it begins.");
        }

        var rule = new OperatorRule(
            Guid.CreateVersion7(now), request.Kind, request.Action, request.Target, request.Value, request.Strength, request.Place, request.Page, (request.From ?? now).ToUniversalTime(),
            request.Until?.ToUniversalTime(), request.Reason, admin.Actor, now);
        await rules.AddAsync(rule, ct);
        return TypedResults.Created($"/api/recommendations/rules/{rule.Id}", rule);
    }

    internal static async Task<Results<NoContent, NotFound>> EndAsync(Guid id, CurrentUser admin, OperatorRules rules, CancellationToken ct) =>
        await rules.EndAsync(id, admin.Actor, ct) ? TypedResults.NoContent() : TypedResults.NotFound();
}
