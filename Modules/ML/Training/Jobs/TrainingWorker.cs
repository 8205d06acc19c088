using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using OKLA.ML.Algorithms.Tuning;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Tuning;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Training.Jobs;

/// <summary>Takes jobs from the queue, one at a time, and carries them through.</summary>
internal sealed class TrainingWorker(
    TrainingJobs jobs, ModelCatalog models, ModelRegistry registry, TrainingRunner runner, JobRuns weekly, IOptions<MLOptions> options, TimeProvider clock, ILogger<TrainingWorker> logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>Does the next job; false when there was none.</summary>
    public async Task<bool> WorkAsync(CancellationToken ct)
    {
        if (await jobs.ClaimAsync(ct) is not { } job)
        {
            return false;
        }

        await CarryThroughAsync(job, ct);
        return true;
    }

    /// <summary>Carries a job through that this host has claimed.</summary>
    internal async Task CarryThroughAsync(TrainingJob job, CancellationToken ct)
    {
        // Not to be stopped before the part that puts the job back.
        await using var turn = await registry.TryTakeTurnAsync(job.Model, CancellationToken.None);
        if (turn is null)
        {
            // A training that does not come from the queue is under way, or the host that was lost still holds its turn.
            await jobs.PutBackAsync(job.Id, TimeSpan.FromSeconds(5), null);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watched = new Watched(await jobs.TrialsAsync(job.Id, CancellationToken.None));
        var beating = BeatAsync(job, watched, stop);
        try
        {
            var result = await Task.Run(() => TrainAsync(job, watched, stop.Token), stop.Token);
            await jobs.FinishAsync(job.Id, "succeeded", result.Message, result.Run, result.Version, result.Published, null);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The host stops; another one goes on with the trials that are over.
            await jobs.PutBackAsync(job.Id, TimeSpan.Zero, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await jobs.FinishAsync(job.Id, "cancelled", "Cancelled.", null, null, null, null);
        }
        catch (Exception fault) when (fault is TooLittleDataException or ArgumentException or InvalidDataException)
        {
            // Trying again changes nothing.
            await jobs.FinishAsync(job.Id, "failed", fault.Message, null, null, null, fault.ToString());
        }
        catch (Exception fault)
        {
            Log.TrainingFailed(logger, job.Model, job.Id, job.Attempt, fault);
            if (job.Attempt < options.Value.TrainingAttempts)
            {
                await jobs.PutBackAsync(job.Id, FirstDelay * Math.Pow(4, job.Attempt - 1), fault.ToString());
            }
            else
            {
                await jobs.FinishAsync(job.Id, "failed", fault.Message, null, null, null, fault.ToString());
            }
        }
        finally
        {
            watched.Over.TrySetResult();
            await beating;
        }
    }

    private async Task<(string Message, Guid? Run, int? Version, bool? Published)> TrainAsync(TrainingJob job, Watched watched, CancellationToken ct)
    {
        if (job.Reproduces is { } original)
        {
            var (run, identical, said) = await runner.ReproduceAsync(original, job.Id, watched, ct);
            return (said, run, null, identical ? null : false);
        }

        var definition = await models.FindAsync(job.Model, ct) ?? throw new InvalidDataException($"There is no model named {job.Model}.");
        var startedAt = clock.GetUtcNow();
        var (outcome, made) = await runner.TrainAsync(definition, job.Reason, job.Id, watched, watched, ct, await jobs.RolloutAsync(job.Id, ct));
        await registry.RecordRunAsync(outcome, ct);
        if (outcome.Version == 0)
        {
            throw new TooLittleDataException(outcome.Decision);
        }

        if (models.House.Contains(job.Model) && job.Reason != "weekly")
        {
            // It spares the weekly training.
            await weekly.RecordAsync(TrainingSetup.JobOf(job.Model), job.Reason, startedAt, outcome.Decision, ct);
        }

        Log.Trained(logger, outcome.Model, outcome.Version, outcome.Decision, outcome.Seconds);
        return (outcome.Decision, made, outcome.Version, outcome.Published);
    }

    private async Task BeatAsync(TrainingJob job, Watched watched, CancellationTokenSource stop)
    {
        while (true)
        {
            await Task.WhenAny(watched.Over.Task, Task.Delay(Beat, CancellationToken.None));
            if (watched.Over.Task.IsCompleted)
            {
                return;
            }

            try
            {
                // Whoever lost the job must not go on, and whoever is told to stop neither.
                if (await jobs.RenewAsync(job.Id, watched.Progress, watched.TakeTrials(), CancellationToken.None) is not false)
                {
                    await stop.CancelAsync();
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or InvalidOperationException or IOException)
            {
                Log.QueueUnavailable(logger, fault);
            }
        }
    }

    /// <summary>What the beat writes down.</summary>
    private sealed class Watched(IReadOnlyList<Trial> kept) : IProgress<WorkProgress>, ITrialBook
    {
        private readonly Lock changing = new();
        private WorkProgress progress = new(0, "starting");
        private IReadOnlyList<Trial>? trials;

        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<Trial> Kept => kept;

        public WorkProgress Progress
        {
            get
            {
                lock (changing)
                {
                    return progress;
                }
            }
        }

        public void Report(WorkProgress value)
        {
            lock (changing)
            {
                progress = value;
            }
        }

        public void Keep(IReadOnlyList<Trial> trials)
        {
            lock (changing)
            {
                this.trials = trials;
            }
        }

        /// <summary>Trials since the last time; null when there are none.</summary>
        public IReadOnlyList<Trial>? TakeTrials()
        {
            lock (changing)
            {
                return Interlocked.Exchange(ref trials, null);
            }
        }
    }
}
