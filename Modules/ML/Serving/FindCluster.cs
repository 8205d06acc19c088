using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;

namespace OKLA.ML.Serving;

/// <summary>Answers <see cref="FindClusters"/>: the learned kind of each person, by the serving version.</summary>
internal sealed class FindClustersHandler(ServedModels served, IMessageBus bus, TimeProvider clock)
{
    public async Task<IReadOnlyList<LearnedCluster?>> Handle(FindClusters query, CancellationToken ct)
    {
        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return new LearnedCluster?[query.UserIds.Count];
        }

        var now = clock.GetUtcNow();
        var known = await bus.InvokeAsync<IReadOnlyList<object?[]>>(new ReadFeatures([.. query.UserIds.Select(id => new SpineRow(now, null, UserId: id))], UserClusters.Features), ct);
        return [.. known.Select(values => UserClusters.Tastes(values) is { } tastes ? Of(model, by.Version, tastes) : null)];
    }

    private static LearnedCluster Of(UserClusters model, int version, double[] tastes)
    {
        var fits = model.Fits(tastes);
        var cluster = model.Clusters[Array.IndexOf(fits, fits.Max())];
        return new LearnedCluster(cluster.Number, cluster.Name, cluster.Traits, Math.Round(fits[cluster.Number], 4), cluster.Share, version);
    }
}

/// <summary>GET /api/ml/clusters: the learned kinds of people with their names, traits and sizes.</summary>
internal static class ListClusters
{
    /// <summary>The kinds.</summary>
    /// <param name="ModelVersion">Version that found them.</param>
    /// <param name="Clusters">The largest first.</param>
    public sealed record Response(int ModelVersion, IReadOnlyList<UserClusters.Cluster> Clusters);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/ml/clusters", HandleAsync).WithName("ListClusters").WithSummary("List the learned kinds of people with their names, traits and sizes");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(ServedModels served) =>
        await served.BestAsync(ModelNames.UserSegmenter) is { Answers: UserSegmenter.Served { Model: var model } } by
            ? TypedResults.Ok(new Response(by.Version, model.Clusters))
            : TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No version of the model of kinds of people serves yet.");
}
