using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.Shared.Caching;

/// <summary>
/// Tells the other nodes what was evicted here, and evicts here what they tell: PostgreSQL's NOTIFY on channel <c>okla_cache</c>.
/// A payload is the sender, a letter (k: key, t: tag) and the name, separated by spaces.
/// </summary>
internal sealed class CacheBackplane : BackgroundService
{
    private const string Channel = "okla_cache";
    private const int Batch = 100;
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    // A connection that died without a word is found by asking it.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(30);

    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly Channel<(bool Tag, string Name)> _told = System.Threading.Channels.Channel.CreateBounded<(bool, string)>(
        new BoundedChannelOptions(100_000) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private readonly NodeCache _cache;
    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task _telling = Task.CompletedTask;
    private long _lost;

    public CacheBackplane(NodeCache cache, NpgsqlDataSource database, TimeProvider time, ILogger<CacheBackplane> logger)
    {
        (_cache, _database, _time, _logger) = (cache, database, time, logger);
        cache.Evicted += eviction =>
        {
            if (!_told.Writer.TryWrite(eviction)) Interlocked.Increment(ref _lost);
        };
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _telling = Task.Run(() => TellAsync(stoppingToken), CancellationToken.None);
        return Task.WhenAll(_telling, Task.Run(() => ListenAsync(stoppingToken), CancellationToken.None));
    }

    /// <summary>Tells what is left before it stops.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _told.Writer.TryComplete();
        await _telling.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
            try
            {
                await using var connection = await _database.OpenConnectionAsync(ct);
                connection.Notification += (_, told) => Hear(told.Payload);
                await RunAsync(connection, $"listen {Channel}", ct);
                // Whatever was told before this moment was not heard.
                _cache.ExpireAll();
                while (true)
                    if (!await connection.WaitAsync(Quiet, ct)) await RunAsync(connection, "select 1", ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                _logger.ListeningFailed(e, Delay);
                await Wait(ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
    }

    private void Hear(string payload)
    {
        if (payload.Split(' ', 3) is not [var sender, var kind, var name] || sender == _node) return;
        _cache.Evict(kind == "t", name);
    }

    private async Task TellAsync(CancellationToken ct)
    {
        var batch = new List<string>(Batch);
        while (!ct.IsCancellationRequested)
            try
            {
                if (batch.Count == 0 && !await _told.Reader.WaitToReadAsync(ct)) return;
                while (batch.Count < Batch && _told.Reader.TryRead(out var eviction)) batch.Add($"{_node} {(eviction.Tag ? 't' : 'k')} {eviction.Name}");
                await using var command = _database.CreateCommand($"select pg_notify('{Channel}', told) from unnest($1) told");
                command.Parameters.AddWithValue(batch.Distinct().ToArray());
                await command.ExecuteNonQueryAsync(ct);
                batch.Clear();
                if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
                {
                    // Nobody knows which they were.
                    _logger.EvictionsLost(lost);
                    batch.Add($"{_node} t *");
                }
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                _logger.TellingFailed(e, batch.Count, Delay);
                await Wait(ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task Wait(CancellationToken ct) => await Task.Delay(Delay, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
