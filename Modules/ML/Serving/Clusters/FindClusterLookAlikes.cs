using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Clusters;

/// <summary>
/// GET /api/ml/clusters/look-alikes?userId= or ?cluster=: who is nearest in the learned space to a person, or to the middle of a kind without being of it. Exact: the
/// distance to everybody counted by the serving version.
/// </summary>
internal static class FindClusterLookAlikes
{
    /// <summary>Who is alike.</summary>
    /// <param name="ModelVersion">Version whose space it is.</param>
    /// <param name="CountedAt">When the others were last put in it (UTC); null before the first time.</param>
    /// <param name="People">The nearest first.</param>
    public sealed record Response(int ModelVersion, DateTimeOffset? CountedAt, IReadOnlyList<LookAlike> People);

    /// <summary>Somebody near.</summary>
    /// <param name="UserId">The person.</param>
    /// <param name="Distance">Euclidean distance of standardised tastes: 1 is one standard deviation of one taste.</param>
    /// <param name="Cluster">Number of the person's own kind.</param>
    public sealed record LookAlike(string UserId, double Distance, int Cluster);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/ml/clusters/look-alikes", HandleAsync).WithName("FindClusterLookAlikes")
        .WithSummary("Find the people who are nearest in the learned space to a person, or to a learned kind without being of it");

    internal static async Task<Results<Ok<Response>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        ServedModels served, IMessageBus bus, NpgsqlDataSource database, TimeProvider clock, CancellationToken ct,
        [MaxLength(200)] string? userId = null, [Range(0, 1_000)] int? cluster = null, [Range(1, 500)] int limit = 20)
    {
        if (string.IsNullOrEmpty(userId) == cluster is null)
        {
            return Problems.Invalid("userId", "Name either a person by userId or a kind by cluster.");
        }

        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return ListClusters.NotYet;
        }

        if (cluster >= model.Clusters.Count)
        {
            return ListClusters.NoSuch(cluster.Value, model);
        }

        double[] place;
        string[] own = [];
        if (cluster is { } number)
        {
            place = [.. model.CentreOf(number)];
        }
        else if ((await FindClustersHandler.TastesAsync([userId!], bus, clock.GetUtcNow(), ct))[0] is { } tastes)
        {
            var person = await bus.InvokeAsync<Person>(new FindPerson(userId!), ct);
            (place, own) = (model.PlaceOf(tastes), [userId!, person.Id, .. person.AnonymousIds]);
        }
        else
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"Too little is known of {userId}: fewer than five views of priced vehicles within 90 days.");
        }

        var distance = string.Join(" + ", place.Select((_, d) => string.Create(CultureInfo.InvariantCulture, $"(place[{d + 1}] - @p{d}) ^ 2")));
        var asked = new DynamicParameters(new { by.Version, own, cluster, limit });
        for (var d = 0; d < place.Length; d++)
        {
            asked.Add(string.Create(CultureInfo.InvariantCulture, $"p{d}"), place[d]);
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var rows = (await connection.QueryAsync<(string Person, double Square, int Cluster, DateTime At)>(new CommandDefinition($"""
            select person_id, {distance} as square, cluster, counted_at from ml.cluster_members
            where model_version = @Version and person_id <> all(@own) and (@cluster::int is null or cluster <> @cluster)
            order by square, person_id limit @limit
            """, asked, cancellationToken: ct))).AsList();
        return TypedResults.Ok(new Response(
            by.Version, rows.Count == 0 ? null : new DateTimeOffset(rows[0].At, TimeSpan.Zero), [.. rows.Select(row => new LookAlike(row.Person, Math.Round(Math.Sqrt(row.Square), 6), row.Cluster))]));
    }
}
