using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.ML.Models;
using OKLA.Shared.Contracts;
using OKLA.Shared.Web;

namespace OKLA.ML.Serving.Clusters;

/// <summary>
/// GET /api/ml/clusters: the learned kinds of people with their names, traits, sizes over time and drift; /{number}/members: who is in one.
/// </summary>
internal static class ListClusters
{
    /// <summary>The kinds.</summary>
    /// <param name="ModelVersion">Version that found them.</param>
    /// <param name="CountedAt">When people were last counted by it (UTC); null before the first time.</param>
    /// <param name="Clusters">The largest of those learned from first.</param>
    /// <param name="Drift">How the shares moved at each count of any version, oldest first, at most the last ninety.</param>
    public sealed record Response(int ModelVersion, DateTimeOffset? CountedAt, IReadOnlyList<ClusterSize> Clusters, IReadOnlyList<Drift> Drift);

    /// <summary>A kind.</summary>
    /// <param name="Number">Number in its version.</param>
    /// <param name="Name">What tells it from the others, in Spanish.</param>
    /// <param name="Traits">The same in more words, the clearest trait first.</param>
    /// <param name="Share">Share of the people learned from.</param>
    /// <param name="Members">People in it at the last count.</param>
    /// <param name="Follows">Number, in the version before, of the kind that most of its first members came from; null without one.</param>
    /// <param name="History">Its size at each count of this version, oldest first, at most the last ninety.</param>
    public sealed record ClusterSize(int Number, string Name, IReadOnlyList<string> Traits, double Share, long Members, int? Follows, IReadOnlyList<ClusterCount> History);

    /// <summary>A size on a day.</summary>
    /// <param name="Day">Day of the count in Santo Domingo.</param>
    /// <param name="Members">People.</param>
    /// <param name="Joined">People who were in another kind, or in none, at the count before.</param>
    public sealed record ClusterCount(DateOnly Day, long Members, long Joined);

    /// <summary>How far people have moved between kinds.</summary>
    /// <param name="Day">Day of the count in Santo Domingo.</param>
    /// <param name="ModelVersion">Version that served.</param>
    /// <param name="People">People in any kind.</param>
    /// <param name="FromTraining">Population stability index against the people learned from: below 0.1 steady, above 0.25 another population.</param>
    /// <param name="FromBefore">The same against the count before; null for the first and where that was another version's.</param>
    /// <param name="Agreement">At the first count of a version, how far it and the one before agree about the people whom both counted (adjusted Rand index, 1 when they are the same).</param>
    public sealed record Drift(DateOnly Day, int ModelVersion, long People, double FromTraining, double? FromBefore, double? Agreement);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/ml/clusters", HandleAsync).WithName("ListClusters").WithSummary("List the learned kinds of people with their names, traits, sizes over time and drift");
        routes.MapGet("/api/ml/clusters/{number:int}/members", MembersAsync).WithName("ListClusterMembers").WithSummary("List who was of a learned kind at the last count, page by page");
    }

    /// <summary>What is answered while no version serves.</summary>
    internal static ProblemHttpResult NotYet =>
        TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Service Unavailable", detail: "No version of the model of kinds of people serves yet.");

    /// <summary>What is answered about a kind that the serving version does not know.</summary>
    internal static ProblemHttpResult NoSuch(int number, UserClusters model) =>
        TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no kind {number}; they are numbered from 0 to {model.Clusters.Count - 1}.");

    internal static async Task<Results<Ok<Response>, ProblemHttpResult>> HandleAsync(ServedModels served, NpgsqlDataSource database, CancellationToken ct)
    {
        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return NotYet;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var sizes = (await connection.QueryAsync<SizeRow>(new CommandDefinition("""
            select day, cluster, members, joined, follows from ml.cluster_sizes
            where model_version = @Version and day > (select coalesce(max(day), '2000-01-01') from ml.cluster_sizes where model_version = @Version) - 90 order by day
            """, new { by.Version }, cancellationToken: ct))).ToLookup(row => row.Cluster);
        var counts = (await connection.QueryAsync<CountRow>(new CommandDefinition(
            "select day, model_version, people, from_training, from_before, agreement, counted_at from ml.cluster_counts order by day desc limit 90", cancellationToken: ct))).Reverse().ToList();
        return TypedResults.Ok(new Response(
            by.Version,
            counts.FindLast(count => count.ModelVersion == by.Version) is { } last ? new DateTimeOffset(last.CountedAt, TimeSpan.Zero) : null,
            [.. model.Clusters.Select(cluster => new ClusterSize(
                cluster.Number, cluster.Name, cluster.Traits, cluster.Share, sizes[cluster.Number].LastOrDefault()?.Members ?? 0, sizes[cluster.Number].FirstOrDefault(row => row.Follows is not null)?.Follows,
                [.. sizes[cluster.Number].Select(row => new ClusterCount(row.Day, row.Members, row.Joined))]))],
            [.. counts.Select(count => new Drift(count.Day, count.ModelVersion, count.People, count.FromTraining, count.FromBefore, count.Agreement))]));
    }

    internal static async Task<Results<Ok<Page<string>>, ValidationProblem, ProblemHttpResult>> MembersAsync(
        int number, [AsParameters] PageRequest page, ServedModels served, NpgsqlDataSource database, CancellationToken ct)
    {
        if (await served.BestAsync(ModelNames.UserSegmenter) is not { Answers: UserSegmenter.Served { Model: var model } } by)
        {
            return NotYet;
        }

        if (number < 0 || number >= model.Clusters.Count)
        {
            return NoSuch(number, model);
        }

        if (!page.TryKey<string>(out var after))
        {
            return Problems.Invalid("cursor", "It is not one of ours.");
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var people = (await connection.QueryAsync<string>(new CommandDefinition(
            "select person_id from ml.cluster_members where model_version = @Version and cluster = @number and person_id > @after order by person_id limit @Rows",
            new { by.Version, number, after = after ?? "", page.Rows }, cancellationToken: ct))).AsList();
        return TypedResults.Ok(people.ToPage(page, person => person));
    }

    private sealed record SizeRow(DateOnly Day, int Cluster, long Members, long Joined, int? Follows);

    private sealed record CountRow(DateOnly Day, int ModelVersion, long People, double FromTraining, double? FromBefore, double? Agreement, DateTime CountedAt);
}
