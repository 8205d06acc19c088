using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.ML.Monitoring;

/// <summary>What a version did over some time.</summary>
/// <param name="Requests">Requests it was asked in.</param>
/// <param name="Rows">Rows of them.</param>
/// <param name="Errors">Requests it failed at.</param>
/// <param name="CacheHits">Rows answered from the cache.</param>
/// <param name="Latency">Counts by <see cref="Monitoring.Latency"/> class.</param>
internal sealed record Served(long Requests, long Rows, long Errors, long CacheHits, int[] Latency)
{
    public static Served None { get; } = new(0, 0, 0, 0, []);

    public double ErrorRate => Requests == 0 ? 0 : (double)Errors / Requests;

    public double? Percentile(double share) => Monitoring.Latency.Percentile(Latency, share);
}

/// <summary>Counts what every version does by the minute, in memory first; every few seconds the counts are added to the rows that all hosts share.</summary>
internal sealed class ServingMeter(NpgsqlDataSource database, TimeProvider clock, ILogger<ServingMeter> logger) : BackgroundService
{
    /// <summary>Stands as the arm for parts of files: no request waits for them, so their time says nothing about latency.</summary>
    public const string Batch = "batch";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly Meter Meter = new("OKLA.ML");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("okla.ml.predict.duration", "s", "Time of a predicted request, by model and outcome.");
    private static readonly Counter<long> Hits = Meter.CreateCounter<long>("okla.ml.cache.hits", "{row}", "Rows answered from the prediction cache, by model.");

    private readonly SemaphoreSlim writing = new(1);
    private ConcurrentDictionary<Key, Counts> minutes = new();

    /// <summary>Counts a request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">The version; 0 for an answer without a model.</param>
    /// <param name="rollout">The rollout whose arm asked it; empty for none.</param>
    /// <param name="arm">The arm; empty for none.</param>
    /// <param name="rows">Rows asked.</param>
    /// <param name="hits">Rows answered from the cache.</param>
    /// <param name="elapsed">Time taken.</param>
    /// <param name="failed">Whether it failed.</param>
    public void Count(string model, int version, Guid rollout, string arm, int rows, int hits, TimeSpan elapsed, bool failed)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var key = new Key(model, version, rollout, arm, new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMinute, DateTimeKind.Utc));
        minutes.GetOrAdd(key, static _ => new Counts()).Add(rows, hits, elapsed.TotalMilliseconds, failed);
        Duration.Record(elapsed.TotalSeconds, new("model", model), new KeyValuePair<string, object?>("outcome", failed ? "failed" : "answered"));
        if (hits > 0)
        {
            Hits.Add(hits, new KeyValuePair<string, object?>("model", model));
        }
    }

    /// <summary>Adds what was counted to the shared rows.</summary>
    public async Task FlushAsync(CancellationToken ct = default)
    {
        await writing.WaitAsync(ct);
        try
        {
            var taken = Interlocked.Exchange(ref minutes, new());
            if (taken.IsEmpty)
            {
                return;
            }

            // One order on all hosts, so that two never wait for each other's rows.
            var rows = taken.OrderBy(row => row.Key.Model, StringComparer.Ordinal).ThenBy(row => row.Key.Version).ThenBy(row => row.Key.Rollout).ThenBy(row => row.Key.Arm, StringComparer.Ordinal)
                .ThenBy(row => row.Key.Minute).Select(row => (row.Key, Sum: row.Value.Take())).ToList();
            try
            {
                await WriteAsync(rows, ct);
            }
            catch (NpgsqlException)
            {
                foreach (var (key, sum) in rows)
                {
                    minutes.GetOrAdd(key, static _ => new Counts()).Add(sum);
                }

                throw;
            }
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>What a version did under an arm since a time, over all hosts; an empty rollout and arm for what it did outside of rollouts.</summary>
    public static async Task<Served> ReadAsync(NpgsqlConnection connection, string model, int? version, Guid rollout, string arm, DateTimeOffset since, CancellationToken ct)
    {
        var row = await connection.QuerySingleAsync<(long Requests, long Rows, long Errors, long Hits, int[]? Latency)>(new CommandDefinition("""
            select coalesce(sum(requests), 0)::bigint, coalesce(sum(rows), 0)::bigint, coalesce(sum(errors), 0)::bigint, coalesce(sum(cache_hits), 0)::bigint, ml.sum_counts(latency order by minute)
            from ml.serving_minutes
            where model = @model and (@version::int is null or version = @version) and rollout_id = @rollout and arm = @arm and minute >= date_trunc('minute', @since::timestamptz)
            """, new { model, version, rollout, arm, since = since.UtcDateTime }, cancellationToken: ct));
        return new Served(row.Requests, row.Rows, row.Errors, row.Hits, row.Latency ?? []);
    }

    public override void Dispose()
    {
        writing.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryFlushAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await TryFlushAsync(stoppingToken);
        }
    }

    private async Task TryFlushAsync(CancellationToken ct)
    {
        try
        {
            await FlushAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (Exception outage) when (outage is NpgsqlException or TimeoutException or IOException)
        {
            Log.LotNotWritten(logger, nameof(ServingMeter), 0, outage);
        }
    }

    private async Task WriteAsync(List<(Key Key, Served Sum)> rows, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var (key, sum) in rows)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("""
                insert into ml.serving_minutes as m (model, version, rollout_id, arm, minute, requests, rows, errors, cache_hits, latency)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                on conflict (model, version, rollout_id, arm, minute) do update set
                    requests = m.requests + excluded.requests, rows = m.rows + excluded.rows, errors = m.errors + excluded.errors,
                    cache_hits = m.cache_hits + excluded.cache_hits, latency = ml.add_counts(m.latency, excluded.latency)
                """)
            {
                Parameters =
                {
                    new() { Value = key.Model }, new() { Value = key.Version }, new() { Value = key.Rollout }, new() { Value = key.Arm }, new() { Value = key.Minute },
                    new() { Value = sum.Requests }, new() { Value = sum.Rows }, new() { Value = sum.Errors }, new() { Value = sum.CacheHits }, new() { Value = sum.Latency },
                },
            });
        }

        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private readonly record struct Key(string Model, int Version, Guid Rollout, string Arm, DateTime Minute);

    private sealed class Counts
    {
        private readonly int[] latency = Latency.Empty();
        private long requests, rows, errors, hits;

        public void Add(int moreRows, int moreHits, double milliseconds, bool failed)
        {
            lock (latency)
            {
                requests++;
                rows += moreRows;
                hits += moreHits;
                errors += failed ? 1 : 0;
                latency[Latency.ClassOf(milliseconds)]++;
            }
        }

        public void Add(Served more)
        {
            lock (latency)
            {
                (requests, rows, errors, hits) = (requests + more.Requests, rows + more.Rows, errors + more.Errors, hits + more.CacheHits);
                for (var i = 0; i < more.Latency.Length; i++)
                {
                    latency[i] += more.Latency[i];
                }
            }
        }

        public Served Take()
        {
            lock (latency)
            {
                return new Served(requests, rows, errors, hits, [.. latency]);
            }
        }
    }
}
