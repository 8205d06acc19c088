using System.Collections.Concurrent;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Registry;
using OKLA.ML.Serving;
using OKLA.ML.Training.Jobs;
using OKLA.Shared.EventLog;

namespace OKLA.ML.Monitoring;

/// <summary>Holds every model that serves against the rules, opens and closes alerts, and tells the channels; one host at a time.</summary>
internal sealed class AlertLoop(
    NpgsqlDataSource database, ModelRegistry registry, ServedModels served, AlertChannels channels, TrainingJobs jobs, IOptions<MLOptions> options, TimeProvider clock, ILogger<AlertLoop> logger) : BackgroundService
{
    /// <summary>Minutes that rates and latencies are taken over.</summary>
    private const int WindowMinutes = 5;
    private const int QualityDays = 7;

    private readonly ConcurrentDictionary<(string Model, int Version), (DateTimeOffset At, Dictionary<string, double> Values)> slow = new();

    private MonitoringKnobs Knobs => options.Value.Monitoring;

    /// <summary>Looks once.</summary>
    public async Task CheckAsync(CancellationToken ct = default)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var turn = await connection.BeginTransactionAsync(ct);
        if (!await connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(hashtextextended('ml.alerts', 0))", cancellationToken: ct)))
        {
            return;
        }

        await using var work = await database.OpenConnectionAsync(ct);
        var rules = AlertRule.House(Knobs).Concat(await AlertRule.OwnAsync(work, ct)).Where(rule => rule.Enabled).ToList();
        foreach (var (model, (version, _)) in await registry.ServingAsync(ct))
        {
            var values = await ValuesAsync(work, model, version, rules, ct);
            foreach (var rule in rules.Where(rule => rule.Model is null || rule.Model == model))
            {
                await HoldAsync(work, rule, model, values.TryGetValue(rule.Metric, out var value) ? value : null, ct);
            }
        }
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
                // A rule that cannot be judged must not silence the others for ever.
                Log.LookFailed(logger, "alerts", fault);
            }
        }
    }

    private async Task<Dictionary<string, double>> ValuesAsync(NpgsqlConnection connection, string model, int version, List<AlertRule> rules, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var row = await connection.QuerySingleAsync<(long Requests, long Rows, long Errors, long Hits, int[] Latency)>(new CommandDefinition("""
            select coalesce(sum(requests), 0)::bigint, coalesce(sum(rows), 0)::bigint, coalesce(sum(errors), 0)::bigint, coalesce(sum(cache_hits), 0)::bigint, ml.sum_counts(latency order by minute)
            from ml.serving_minutes where model = @model and minute > @since and arm <> 'batch'
            """, new { model, since = now.AddMinutes(-WindowMinutes).UtcDateTime }, cancellationToken: ct));
        var values = new Dictionary<string, double> { ["requests"] = row.Requests };
        if (row.Requests >= Knobs.MinRequests)
        {
            values["error_rate"] = (double)row.Errors / row.Requests;
            values["p95_ms"] = Latency.Percentile(row.Latency, 0.95) ?? 0;
            values["cache_hit_rate"] = row.Rows == 0 ? 0 : (double)row.Hits / row.Rows;
        }

        foreach (var (metric, value) in await SlowAsync(connection, model, version, rules.Any(rule => rule.Metric.StartsWith("quality.", StringComparison.Ordinal)), now, ct))
        {
            values[metric] = value;
        }

        return values;
    }

    /// <summary>Drift and quality, which read rows, and so are looked at less often.</summary>
    private async Task<Dictionary<string, double>> SlowAsync(NpgsqlConnection connection, string model, int version, bool quality, DateTimeOffset now, CancellationToken ct)
    {
        if (slow.TryGetValue((model, version), out var known) && now - known.At < TimeSpan.FromSeconds(Knobs.DriftSeconds))
        {
            return known.Values;
        }

        var values = new Dictionary<string, double>();
        if (await served.GetAsync(model, version) is { } by)
        {
            var drift = await DriftWatch.ReadAsync(connection, model, version, by.Answers.Signature, Knobs, ct);
            if (drift.Predictions is { } predictions)
            {
                (values["input_drift"], values["prediction_drift"]) = (drift.Worst, predictions.Beyond);
            }

            if (quality)
            {
                foreach (var (figure, value) in (await Quality.ReadAsync(connection, model, version, by.Answers.Signature, null, now.AddDays(-QualityDays), now, ct))[0].Metrics)
                {
                    values[$"quality.{figure}"] = value;
                }
            }
        }

        slow[(model, version)] = (now, values);
        return values;
    }

    private async Task HoldAsync(NpgsqlConnection connection, AlertRule rule, string model, double? value, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var key = rule.Id == Guid.Empty ? rule.Name : $"{rule.Name}-{rule.Id:N}";
        if (value is not { } seen || !rule.IsBreach(seen))
        {
            // What was raised is resolved; what never lasted long enough was nothing.
            await connection.ExecuteAsync(new CommandDefinition("""
                delete from ml.alerts where rule = @key and model = @model and resolved_at is null and raised_at is null;
                update ml.alerts set resolved_at = @now where rule = @key and model = @model and resolved_at is null;
                """, new { key, model, now = now.UtcDateTime }, cancellationToken: ct));
            return;
        }

        var text = Texts.Spanish.Has($"alert.{rule.Metric}") ? Texts.Spanish[$"alert.{rule.Metric}", model, seen, rule.Threshold]
            : Texts.Spanish[rule.Above ? "alert.above" : "alert.below", model, rule.Metric, seen, rule.Threshold];
        var (id, since, raised) = await connection.QuerySingleAsync<(Guid Id, DateTime Since, DateTime? Raised)>(new CommandDefinition("""
            insert into ml.alerts as a (id, rule, model, metric, since, last_seen_at, observed, threshold, message) values (@id, @key, @model, @Metric, @now, @now, @seen, @Threshold, @text)
            on conflict (rule, model) where resolved_at is null do update set last_seen_at = excluded.last_seen_at, observed = excluded.observed, message = excluded.message
            returning id, since, raised_at
            """, new { id = Guid.CreateVersion7(now), key, model, rule.Metric, now = now.UtcDateTime, seen, rule.Threshold, text }, cancellationToken: ct));
        if (raised is not null || now - new DateTimeOffset(since, TimeSpan.Zero) < TimeSpan.FromSeconds(rule.ForSeconds))
        {
            return;
        }

        // Drift of inputs and of answers comes together: one training is enough for both.
        if (Knobs.TrainOnDrift && rule.Metric is ("input_drift" or "prediction_drift"))
        {
            await jobs.QueueOnceAsync(model, "drift", "house", 0, ct);
        }

        var silenced = await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select 1 from ml.alert_silences where (rule is null or rule = @Name or rule = @key) and (model is null or model = @model) and until > @now)",
            new { rule.Name, key, model, now = now.UtcDateTime }, cancellationToken: ct));
        IReadOnlyList<Delivery> deliveries = silenced ? [] : await channels.TellAsync(new RaisedAlert(id, rule.Name, model, rule.Metric, seen, rule.Threshold, now, text), rule.Channels, ct);
        await connection.ExecuteAsync(new CommandDefinition(
            "update ml.alerts set raised_at = @now, silenced = @silenced, deliveries = @json::jsonb where id = @id",
            new { id, now = now.UtcDateTime, silenced, json = JsonSerializer.Serialize(deliveries, EventJson.Options) }, cancellationToken: ct));
    }
}
