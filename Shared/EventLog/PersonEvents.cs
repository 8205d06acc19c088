using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>What an erasure found.</summary>
/// <param name="Identities">The person's id and the anonymous ids that were nobody else's.</param>
/// <param name="Own">Events of the person, of which type, time and item are left.</param>
/// <param name="Mentions">Events of others that named the person, of which the name is gone.</param>
public sealed record ErasedEvents(IReadOnlyList<string> Identities, int Own, int Mentions);

/// <summary>
/// A person in the log and in the files of its archive: everything of hers, and its erasure. Both look at every event, as no index by
/// person is kept for what is asked so seldom.
/// </summary>
public sealed class PersonEvents(NpgsqlDataSource database, Archive archive, Upcasts? upcasts = null)
{
    // An event is hers by its user; or by an anonymous id of hers, when no other user used it in that event.
    private const string IsHers = "(data->>'userId' = $1 or (data->>'anonymousId' = any($2) and coalesce(data->>'userId', $1) = any($2 || $1::text)))";

    /// <summary>The person's events in the order of the log, of every anonymous id that was hers alone too.</summary>
    public async IAsyncEnumerable<RecordedEvent> ReadAsync(string personId, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var identities = await IdentitiesAsync(connection, personId, ct);
        var archived = new Queue<RecordedEvent>(await archive.OfPersonAsync(connection, personId, identities, ct));
        await using var command = new NpgsqlCommand(
            $"select seq_id, id, stream_id, version, type, schema_version, data, occurred_at, timestamp from events.mt_events where {IsHers} order by seq_id", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = personId });
        command.Parameters.Add(new NpgsqlParameter { Value = identities });
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var next = EventLog.Read(reader);
            while (archived.TryPeek(out var older) && older.Position <= next.Position)
            {
                archived.Dequeue();
                // A loaded event is in both.
                if (older.Position < next.Position)
                {
                    yield return (upcasts ?? Upcasts.None).Apply(older);
                }
            }

            yield return (upcasts ?? Upcasts.None).Apply(next);
        }

        foreach (var older in archived)
        {
            yield return (upcasts ?? Upcasts.None).Apply(older);
        }
    }

    /// <summary>
    /// Takes a person out of the log and its archive within the caller's transaction. Her events keep type, time and item, so that
    /// counts stay right; her streams lose their name; what others' events say of her becomes <c>erased</c>. Appends wait only for
    /// the last step. After the commit <see cref="Archive.SweepAsync(CancellationToken)"/> deletes the files that were replaced.
    /// </summary>
    public async Task<ErasedEvents> EraseAsync(NpgsqlTransaction transaction, string personId, CancellationToken ct = default)
    {
        var connection = transaction.Connection!;
        await Archive.HoldAsync(connection, ct);
        var identities = await IdentitiesAsync(connection, personId, ct);
        var streams = identities.SelectMany(identity => new[] { $"user-{identity}", $"visitor-{identity}", $"identity-{identity}" })
            .ToDictionary(stream => stream, _ => $"erased-{Guid.NewGuid():N}");
        var archived = await archive.EraseAsync(transaction, personId, identities, streams, ct);
        var mark = await connection.ExecuteScalarAsync<long>(new CommandDefinition("select coalesce(max(seq_id), 0) from events.mt_events", cancellationToken: ct));
        var found = await FindAsync(connection, personId, identities, 0, mark, ct);
        await EventLog.LockAsync(connection, ct);
        found.AddRange(await FindAsync(connection, personId, identities, mark, long.MaxValue, ct));

        var own = found.Where(row => row.Hers).Select(row => row.Position).ToArray();
        var mentions = found.Where(row => !row.Hers).Select(row => row.Position).ToArray();
        await connection.ExecuteAsync(new CommandDefinition(
            "update events.mt_events set data = jsonb_strip_nulls(jsonb_build_object('itemId', data->'itemId', 'erased', true)) where seq_id = any(@own)", new { own }, cancellationToken: ct));
        foreach (var identity in identities)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                "update events.mt_events set data = replace(data::text, to_json(@identity)::text, '\"erased\"')::jsonb where seq_id = any(@mentions)", new { identity, mentions }, cancellationToken: ct));
        }

        foreach (var (stream, name) in streams)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into events.mt_streams (id, type, version, timestamp, created, tenant_id, is_archived)
                select @name, type, version, timestamp, created, tenant_id, is_archived from events.mt_streams where id = @stream;
                update events.mt_events set stream_id = @name where stream_id = @stream;
                delete from events.mt_streams where id = @stream;
                """,
                new { stream, name }, cancellationToken: ct));
        }

        return new ErasedEvents(identities, own.Length + archived.Own, mentions.Length + archived.Mentions);
    }

    /// <summary>The person's id and the anonymous ids that came with it and with no other user's, in the log or in files.</summary>
    private async Task<string[]> IdentitiesAsync(NpgsqlConnection connection, string personId, CancellationToken ct)
    {
        var hers = await archive.AnonymousIdsOfAsync(connection, personId, ct);
        hers.UnionWith(await connection.QueryAsync<string>(new CommandDefinition(
            "select distinct data->>'anonymousId' from events.mt_events where data->>'userId' = @personId and data->>'anonymousId' <> @personId", new { personId }, cancellationToken: ct)));
        hers.ExceptWith(await archive.SharedWithOthersAsync(connection, hers, personId, ct));
        hers.ExceptWith(await connection.QueryAsync<string>(new CommandDefinition(
            "select distinct data->>'anonymousId' from events.mt_events where data->>'anonymousId' = any(@ids) and data->>'userId' <> @personId",
            new { ids = hers.ToArray(), personId }, cancellationToken: ct)));
        return [personId, .. hers];
    }

    private static async Task<List<(long Position, bool Hers)>> FindAsync(
        NpgsqlConnection connection, string personId, string[] identities, long after, long upTo, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select seq_id, coalesce({IsHers}, false) from events.mt_events
            where seq_id > $3 and seq_id <= $4 and exists (select 1 from unnest($2) as identity where position(to_json(identity)::text in data::text) > 0)
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = personId });
        command.Parameters.Add(new NpgsqlParameter { Value = identities });
        command.Parameters.Add(new NpgsqlParameter { Value = after });
        command.Parameters.Add(new NpgsqlParameter { Value = upTo });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<(long, bool)>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add((reader.GetInt64(0), reader.GetBoolean(1)));
        }

        return rows;
    }
}
