using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Monitoring;
using OKLA.ML.Registry;
using OKLA.ML.Serving;

namespace OKLA.ML.Rollout;

/// <summary>
/// Looks at the guardrails of every rollout and of every version that began to serve lately, takes the next step by itself, or takes a bad version back.
/// One host at a time does it; each step is one guarded update, so that a host that dies in between leaves nothing half done.
/// </summary>
internal sealed class RolloutLoop(
    NpgsqlDataSource database, ModelRegistry registry, ServedModels served, ServingMeter meter, Exposures exposures, IOptions<MLOptions> options, TimeProvider clock, ILogger<RolloutLoop> logger)
    : BackgroundService
{
    /// <summary>Name of who takes a step that nobody asked for.</summary>
    public const string Self = "guardrail";

    private RolloutKnobs Knobs => options.Value.Rollout;

    /// <summary>Looks once.</summary>
    public async Task CheckAsync(CancellationToken ct = default)
    {
        await meter.FlushAsync(ct);
        await exposures.FlushAsync(ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(hashtextextended('ml.rollouts', 0))", cancellationToken: ct)))
        {
            return;
        }

        // The lock is held by a transaction that writes nothing; each step commits on a connection of its own.
        await using var work = await database.OpenConnectionAsync(ct);
        var changed = false;
        foreach (var rollout in await RolloutStore.RunningAsync(work, ct))
        {
            changed |= await LookAsync(work, rollout, ct);
        }

        changed |= await WatchAsync(work, ct);
        if (changed)
        {
            await served.RefreshAsync(ct);
        }
    }

    /// <summary>Takes a rollout to its next stage; behind the last one the candidate serves all.</summary>
    /// <returns>The stage it is in now; null when it was no longer where it was thought to be.</returns>
    public async Task<string?> AdvanceAsync(NpgsqlConnection connection, ActiveRollout rollout, string by, string reason, object evidence, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var candidate = rollout.Spec.Arms[1];
        var place = rollout.Spec.Stages.ToList().FindIndex(stage => stage.Name == rollout.Stage);
        var next = place + 1 < rollout.Spec.Stages.Count ? rollout.Spec.Stages[place + 1].Name : "full";
        if (!await RolloutStore.MoveAsync(connection, rollout, next, next == "full" ? "promoted" : "running", reason, now, ct))
        {
            return null;
        }

        await RolloutStore.RecordAsync(connection, rollout.Model, rollout.Id, next == "full" ? "promoted" : next, candidate.Version, by, reason, evidence, now, ct);
        Log.RolloutStep(logger, rollout.Model, next, reason);
        if (next == "full" && candidate.Version is { } version)
        {
            await registry.PublishAsync(rollout.Model, version, by, reason, ct);
        }

        return next;
    }

    /// <summary>Ends a rollout; everybody meets the serving version again.</summary>
    public async Task<bool> EndAsync(NpgsqlConnection connection, ActiveRollout rollout, string status, string by, string reason, object evidence, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (!await RolloutStore.MoveAsync(connection, rollout, rollout.Stage, status, reason, now, ct))
        {
            return false;
        }

        await RolloutStore.RecordAsync(connection, rollout.Model, rollout.Id, status, rollout.Spec.Arms.ElementAtOrDefault(1)?.Version, by, reason, evidence, now, ct);
        Log.RolloutStep(logger, rollout.Model, status, reason);
        return true;
    }

    /// <summary>Lets a version serve at once and ends the rollout under way.</summary>
    public async Task ServeAsync(NpgsqlConnection connection, string model, int version, string step, string by, string reason, object evidence, CancellationToken ct)
    {
        foreach (var rollout in (await RolloutStore.RunningAsync(connection, ct)).Where(rollout => rollout.Model == model))
        {
            await EndAsync(connection, rollout, "stopped", by, $"Version {version} was put in place: {reason}", new { }, ct);
        }

        // The step first: should the host die before the publication, the next look takes it again.
        await RolloutStore.RecordAsync(connection, model, null, step, version, by, reason, evidence, clock.GetUtcNow(), ct);
        Log.RolloutStep(logger, model, $"version {version} serves", reason);
        await registry.PublishAsync(model, version, by, reason, ct);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(Knobs.CheckSeconds), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await CheckAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A rollout that cannot be judged must not end the judging of the others.
                Log.LookFailed(logger, "rollouts", fault);
            }
        }
    }

    private async Task<bool> LookAsync(NpgsqlConnection connection, ActiveRollout rollout, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var serving = (await registry.ServingAsync(ct)).TryGetValue(rollout.Model, out var row) ? row.Version : 0;
        if (rollout.Kind == "version" && rollout.Spec.Arms[0].Version is { } control && control != serving)
        {
            return await EndAsync(connection, rollout, "stopped", Self, $"Version {serving} was published meanwhile; version {control} is no longer what to compare with.", new { }, ct);
        }

        await Evidence.SettleAsync(connection, rollout, now, ct);
        var evidence = await Evidence.ReadAsync(connection, rollout, Knobs, TimeSpan.FromSeconds(options.Value.RefreshSeconds), now, ct);
        if (rollout.Spec.Arms.Count == 2 && evidence.Comparisons is [var comparison] && comparison.PValue < rollout.PValue)
        {
            await connection.ExecuteAsync(new CommandDefinition("update ml.rollouts set p_value = @PValue where id = @Id", new { comparison.PValue, rollout.Id }, cancellationToken: ct));
        }

        if (evidence.SampleRatioP < Decision.SampleRatioAlarm)
        {
            await OnceAsync(connection, rollout, "sample_ratio", "New users do not meet the arms in the wanted shares; the business figures cannot be trusted.", evidence, now, ct);
        }

        if (evidence.Comparisons.FirstOrDefault(item => item.PValue <= 1 - Knobs.Level) is { } clear)
        {
            await OnceAsync(connection, rollout, "significant", $"{clear.Arm} {(clear.Difference > 0 ? "is better" : "is worse")} than {rollout.Spec.Arms[0].Name} on the goal.", evidence, now, ct);
        }

        var decision = Decision.Of(rollout, evidence, Knobs, now);
        return decision.Move switch
        {
            Move.RollBack => await EndAsync(connection, rollout, "rolled_back", Self, decision.Reason, evidence, ct),
            Move.Advance => await AdvanceAsync(connection, rollout, Self, decision.Reason, evidence, ct) is not null,
            _ => false,
        };
    }

    private static async Task OnceAsync(NpgsqlConnection connection, ActiveRollout rollout, string step, string reason, Evidence evidence, DateTimeOffset now, CancellationToken ct)
    {
        if (!(await RolloutStore.StepsAsync(connection, rollout.Model, rollout.Id, 1_000, ct)).Any(taken => taken.Step == step && taken.At >= rollout.StageSince))
        {
            await RolloutStore.RecordAsync(connection, rollout.Model, rollout.Id, step, rollout.Spec.Arms[1].Version, Self, reason, evidence, now, ct);
        }
    }

    /// <summary>A version that began to serve lately, however that came about, is taken back when it breaches a guardrail and the one before it did not.</summary>
    private async Task<bool> WatchAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var changed = false;
        var lately = (await connection.QueryAsync<(string Model, int Version, int Previous, DateTime Since)>(new CommandDefinition("""
            select model, version, previous_version, published_at from ml.serving s
            where previous_version is not null and previous_version <> version and published_at > @since
                and not exists (select 1 from ml.rollout_steps r where r.model = s.model and r.step = 'rolled_back' and r.version = s.previous_version and r.at > @since)
            """, new { since = (now - TimeSpan.FromMinutes(Knobs.WatchMinutes)).UtcDateTime }, cancellationToken: ct))).AsList();
        foreach (var (model, version, previous, since) in lately)
        {
            var mine = await ServingMeter.ReadAsync(connection, model, version, Guid.Empty, "", since, ct);
            var before = await ServingMeter.ReadAsync(connection, model, previous, Guid.Empty, "", now.AddDays(-1), ct);
            var rails = new Guardrails(Knobs.MaxErrorRate, Knobs.MaxSlowdown, Knobs.MaxBusinessDrop, Knobs.MinRequests);
            // Rows that the cache knew make the version before it look faster than it was.
            var (control, arm) = (Of(previous, before), Of(version, mine));
            control = before.CacheHits * 10 > before.Rows ? control with { P95 = null } : control;
            if (Decision.Breach(control, arm, rails, Knobs) is { } breach)
            {
                await ServeAsync(connection, model, previous, "served", Self, breach, new { control, arm }, ct);
                await RolloutStore.RecordAsync(connection, model, null, "rolled_back", version, Self, breach, new { control, arm, servedSince = since }, clock.GetUtcNow(), ct);
                changed = true;
            }
        }

        return changed;

        static ArmEvidence Of(int version, Served served) => new($"version {version}", served.Requests, served.Errors, served.Percentile(0.95));
    }
}
