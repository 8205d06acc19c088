using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OKLA.ML.Serving;

/// <summary>
/// Takes what requests leave behind and writes it in lots, so that no answer waits for the disk; what finds no room or cannot be written is counted as lost.
/// A lot is written when the interval is over, or sooner when much waits: whoever is answered meanwhile shares the processors with it, so lots are
/// neither many nor large.
/// </summary>
internal abstract class QueuedWriter<T>(int capacity, TimeSpan interval, TimeProvider clock, ILogger logger) : BackgroundService
{
    private const int Largest = 5_000;
    private const int Much = 400;
    private const int Looks = 5;
    private readonly Channel<T> queue = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait });
    private readonly SemaphoreSlim writing = new(1);
    private long lost;

    /// <summary>The clock.</summary>
    protected TimeProvider Clock => clock;

    /// <summary>The log.</summary>
    protected ILogger Logger => logger;

    /// <summary>Things that were never written.</summary>
    public long Lost => Interlocked.Read(ref lost);

    /// <summary>Things that wait.</summary>
    public int Waiting => queue.Reader.Count;

    /// <summary>Leaves a thing to be written soon.</summary>
    public void Add(T thing)
    {
        if (!queue.Writer.TryWrite(thing))
        {
            Lose(1);
        }
    }

    /// <summary>Writes all that waits now.</summary>
    public async Task FlushAsync(CancellationToken ct = default)
    {
        await writing.WaitAsync(ct);
        try
        {
            for (var batch = Take(); batch.Count > 0; batch = Take())
            {
                try
                {
                    await WriteAsync(batch, ct);
                }
                catch
                {
                    Lose(batch.Count);
                    throw;
                }
            }
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Writes the rest.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryFlushAsync(cancellationToken);
    }

    public override void Dispose()
    {
        writing.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var written = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            // After a failure the whole interval: what waits is safer here than in lots that are lost one upon the other.
            for (var look = 0; look < Looks && !(written && Waiting >= Much) && !stoppingToken.IsCancellationRequested; look++)
            {
                await Task.Delay(interval / Looks, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            written = await TryFlushAsync(stoppingToken);
        }
    }

    /// <summary>Writes a lot; it is lost when this throws.</summary>
    protected abstract Task WriteAsync(IReadOnlyList<T> batch, CancellationToken ct);

    /// <summary>Hears of things that are lost.</summary>
    protected virtual void Lose(int count) => Interlocked.Add(ref lost, count);

    private async Task<bool> TryFlushAsync(CancellationToken ct)
    {
        try
        {
            await FlushAsync(ct);
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception fault)
        {
            Log.LotNotWritten(logger, GetType().Name, Lost, fault);
            return false;
        }
    }

    private List<T> Take()
    {
        var batch = new List<T>();
        while (batch.Count < Largest && queue.Reader.TryRead(out var next))
        {
            batch.Add(next);
        }

        return batch;
    }
}
