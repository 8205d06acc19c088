using System.ComponentModel.DataAnnotations;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>Bounds of the queue before the log: section <c>EventLog</c>.</summary>
public sealed class EventLogOptions
{
    /// <summary>Events that may wait for the disk; more are refused at once, so that memory stays flat.</summary>
    [Range(1_000, 10_000_000)]
    public int QueueCapacity { get; set; } = 50_000;

    /// <summary>MiB of event bodies that may wait for the disk.</summary>
    [Range(1, 4096)]
    public int QueueMegabytes { get; set; } = 64;

    /// <summary>Largest number of events that share one commit.</summary>
    [Range(1, 100_000)]
    public int GroupSize { get; set; } = 8_000;

    /// <summary>Up to so many events go to the disk by one statement in one round trip; more go by a COPY, which is cheaper by the event.</summary>
    [Range(0, 10_000)]
    public int SmallGroup { get; set; } = 500;

    /// <summary>Failed attempts after which an event is parked by a subscription.</summary>
    [Range(1, 100)]
    public int AttemptsBeforeParking { get; set; } = 3;

    /// <summary>Seconds between looks at the log when no wake-up arrives.</summary>
    [Range(0.1, 600)]
    public double PollSeconds { get; set; } = 2;
}

/// <summary>How a write through the queue ended.</summary>
public enum WriteStatus
{
    /// <summary>The events are on disk.</summary>
    Written,

    /// <summary>The queue is full; nothing was kept, try again later.</summary>
    Busy,

    /// <summary>The database cannot be reached; the events may or may not be on disk, and repeating them is safe.</summary>
    Unavailable,

    /// <summary>The database refuses these events; repeating them does not help.</summary>
    Refused,
}

/// <summary>Outcome of a write through the queue.</summary>
/// <param name="Status">Written, or why not.</param>
/// <param name="Repeated">For each event, whether its id was in the log before; empty unless written.</param>
public sealed record WriteReceipt(WriteStatus Status, IReadOnlyList<bool> Repeated);

/// <summary>The bounded queue before the log: requests that arrive while a commit is under way share the next one (group commit).</summary>
public sealed class EventWriter : BackgroundService
{
    private static readonly Meter Meter = new("OKLA.EventLog");
    private static readonly Counter<long> Appended = Meter.CreateCounter<long>("okla.eventlog.appended", "{event}", "Events written to the log.");
    private static readonly Counter<long> Repeats = Meter.CreateCounter<long>("okla.eventlog.repeated", "{event}", "Events whose id was in the log before.");
    private static readonly Counter<long> Turned = Meter.CreateCounter<long>("okla.eventlog.busy", "{event}", "Events turned away because the queue was full.");
    private static readonly Histogram<double> CommitTime = Meter.CreateHistogram<double>("okla.eventlog.commit.duration", "s", "Time of one group commit.");

    private readonly EventLog log;
    private readonly NpgsqlDataSource database;
    private readonly EventLogOptions options;
    private readonly ILogger<EventWriter> logger;
    private readonly Channel<Pending> queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private long waitingEvents;
    private long waitingBytes;

    /// <summary>Creates the queue; <see cref="BackgroundService.StartAsync"/> starts its writer.</summary>
    public EventWriter(EventLog log, NpgsqlDataSource database, IOptions<EventLogOptions> options, ILogger<EventWriter> logger)
    {
        this.log = log;
        this.database = database;
        this.options = options.Value;
        this.logger = logger;
        Meter.CreateObservableGauge("okla.eventlog.queue", () => Interlocked.Read(ref waitingEvents), "{event}", "Events waiting for the disk.");
    }

