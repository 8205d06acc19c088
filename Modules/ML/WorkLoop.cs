using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OKLA.ML;

/// <summary>Takes what waits in a table, a step at a time, and rests when nothing does or the database is away.</summary>
/// <param name="waiting">What it looks for, for the log.</param>
/// <param name="idle">How long it rests.</param>
/// <param name="clock">The clock.</param>
/// <param name="logger">Hears of outages.</param>
internal abstract class WorkLoop(string waiting, TimeSpan idle, TimeProvider clock, ILogger logger) : BackgroundService
{
    /// <summary>The clock.</summary>
    protected TimeProvider Clock { get; } = clock;

    /// <summary>Does one piece of work; false when there is none.</summary>
    public abstract Task<bool> StepAsync(CancellationToken ct = default);

    /// <summary>Whether a fault is to be logged and the step tried again; others end the host.</summary>
    protected virtual bool IsOutage(Exception fault) => fault is NpgsqlException or TimeoutException or IOException;

    /// <summary>What else is to be done between steps.</summary>
    protected virtual Task BetweenAsync(CancellationToken ct) => Task.CompletedTask;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var more = false;
            try
            {
                more = await StepAsync(stoppingToken);
                await BetweenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (IsOutage(fault))
            {
                Log.LookFailed(logger, waiting, fault);
            }

            if (!more)
            {
                await Task.Delay(idle, Clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
