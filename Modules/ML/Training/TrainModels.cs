using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Models;
using OKLA.ML.Registry;
using OKLA.ML.Training.Gates;
using OKLA.Shared.Contracts;
using OKLA.Shared.Jobs;

namespace OKLA.ML.Training;

/// <summary>Answers <see cref="TrainModel"/>: take the turn, evaluate, decide, refit, keep, publish last.</summary>
internal sealed class TrainModelHandler(ModelCatalog models, ModelRegistry registry, JobRuns jobs, TimeProvider clock, IOptions<MLOptions> options, ILogger<TrainModelHandler> logger)
{
    public async Task<TrainingOutcome> Handle(TrainModel command, CancellationToken ct)
    {
        var startedAt = clock.GetUtcNow();
        var started = Stopwatch.StartNew();
        var run = models.NewTraining(command.Model);
        await using var turn = await registry.TryTakeTurnAsync(command.Model, ct);
        if (turn is null)
        {
            return new TrainingOutcome(command.Model, 0, false, "Another training of this model is under way.", [], 0, started.Elapsed.TotalSeconds);
        }

        var outcome = await RunAsync(run, command, started, ct);
        await registry.RecordRunAsync(outcome, ct);
        if (outcome.Version > 0 && command.Progress is not JobProgress)
        {
            // A job writes its own history; a training by hand spares the weekly one as well.
            await jobs.RecordAsync(TrainOnDemand.JobOf(command.Model), command.Reason, startedAt, outcome.Decision, ct);
        }

        Log.Trained(logger, outcome.Model, outcome.Version, outcome.Decision, outcome.Seconds);
        return outcome;
    }

    private async Task<TrainingOutcome> RunAsync(ModelTraining run, TrainModel command, Stopwatch started, CancellationToken ct)
    {
        var progress = command.Progress;
        var serving = await ServingAsync(command.Model, ct);
        HeldOut heldOut;
        try
        {
            heldOut = await run.EvaluateAsync(serving is { } old ? (old.Artefact, old.Version.DataUntil) : null, new ProgressPart(progress, 0, 0.6), ct);
        }
        catch (TooLittleDataException missing)
        {
            return new TrainingOutcome(command.Model, 0, false, missing.Message, [], 0, started.Elapsed.TotalSeconds);
        }

        var recorded = serving?.Version.Metrics.FirstOrDefault(metric => metric.Name == heldOut.Metrics[0].Name)?.Model;
        var verdict = Gate.Decide(new GateCase(heldOut, run.LargerIsBetter, recorded, null, run.Gates.Tolerance ?? options.Value.Tolerance, run.Gates));
        var (publish, decision) = (verdict.Publish, verdict.Decision);
        var trained = publish ? run.Refit(new ProgressPart(progress, 0.6, 0.95), ct) : run.Measured();
        progress?.Report(new WorkProgress(0.95, "keeping the version"));
        var seconds = started.Elapsed.TotalSeconds;
        var version = await registry.SaveAsync(command.Model, trained, heldOut.Metrics, publish ? "candidate" : "rejected", decision, command.Reason, seconds, ct);
        if (publish)
        {
            progress?.Report(new WorkProgress(0.99, "publishing"));
            await registry.PublishAsync(command.Model, version, ct);
        }

        progress?.Report(new WorkProgress(1, "done"));
        return new TrainingOutcome(command.Model, version, publish, decision, heldOut.Metrics, trained.Rows, seconds);
    }

    /// <summary>The serving version with its artefact; null when none serves or its artefact is damaged (then any sound version is better).</summary>
    private async Task<(byte[] Artefact, ModelVersion Version)?> ServingAsync(string model, CancellationToken ct)
    {
        if (!(await registry.ServingAsync(ct)).TryGetValue(model, out var serving))
        {
            return null;
        }

        try
        {
            var versions = await registry.VersionsAsync(model, int.MaxValue, ct);
            return (await registry.ArtefactAsync(model, serving.Version, ct), versions.Single(version => version.Version == serving.Version));
        }
        catch (InvalidDataException damaged)
        {
            Log.ArtefactDamaged(logger, model, serving.Version, damaged);
            return null;
        }
    }
}

/// <summary>Answers <see cref="EvaluateModel"/>: the same measurement, nothing kept.</summary>
internal sealed class EvaluateModelHandler(ModelCatalog models)
{
    public async Task<EvaluationReport> Handle(EvaluateModel query, CancellationToken ct)
    {
        var run = models.NewTraining(query.Model);
        try
        {
            var heldOut = await run.EvaluateAsync(null, query.Progress, ct);
            return new EvaluationReport(query.Model, heldOut.Split, heldOut.Metrics);
        }
        catch (TooLittleDataException missing)
        {
            return new EvaluationReport(query.Model, missing.Message, []);
        }
    }
}
