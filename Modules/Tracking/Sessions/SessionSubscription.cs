using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Sessions;

/// <summary>
/// Keeps the sessions of every actor (the stream of its events). Events in order extend the last session or begin the next; where one
/// comes late, the actor's sessions are folded again from the log, so that the order of arrival leaves no trace.
/// </summary>
internal sealed class SessionSubscription(EventLog log) : Subscription
{
    /// <summary>Latest events of an actor that a late one folds again; sessions before them stay as they are.</summary>
    internal const int Refolded = 20_000;

    public override string Name => "tracking.sessions";

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var actors = events.Where(e => IsActor(e.StreamId)).GroupBy(e => e.StreamId).ToDictionary(actor => actor.Key, actor => actor.ToList());
        if (actors.Count == 0)
        {
            return;
        }

        var last = await LastAsync([.. actors.Keys], transaction, ct);
        var rows = new List<(string Actor, Session Session)>();
        foreach (var (actor, here) in actors)
        {
            var visits = here.Select(VisitReader.Read).OrderBy(visit => visit.At).ThenBy(visit => visit.Position).ToList();
            var before = last.GetValueOrDefault(actor);
            var sessions = before is not null && visits[0].At < before.LastAt
                ? await RefoldAsync(actor, here[^1], transaction, ct)
                : Continue(before, visits);
            rows.AddRange(sessions.Select(session => (actor, session)));
        }

        await WriteAsync(rows, transaction, ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate tracking.sessions", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The id of the session of an actor that begins at a time.</summary>
    internal static Guid IdOf(string actor, DateTimeOffset startedAt) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{actor}\n{startedAt.UtcTicks}"))).AsSpan(0, 16));

    private static bool IsActor(string stream) => stream.StartsWith("visitor-", StringComparison.Ordinal) || stream.StartsWith("user-", StringComparison.Ordinal);

    private static List<Session> Continue(Session? before, IReadOnlyList<Visit> visits)
    {
        var sessions = before is null ? new List<Session>() : [before];
        foreach (var visit in visits)
        {
            if (sessions.Count > 0 && sessions[^1].Continues(visit))
            {
                sessions[^1] = sessions[^1].With(visit);
            }
            else
            {
                sessions.Add(Session.Of(visit));
            }
        }

        return sessions;
    }

    /// <summary>Folds the actor's latest events up to this batch again and takes away the sessions that they replace.</summary>
    private async Task<List<Session>> RefoldAsync(string actor, RecordedEvent newest, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var from = Math.Max(1, newest.Version - Refolded + 1);
        var visits = new List<Visit>();
        var isPart = from > 1;
        await foreach (var e in log.ReadStreamAsync(actor, from, ct))
        {
            if (e.Position > newest.Position)
            {
                break;
            }

            // What came before the first one may have left the log for the archive.
            isPart |= visits.Count == 0 && e.Version > 1;
            visits.Add(VisitReader.Read(e));
        }

        // The first session of a part may have begun before it; the only one there is stays all the same.
        var folded = Session.Fold(visits).ToList();
        var sessions = isPart && folded.Count > 1 ? folded[1..] : folded;
        await using var command = new NpgsqlCommand("delete from tracking.sessions where actor = $1 and started_at >= $2", transaction.Connection, transaction)
        {
            Parameters = { new() { Value = actor }, new() { Value = isPart ? sessions[0].StartedAt.UtcDateTime : DateTime.UnixEpoch } },
        };
        await command.ExecuteNonQueryAsync(ct);
        return sessions;
    }

    private static async Task<Dictionary<string, Session>> LastAsync(string[] actors, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            select s.* from unnest($1) as a (actor) cross join lateral (
                select {SessionRows.Columns} from tracking.sessions where actor = a.actor order by started_at desc limit 1) s
            """, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = actors } },
        };
        await using var row = await command.ExecuteReaderAsync(ct);
        var last = new Dictionary<string, Session>(StringComparer.Ordinal);
        while (await row.ReadAsync(ct))
        {
            last[row.GetString(1)] = SessionRows.Read(row);
        }

        return last;
    }

    private static async Task WriteAsync(IReadOnlyList<(string Actor, Session Session)> rows, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            insert into tracking.sessions ({SessionRows.Columns}) select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            on conflict (id) do update set last_at = excluded.last_at, events = excluded.events, pages = excluded.pages, actions = excluded.actions, items = excluded.items,
                entry_page = excluded.entry_page, exit_page = excluded.exit_page, referrer = excluded.referrer, utm = excluded.utm, device = excluded.device, is_bot = excluded.is_bot
            """, transaction.Connection, transaction);
        void Add<T>(NpgsqlDbType type, Func<(string Actor, Session Session), T> value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = rows.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });
        Add(NpgsqlDbType.Uuid, row => IdOf(row.Actor, row.Session.StartedAt));
        Add(NpgsqlDbType.Text, row => row.Actor);
        Add(NpgsqlDbType.TimestampTz, row => row.Session.StartedAt.UtcDateTime);
        Add(NpgsqlDbType.TimestampTz, row => row.Session.LastAt.UtcDateTime);
        Add(NpgsqlDbType.Integer, row => row.Session.Events);
        Add(NpgsqlDbType.Integer, row => row.Session.Pages);
        Add(NpgsqlDbType.Integer, row => row.Session.Actions);
        Add(NpgsqlDbType.Integer, row => row.Session.Items);
        Add(NpgsqlDbType.Text, row => row.Session.EntryPage);
        Add(NpgsqlDbType.Text, row => row.Session.ExitPage);
        Add(NpgsqlDbType.Text, row => row.Session.Referrer);
        Add(NpgsqlDbType.Jsonb, row => row.Session.Utm is { } utm ? JsonSerializer.Serialize(utm) : null);
        Add(NpgsqlDbType.Text, row => row.Session.Device);
        Add(NpgsqlDbType.Boolean, row => row.Session.IsBot);
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>How a session stands in <c>tracking.sessions</c>.</summary>
internal static class SessionRows
{
    /// <summary>Columns that <see cref="Read"/> wants, in order.</summary>
    public const string Columns = "id, actor, started_at, last_at, events, pages, actions, items, entry_page, exit_page, referrer, utm, device, is_bot";

    /// <summary>The session of a row.</summary>
    public static Session Read(NpgsqlDataReader row)
    {
        string? Text(int i) => row.IsDBNull(i) ? null : row.GetString(i);
        return new Session
        {
            StartedAt = row.GetFieldValue<DateTimeOffset>(2), LastAt = row.GetFieldValue<DateTimeOffset>(3),
            Events = row.GetInt32(4), Pages = row.GetInt32(5), Actions = row.GetInt32(6), Items = row.GetInt32(7),
            EntryPage = Text(8), ExitPage = Text(9), Referrer = Text(10),
            Utm = row.IsDBNull(11) ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(11)),
            Device = Text(12), IsBot = row.GetBoolean(13),
        };
    }
}
