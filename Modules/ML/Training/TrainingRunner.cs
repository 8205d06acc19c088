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
using OKLA.Shared.Messaging;

namespace OKLA.ML.Training;

/// <summary>What every training goes through: evaluate, pass the gates, refit, keep version and run, publish last.</summary>
internal sealed class TrainingRunner(
    ModelCatalog models, ModelRegistry registry, RunStore runs, RunTables kept, RolloutStart rollouts, Tables tables, IMessageBus bus, ExchangeRates rates, TimeProvider clock, IOptions<MLOptions> options,
    ILogger<TrainingRunner> logger)
{
    /// <summary>Trains a model; the caller has the model's turn. Version 0 says that there was too little to learn from.</summary>
    public async Task<(TrainingOutcome Outcome, Guid? Run)> TrainAsync(
        ModelDefinition definition, string reason, Guid? job, IProgress<WorkProgress>? progress, ITrialBook? trials, CancellationToken ct, RolloutEndpoints.Request? rollout = null)
    {
        var (startedAt, started) = (clock.GetUtcNow(), Stopwatch.StartNew());
        using var world = TrainingWorld.Now(bus, options.Value, rates, clock);
        var training = definition.NewTraining(world) ?? definition.NewTraining();
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
        var forgotten = cases is null && serving?.Version.Run is { } measured && await kept.ForgottenAsync(measured, ct) is not null;
        var verdict = Gate.Decide(
            new GateCase(heldOut, training.LargerIsBetter, recorded, cases, training.Gates.Tolerance ?? options.Value.Tolerance, training.Gates) { CasesForgotten = forgotten });
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
            run, definition.Name, job, version, reason, trained.Parameters, trained.Data, RunStore.Environment(options.Value.Threads), training.Recipe ?? (world.Used ? world.Recipe : (object?)null), heldOut, verdict.Gates,
            verdict.Publish && !waits, decision, Sha256(trained), null, null, startedAt, clock.GetUtcNow()), ct);
        await using (var readings = await world.WrittenAsync(ct))
        {
            await kept.KeepAsync(run, definition.Name, training.HeldOutRows, training.Learned, readings, ct);
        }

        if (training is TableTraining table)
        {
            await tables.RecordUseAsync(table.Data, definition.Name, version, ct);
        }

        rollout ??= options.Value.Rollout.Trainings && definition.MeetsRollouts && (reason is "weekly" or "drift") ? new RolloutEndpoints.Request() : null;
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

    /// <summary>Makes a run again with its seed, threads, settings and data, and says whether the artefact is the same bit for bit.</summary>
    /// <exception cref="InvalidDataException">The run cannot be made again; the message says why.</exception>
    public async Task<(Guid Run, bool Identical, string Said)> ReproduceAsync(Guid original, Guid? job, IProgress<WorkProgress>? progress, CancellationToken ct)
    {
        var startedAt = clock.GetUtcNow();
        var run = await runs.FindAsync(original, ct) ?? throw new InvalidDataException($"There is no run {original}.");
        using var again = await AgainAsync(run, ct);
        var training = again.Training;
        var heldOut = await training.EvaluateAsync(null, new ProgressPart(progress, 0, 0.6), ct);
        var trained = run.Refitted ? training.Refit(new ProgressPart(progress, 0.6, 0.95), ct) : training.Measured();
        var sha256 = Sha256(trained);
        var identical = sha256 == run.Sha256;
        var said = identical ? $"Bit for bit the same artefact ({sha256[..12]}…)."
            : again.Why(run) is { } why ? $"Another artefact: {why}"
            : $"Another artefact ({sha256[..12]}… instead of {run.Sha256?[..12]}…).";
        var id = Guid.CreateVersion7(startedAt);
        await runs.SaveAsync(new TrainingRun(
            id, run.Model, job, null, "reproduce", trained.Parameters, trained.Data, RunStore.Environment(again.Threads), again.Recipe, heldOut, [], false, said, sha256, original, identical, startedAt,
            clock.GetUtcNow()), ct);
        return (id, identical, said);
    }

    /// <summary>Why a run of a model of the log cannot be made again.</summary>
    internal const string NotKept = "The table that the run learned from is not kept any more: newer runs took its place, or an erased person was in it.";

    /// <summary>Why a run cannot be made again at all.</summary>
    internal const string NoRecipe = "The run kept no recipe, so it cannot be made again: it was made before runs of its kind kept one.";

    /// <summary>A training with an earlier run's recipe and data.</summary>
    private async Task<MadeAgain> AgainAsync(RunRecord run, CancellationToken ct)
    {
        switch (await models.FindAsync(run.Model, ct))
        {
            case BroughtModel brought:
                var own = await RecipeAsync<TableRecipe>(run, ct);
                return new MadeAgain(brought.NewTraining(own, run.DatasetVersion), own, null);
            case LogModel house:
                var recipe = await RecipeAsync<TableRecipe>(run, ct);
                var table = new TableTraining(house.Definition, async stop => await kept.LearnedAsync(run, stop) ?? throw new InvalidDataException(NotKept), options.Value, clock, recipe) { UnitOf = house.UnitOf };
                return new MadeAgain(table, recipe, null);
            case { } other:
                await using (var readings = await kept.ReadingsAsync(run.Id, ct))
                {
                    var world = await TrainingWorld.AgainAsync(bus, await RecipeAsync<WorldRecipe>(run, ct), readings, ct);
                    return new MadeAgain(other.NewTraining(world) ?? throw new InvalidDataException(NoRecipe), null, world);
                }

            default:
                throw new InvalidDataException($"There is no model named {run.Model} any more.");
        }
    }

    private async Task<T> RecipeAsync<T>(RunRecord run, CancellationToken ct)
        where T : class => await runs.RecipeAsync<T>(run.Id, ct) ?? throw new InvalidDataException(NoRecipe);

    /// <summary>A run that is made again: by the recipe of a table, or in the world of then.</summary>
    private sealed record MadeAgain(ModelTraining Training, TableRecipe? Table, TrainingWorld? World) : IDisposable
    {
        public int Threads => World?.Options.Threads ?? Table!.Threads;

        public object Recipe => World is null ? Training.Recipe! : World.FromKept ? World.Start : World.Recipe;

        /// <summary>Why it gave another artefact; null where nobody knows.</summary>
        public string? Why(RunRecord run)
        {
            var changed = Training is TableTraining { Data: { Dataset.Length: > 0 } data } && run.Data.TryGetProperty("sha256", out var learned) && learned.GetString() is { Length: > 0 } was && data.Sha256 != was;
            return changed ? "rows of erased people left the data set since."
                : World is { FromKept: false } && World.Recipe.Read != World.Start.Read ? "what it read is not kept any more, and the log holds something else of that time now: people were erased since, or events came late."
                : Table is { Profile: "accurate", Threads: > 1 } ? "a time budget over several threads is not repeatable."
                : run.Environment.TryGetProperty("vectorBits", out var bits) && bits.GetInt32() != RunStore.VectorBits ? $"it was made on a processor with vectors of {bits.GetInt32()} bits, and this one has {RunStore.VectorBits}, which rounds sums otherwise."
                : null;
        }

        public void Dispose() => World?.Dispose();
    }

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
