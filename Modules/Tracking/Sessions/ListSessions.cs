using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.Messaging;
using OKLA.Shared.Web;

namespace OKLA.Tracking.Sessions;

/// <summary>GET /api/people/{id}/sessions: the visits of a person, of all the visitors that turned out to be them as one list, newest first.</summary>
internal static class ListSessions
{
    /// <summary>Visits looked at to join those of several streams.</summary>
    private const int MaxJoined = 10_000;

    /// <summary>A visit.</summary>
    /// <param name="Id">Its identity; of one that went on over several devices, that of its beginning.</param>
    /// <param name="StartedAt">Time of its first event (UTC).</param>
    /// <param name="Seconds">From the first event to the last.</param>
    /// <param name="Events">Number of events.</param>
    /// <param name="Pages">Pages opened.</param>
    /// <param name="Actions">Searches, favourites, contacts and the like.</param>
    /// <param name="Items">Looks at items.</param>
    /// <param name="EntryPage">First page.</param>
    /// <param name="ExitPage">Last page.</param>
    /// <param name="Referrer">Where the visitor came from.</param>
    /// <param name="Utm">Campaign words, by name without <c>utm_</c>.</param>
    /// <param name="Device">mobile, tablet or desktop.</param>
    /// <param name="IsBounce">Whether the visitor left at once.</param>
    /// <param name="IsBot">Whether a program came.</param>
    public sealed record Answer(
        Guid Id, DateTimeOffset StartedAt, double Seconds, int Events, int Pages, int Actions, int Items, string? EntryPage, string? ExitPage, string? Referrer,
        IReadOnlyDictionary<string, string>? Utm, string? Device, bool IsBounce, bool IsBot);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/people/{id}/sessions", HandleAsync)
        .WithTags("People").WithSummary("The visits of a person").RequireAuthorization(Policies.FeaturesRead);

    internal static async Task<Results<Ok<IReadOnlyList<Answer>>, NotFound>> HandleAsync(
        [MaxLength(200)] string id, IMessageBus bus, NpgsqlDataSource database, CancellationToken ct, [Range(1, 1_000)] int limit = 50)
    {
        if (id.Contains('\0'))
        {
            return TypedResults.NotFound();
        }

        return TypedResults.Ok(await OfAsync(await bus.InvokeAsync<Person>(new FindPerson(id), ct), database, limit, ct));
    }

    /// <summary>The newest visits of a person.</summary>
    internal static async Task<IReadOnlyList<Answer>> OfAsync(Person person, NpgsqlDataSource database, int limit, CancellationToken ct)
    {
        var visitors = person.IsUser ? person.AnonymousIds : [person.Id];
        string[] actors = [BehaviourEvent.StreamOf(null, person.Id), .. visitors.Select(visitor => BehaviourEvent.StreamOf(visitor, null))];
        await using var command = database.CreateCommand($"select {SessionRows.Columns} from tracking.sessions where actor = any($1) order by started_at desc limit $2");
        command.Parameters.Add(new() { Value = actors });
        command.Parameters.Add(new() { Value = actors.Length == 1 ? limit : MaxJoined });
        await using var row = await command.ExecuteReaderAsync(ct);
        var found = new List<Session>();
        var ids = new Dictionary<DateTimeOffset, Guid>();
        while (await row.ReadAsync(ct))
        {
            found.Add(SessionRows.Read(row));
            ids[found[^1].StartedAt] = row.GetGuid(0);
        }

        var visits = actors.Length == 1 ? found : Session.Join(found).TakeLast(limit).Reverse();
        return [.. visits.Select(s => new Answer(
            ids[s.StartedAt], s.StartedAt, (s.LastAt - s.StartedAt).TotalSeconds, s.Events, s.Pages, s.Actions, s.Items, s.EntryPage, s.ExitPage, s.Referrer, s.Utm, s.Device, s.IsBounce, s.IsBot))];
    }
}
