using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OKLA.ML.Models;
using OKLA.ML.Models.Frames;
using OKLA.ML.Registry;
using OKLA.ML.Rollout;
using OKLA.ML.Training.Gates;
using OKLA.ML.Training.Runs;
using OKLA.ML.Tuning;
using OKLA.Shared.Contracts;

namespace OKLA.ML.Training;

/// <summary>What every training goes through: evaluate, pass the gates, refit, keep version and run, publish last.</summary>
internal sealed class TrainingRunner(
    ModelCatalog models, ModelRegistry registry, RunStore runs, RunTables kept, RolloutStart rollouts, Tables tables, TimeProvider clock, IOptions<MLOptions> options, ILogger<TrainingRunner> logger) : IDisposable
{
    // All weekly trainings are due at the same hour: one after the other they need the memory and the cores of one.
    private readonly SemaphoreSlim oneAtATime = new(1);

    /// <summary>Trains a model, after the training that this host is at; the caller has the model's turn. Version 0 says that there was too little to learn from.</summary>
    public async Task<(TrainingOutcome Outcome, Guid? Run)> TrainAsync(
        ModelDefinition definition, string reason, Guid? job, IProgress<WorkProgress>? progress, ITrialBook? trials, CancellationToken ct, RolloutEndpoints.Request? rollout = null)
    {
        progress?.Report(new WorkProgress(0, "waiting for the training before"));
        await oneAtATime.WaitAsync(ct);
        try
        {
            return await TrainAloneAsync(definition, reason, job, progress, trials, rollout, ct);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>Makes a run again with its seed, threads, settings and data, and says whether the artefact is the same bit for bit.</summary>
    /// <exception cref="InvalidDataException">The run cannot be made again; the message says why.</exception>
    public async Task<(Guid Run, bool Identical, string Said)> ReproduceAsync(Guid original, Guid? job, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        await oneAtATime.WaitAsync(ct);
        try
        {
            return await ReproduceAloneAsync(original, job, progress, ct);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private async Task<(TrainingOutcome Outcome, Guid? Run)> TrainAloneAsync(
        ModelDefinition definition, string reason, Guid? job, IProgress<WorkProgress>? progress, ITrialBook? trials, RolloutEndpoints.Request? rollout, CancellationToken ct)
    {
        var (startedAt, started) = (clock.GetUtcNow(), Stopwatch.StartNew());
        var training = definition.NewTraining();
        training.Trials = trials;
        var serving = await ServingAsync(definition.Name, ct);
        HeldOut heldOut;
        try
        {
            heldOut = await training.EvaluateAsync(serving is { } old ? (old.Artefact, old.Version.DataUntil) : null, new ProgressPart(progress, 0, 0.6), ct);
        }
        catch (TooLittleDataException missing)
        {
            return (new TrainingOutcome(definition.Name, 0, false, missing.Message, [], 0, started.Elapsed.TotalSeconds), null);
        }

        var recorded = serving?.Version.Metrics.FirstOrDefault(metric => metric.Name == heldOut.Metrics[0].Name)?.Model;
        var cases = serving?.Version.Run is { } before ? await runs.CasesAsync(before, ct) : null;
        var verdict = Gate.Decide(new GateCase(heldOut, training.LargerIsBetter, recorded, cases, training.Gates.Tolerance ?? options.Value.Tolerance, training.Gates));
        var trained = verdict.Publish ? training.Refit(new ProgressPart(progress, 0.6, 0.95), ct) : training.Measured();
        ct.ThrowIfCancellationRequested();
        progress?.Report(new WorkProgress(0.95, "keeping the version"));
        var waits = verdict.Publish && definition.RequiresApproval;
        var decision = waits ? $"Waits for approval. {verdict.Decision["Published: ".Length..]}" : verdict.Decision;
        var seconds = started.Elapsed.TotalSeconds;
        var run = Guid.CreateVersion7(startedAt);
        var version = await registry.SaveAsync(
            definition.Name, trained, heldOut.Metrics, verdict.Publish ? "candidate" : "rejected", decision, reason, seconds, new VersionFacts(verdict.Gates, training.Signature, serving?.Version.Version, run), ct);
        await runs.SaveAsync(new TrainingRun(
            run, definition.Name, job, version, reason, trained.Parameters, trained.Data, RunStore.Environment(options.Value.Threads), training.Recipe, heldOut, verdict.Gates,
            verdict.Publish && !waits, decision, Sha256(trained), null, null, startedAt, clock.GetUtcNow()), ct);
        await kept.KeepAsync(run, definition.Name, training.HeldOutRows, training.Learned, ct);
        if (training is TableTraining table)
        {
            await tables.RecordUseAsync(table.Data, definition.Name, version, ct);
        }

        rollout ??= options.Value.Rollout.Trainings && (reason is "weekly" or "drift") ? new RolloutEndpoints.Request() : null;
        if (verdict.Publish && !waits && rollout is not null && serving is not null)
        {
            progress?.Report(new WorkProgress(0.99, "letting it in step by step"));
            var (begun, why) = await rollouts.BeginAsync(definition.Name, rollout with { Version = version }, "house", ct);
            var said = $"{decision} {(begun is null ? $"It waits as a candidate, since no rollout could begin: {why}" : $"Let in step by step, rollout {begun.Id}.")}";
            progress?.Report(new WorkProgress(1, "done"));
            return (new TrainingOutcome(definition.Name, version, false, said, heldOut.Metrics, trained.Rows, seconds), run);
        }

        if (verdict.Publish && !waits)
        {
            progress?.Report(new WorkProgress(0.99, "publishing"));
            await registry.PublishAsync(definition.Name, version, "house", decision, ct);
        }

        progress?.Report(new WorkProgress(1, "done"));
        return (new TrainingOutcome(definition.Name, version, verdict.Publish && !waits, decision, heldOut.Metrics, trained.Rows, seconds), run);
    }

    private async Task<(Guid Run, bool Identical, string Said)> ReproduceAloneAsync(Guid original, Guid? job, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var startedAt = clock.GetUtcNow();
        var run = await runs.FindAsync(original, ct) ?? throw new InvalidDataException($"There is no run {original}.");
        var recipe = await runs.RecipeAsync(original, ct) ?? throw new InvalidDataException("The run kept no recipe: only models of tables are made again.");
        var training = await models.FindAsync(run.Model, ct) switch
        {
            BroughtModel brought => brought.NewTraining(recipe, run.DatasetVersion),
            LogModel house => new TableTraining(house.Definition, async stop => await kept.LearnedAsync(run, stop) ?? throw new InvalidDataException(NotKept), options.Value, clock, recipe),
            _ => throw new InvalidDataException($"There is no model of a table named {run.Model}."),
        };
        var heldOut = await training.EvaluateAsync(null, new ProgressPart(progress, 0, 0.6), ct);
        var trained = run.Refitted ? training.Refit(new ProgressPart(progress, 0.6, 0.95), ct) : training.Measured();
        var sha256 = Sha256(trained);
        var identical = sha256 == run.Sha256;
        var changed = training.Data.Dataset.Length > 0 && run.Data.TryGetProperty("sha256", out var learned) && learned.GetString() is { Length: > 0 } was && training.Data.Sha256 != was;
        var said = identical ? $"Bit for bit the same artefact ({sha256[..12]}…)."
            : changed ? "Another artefact: rows of erased people left the data set since."
            : recipe.Profile == "accurate" && recipe.Threads > 1 ? "Another artefact: a time budget over several threads is not repeatable."
            : $"Another artefact ({sha256[..12]}… instead of {run.Sha256?[..12]}…).";
        var id = Guid.CreateVersion7(startedAt);
        await runs.SaveAsync(new TrainingRun(
            id, run.Model, job, null, "reproduce", trained.Parameters, trained.Data, RunStore.Environment(recipe.Threads), training.Recipe, heldOut, [], false, said, sha256, original, identical, startedAt,
            clock.GetUtcNow()), ct);
        return (id, identical, said);
    }

    /// <summary>Why a run of a model of the log cannot be made again.</summary>
    internal const string NotKept = "The table that the run learned from is not kept any more: newer runs took its place, or an erased person was in it.";

    public void Dispose() => oneAtATime.Dispose();

    private static string Sha256(TrainedModel trained) => Convert.ToHexStringLower(SHA256.HashData(trained.Artefact));

    /// <summary>The serving version with its artefact; null when none serves or its artefact is damaged (then any sound version is better).</summary>
    private async Task<(byte[] Artefact, ModelVersion Version)?> ServingAsync(string model, CancellationToken ct)
    {
        if (!(await registry.ServingAsync(ct)).TryGetValue(model, out var serving))
        {
            return null;
        }

        try
        {
            return await registry.VersionAsync(model, serving.Version, ct) is { } version ? (await registry.ArtefactAsync(model, serving.Version, ct), version) : null;
        }
        catch (InvalidDataException damaged)
        {
            Log.ArtefactDamaged(logger, model, serving.Version, damaged);
            return null;
        }
    }
}
