using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using OKLA.ML.Serving;
using OKLA.Shared.EventLog;
using EventLogStore = OKLA.Shared.EventLog.EventLog;

namespace OKLA.ML.Rollout;

/// <summary>Body of an <c>experiment_exposed</c> event (stream <c>rollout-{id}</c>): a user met an arm for the first time.</summary>
internal sealed record ExperimentExposed(Guid RolloutId, string Model, string Arm, string UserKey);

/// <summary>A user who met an arm.</summary>
internal sealed record Exposure(Guid Rollout, string Model, string UserKey, string Arm, DateTimeOffset At);

/// <summary>Writes down who met which arm, once a user and rollout, with its event in the log; and when somebody came to meet another arm.</summary>
internal sealed class Exposures(NpgsqlDataSource database, EventLogStore log, TimeProvider clock, ILogger<Exposures> logger) : QueuedWriter<Exposure>(100_000, TimeSpan.FromSeconds(1), clock, logger)
{
    private const int Remembered = 200_000;
    private readonly ConcurrentDictionary<(Guid, string), string> seen = new();

    /// <summary>Takes note of a meeting; one that is known already costs a look-up.</summary>
    public void Meet(ActiveRollout rollout, string userKey, string arm)
    {
        userKey = Predictor.Storable(userKey)!;
        if (seen.TryGetValue((rollout.Id, userKey), out var known) && known == arm)
        {
            return;
        }

        if (seen.Count >= Remembered)
        {
            seen.Clear();
        }

        seen[(rollout.Id, userKey)] = arm;
        Add(new Exposure(rollout.Id, rollout.Model, userKey, arm, Clock.GetUtcNow()));
    }

    protected override async Task WriteAsync(IReadOnlyList<Exposure> batch, CancellationToken ct)
    {
        // One user may be in a lot twice, with two arms around a change of stage: the first one is the exposure, the second one the crossing.
        foreach (var part in batch.GroupBy(item => (item.Rollout, item.UserKey)).SelectMany(same => same.DistinctBy(item => item.Arm).Select((item, place) => (item, place))).GroupBy(pair => pair.place))
        {
            await WriteAsync([.. part.Select(pair => pair.item)], ct);
        }
    }

    private async Task WriteAsync(Exposure[] batch, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var fresh = new List<StreamEvent>();
        await using (var command = new NpgsqlCommand("""
            insert into ml.exposures as e (rollout_id, user_key, arm, at)
            select rollout_id, user_key, arm, at from unnest($1, $2, $3, $4) as met (rollout_id, user_key, arm, at) order by rollout_id, user_key
            on conflict (rollout_id, user_key) do update set crossed_at = coalesce(e.crossed_at, case when e.arm <> excluded.arm then excluded.at end)
            returning rollout_id, user_key, arm, at, (xmax = 0) as is_new
            """, connection, transaction))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(batch, item => item.Rollout) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(batch, item => item.UserKey) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(batch, item => item.Arm) });
            command.Parameters.Add(new NpgsqlParameter { Value = Array.ConvertAll(batch, item => item.At.UtcDateTime), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
            await using var row = await command.ExecuteReaderAsync(ct);
            while (await row.ReadAsync(ct))
            {
                if (row.GetBoolean(4))
                {
                    var (rollout, user) = (row.GetGuid(0), row.GetString(1));
                    var met = new ExperimentExposed(rollout, batch.First(item => item.Rollout == rollout).Model, row.GetString(2), user);
                    fresh.Add(new StreamEvent($"rollout-{rollout:N}", NewEvent.Of("experiment_exposed", met, row.GetFieldValue<DateTimeOffset>(3))));
                }
            }
        }

        if (fresh.Count > 0)
        {
            await log.AppendAsync(transaction, fresh, ct);
        }

        await transaction.CommitAsync(ct);
    }
}
