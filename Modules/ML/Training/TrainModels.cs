using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Training.Jobs;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Training;

/// <summary>Answers <see cref="TrainModel"/>: takes the turn, trains here and now, and leaves the same traces as a job of the queue.</summary>
internal sealed class TrainModelHandler(
    ModelCatalog models, ModelRegistry registry, TrainingJobs queue, TrainingRunner runner, JobRuns jobs, TimeProvider clock, ILogger<TrainModelHandler> logger)
{
    private const string Busy = "Another training of this model is under way.";
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    public async Task<TrainingOutcome> Handle(TrainModel command, CancellationToken ct)
    {
        var startedAt = clock.GetUtcNow();
        var started = Stopwatch.StartNew();
        var definition = await models.FindAsync(command.Model, ct) ?? throw new ArgumentException($"There is no model named {command.Model}.", nameof(command));
        await using var turn = await registry.TryTakeTurnAsync(command.Model, ct);
        if (turn is null || await queue.BeginAsync(command.Model, command.Reason, ct) is not { } job)
        {
            return new TrainingOutcome(command.Model, 0, false, Busy, [], 0, started.Elapsed.TotalSeconds);
        }

        var outcome = await CarryThroughAsync(definition, command, job, ct);
        await registry.RecordRunAsync(outcome, ct);
        if (outcome.Version > 0)
        {
            // It spares the weekly training.
            await jobs.RecordAsync(TrainingSetup.JobOf(command.Model), command.Reason, startedAt, outcome.Decision, ct);
        }

        Log.Trained(logger, outcome.Model, outcome.Version, outcome.Decision, outcome.Seconds);
        return outcome;
    }

    private async Task<TrainingOutcome> CarryThroughAsync(ModelDefinition definition, TrainModel command, TrainingJob job, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var heard = new Heard(command.Progress);
        using var over = new CancellationTokenSource();
        var beating = BeatAsync(job, heard, stop, over.Token);
        try
        {
            var (outcome, run) = await Task.Run(() => runner.TrainAsync(definition, command.Reason, job.Id, heard, null, stop.Token), stop.Token);
            await queue.FinishAsync(
                job.Id, outcome.Version > 0 ? "succeeded" : "failed", outcome.Decision, run, outcome.Version > 0 ? outcome.Version : null, outcome.Version > 0 ? outcome.Published : null, null);
            return outcome;
        }
        catch (Exception fault)
        {
            await queue.FinishAsync(job.Id, fault is OperationCanceledException ? "cancelled" : "failed", fault.Message, null, null, null, fault.ToString());
            throw;
        }
        finally
        {
            await over.CancelAsync();
            await beating;
        }
    }

    private async Task BeatAsync(TrainingJob job, Heard heard, CancellationTokenSource stop, CancellationToken over)
    {
        while (true)
        {
            await Task.Delay(Beat, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (over.IsCancellationRequested)
            {
                return;
            }

            try
            {
                if (await queue.RenewAsync(job.Id, heard.Last, null, CancellationToken.None) is not false)
                {
                    await stop.CancelAsync();
                }
            }
            catch (Exception fault) when (fault is Npgsql.NpgsqlException or TimeoutException or InvalidOperationException or IOException)
            {
                Log.QueueUnavailable(logger, fault);
            }
        }
    }

    private sealed class Heard(IProgress<WorkProgress>? next) : IProgress<WorkProgress>
    {
        private readonly Lock changing = new();
        private WorkProgress last = new(0, "starting");

        public WorkProgress Last
        {
            get
            {
                lock (changing)
                {
                    return last;
                }
            }
        }

        public void Report(WorkProgress value)
        {
            lock (changing)
            {
                last = value;
            }

            next?.Report(value);
        }
    }
}

/// <summary>Answers <see cref="EvaluateModel"/>: the same measurement, nothing kept; and how long the model takes to answer.</summary>
internal sealed class EvaluateModelHandler(ModelCatalog models)
{
    public async Task<EvaluationReport> Handle(EvaluateModel query, CancellationToken ct)
    {
        var run = models.NewTraining(query.Model);
        var (definition, started) = (models.Find(query.Model)!, Stopwatch.StartNew());
        try
        {
            var heldOut = await run.EvaluateAsync(null, query.Progress, ct);
            var seconds = started.Elapsed.TotalSeconds;
            return new EvaluationReport(query.Model, heldOut.Split, heldOut.Metrics)
            {
                Targets = definition.Targets, RowsLearned = heldOut.RowsLearned, RowsMeasured = heldOut.RowsMeasured, Seconds = seconds, Answers = HeldOutQuestions.Ask(HeldOutQuestions.Of(definition, run), ct),
            };
        }
        catch (TooLittleDataException missing)
        {
            return new EvaluationReport(query.Model, missing.Message, []) { Targets = definition.Targets, Seconds = started.Elapsed.TotalSeconds };
        }
    }
}
