using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OKLA.Shared.EventLog;

namespace OKLA.Tracking.Tail;

/// <summary>
/// One reading of the log's end for all viewers of this node, only while there are any. It wakes by the log's notification, reads at
/// most so many events a second and passes over what comes faster, so that neither a burst nor a slow viewer costs memory.
/// </summary>
internal sealed class EventTail(EventLog log, NpgsqlDataSource database, TailOptions options, TimeProvider clock, IHostApplicationLifetime life, ILogger<EventTail> logger)
{
    private const int Batch = 500;
    private readonly Lock gate = new();
    private readonly List<Viewer> viewers = [];
    private CancellationTokenSource? reading;
    private long position;

    /// <summary>Readings of the log that were ever begun; tests see by it that viewers share one.</summary>
    internal int Readings { get; private set; }

    /// <summary>Viewers now.</summary>
    internal int Viewers
    {
        get
        {
            lock (gate)
            {
                return viewers.Count;
            }
        }
    }

    /// <summary>Adds a viewer; null when there are as many as there may be.</summary>
    public async Task<Viewer?> JoinAsync(TailFilter filter, CancellationToken ct)
    {
        var end = await log.HighWaterMarkAsync(ct);
        lock (gate)
        {
            if (viewers.Count >= options.MaxViewers)
            {
                return null;
            }

            if (reading is null)
            {
                position = end;
                reading = CancellationTokenSource.CreateLinkedTokenSource(life.ApplicationStopping);
                Readings++;
                _ = ReadAsync(reading.Token);
            }

            var viewer = new Viewer(filter, position, options.EventsPerSecond, clock);
            viewers.Add(viewer);
            return viewer;
        }
    }

    /// <summary>Takes a viewer away; the reading ends with the last one.</summary>
    public void Leave(Viewer viewer)
    {
        lock (gate)
        {
            viewers.Remove(viewer);
            if (viewers.Count == 0)
            {
                reading?.Cancel();
                reading?.Dispose();
                reading = null;
            }
        }
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        await Task.Yield();
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var listening = ListenAsync(wake.Writer, ct);
        try
        {
            var second = clock.GetTimestamp();
            var read = 0;
            while (await wake.Reader.WaitToReadAsync(ct))
            {
                wake.Reader.TryRead(out _);
                try
                {
                    bool more;
                    do
                    {
                        if (clock.GetElapsedTime(second) >= TimeSpan.FromSeconds(1))
                        {
                            (second, read) = (clock.GetTimestamp(), 0);
                        }

                        if (read >= options.ReadPerSecond)
                        {
                            await PassOverAsync(ct);
                            await Task.Delay(TimeSpan.FromSeconds(1) - Min(clock.GetElapsedTime(second), TimeSpan.FromSeconds(1)), clock, ct);
                            (second, read) = (clock.GetTimestamp(), 0);
                        }

                        var count = await ReadBatchAsync(ct);
                        read += count;
                        more = count == Batch;
                    }
                    while (more);
                }
                catch (Exception outage) when (outage is not OperationCanceledException)
                {
                    // The next notification tries again.
                    Log.TailInterrupted(logger, outage);
                }
            }
        }
        catch (OperationCanceledException stopped) when (ct.IsCancellationRequested)
        {
            Log.TailEnded(logger, stopped.Message);
        }

        await listening;
    }

    private async Task<int> ReadBatchAsync(CancellationToken ct)
    {
        long after;
        lock (gate)
        {
            after = position;
        }

        var events = await log.ReadAsync(after, limit: Batch, ct: ct).ToListAsync(ct);
        lock (gate)
        {
            foreach (var item in events)
            {
                foreach (var viewer in viewers)
                {
                    viewer.Offer(item);
                }

                position = Math.Max(position, item.Position);
            }
        }

        return events.Count;
    }

