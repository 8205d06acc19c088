using Dapper;
using Npgsql;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;
using Types = OKLA.Shared.Contracts.EventTypes;

namespace OKLA.Tracking.Identity;

/// <summary>
/// Links visitors to users on the evidence of events that name both, tells so in the log, and keeps the links' table. The table is a
/// projection: read again from zero, the same events give the same links, and telling of them again changes nothing.
/// </summary>
internal sealed class IdentitySubscription(EventLog log, KnownPeople people) : Subscription
{
    /// <summary>More events than this in one batch, and everybody is forgotten at once.</summary>
    private const int ForgetAllAbove = 500;

    public override string Name => "tracking.identity";

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var connection = transaction.Connection!;
        // Most visitors are nobody yet, which is seen without reading the JSON.
        var read = events.Select(e => (Event: e, Body: IsBehaviour(e.StreamId) && e.Data.Span.IndexOf("\"userId\""u8) >= 0 ? e.Read<Body>() : null)).ToList();
        await LinkAsync(read.Select(e => Evidence(e.Event, e.Body)).OfType<Step>(), transaction, ct);
        var users = read.Where(e => e.Body?.UserId is not null).GroupBy(e => e.Body!.UserId!).ToDictionary(user => user.Key, user => user.Min(e => e.Event.OccurredAt));
        if (users.Count > 0)
        {
            await connection.ExecuteAsync(new CommandDefinition("""
                insert into tracking.users as u (user_id, first_at) select * from unnest(@ids, @times)
                on conflict (user_id) do update set first_at = excluded.first_at where u.first_at > excluded.first_at
                """,
                new { ids = users.Keys.ToArray(), times = users.Values.Select(at => at.UtcDateTime).ToArray() }, cancellationToken: ct));
        }
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct) =>
        await transaction.Connection!.ExecuteAsync(new CommandDefinition("truncate tracking.identity_links, tracking.users", cancellationToken: ct));

    /// <summary>Whom the events concern may be somebody else from now on.</summary>
    public override async Task CommittedAsync(IReadOnlyList<RecordedEvent> events, CancellationToken ct)
    {
        if (events.Count > ForgetAllAbove || events.Any(e => e.Type == Types.PersonErased))
        {
            await people.ForgetAllAsync(ct);
            return;
        }

        var (ids, users) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var e in events.Where(e => e.Type is Types.PersonLinked or Types.PersonSplit || (IsBehaviour(e.StreamId) && e.Data.Span.IndexOf("\"userId\""u8) >= 0)))
        {
            var (visitor, user) = e.Read<Body>();
            ids.UnionWith(new[] { visitor, user }.OfType<string>());
            if (visitor is not null && user is not null)
            {
                users.Add(user);
            }
        }

        if (ids.Count > 0)
        {
            await people.ForgetAsync(ids, users, ct);
        }
    }

    /// <summary>Takes the steps in the order of the log, as they were taken when they were new.</summary>
    private async Task LinkAsync(IEnumerable<Step> evidence, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var steps = evidence.ToList();
        if (steps.Count == 0)
        {
            return;
        }

        var connection = transaction.Connection!;
        await IdentityLinks.LockAsync(transaction, ct);
        var links = (await IdentityLinks.OfVisitorsAsync(connection, [.. steps.Select(step => step.Visitor).Distinct()], ct)).GroupBy(link => link.AnonymousId)
            .ToDictionary(visitor => visitor.Key, visitor => visitor.ToList(), StringComparer.Ordinal);
        var (made, proved, ended) = (new List<IdentityLink>(), new List<StreamEvent>(), new List<(PersonSplit Split, DateTimeOffset At)>());
        foreach (var step in steps)
        {
            var ofVisitor = links.TryGetValue(step.Visitor, out var found) ? found : links[step.Visitor] = [];
            switch (step)
            {
                case { Split: { } split }:
                    if (ofVisitor.FindIndex(link => link.Id == split.LinkId && link.SplitAt is null) is >= 0 and var place)
                    {
                        ofVisitor[place] = ofVisitor[place] with { SplitAt = step.At };
                        ended.Add((split, step.At));
                    }

                    break;
                case { Linked: { } told } when ofVisitor.All(link => link.Id != told.LinkId):
                    Add(new IdentityLink(told.LinkId, told.AnonymousId, told.UserId, step.At, told.By));
                    break;
                case { Linked: null } when ofVisitor.All(link => link.SplitAt is not null && link.UserId != step.User):
                    var link = Add(new IdentityLink(IdentityLinks.FirstLinkOf(step.Visitor, step.User), step.Visitor, step.User, step.At, IdentityLinks.SignIn));
                    // Known since its evidence is, so that a history that was brought in has its links where they belong.
                    proved.Add(new StreamEvent(IdentityLinks.StreamOf(link.AnonymousId), IdentityLinks.Linked(link) with { KnownAt = step.KnownAt }));
                    break;
            }

            IdentityLink Add(IdentityLink link)
            {
                ofVisitor.Add(link);
                made.Add(link);
                return link;
            }
        }

        // Ended ones first, so that no visitor has two links that hold at once; those made here and ended here come in as they now are.
        foreach (var (split, at) in ended.Where(end => made.All(link => link.Id != end.Split.LinkId)))
        {
            await IdentityLinks.EndAsync(connection, split, at, ct);
        }

        var brief = made.Where(link => ended.Any(end => end.Split.LinkId == link.Id)).ToList();
        foreach (var link in brief)
        {
            await IdentityLinks.AddAsync(connection, [link], ct);
            var (split, at) = ended.First(end => end.Split.LinkId == link.Id);
            await IdentityLinks.EndAsync(connection, split, at, ct);
        }

        await IdentityLinks.AddAsync(connection, [.. made.Except(brief)], ct);

        if (proved.Count > 0)
        {
            await log.AppendAsync(transaction, proved, ct);
        }
    }

    /// <summary>What an event says about who is who; null for nothing.</summary>
    private static Step? Evidence(RecordedEvent e, Body? body)
    {
        switch (e.Type)
        {
            // Of an erased person nothing is left to link.
            case Types.PersonLinked:
                return e.Read<PersonLinked>() is { AnonymousId: not null } linked ? new Step(e.OccurredAt, e.KnownAt, linked.AnonymousId, linked.UserId, linked, null) : null;
            case Types.PersonSplit:
                return e.Read<PersonSplit>() is { AnonymousId: not null } split ? new Step(e.OccurredAt, e.KnownAt, split.AnonymousId, split.UserId, null, split) : null;
            default:
                return body is { AnonymousId: { } visitor, UserId: { } user } ? new Step(e.OccurredAt, e.KnownAt, visitor, user, null, null) : null;
        }
    }

    /// <summary>Whether a stream is of what somebody did.</summary>
    private static bool IsBehaviour(string stream) => stream.StartsWith("visitor-", StringComparison.Ordinal) || stream.StartsWith("user-", StringComparison.Ordinal);

    private sealed record Body(string? AnonymousId, string? UserId);

    private sealed record Step(DateTimeOffset At, DateTimeOffset KnownAt, string Visitor, string User, PersonLinked? Linked, PersonSplit? Split);
}
