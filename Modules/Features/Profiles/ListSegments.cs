using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Features.Facts;
using OKLA.Features.Online;
using OKLA.Features.Registry;
using OKLA.Shared.Web;

namespace OKLA.Features.Profiles;

/// <summary>
/// GET /api/features/segments: the rules with their sizes over time; /{name}/members: who is in one;
/// GET /api/users/{id}/look-alikes: people with the same tastes.
/// </summary>
internal static class ListSegments
{
    /// <summary>The segments.</summary>
    /// <param name="Segments">In the order in which their rules are tried.</param>
    public sealed record Response(IReadOnlyList<SegmentSize> Segments);

    /// <summary>A segment.</summary>
    /// <param name="Name">Chosen name.</param>
    /// <param name="Label">Name for people.</param>
    /// <param name="Rule">The rule in words.</param>
    /// <param name="Members">People whose main segment it was at the last count.</param>
    /// <param name="History">Its size at each count, oldest first, at most the last ninety.</param>
    public sealed record SegmentSize(string Name, string Label, string Rule, long Members, IReadOnlyList<Count> History);

    /// <summary>A size on a day.</summary>
    /// <param name="Day">Day of the count in Santo Domingo.</param>
    /// <param name="Members">People.</param>
    /// <param name="Joined">People who were in another segment, or in none, at the count before.</param>
    public sealed record Count(DateOnly Day, long Members, long Joined);

    /// <summary>People who like the same.</summary>
    /// <param name="UserId">Whom they are like.</param>
    /// <param name="People">Most alike first.</param>
    public sealed record LookAlikes(string UserId, IReadOnlyList<LookAlike> People);

    /// <summary>A person and how alike she is.</summary>
    /// <param name="UserId">The person.</param>
    /// <param name="Similarity">Mean cosine of the shares of makes, body types and models; 0 to 1.</param>
    public sealed record LookAlike(string UserId, double Similarity);

    public static void Map(IEndpointRouteBuilder features, IEndpointRouteBuilder users)
    {
        features.MapGet("/segments", ListAsync).WithName("ListSegments").RequireAuthorization(Policies.FeaturesRead);
        features.MapGet("/segments/{name}/members", MembersAsync).WithName("ListSegmentMembers").RequireAuthorization(Policies.FeaturesRead);
        users.MapGet("/{id}/look-alikes", AlikeAsync).WithName("FindLookAlikes").RequireAuthorization(Policies.FeaturesRead);
    }

    internal static async Task<Ok<Response>> ListAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        var counts = new Dictionary<string, List<Count>>();
        await using var command = database.CreateCommand("select segment, day, members, joined from features.segment_sizes order by day desc limit 900");
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var history = counts.TryGetValue(reader.GetString(0), out var known) ? known : counts[reader.GetString(0)] = [];
            history.Insert(0, new Count(reader.GetFieldValue<DateOnly>(1), reader.GetInt64(2), reader.GetInt64(3)));
        }

        return TypedResults.Ok(new Response([.. Segments.All.Select(segment => counts.GetValueOrDefault(segment.Name, []) is var history
            ? new SegmentSize(segment.Name, segment.Label, segment.Rule, history.Count == 0 ? 0 : history[^1].Members, [.. history.TakeLast(90)]) : null!)]));
    }

    internal static async Task<Results<Ok<Page<string>>, ValidationProblem, ProblemHttpResult>> MembersAsync([MaxLength(50)] string name, [AsParameters] PageRequest page, NpgsqlDataSource database, CancellationToken ct)
    {
        if (Segments.All.All(segment => segment.Name != name))
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "Not Found", detail: $"There is no segment {name}.");
        }

        if (!page.TryKey<string>(out var after))
        {
            return Problems.Invalid("cursor", "It is not one of ours.");
        }

        await using var command = database.CreateCommand("select person_id from features.person_segments where segment = $1 and person_id > $2 order by person_id limit $3");
        command.Parameters.Add(new NpgsqlParameter { Value = name });
        command.Parameters.Add(new NpgsqlParameter { Value = after ?? "" });
        command.Parameters.Add(new NpgsqlParameter { Value = page.Rows });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var people = new List<string>();
        while (await reader.ReadAsync(ct))
        {
            people.Add(reader.GetString(0));
        }

        return TypedResults.Ok(people.ToPage(page, person => person));
    }

    internal static async Task<Ok<LookAlikes>> AlikeAsync(
        [MaxLength(200)] string id, OnlineStore store, NpgsqlDataSource database, CancellationToken ct, [Range(1, 100)] int limit = 10)
    {
        string[] kinds = ["make_shares", "body_shares", "model_shares"];
        var features = store.Registry.Of(Entity.User).ToList();
        var places = Array.ConvertAll(kinds, kind => features.FindIndex(feature => feature.Id.Name == kind));
        var own = await store.GetAsync(Entity.User, id, ct);
        var now = own.At;

        // Candidates: those who looked at what the person looked at, the most recent first; the cosine decides among them.
        var links = await PersonLinks.ReadAsync(database, [id], long.MaxValue, ct);
        await using var command = database.CreateCommand("""
            select person_id from features.facts
            where item_id in (select item_id from features.facts where person_id = any($1) and item_id is not null order by occurred_at desc limit 50)
                and person_id <> all($1) and type = 'item_viewed'
            group by person_id order by count(distinct item_id) desc, person_id limit 500
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = links.IdsOf(id, now).ToArray() });
        var candidates = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                candidates.Add(reader.GetString(0));
            }
        }

        var others = await PersonLinks.ReadAsync(database, candidates, long.MaxValue, ct);
        candidates = [.. candidates.Select(candidate => others.PersonOf(candidate, now)).Distinct()];
        var vectors = candidates.Count == 0 ? [] : await store.GetAsync(Entity.User, candidates, ct);
        return TypedResults.Ok(new LookAlikes(id, [.. candidates
            .Select((person, n) => new LookAlike(person, Math.Round(places.Average(place => own.Values[place].Shares is { } mine && vectors[n].Values[place].Shares is { } theirs ? mine.Cosine(theirs) : 0), 6)))
            .OrderByDescending(alike => alike.Similarity).ThenBy(alike => alike.UserId, StringComparer.Ordinal).Take(limit)]));
    }
}
