using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.Features.Registry;
using OKLA.Shared.Web;

namespace OKLA.Features.Online;

/// <summary>POST /api/features/{entity}:batch: the features of up to 1,000 entities of a kind, computed together.</summary>
internal static class GetFeatureBatch
{
    /// <summary>What is asked.</summary>
    /// <param name="Ids">Up to 1,000 ids.</param>
    /// <param name="Names">Features wanted; all when left out.</param>
    /// <param name="Context">For leads: the request's place, device and channel.</param>
    public sealed record Request([Required, MinLength(1), MaxLength(1000)] string[] Ids, [MaxLength(1000)] string[]? Names = null, IReadOnlyDictionary<string, string>? Context = null);

    /// <summary>The entities' features, in the order asked.</summary>
    /// <param name="Entities">One for each id.</param>
    public sealed record Response(IReadOnlyList<GetFeatures.FeatureVector> Entities);

    public static RouteHandlerBuilder Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/{entity}:batch", Handle).WithName("GetFeatureBatch").RequireAuthorization(Policies.FeaturesRead);

    internal static async Task<Results<Ok<Response>, ValidationProblem>> Handle(
        [OneOf("user", "item", "session", "dealer", "campaign", "lead")] string entity, Request request, OnlineStore store, CancellationToken ct)
    {
        if (!FeatureRegistry.IsEntity(entity, out var kind))
        {
            return Problems.Invalid("entity", "There is no such entity.");
        }

        var wanted = new List<Feature>();
        foreach (var name in request.Names ?? [])
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

        var all = kind == Entity.Lead && wanted.Count > 0 ? wanted : [.. store.Registry.Of(kind)];
        var vectors = new List<CachedVector>();
        if (kind == Entity.Lead)
        {
            foreach (var id in request.Ids)
            {
                vectors.Add(await GetFeatures.LeadAsync(store, id, wanted, request.Context ?? Registry.Request.NoParameters, ct));
            }
        }
        else
        {
            vectors.AddRange(await store.GetAsync(kind, request.Ids, ct));
        }

        return TypedResults.Ok(new Response([.. vectors.Select((vector, place) => new GetFeatures.FeatureVector(
            entity, request.Ids[place], vector.Known, new DateTimeOffset(vector.At, TimeSpan.Zero),
            all.Zip(vector.Values).Where(pair => wanted.Count == 0 || wanted.Contains(pair.First, ReferenceEqualityComparer.Instance)).ToDictionary(pair => pair.First.Id.Name, pair => pair.Second.Plain)))]));
    }
}
