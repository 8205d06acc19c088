using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.Features.Facts;

/// <summary>
/// Which ids belonged to one person at a time, as it was known then: a user, and the visitors that had turned out to be that user. Facts keep the
/// id that they came with, so a link joins histories and a split parts them by what is read, and neither changes a row.
/// </summary>
internal sealed class PersonLinks
{
    private readonly Dictionary<string, List<Link>> byVisitor = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Link>> byUser = new(StringComparer.Ordinal);

    private PersonLinks(IReadOnlyList<Link> links)
    {
        Spans = [.. links.Select(link => new PersonSpan(link.Visitor, link.User, link.From, link.To))];
        foreach (var link in links)
        {
            ListOf(byVisitor, link.Visitor).Add(link);
            ListOf(byUser, link.User).Add(link);
        }
    }

    /// <summary>Nobody is anybody else.</summary>
    public static PersonLinks None { get; } = new([]);

    /// <summary>Every link with the time in which it held, the earliest first.</summary>
    public IReadOnlyList<PersonSpan> Spans { get; }

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => byVisitor.Count == 0;

    /// <summary>Links that concern some ids, or all, as far as the log told them up to a position.</summary>
    public static async Task<PersonLinks> ReadAsync(NpgsqlDataSource database, IReadOnlyCollection<string>? ids, long upTo, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Sql(ids is not null), connection);
        command.Parameters.Add(new NpgsqlParameter { Value = upTo });
        if (ids is not null)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = ids.ToArray() });
        }

        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await ReadAsync(row, ct);
    }

    /// <summary>The query for links: the last place in the log that counts is its first parameter, the ids that they concern are its second.</summary>
    /// <param name="ofSome">Whether only some ids are asked for.</param>
    public static string Sql(bool ofSome) =>
        // Two steps: the users whom the ids may be, then every visitor of those.
        $"""
        select anonymous_id, user_id, linked_from, case when split_position <= $1 then split_from end from features.person_links
        where linked_position <= $1 {(ofSome ? "and user_id in (select user_id from features.person_links where anonymous_id = any($2) union all select unnest($2))" : "")}
        order by linked_from, linked_position
        """;

    /// <summary>What <see cref="Sql"/> found.</summary>
    public static async Task<PersonLinks> ReadAsync(NpgsqlDataReader row, CancellationToken ct)
    {
        var links = new List<Link>();
        while (await row.ReadAsync(ct))
        {
            links.Add(new Link(row.GetString(0), row.GetString(1), row.GetDateTime(2).Ticks, row.IsDBNull(3) ? long.MaxValue : row.GetDateTime(3).Ticks));
        }

        return links.Count == 0 ? None : new PersonLinks(links);
    }

    /// <summary>Writes down what events say of links; the order in which they are told does not matter.</summary>
    public static async Task AddAsync(IEnumerable<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        foreach (var kind in events.GroupBy(e => e.Type))
        {
            // Of an erased person nothing is left to link.
            var told = kind.Select(e => (Event: e, Body: e.Read<Body>())).Where(e => e.Body is { AnonymousId: not null, UserId: not null }).DistinctBy(e => e.Body.LinkId).ToArray();
            var side = kind.Key == EventTypes.PersonLinked ? "linked" : "split";
            await using var command = new NpgsqlCommand($"""
                insert into features.person_links as l (id, anonymous_id, user_id, {side}_from, {side}_position) select * from unnest($1, $2, $3, $4, $5)
                on conflict (id) do update set {side}_from = excluded.{side}_from, {side}_position = excluded.{side}_position where l.{side}_position is null
                """, transaction.Connection, transaction);
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, e => e.Body.LinkId) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, e => e.Body.AnonymousId!) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, e => e.Body.UserId!) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, e => (e.Event.OccurredAt > e.Event.KnownAt ? e.Event.OccurredAt : e.Event.KnownAt).UtcDateTime), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, e => e.Event.Position) });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>The user that a visitor was at a time (UTC ticks), as it was known then; the id itself for anybody else.</summary>
    public string PersonOf(string id, long at)
    {
        if (byVisitor.TryGetValue(id, out var links))
        {
            // The latest, should two hold.
            for (var i = links.Count - 1; i >= 0; i--)
            {
                if (links[i].Holds(at))
                {
                    return links[i].User;
                }
            }
        }

        return id;
    }

    /// <summary>All ids of the person whom an id stood for at a time (UTC ticks): first the person's own, then the visitors'.</summary>
    public IReadOnlyList<string> IdsOf(string id, long at)
    {
        if (IsEmpty)
        {
            return [id];
        }

        var person = PersonOf(id, at);
        return byUser.TryGetValue(person, out var links)
            ? [person, .. links.Where(link => link.Holds(at) && PersonOf(link.Visitor, at) == person).Select(link => link.Visitor).Distinct().Order(StringComparer.Ordinal)]
            : [person];
    }

    /// <summary>Every id that is or was linked.</summary>
    public IEnumerable<string> All => byVisitor.Keys.Concat(byUser.Keys);

    private static List<Link> ListOf(Dictionary<string, List<Link>> lists, string id) => lists.TryGetValue(id, out var list) ? list : lists[id] = [];

    private sealed record Link(string Visitor, string User, long From, long To)
    {
        public bool Holds(long at) => From <= at && at < To;
    }

    private sealed record Body(Guid LinkId, string? AnonymousId, string? UserId);
}