    /// <summary>Queues events and completes when they are on disk, or when it is certain that this call will not put them there.</summary>
    public Task<WriteReceipt> WriteAsync(IReadOnlyList<StreamEvent> events)
    {
        var bytes = events.Sum(item => (long)item.Event.Data.Length);
        var count = Interlocked.Add(ref waitingEvents, events.Count);
        var size = Interlocked.Add(ref waitingBytes, bytes);
        var pending = new Pending(events, bytes);
        // One request larger than the whole queue is let through when it is alone.
        var full = (count > options.QueueCapacity && count > events.Count) || (size > options.QueueMegabytes * 1048576L && size > bytes);
        if (full || !queue.Writer.TryWrite(pending))
        {
            Release(pending);
            Turned.Add(events.Count);
            return Task.FromResult(new WriteReceipt(WriteStatus.Busy, []));
        }

        return pending.Completion.Task;
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
        // A stop that comes before the background task began cancels it unrun; nobody may wait for ever for what is queued.
        if (ExecuteTask is { IsCompleted: true })
        {
            await WriteQueuedAsync();
        }
    }

    /// <inheritdoc />
    // Runs until the queue is completed and empty: what was queued before the stop is still written.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => WriteQueuedAsync();

    private async Task WriteQueuedAsync()
    {
        var group = new List<Pending>();
        while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            var size = 0;
            while (size < options.GroupSize && queue.Reader.TryRead(out var next))
            {
                group.Add(next);
                size += next.Events.Count;
            }

            await WriteGroupAsync(group);
            group.Clear();
        }
    }

    private async Task WriteGroupAsync(List<Pending> group)
    {
        try
        {
            await CommitAsync(group, retry: true);
        }
        catch (PostgresException refused) when (!refused.IsTransient && group.Count > 1)
        {
            // One request holds something the database refuses: write them one by one so that only that one fails.
            foreach (var pending in group)
            {
                await WriteGroupAsync([pending]);
            }
        }
        catch (PostgresException refused) when (!refused.IsTransient && refused.SqlState is not ['5', '7', ..])
        {
            Log.Refused(logger, refused);
            Finish(group[0], new WriteReceipt(WriteStatus.Refused, []));
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
        {
            Log.Unavailable(logger, fault);
            group.ForEach(pending => Finish(pending, new WriteReceipt(WriteStatus.Unavailable, [])));
        }
    }

    private async Task CommitAsync(List<Pending> group, bool retry)
    {
        IReadOnlyList<StreamEvent> events = group.Count == 1 ? group[0].Events : [.. group.SelectMany(pending => pending.Events)];
        var started = TimeProvider.System.GetTimestamp();
        bool[] repeated;
        try
        {
            repeated = events.Count <= options.SmallGroup ? await log.AppendAtOnceAsync(events) : await AppendAsync(events);
        }
        catch (NpgsqlException broken) when (retry && broken is not PostgresException { IsTransient: false })
        {
            // A pooled connection of a server that went away: one fresh try tells a restart from an outage. Ids make it safe.
            await CommitAsync(group, retry: false);
            return;
        }

        CommitTime.Record(TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        var offset = 0;
        var repeats = repeated.Count(known => known);
        Appended.Add(events.Count - repeats);
        Repeats.Add(repeats);
        foreach (var pending in group)
        {
            Finish(pending, new WriteReceipt(WriteStatus.Written, new ArraySegment<bool>(repeated, offset, pending.Events.Count)));
            offset += pending.Events.Count;
        }
    }

    private async Task<bool[]> AppendAsync(IReadOnlyList<StreamEvent> events)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var repeated = await log.AppendAsync(transaction, events);
        await transaction.CommitAsync();
        return repeated;
    }

    private void Finish(Pending pending, WriteReceipt receipt)
    {
        Release(pending);
        pending.Completion.TrySetResult(receipt);
    }

    private void Release(Pending pending)
    {
        Interlocked.Add(ref waitingEvents, -pending.Events.Count);
        Interlocked.Add(ref waitingBytes, -pending.Bytes);
    }

    private sealed record Pending(IReadOnlyList<StreamEvent> Events, long Bytes)
    {
        public TaskCompletionSource<WriteReceipt> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