    /// <summary>Goes to the end of the log; everybody is told how much was not looked at.</summary>
    private async Task PassOverAsync(CancellationToken ct)
    {
        var end = await log.HighWaterMarkAsync(ct);
        lock (gate)
        {
            if (end > position)
            {
                viewers.ForEach(viewer => viewer.PassOver(end - position));
                position = end;
            }
        }
    }

    private async Task ListenAsync(ChannelWriter<bool> wake, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(ct);
                connection.Notification += (_, _) => wake.TryWrite(true);
                await using (var listen = new NpgsqlCommand($"listen {EventLog.Channel}", connection))
                {
                    await listen.ExecuteNonQueryAsync(ct);
                }

                wake.TryWrite(true);
                while (true)
                {
                    await connection.WaitAsync(ct);
                }
            }
            catch (OperationCanceledException stopped) when (ct.IsCancellationRequested)
            {
                Log.TailEnded(logger, stopped.Message);
                return;
            }
            catch (Exception outage) when (outage is NpgsqlException or IOException or TimeoutException)
            {
                Log.TailInterrupted(logger, outage);
                await Task.Delay(TimeSpan.FromSeconds(1), clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>What a viewer sees of the tail: a bounded number of lines a second, and counts of everything.</summary>
/// <param name="filter">Which events.</param>
/// <param name="start">Position after which it gets what happens.</param>
/// <param name="perSecond">Lines a second.</param>
/// <param name="clock">Time.</param>
internal sealed class Viewer(TailFilter filter, long start, int perSecond, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly Channel<RecordedEvent> lines = Channel.CreateBounded<RecordedEvent>(new BoundedChannelOptions(perSecond) { SingleReader = true });
    private readonly Dictionary<string, int> types = new(StringComparer.Ordinal);
    private long offered = start;
    private long second;
    private int given;
    private long seen;
    private long matched;
    private long skipped;
    private long passedOver;

    /// <summary>Which events.</summary>
    public TailFilter Filter => filter;

    /// <summary>Position after which it gets what happens.</summary>
    public long Start { get; } = start;

    /// <summary>Lines to be sent.</summary>
    public ChannelReader<RecordedEvent> Lines => lines.Reader;

    /// <summary>Takes note of an event, and keeps it as a line when it matches and this second still has room.</summary>
    public void Offer(RecordedEvent item)
    {
        var matches = filter.Matches(item);
        lock (gate)
        {
            // A reading that was just replaced may still hand over what its last look found.
            if (item.Position <= offered)
            {
                return;
            }

            offered = item.Position;
            seen++;
            if (types.Count < 200 || types.ContainsKey(item.Type))
            {
                types[item.Type] = types.GetValueOrDefault(item.Type) + 1;
            }

            if (!matches)
            {
                return;
            }

            matched++;
            if (second == 0 || clock.GetElapsedTime(second) >= TimeSpan.FromSeconds(1))
            {
                (second, given) = (clock.GetTimestamp(), 0);
            }

            if (given < perSecond && lines.Writer.TryWrite(item))
            {
                given++;
            }
            else
            {
                skipped++;
            }
        }
    }

    /// <summary>Takes note of events that nobody looked at.</summary>
    public void PassOver(long count)
    {
        lock (gate)
        {
            seen += count;
            passedOver += count;
        }
    }

    /// <summary>Takes the counts since the last time.</summary>
    /// <param name="seconds">How long that was.</param>
    public TailRate TakeRate(double seconds)
    {
        lock (gate)
        {
            var rate = new TailRate(
                Math.Round(seen / seconds, 1), Math.Round(matched / seconds, 1), skipped, passedOver,
                [.. types.OrderByDescending(type => type.Value).ThenBy(type => type.Key, StringComparer.Ordinal).Take(10).Select(type => new TailType(type.Key, Math.Round(type.Value / seconds, 1)))]);
            (seen, matched, skipped, passedOver) = (0, 0, 0, 0);
            types.Clear();
            return rate;
        }
    }
}
