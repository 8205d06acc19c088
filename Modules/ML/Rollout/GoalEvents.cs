using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using OKLA.Shared.Contracts;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Rollout;

/// <summary>Keeps the events that may be goals by person, so that outcomes can be joined to what was served; an erased person's rows go, here, from what was served and from the learned kinds; tables and files made of them wait for <see cref="Datasets.Erasures"/>.</summary>
internal sealed class GoalEvents(IOptions<MLOptions> options) : Subscription
{
    public override string Name => "ml.goals";

    public override IReadOnlyCollection<string> EventTypes { get; } = [.. options.Value.Rollout.Goals, Shared.Contracts.EventTypes.PersonErased];

    public override async Task HandleAsync(IReadOnlyList<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var waiting = new List<RecordedEvent>();
        foreach (var e in events)
        {
            if (e.Type != Shared.Contracts.EventTypes.PersonErased)
            {
                waiting.Add(e);
                continue;
            }

            await AddAsync(waiting, transaction, ct);
            waiting.Clear();
            await EraseAsync(e.Position, e.Read<PersonErased>(), e.KnownAt, transaction, ct);
        }

        await AddAsync(waiting, transaction, ct);
    }

    public override async Task ResetAsync(NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("truncate ml.goal_events", transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task AddAsync(List<RecordedEvent> events, NpgsqlTransaction transaction, CancellationToken ct)
    {
        var told = events.Select(e => (Event: e, Body: e.Read<BehaviourEvent>())).Where(pair => pair.Body.AnonymousId is not null || pair.Body.UserId is not null).ToArray();
        if (told.Length == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand("""
            insert into ml.goal_events (position, type, anonymous_id, user_id, item_id, at) select * from unnest($1, $2, $3, $4, $5, $6) on conflict do nothing
            """, transaction.Connection, transaction);
        void Add<T>(NpgsqlDbType type, Func<(RecordedEvent Event, BehaviourEvent Body), T> value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(told, pair => value(pair)), NpgsqlDbType = NpgsqlDbType.Array | type });
        Add(NpgsqlDbType.Bigint, pair => pair.Event.Position);
        Add(NpgsqlDbType.Text, pair => pair.Event.Type);
        Add(NpgsqlDbType.Text, pair => pair.Body.AnonymousId);
        Add(NpgsqlDbType.Text, pair => pair.Body.UserId);
        Add(NpgsqlDbType.Text, pair => pair.Body.ItemId);
        Add(NpgsqlDbType.TimestampTz, pair => pair.Event.OccurredAt.UtcDateTime);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task EraseAsync(long position, PersonErased erased, DateTimeOffset at, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            with asked as (
                insert into ml.erasures (position, salt, hashes, asked_at) values ($3, $1, $2, $4) on conflict (position) do update set done_at = null
            ), goals as (
                delete from ml.goal_events where encode(sha256(convert_to($1 || anonymous_id, 'UTF8')), 'hex') = any($2) or encode(sha256(convert_to($1 || user_id, 'UTF8')), 'hex') = any($2)
            ), met as (
                delete from ml.exposures where encode(sha256(convert_to($1 || user_key, 'UTF8')), 'hex') = any($2)
            ), clustered as (
                delete from ml.cluster_members where encode(sha256(convert_to($1 || person_id, 'UTF8')), 'hex') = any($2)
            ), gone as (
                delete from ml.predictions where encode(sha256(convert_to($1 || user_key, 'UTF8')), 'hex') = any($2) or encode(sha256(convert_to($1 || entity_id, 'UTF8')), 'hex') = any($2)
                returning request_id, row
            )
            delete from ml.outcomes o using gone where o.request_id = gone.request_id and o.row = gone.row
            """, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter { Value = erased.Salt });
        command.Parameters.Add(new NpgsqlParameter { Value = erased.Hashes.ToArray() });
        command.Parameters.Add(new NpgsqlParameter { Value = position });
        command.Parameters.Add(new NpgsqlParameter { Value = at.UtcDateTime });
        await command.ExecuteNonQueryAsync(ct);
    }
}
