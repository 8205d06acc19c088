using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace OKLA.Shared.EventLog;

/// <summary>Runs every subscription of the host: wakes up at appends, retries with back-off, parks what cannot be handled and goes on.</summary>
internal sealed class SubscriptionRunner(
    Subscriptions subscriptions, NpgsqlDataSource database, IOptions<EventLogOptions> options, TimeProvider clock, ILogger<SubscriptionRunner> logger) : BackgroundService
{
    private static readonly Meter Meter = new("OKLA.EventLog");
    private static readonly Counter<long> Handled = Meter.CreateCounter<long>("okla.subscription.handled", "{event}", "Events that took effect, by subscription.");
    private static readonly Histogram<double> StepTime = Meter.CreateHistogram<double>("okla.subscription.step.duration", "s", "Time of one batch, from reading it to its commit, by subscription.");
    private static readonly Counter<long> Parked = Meter.CreateCounter<long>("okla.subscription.parked", "{event}", "Events set aside, by subscription.");

    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(100);

    private TaskCompletionSource wakeUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before any of them moves: afterwards nobody could tell that something was passed over.
        await PrepareAsync(stoppingToken);
        await Task.WhenAll(subscriptions.All.Select(subscription => RunAsync(subscription, stoppingToken)).Append(ListenAsync(stoppingToken)));
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        try
        {
            foreach (var outdated in await subscriptions.RebuildOutdatedAsync(ct))
            {
                if (outdated.Refusal is null)
                {
                    Log.Rebuilding(logger, outdated.Subscription, outdated.Version);
                }
                else
                {
                    Log.NotRebuilt(logger, outdated.Subscription, outdated.Version, outdated.Refusal);
                }
            }

            foreach (var missed in await subscriptions.MissedAsync(ct))
            {
                Log.EventsMissed(logger, missed.Subscription, missed.Files, missed.First, missed.Last);
            }

            foreach (var passed in await subscriptions.NoteTypesAsync(ct))
            {
                Log.TypePassedOver(logger, passed.Subscription, passed.Type, passed.Since);
            }
        }
        catch (Exception outage) when (IsOutage(outage))
        {
            Log.SubscriptionOutage(logger, "all", outage);
        }
    }

    private async Task RunAsync(Subscription subscription, CancellationToken ct)
    {
        await Task.Yield();
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            // Taken before the look at the log: an append after the look completes this very task.
            var appended = Volatile.Read(ref wakeUp).Task;
            try
            {
                // After a failure the events go one by one, so that the one at fault stands alone.
                var started = clock.GetTimestamp();
                var step = await subscriptions.AdvanceAsync(subscription, failures == 0 ? null : 1, ct);
                if (step.Handled > 0)
                {
                    var name = new KeyValuePair<string, object?>("subscription", subscription.Name);
                    Handled.Add(step.Handled, name);
                    var took = clock.GetElapsedTime(started);
                    StepTime.Record(took.TotalSeconds, name);
                    if (!step.More)
                    {
                        // A rest as long as the work: where events stream in, fewer and larger steps leave the machine to those who send them.
                        await PauseAsync(took < LongestRest ? took : LongestRest, ct);
                    }
                }

                failures = 0;
                if (!step.More)
                {
                    await Task.WhenAny(appended, Task.Delay(TimeSpan.FromSeconds(options.Value.PollSeconds), clock, ct));
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception outage) when (IsOutage(outage))
            {
                // The database is away: the event is not at fault, so this never parks anything.
                Log.SubscriptionOutage(logger, subscription.Name, outage);
                await PauseAsync(TimeSpan.FromSeconds(1), ct);
            }
            catch (Exception fault)
            {
                failures++;
                Log.SubscriptionFailed(logger, subscription.Name, failures, fault);
                if (failures > options.Value.AttemptsBeforeParking)
                {
                    failures = await TryParkAsync(subscription, fault, failures - 1, ct) ? 0 : failures;
                }
                else
                {
                    await PauseAsync(TimeSpan.FromMilliseconds(50 << failures), ct);
                }
            }
        }
    }

    private async Task<bool> TryParkAsync(Subscription subscription, Exception fault, int attempts, CancellationToken ct)
    {
        try
        {
            await subscriptions.ParkNextAsync(subscription, fault, attempts, ct);
            Parked.Add(1, new KeyValuePair<string, object?>("subscription", subscription.Name));
            return true;
        }
        catch (NpgsqlException outage)
        {
            Log.SubscriptionOutage(logger, subscription.Name, outage);
            await PauseAsync(TimeSpan.FromSeconds(1), ct);
            return false;
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(ct);
                connection.Notification += (_, _) => Wake();
                await using (var listen = new NpgsqlCommand($"listen {EventLog.Channel}", connection))
                {
                    await listen.ExecuteNonQueryAsync(ct);
                }

                Wake();
                while (true)
                {
                    await connection.WaitAsync(ct);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception outage) when (IsOutage(outage))
            {
                Log.ListenerLost(logger, outage);
                await PauseAsync(TimeSpan.FromSeconds(1), ct);
            }
        }
    }

    private void Wake() =>
        Interlocked.Exchange(ref wakeUp, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private async Task PauseAsync(TimeSpan time, CancellationToken ct) =>
        await Task.Delay(time, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static bool IsOutage(Exception fault) => fault switch
    {
        PostgresException refused => refused.IsTransient || refused.SqlState.StartsWith("57", StringComparison.Ordinal),
        NpgsqlException or IOException or TimeoutException => true,
        _ => false,
    };
}
