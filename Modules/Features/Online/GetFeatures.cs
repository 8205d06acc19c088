using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Features.Registry;
using OKLA.Shared.Web;

namespace OKLA.Features.Online;

/// <summary>
/// GET /api/features/{entity}/{id}: what is known now, by name; the header Age tells how many seconds ago it was computed. A lead's id is
/// <c>user|item</c> or <c>user|item|session</c>; the query's place, device and channel are the request's.
/// </summary>
internal static class GetFeatures
{
    /// <summary>The features of one entity.</summary>
    /// <param name="Entity">user, item, session, dealer, campaign or lead.</param>
    /// <param name="Id">Its id.</param>
    /// <param name="Known">Whether anything is known of it; if not, the values are the defaults.</param>
    /// <param name="At">When they were computed (UTC).</param>
    /// <param name="Values">Values by name: numbers, short texts or shares by key; null where nothing is known.</param>
    public sealed record FeatureVector(string Entity, string Id, bool Known, DateTimeOffset At, IReadOnlyDictionary<string, object?> Values);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/{entity}/{id}", Handle).WithName("GetFeatures").Produces<FeatureVector>().ProducesProblem(StatusCodes.Status400BadRequest);

    internal static async Task<Results<FileContentHttpResult, ProblemHttpResult, ValidationProblem, ChallengeHttpResult, ForbidHttpResult>> Handle(
        [OneOf("user", "item", "session", "dealer", "campaign", "lead")] string entity, [MaxLength(650)] string id,
        OnlineStore store, CurrentUser caller, TimeProvider clock, HttpContext http, CancellationToken ct,
        [MaxLength(20_000)] string? names = null, [MaxLength(100)] string? place = null, [MaxLength(20)] string? device = null, [MaxLength(50)] string? channel = null)
    {
        if (!caller.Has(Policies.Scopes.FeaturesRead) && !(entity == "user" && caller.MayActAs(id)))
        {
            return http.User.Identity?.IsAuthenticated == true ? TypedResults.Forbid() : TypedResults.Challenge();
        }

        if (http.Request.Query.ContainsKey("at"))
        {
            return Problems.Invalid("at", "Features are served as they are now; a past moment is a training frame's.");
        }

        if (!FeatureRegistry.IsEntity(entity, out var kind))
        {
            return Problems.Invalid("entity", "There is no such entity.");
        }

        var wanted = new List<Feature>();
        foreach (var name in names?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (!store.Registry.TryGet(new FeatureId(kind, name), out var feature))
            {
                return Problems.Invalid("names", $"There is no feature {entity}.{name}.");
            }

            if (!wanted.Contains(feature, ReferenceEqualityComparer.Instance))
            {
                wanted.Add(feature);
            }
        }

        CachedVector vector;
        byte[] json;
        if (kind == Entity.Lead)
        {
            vector = await LeadAsync(store, id, wanted, Parameters(place, device, channel), ct);
            json = EncodedVector.Of(entity, id, vector.Known, vector.At, wanted.Count > 0 ? wanted : [.. store.Registry.Of(kind)], vector.Values).Whole;
        }
        else
        {
            vector = await store.GetAsync(kind, id, ct);
            json = wanted.Count == 0 ? vector.Json!.Whole : vector.Json!.Only([.. wanted.Select(feature => store.PlaceOf(feature.Id))]);
        }

        http.Response.Headers.Age = Math.Max(0, (clock.GetUtcNow().UtcTicks - vector.At) / TimeSpan.TicksPerSecond).ToString(CultureInfo.InvariantCulture);
        return TypedResults.Bytes(json, "application/json");
    }

    /// <summary>The parts of a lead by its id.</summary>
    internal static Dictionary<Entity, string> PartsOf(string id)
    {
        var parts = id.Split('|');
        return new[] { Entity.User, Entity.Item, Entity.Session }.Zip(parts).Where(part => part.Second.Length > 0).ToDictionary();
    }

    internal static Task<CachedVector> LeadAsync(OnlineStore store, string id, List<Feature> wanted, IReadOnlyDictionary<string, string> parameters, CancellationToken ct) =>
        store.ComposeAsync(wanted.Count > 0 ? store.Registry.PlanOf([.. wanted.Select(feature => feature.Id.ToString())]) : store.WholeLead, PartsOf(id), parameters, ct);

    private static Dictionary<string, string> Parameters(string? place, string? device, string? channel) =>
        new[] { ("place", place), ("device", device), ("channel", channel) }.Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2!);
}
